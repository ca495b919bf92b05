"""The processes that read event streams (`bench.watchers`), led from here."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

_PROCESSES = 2
_TOGETHER = 64
_SECONDS = 120.0


@dataclass(slots=True)
class Report:
    """What came since the last one; `ended` counts the streams that are no more."""

    latencies: list[tuple[int, float]] = field(default_factory=list)
    keep_alives: int = 0
    missed: int = 0
    repeated: int = 0
    ended: int = 0


class Readers:
    """Use as a context; leaving it closes all streams."""

    def __init__(self) -> None:
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Self:
        for _ in range(_PROCESSES):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.watchers"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=2**28,
            )
            self._processes.append(process)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._all([{"close": True}] * _PROCESSES)
        finally:
            for process in self._processes:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    async def open(self, requests: Sequence[str], port: int) -> tuple[Counter[str], float]:
        """Open a stream for each request: (how many by HTTP status, seconds)."""
        common = {"host": "127.0.0.1", "port": port, "together": _TOGETHER}
        commands = [{"open": requests[number::_PROCESSES], **common} for number in range(_PROCESSES)]
        answers = await self._all(commands)
        statuses: Counter[str] = Counter()
        for answer in answers:
            statuses.update(answer["statuses"])
        return statuses, max(answer["seconds"] for answer in answers)

    async def report(self) -> Report:
        total = Report()
        for answer in await self._all([{"report": True}] * _PROCESSES):
            total.latencies.extend((number, ms) for number, ms in answer["latencies"])
            total.keep_alives += answer["keep_alives"]
            total.missed += answer["missed"]
            total.repeated += answer["repeated"]
            total.ended += answer["ended"]
        return total

    async def _all(self, commands: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        pairs = zip(self._processes, commands, strict=True)
        return list(await asyncio.gather(*(self._ask(process, command) for process, command in pairs)))

    async def _ask(self, process: asyncio.subprocess.Process, command: dict[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        async with asyncio.timeout(_SECONDS):
            process.stdin.write(json.dumps(command).encode() + b"\n")
            await process.stdin.drain()
            answer: dict[str, Any] = json.loads(await process.stdout.readline())
            return answer
