"""A closed-loop HTTP/1.1 load generator: so many keep-alive connections, each with one request under way.

It runs in a process of its own (`python -m bench.load`), reads one JSON job on standard input and prints one JSON
result, so that the measured servers and the generator do not share an interpreter.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop


@dataclass(slots=True)
class Job:
    """`requests` are complete HTTP requests (latin-1 text), sent in turn; `seconds` is how long."""

    host: str
    port: int
    requests: list[str]
    connections: int
    seconds: float
    expect: int


@dataclass(slots=True)
class Result:
    """Latencies in milliseconds; `wrong` counts answers with another status than the expected one."""

    per_second: float
    p50: float
    p99: float
    answers: int
    wrong: int
    statuses: dict[str, int] = field(default_factory=dict)


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._need = -1
        self._status = 0
        self._sent = 0.0
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        if time.perf_counter() >= self._run.end:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._run.request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._need < 0:
            head, mark, _ = self._buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            self._status = int(head[9:12])
            lowered = head.lower()
            at = lowered.find(b"content-length:")
            if at < 0:
                raise RuntimeError("the benchmark expects answers with a Content-Length")
            self._need = len(head) + 4 + int(lowered[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._buffer) >= self._need:
            self._buffer = self._buffer[self._need :]
            self._need = -1
            self._run.answered(self._status, time.perf_counter() - self._sent)
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class _Run:
    def __init__(self, job: Job) -> None:
        self._requests = [text.encode("latin-1") for text in job.requests]
        self._next = 0
        self.latencies: list[float] = []
        self.statuses: dict[str, int] = {}
        self.end = 0.0

    def request(self) -> bytes:
        self._next += 1
        return self._requests[self._next % len(self._requests)]

    def answered(self, status: int, seconds: float) -> None:
        self.latencies.append(seconds)
        self.statuses[str(status)] = self.statuses.get(str(status), 0) + 1


async def drive(job: Job) -> Result:
    """Run one job."""
    loop = asyncio.get_running_loop()
    run = _Run(job)
    start = time.perf_counter()
    run.end = start + job.seconds
    made = [await loop.create_connection(lambda: _Client(run), job.host, job.port) for _ in range(job.connections)]
    await asyncio.wait_for(asyncio.gather(*(client.closed for _, client in made)), job.seconds + 30)
    elapsed = time.perf_counter() - start
    latencies = sorted(run.latencies)
    answers = len(latencies)
    right = run.statuses.get(str(job.expect), 0)
    return Result(
        per_second=answers / elapsed,
        p50=latencies[answers // 2] * 1000 if latencies else 0.0,
        p99=latencies[min(answers - 1, answers * 99 // 100)] * 1000 if latencies else 0.0,
        answers=answers,
        wrong=answers - right,
        statuses=run.statuses,
    )


def main() -> None:
    job = Job(**json.load(sys.stdin))
    print(json.dumps(asdict(uvloop.run(drive(job)))))


if __name__ == "__main__":
    main()
