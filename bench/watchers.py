"""Many readers of event streams in one process, each a connection that does next to nothing.

`python -m bench.watchers` takes commands as JSON lines on standard input and answers each with one line:

    {"open": [REQUEST, …], "host": …, "port": …, "together": 64}   the streams of these complete HTTP requests
    {"report": true}    what came since the last report
    {"close": true}     closes all; the process ends
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, cast

import uvloop

_ID = re.compile(rb"(?:^|\n)id: (\d+)\n")
_AT = re.compile(rb'"at":"([^"]+)"')
_END = b"\n\n"
_OPENING_SECONDS = 30.0


@lru_cache(maxsize=1024)
def _moment(at: bytes) -> float:
    return datetime.fromisoformat(at.decode().replace("Z", "+00:00")).timestamp()


class _Stream(asyncio.Protocol):
    """One connection. The first frame, whatever it is, says that the stream is open."""

    __slots__ = ("_buffer", "_crowd", "_last", "_request", "_status", "_transport", "first")

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self._crowd = crowd
        self._request = request
        self._buffer = b""
        self._status = 0
        self._last = 0
        self.first: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)
        self._request = b""

    def data_received(self, data: bytes) -> None:
        came = time.time()
        self._buffer += data
        frames = self._buffer.split(_END)
        self._buffer = frames.pop()
        for frame in frames:
            if not self._status:
                self._status = int(frame[9:12])
            if found := _ID.search(frame):
                self._event(int(found.group(1)), frame, came)
            elif b": keep-alive" in frame:
                self._crowd.keep_alives += 1
        if not self._status and b"\r\n\r\n" in self._buffer:
            self._status = int(self._buffer[9:12])
        if self._status and not self.first.done():
            self.first.set_result(self._status)

    def _event(self, number: int, frame: bytes, came: float) -> None:
        if number <= self._last:
            self._crowd.repeated += 1
        elif self._last and number != self._last + 1:
            self._crowd.missed += number - self._last - 1
        self._last = max(self._last, number)
        at = _AT.search(frame)
        if at is not None:
            self._crowd.latencies.append((number, round((came - _moment(at.group(1))) * 1000, 2)))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.first.done():
            self.first.set_result(0)
        self._crowd.ended += 1

    def close(self) -> None:
        self._transport.abort()


def _same(stream: _Stream) -> _Stream:
    return stream


class Crowd:
    """All streams of this process, and what came over them."""

    def __init__(self) -> None:
        self.streams: list[_Stream] = []
        self.latencies: list[tuple[int, float]] = []
        self.keep_alives = self.missed = self.repeated = self.ended = 0

    async def open(self, requests: list[str], host: str, port: int, together: int) -> dict[str, Any]:
        """Open the streams, so many at a time; answers with their number by HTTP status (0: no answer)."""
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        statuses: dict[str, int] = {}
        waiting = iter(requests)

        async def work() -> None:
            for text in waiting:
                stream = _Stream(self, text.encode("latin-1"))
                try:
                    async with asyncio.timeout(_OPENING_SECONDS):
                        await loop.create_connection(partial(_same, stream), host, port)
                        status = await stream.first
                except (OSError, TimeoutError):
                    status = 0
                statuses[str(status)] = statuses.get(str(status), 0) + 1
                self.streams.append(stream)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(together):
                tasks.create_task(work())
        return {"statuses": statuses, "seconds": time.perf_counter() - began}

    def report(self) -> dict[str, Any]:
        """Latencies are (id, milliseconds from the event's `at` until it was here), one for each event and stream."""
        found = {
            "latencies": self.latencies,
            "keep_alives": self.keep_alives,
            "missed": self.missed,
            "repeated": self.repeated,
            "ended": self.ended,
        }
        self.latencies = []
        self.keep_alives = self.missed = self.repeated = 0
        return found

    def close(self) -> dict[str, Any]:
        for stream in self.streams:
            stream.close()
        return {"closed": len(self.streams)}


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**28)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    crowd = Crowd()
    while line := await reader.readline():
        command = json.loads(line)
        if "open" in command:
            answer = await crowd.open(command["open"], command["host"], command["port"], command["together"])
        elif "report" in command:
            answer = crowd.report()
        else:
            answer = crowd.close()
        print(json.dumps(answer), flush=True)
        if "close" in command:
            return


if __name__ == "__main__":
    uvloop.run(main())
