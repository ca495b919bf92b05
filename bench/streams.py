"""Ten thousand idle event streams on one gateway: what they cost, what events cost, and that nothing stays behind.

    python -m bench.streams [--streams 10000] [--idle 30] [--json FILE]

The whole product on SQLite, its readers in processes of their own on the same machine. Of the streams a tenth watch
one session; the others are spread over the rest. Every fifth session is watched by people it is shared with, who are
checked again twice a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import processes, targets
from bench.gateway import BODY, DOCUMENT, drive
from bench.load import Job, Result
from bench.readers import Readers
from cli.stack.datadir import DataDir
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, load_user_key
from kit.auth.tokens import TokenRules, mint
from kit.times import SystemClock

_KIB = 1024
_PARTS = {"gateway": "gateway", "session": "services.session", "collab": "services.collab"}
_OWNERS, _GUESTS, _SHARED = 25, 20, 5
_COMMENTS = 20
_SPARE_FILES = 1000
_GONE_SECONDS = 20.0
_SETTLED = 8.0


@dataclass(slots=True)
class Figures:
    """Memory in KiB a stream; processor time in cores; latencies in milliseconds."""

    streams: int
    machine: str
    opened: Counter[str] = field(default_factory=Counter)
    opening_seconds: float = 0.0
    memory: dict[str, float] = field(default_factory=dict)
    after_closing: dict[str, float] = field(default_factory=dict)
    again: dict[str, float] = field(default_factory=dict)
    idle_cpu: dict[str, float] = field(default_factory=dict)
    keep_alives: float = 0.0
    gets_before: Result | None = None
    gets_meanwhile: Result | None = None
    delivered: int = 0
    expected: int = 0
    p50: float = 0.0
    p99: float = 0.0
    last: float = 0.0
    missed: int = 0
    repeated: int = 0
    broken: int = 0
    left: dict[str, int] = field(default_factory=dict)


class Town:
    """The running product, its people and their sessions."""

    def __init__(self, served: targets.Served, data: DataDir, sessions: int) -> None:
        self.port = served.port
        self.pids = {name: processes.part(served.pid, module) for name, module in _PARTS.items()}
        self._endpoints = data.read_endpoints()
        self._key = load_user_key(data)
        self._sessions = sessions
        self.owners = [self._token(f"owner-{number}") for number in range(_OWNERS)]
        self._guests = [self._token(f"guest-{number}", teams=["readers"]) for number in range(_GUESTS)]
        self.ids: list[str] = []

    def _token(self, user: str, **claims: object) -> str:
        rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
        return mint(self._key, rules, SystemClock(), ttl=3600, claims={"sub": user, **claims})

    def _post(self, path: str, body: object, bearer: str) -> dict[str, Any]:
        return targets.post(self.port, f"/api/v1{path}", body, bearer)

    def populate(self) -> None:
        for owner in self.owners:
            self._post("/documents", DOCUMENT, owner)
        for number in range(self._sessions):
            owner = self.owners[number % _OWNERS]
            self.ids.append(str(self._post("/sessions", BODY, owner)["session_id"]))
            if number % _SHARED == 0:
                share = {"recipients": ["team:readers"], "permissions": "view"}
                self._post(f"/sessions/{self.ids[-1]}/share", share, owner)

    def comment(self) -> None:
        """An event for all who watch the first session."""
        self._post(f"/sessions/{self.ids[0]}/comments", {"content": "Look at this"}, self.owners[0])

    def requests(self, streams: int, crowd: int) -> list[str]:
        """One HTTP request for each stream."""
        found = []
        for number in range(streams):
            session = 0 if number < crowd else 1 + number % (len(self.ids) - 1)
            shared = session % _SHARED == 0
            bearer = self._guests[number % _GUESTS] if shared else self.owners[session % _OWNERS]
            path = f"/api/v1/sessions/{self.ids[session]}/events"
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {bearer}\r\n"
            found.append(f"{head}Accept: text/event-stream\r\n\r\n")
        return found

    def gets(self, seconds: float) -> Job:
        lines = [
            f"GET /api/v1/sessions/{id_} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.owners[number % _OWNERS]}\r\n\r\n"
            for number, id_ in enumerate(self.ids[:100])
        ]
        return Job("127.0.0.1", self.port, lines, 16, seconds, 200)

    def usage(self) -> dict[str, processes.Usage]:
        return {name: processes.usage(pid) for name, pid in self.pids.items()}

    def open_streams(self) -> dict[str, int]:
        """As the parts themselves count them."""
        names = {"gateway": "prsm_http_requests_in_progress", "session": "prsm_session_watch_streams"}
        return {part: targets.gauge(self._endpoints[f"metrics.{part}"], name) for part, name in names.items()}


def _each(now: dict[str, processes.Usage], then: dict[str, processes.Usage], streams: int) -> dict[str, float]:
    return {name: (now[name].resident - then[name].resident) / streams / _KIB for name in now}


async def _events(town: Town, readers: Readers, figures: Figures, crowd: int) -> None:
    """Comments on the session of the crowd; the time from the event's own `at` until each reader had it."""
    await readers.report()
    for _ in range(_COMMENTS):
        await asyncio.to_thread(town.comment)
        await asyncio.sleep(0.25)
    await asyncio.sleep(1.0)
    report = await readers.report()
    times = sorted(ms for _, ms in report.latencies)
    slowest: dict[int, float] = {}
    for number, ms in report.latencies:
        slowest[number] = max(ms, slowest.get(number, 0.0))
    figures.expected, figures.delivered = crowd * _COMMENTS, len(times)
    if times:
        figures.p50, figures.p99 = times[len(times) // 2], times[len(times) * 99 // 100]
        figures.last = statistics.median(slowest.values())
    figures.missed, figures.repeated = report.missed, report.repeated


async def _idle(town: Town, readers: Readers, figures: Figures, seconds: float) -> None:
    await readers.report()
    before, began = town.usage(), time.perf_counter()
    await asyncio.sleep(seconds)
    after, took = town.usage(), time.perf_counter() - began
    figures.idle_cpu = {name: (after[name].cpu - before[name].cpu) / took for name in after}
    figures.keep_alives = (await readers.report()).keep_alives / figures.streams


async def _gone(town: Town, none: dict[str, int]) -> None:
    """Wait until both parts have noticed that the readers left."""
    async with asyncio.timeout(_GONE_SECONDS):
        while (await asyncio.to_thread(town.open_streams)) != none:  # noqa: ASYNC110  # of other processes
            await asyncio.sleep(0.2)
    await asyncio.sleep(_SETTLED)


async def measure(streams: int, sessions: int, idle: float, folder: Path) -> Figures:
    """The whole measurement."""
    figures = Figures(streams, processes.machine())
    served = await targets.product(folder, "--metrics")
    try:
        town = Town(served, DataDir(folder), sessions)
        await asyncio.to_thread(town.populate)
        figures.gets_before = await drive(town.gets(3))
        none, start = town.open_streams(), town.usage()
        crowd = max(streams // 10, 1)
        texts = town.requests(streams, crowd)
        async with Readers() as readers:
            figures.opened, figures.opening_seconds = await readers.open(texts, town.port)
            await asyncio.sleep(2)  # What the opening itself needed is given back.
            figures.memory = _each(town.usage(), start, streams)
            _say(figures, "opened")
            await _idle(town, readers, figures, idle)
            await _events(town, readers, figures, crowd)
            figures.gets_meanwhile = await drive(town.gets(3))
            figures.broken = (await readers.report()).ended
        await _gone(town, none)
        figures.after_closing = _each(town.usage(), start, streams)
        # What stays is kept for later and no leak if the same again needs no more.
        async with Readers() as readers:
            figures.broken += (await readers.open(texts, town.port))[0].total() - streams
            await asyncio.sleep(2)
            figures.again = _each(town.usage(), start, streams)
        await _gone(town, none)
        figures.left = {name: used.files - start[name].files for name, used in town.usage().items()}
        return figures
    finally:
        await served.stop()


def _say(figures: Figures, what: str) -> None:
    counts = ", ".join(f"{number} x {status}" for status, number in figures.opened.items())
    print(f"{what}: {counts} in {figures.opening_seconds:.1f} s", file=sys.stderr, flush=True)


def table(figures: Figures) -> str:
    """Markdown."""
    before, meanwhile = figures.gets_before, figures.gets_meanwhile
    assert before is not None
    assert meanwhile is not None
    failed = figures.streams - figures.opened["200"]
    names = ("process", "KiB a stream", "after closing", "opened again", "idle, % of a core", "files left")
    head = f"| {' | '.join(names)} |\n{'|---' * len(names)}|"
    rows = [
        f"| {name} | {figures.memory[name]:.1f} | {figures.after_closing[name]:.1f} | {figures.again[name]:.1f} "
        f"| {figures.idle_cpu[name] * 100:.1f} | {figures.left[name]} |"
        for name in _PARTS
    ]
    return "\n".join(
        [
            f"{figures.machine}",
            f"{figures.streams} streams opened in {figures.opening_seconds:.1f} s, {failed} failed, "
            f"{figures.broken} broke off; {figures.keep_alives:.1f} keep-alives each while idle",
            head,
            *rows,
            f"events: {figures.delivered} of {figures.expected} delivered, {figures.missed} missed, "
            f"{figures.repeated} repeated; p50 {figures.p50:.1f} ms, p99 {figures.p99:.1f} ms, "
            f"the last reader {figures.last:.1f} ms",
            f"GET at 16: {before.per_second:.0f}/s (p99 {before.p99:.1f} ms) before, "
            f"{meanwhile.per_second:.0f}/s (p99 {meanwhile.p99:.1f} ms) beside the streams",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=500, help="sessions that the streams watch")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds of doing nothing")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if args.streams + _SPARE_FILES > hard:
        sys.exit(f"{args.streams} streams need as many open files in one process, and the limit is {hard}")
    # The parts inherit it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="prsm-bench-") as folder:
        figures = asyncio.run(measure(args.streams, args.sessions, args.idle, Path(folder) / "data"))
    print(table(figures))
    if args.json:
        args.json.write_text(json.dumps(asdict(figures), indent=1))
    bad = figures.broken or figures.missed or figures.repeated or figures.opened["200"] != figures.streams
    if bad or figures.delivered != figures.expected:
        sys.exit("not every stream did what it should")


if __name__ == "__main__":
    main()
