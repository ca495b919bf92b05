"""The worker's side of the fork server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

import structlog

from worker.computing.frames import COMMAND, FORK, LOAD, REAP

log = structlog.get_logger("computing")
_SETTINGS = "PRSM_"
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class ComputingLost(Exception):
    """A computing process, or the one that makes them, ended by itself or could not be started."""


class ComputingTooLong(Exception):
    """A computation was ended because it took longer than one may."""


class ForkServer:
    """Started when it is first needed, and again after it was lost. For one event loop, in the main thread: the kernel
    takes the end of the thread that starts it for the worker's."""

    def __init__(self, *, memory: int) -> None:
        """`memory` is what each process may hold, in bytes."""
        self._memory = memory
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._modules: list[str] = []
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the server while it lives."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def load(self, modules: Iterable[str]) -> None:
        """Have it load modules, so that every process made from now on has them. Returns at once.

        Raises ComputingLost."""
        fresh = [name for name in modules if name not in self._modules]
        if fresh:
            await self._ready()
            self._modules += fresh
            self._send(LOAD, json.dumps(fresh).encode())

    async def fork(self, connection: socket.socket) -> int:
        """Have it make a process that serves at the other end of `connection`; the id of the server that does.

        Raises ComputingLost."""
        server = await self._ready()
        self._send(FORK, b"", [connection.fileno()])
        return server

    def kill(self, pid: int, server: int) -> None:
        """Kill a process that this `server` made, if it lives; its id is not needed any more."""
        if self.pid != server:
            return  # All of that one have ended with it, and their ids may be others' by now.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ComputingLost):  # Then all have ended.
            self._send(REAP, str(pid).encode())

    async def close(self) -> None:
        """End it and every process that it has made."""
        self._closed = True
        async with self._starting:
            await self._end()

    async def _ready(self) -> int:
        async with self._starting:
            if self._closed:
                raise ComputingLost("the worker is ending")
            if self.pid is None:
                await self._end()
                return await self._start()
            return self.pid

    async def _start(self) -> int:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        arguments = (str(theirs.fileno()), str(os.getpid()), str(self._memory))
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "worker.computing.server", *arguments),
                env=_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        except OSError as error:
            ours.close()
            raise ComputingLost("no process could be started") from error
        finally:
            theirs.close()
        self._control = ours
        if self._modules:
            log.warning("the fork server was started again", pid=process.pid)
            self._send(LOAD, json.dumps(self._modules).encode())
        return process.pid

    async def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def _send(self, kind: bytes, body: bytes, descriptors: Sequence[int] = ()) -> None:
        if self._control is None:
            raise ComputingLost("the fork server is gone")
        try:
            # Small, and never many: far from filling the socket's buffer.
            socket.send_fds(self._control, [COMMAND.pack(kind, len(body)), body], descriptors)
        except OSError as error:
            raise ComputingLost("the fork server is gone") from error


def _environment() -> dict[str, str]:
    """The worker's own without its settings, some of which are secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    # One thread each: libraries must have none when the server forks, sums must come out the same on any number of
    # cores, and the sessions of a worker share its cores as it is.
    threads = dict.fromkeys(_THREADS, "1")
    # Large arrays come from the kernel and go back to it: a heap with holes would count against the limit on memory.
    malloc = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return {**kept, **threads, **malloc, "PYTHONPATH": path}
