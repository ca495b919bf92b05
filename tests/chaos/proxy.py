"""Connections between parts that the harness can cut, hold and slow down: TCP proxies on the loopback."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import cast

_HOST = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)
_APART = 1e-6
"""Seconds by which two deliveries are apart at least: timers that are due at once run in no order."""


class Link:
    """The way from one part to another. `upstream` gives the port of the other, once it is known."""

    def __init__(self, name: str, upstream: Callable[[], int]) -> None:
        self.name = name
        self._upstream = upstream
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self.delay = 0.0
        """Seconds that bytes take, each way."""
        self.bytes = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def held(self) -> bool:
        return not self._open.is_set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Pair(self).near, _HOST, 0)

    async def connected(self, far: asyncio.Protocol) -> None:
        """Connect the far side, once the link is not held. Raises OSError."""
        await self._open.wait()
        await asyncio.get_running_loop().create_connection(lambda: far, _HOST, self._upstream())

    def reset(self) -> int:
        """Cut every connection, as a machine that lost all of them would; how many there were."""
        cut = list(self._pairs)
        for pair in cut:
            pair.abort()
        return len(cut)

    def hold(self) -> None:
        """Nothing passes from now on, and nobody is told; new connections are taken and lead nowhere."""
        self._open.clear()
        for pair in self._pairs:
            pair.refresh()

    def release(self) -> None:
        """What was on its way arrives late."""
        self._open.set()
        for pair in self._pairs:
            pair.refresh()

    async def close(self) -> None:
        self.release()
        if self._server is not None:
            self._server.close()
        self.reset()

    def _add(self, pair: _Pair) -> None:
        self._pairs.add(pair)

    def _remove(self, pair: _Pair) -> None:
        self._pairs.discard(pair)


class _Pair:
    """One connection: its near end, which a part opened, and its far end."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.near, self.far = _End(self), _End(self)
        self._connecting: asyncio.Task[None] | None = None

    def opened(self, end: _End) -> None:
        if end is self.near:
            self.link._add(self)
            self._connecting = asyncio.create_task(self._connect())
        self.refresh()

    async def _connect(self) -> None:
        try:
            await self.link.connected(self.far)
        except OSError:
            self.abort()

    def other(self, end: _End) -> _End:
        return self.far if end is self.near else self.near

    def refresh(self) -> None:
        for end in (self.near, self.far):
            end.refresh()

    def abort(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        for end in (self.near, self.far):
            end.abort()
        self.link._remove(self)

    def lost(self, end: _End, error: Exception | None) -> None:
        if error is not None:
            self.abort()
            return
        self.other(end).finish()
        if self.near.gone and self.far.gone:
            self.link._remove(self)


class _End(asyncio.Protocol):
    def __init__(self, pair: _Pair) -> None:
        self._pair = pair
        self._transport: asyncio.Transport | None = None
        self.gone = False
        self.choked = False
        self._reading = True
        self._due = 0.0
        self._waiting = 0
        self._ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pair.opened(self)

    def data_received(self, data: bytes) -> None:
        self._pair.link.bytes += len(data)
        self._pair.other(self).deliver(data)

    def eof_received(self) -> bool:
        self._pair.other(self).deliver(b"")
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self._pair.lost(self, error)

    def pause_writing(self) -> None:
        self.choked = True
        self._pair.refresh()

    def resume_writing(self) -> None:
        self.choked = False
        self._pair.refresh()

    def refresh(self) -> None:
        """Read only while the link is open and the other end takes what comes."""
        if self._transport is None or self.gone:
            return
        other = self._pair.other(self)
        wanted = not self._pair.link.held and other._transport is not None and not other.choked
        if wanted != self._reading:
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def deliver(self, data: bytes) -> None:
        """Send bytes on, in their order; b"" is the end."""
        delay = self._pair.link.delay
        if not delay and not self._waiting:
            self._write(data)
            return
        loop = asyncio.get_running_loop()
        self._due = max(loop.time() + delay, self._due + _APART)
        self._waiting += 1
        loop.call_at(self._due, self._late, data)

    def _late(self, data: bytes) -> None:
        self._waiting -= 1
        self._write(data)
        if self._ending and not self._waiting:
            self.finish()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if data:
            self._transport.write(data)
        elif self._transport.can_write_eof():
            with suppress(OSError):
                self._transport.write_eof()

    def finish(self) -> None:
        """Close once everything is sent."""
        self._ending = True
        if self._transport is None:
            self._pair.abort()
        elif not self._waiting:
            self._transport.close()

    def abort(self) -> None:
        self.gone = True
        if self._transport is not None and not self._transport.is_closing():
            with suppress(OSError):
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()
