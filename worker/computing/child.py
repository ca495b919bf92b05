"""A computing process: one call after the other, until the worker closes the connection or kills it."""

from __future__ import annotations

import os
import pickle
import resource
import socket
import sys
import time
import traceback
from typing import BinaryIO

from worker.computing.frames import ANSWER, ERROR, FORGET, HELLO, KEEP, REQUEST, VALUE, forget, keep, packed, unpacked

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class ComputingFailed(Exception):
    """An error that cannot travel as it is; the message says what it was."""


def serve(connection: socket.socket) -> None:
    """Answer calls. Raises OSError when the worker is gone."""
    with connection.makefile("rb") as requests:
        connection.sendall(HELLO.pack(os.getpid()))
        while head := requests.read(REQUEST.size):
            kind, length = REQUEST.unpack(head)
            answer, body = _answer(kind, requests, length)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
            connection.sendall(ANSWER.pack(answer, time.process_time(), peak, len(body)))
            connection.sendall(body)


def _answer(kind: bytes, requests: BinaryIO, length: int) -> tuple[bytes, bytes]:
    data = requests.read(length)
    try:
        if kind == FORGET:
            forget()
            return VALUE, packed(None)
        fn, args = unpacked(data)
        del data
        value = fn(*args)
        return VALUE, packed(keep(value) if kind == KEEP else value)
    except MemoryError:
        pass  # Told below, when what filled the memory has been let go with the frames of the error.
    # Whatever the work raises is the worker's to judge; the process is good for the next call.
    except BaseException as error:
        return ERROR, packed((_portable(error), "".join(traceback.format_exception(error))))
    return ERROR, packed((MemoryError("the work needs more memory than a session may use"), ""))


def _portable(error: BaseException) -> BaseException:
    """The error, or one that says what it was, as it can be raised again in the worker."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made in the line itself
    except Exception:
        return ComputingFailed(repr(error))
    return error if isinstance(error, Exception) else ComputingFailed(repr(error))
