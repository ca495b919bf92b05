"""CPU-bound work in a thread that can be interrupted."""

from __future__ import annotations

import asyncio
import ctypes
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

T = TypeVar("T")
_PAUSE = 0.01
_AGAIN = 100
"""Pauses after which work that went on all the same is interrupted again."""
_LONG = 500
"""Pauses after which the log says so."""
log = structlog.get_logger("compute")


class Interrupted(BaseException):
    """Raised inside interrupted work. Not an Exception, so that no engine takes it for one of its own."""


async def run_interruptible(fn: Callable[..., T], *args: object) -> T:
    """Run `fn(*args)` in a thread of its own and await its value.

    When this is cancelled, `fn` is ended at its next Python instruction; a long call into C ends only after it has
    returned. The cancellation waits for that, so no work goes on behind the next session's back.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(value)  # type: ignore[arg-type]  # None is a T when there is no error
        else:
            outcome.set_exception(error)

    def compute() -> None:
        try:
            value = fn(*args)
        except Interrupted:
            raise
        except BaseException as error:
            loop.call_soon_threadsafe(settle, None, error)
        else:
            loop.call_soon_threadsafe(settle, value, None)

    def work() -> None:
        try:
            compute()
        except Interrupted:
            pass  # Nobody waits for the value any more.

    thread = threading.Thread(target=work, name=getattr(fn, "__name__", "work"), daemon=True)
    thread.start()
    try:
        return await outcome
    except asyncio.CancelledError:
        await _end(thread)
        raise


async def _end(thread: threading.Thread) -> None:
    pauses = due = 0
    while thread.is_alive():
        # Never inside an import: many an extension cannot be loaded a second time when its first time was broken off.
        if pauses >= due and not _importing(thread):
            interrupt(thread)
            due = pauses + _AGAIN
        await asyncio.sleep(_PAUSE)
        pauses += 1
        if pauses == _LONG:
            log.warning("interrupted work has not ended yet", work=thread.name)


def interrupt(thread: threading.Thread) -> None:
    """Raise Interrupted inside a thread that is under way."""
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Interrupted))


def _importing(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
