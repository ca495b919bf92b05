"""An attempt's computing process, as the attempt uses it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog

from worker.computing.forkserver import ComputingLost, ComputingTooLong, ForkServer
from worker.computing.frames import ANSWER, CALL, ERROR, FORGET, HELLO, KEEP, REQUEST, Kept, packed, unpacked

T = TypeVar("T")
log = structlog.get_logger("computing")
_START = 60.0
"""Seconds; the server may be loading libraries on a busy machine."""
_DEATH = 2.0
_BUFFER = 1 << 20
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_MB = 1e6


class Computer:
    """Runs one call at a time, in a process that is made with the first one and kept for the next.

    Cancelling a call kills the process, wherever it is, within milliseconds; what it had kept is gone then.
    """

    def __init__(self, server: ForkServer, *, seconds: float | None = None) -> None:
        """`seconds` is the longest time that one call may take; None for any."""
        self._server = server
        self._seconds = seconds
        self._libraries: tuple[str, ...] = ()
        self._process: _Process | None = None
        self._turn = asyncio.Lock()
        self._cpu = 0.0
        self._peak = 0.0
        self._closed = False
        self._abandoned: set[asyncio.Task[_Process]] = set()

    def needs(self, libraries: Sequence[str]) -> None:
        """Modules that its process shall have from the start, when it comes to that."""
        self._libraries = tuple(libraries)

    async def run(self, fn: Callable[..., T], *args: object) -> T:
        """`fn(*args)`; function, arguments and value must pickle. Raises what `fn` raises, TypeError for what does not
        pickle, MemoryError past the limit, ComputingTooLong past that of time, ComputingLost when the process ends by
        itself."""
        value: T = await self._call(CALL, fn, args)
        return value

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept:
        """The same, but the value stays there, for later calls to take it as an argument. Raises the same."""
        return Kept(await self._call(KEEP, fn, args))

    async def forget(self) -> None:
        """Let go of all that is kept."""
        async with self._turn:
            if self._process is not None:
                await self._exchange(self._process, FORGET, b"")

    async def close(self) -> None:
        """Kill the process. Returns when it is dead; later calls raise ComputingLost."""
        self._closed = True
        process = self._process
        self._drop()
        if process is None:
            return
        try:
            async with asyncio.timeout(_DEATH), self._turn:  # a call under way is told first
                await process.gone()
        except TimeoutError:
            log.warning("a killed process has not ended yet", pid=process.pid)

    def cpu_seconds(self) -> float:
        """CPU seconds of all its calls, those under way included."""
        return self._cpu + (self._process.cpu_seconds() if self._process is not None else 0.0)

    def peak_memory_mb(self) -> float:
        """The largest resident set of a process so far, in 10^6 bytes."""
        return max(self._peak, self._process.peak_bytes() / _MB if self._process is not None else 0.0)

    async def _call(self, kind: bytes, fn: Callable[..., object], args: tuple[object, ...]) -> Any:
        try:
            request = packed((fn, args))
        except Exception as error:
            raise TypeError(f"{fn!r} or one of its arguments cannot be sent to a process: {error}") from error
        async with self._turn:
            if self._closed:
                raise ComputingLost("the attempt has ended")
            if self._process is None:
                await self._server.load(self._libraries)
                self._process = await self._started()
            kind, body = await self._exchange(self._process, kind, request)
        value = unpacked(body)
        if kind == ERROR:
            raised, way = value
            raised.add_note(way)
            raise raised
        return value

    async def _exchange(self, process: _Process, kind: bytes, request: bytes) -> tuple[bytes, bytes]:
        within = asyncio.timeout(self._seconds)
        try:
            async with within:
                return await process.exchange(kind, request)
        except (OSError, asyncio.IncompleteReadError) as error:
            self._drop()
            process.leave()
            if within.expired():
                raise ComputingTooLong(f"one computation took longer than {self._seconds:g} seconds") from None
            raise ComputingLost("a computing process ended by itself") from error
        except BaseException:
            self._drop()
            process.leave()
            raise

    async def _started(self) -> _Process:
        starting = asyncio.create_task(_started(self._server), name="computing")
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # It may be there already and have no name yet: it is seen off when it has one.
            self._abandoned.add(starting)
            starting.add_done_callback(self._abandoned.discard)
            starting.add_done_callback(_seen_off)
            raise

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._cpu += process.cpu_seconds()
            self._peak = max(self._peak, process.peak_bytes() / _MB)
            process.kill()


class _Process:
    """A process at the other end of a connection."""

    def __init__(
        self, pid: int, maker: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: ForkServer
    ) -> None:
        """`maker` is the id of the fork server that made it."""
        self.pid = pid
        self._maker = maker
        self._reader = reader
        self._writer = writer
        self._server = server
        self._cpu = 0.0
        self._peak = 0.0
        self._killed = False

    async def exchange(self, kind: bytes, request: bytes) -> tuple[bytes, bytes]:
        """Send a request and await its answer. Raises OSError, IncompleteReadError."""
        self._writer.write(REQUEST.pack(kind, len(request)))
        self._writer.write(request)
        await self._writer.drain()
        answer, self._cpu, self._peak, length = ANSWER.unpack(await self._reader.readexactly(ANSWER.size))
        return answer, await self._reader.readexactly(length)

    def cpu_seconds(self) -> float:
        if not self._killed:
            self._cpu = max(self._cpu, _cpu_of(self.pid))
        return self._cpu

    def peak_bytes(self) -> float:
        if not self._killed:
            self._peak = max(self._peak, _peak_of(self.pid))
        return self._peak

    def kill(self) -> None:
        self._killed = True
        self._server.kill(self.pid, self._maker)

    def leave(self) -> None:
        """After `kill`: close the connection at once."""
        self._writer.transport.abort()

    async def gone(self) -> None:
        """After `kill`: return when it has ended."""
        try:
            # Its end of the connection closes only then.
            while await self._reader.read(_BUFFER):
                pass
        except OSError:
            pass  # As good as the end of the stream.
        self._writer.close()


async def _started(server: ForkServer) -> _Process:
    ours, theirs = socket.socketpair()
    try:
        maker = await server.fork(theirs)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_BUFFER)
    try:
        async with asyncio.timeout(_START):
            (pid,) = HELLO.unpack(await reader.readexactly(HELLO.size))
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        writer.close()
        raise ComputingLost("no computing process could be started") from error
    return _Process(pid, maker, reader, writer, server)


def _seen_off(starting: asyncio.Task[_Process]) -> None:
    if not starting.cancelled() and starting.exception() is None:
        process = starting.result()
        process.kill()
        process.leave()


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process, all its threads; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK


def _peak_of(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024.0
    return 0.0
