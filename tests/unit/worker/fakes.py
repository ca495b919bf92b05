"""The platform as a runner sees it, held in memory."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from kit.errors import PrsmError
from tests.unit.engines.fakes import Library
from worker.computing.computer import Computer
from worker.computing.forkserver import ForkServer
from worker.drain import Drain
from worker.engines.base import JSON, Engine, Job, StageContext, StageSpec
from worker.errors import LeaseLost
from worker.model import Beat, BeatAnswer, Begun, Claim, Directive, Failure, Finished, Lease, Outcome, StoredStage
from worker.ports import Grant, OpenedSources, OpenModel
from worker.runner import Runner

LEASE = Lease("session-1", 3, "worker-1")


def claim(*stages: StoredStage, engine: str = "scripted", write_up: bool = False) -> Claim:
    """A claim whose heartbeats come at once."""
    job = Job("session-1", "research", "Why?", documents=("d1",))
    return Claim(LEASE, 15.0, 0.001, engine, job, stages, "grant-1", write_up)


@dataclass
class Platform:
    """Sessions and artifacts. `away` and `refuse` are taken from the front by the calls that they name."""

    directives: list[Directive] = field(default_factory=list)
    away: dict[str, list[PrsmError]] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    outcome: Outcome | None = None
    plan: Sequence[StageSpec] = ()
    stored: dict[str, tuple[bytes, bool]] = field(default_factory=dict)
    grants: list[str] = field(default_factory=list)
    fresh_grant: str = ""
    lease_seconds: float = 15.0
    available: int = 0
    prices: Mapping[str, int] = field(default_factory=dict)
    beaten: asyncio.Event = field(default_factory=asyncio.Event)

    def _enter(self, call: str) -> None:
        self.calls.append(call)
        if self.away.get(call):
            raise self.away[call].pop(0)
        if call in self.stale:
            raise LeaseLost(call)

    def _directive(self) -> Directive:
        return self.directives.pop(0) if self.directives else Directive.GO_ON

    async def claim_next(self, worker_id: str, engines: Sequence[str], in_hand: int) -> Claim | None:
        self._enter("claim_next")
        return None

    async def start(self, lease: Lease, stages: Sequence[StageSpec]) -> None:
        self._enter("start")
        self.plan = stages

    async def begin_stage(self, lease: Lease, stage: str) -> Begun:
        self._enter(f"begin {stage}")
        return Begun(Directive.GO_ON, self.available, self.prices)

    async def heartbeat(self, beat: Beat) -> BeatAnswer:
        self.beats.append(beat)
        if self.away.get("heartbeat"):
            raise self.away["heartbeat"].pop(0)
        if "heartbeat" in self.stale:
            raise LeaseLost("heartbeat")
        self.beaten.set()
        return BeatAnswer(self._directive(), self.lease_seconds, self.fresh_grant)

    async def checkpoint(self, finished: Finished) -> Directive:
        self._enter(f"checkpoint {finished.stage}")
        self.finished.append(finished)
        return Directive.GO_ON

    async def complete(self, lease: Lease, outcome: Outcome) -> None:
        self._enter("complete")
        self.outcome = outcome

    async def fail(self, lease: Lease, failure: Failure) -> bool:
        self._enter("fail")
        self.failures.append(failure)
        return failure.retryable

    async def release(self, lease: Lease, reason: str) -> None:
        self._enter("release")

    async def put(self, grant: str, content: bytes, *, result: bool) -> str:
        self._enter("put")
        self.grants.append(grant)
        digest = hashlib.sha256(content).hexdigest()
        self.stored[digest] = (content, result)
        return digest

    async def get(self, grant: str, epoch: int, digest: str) -> bytes:
        self._enter("get")
        return self.stored[digest][0]


class StillMeter:
    """Measures nothing."""

    def cpu_seconds(self) -> float:
        return 1.5

    def peak_memory_mb(self) -> float:
        return 64.0


Step = Callable[[StageContext], Any]


@dataclass
class Scripted:
    """An engine whose stages are coroutine functions."""

    steps: Mapping[str, Step]
    name: str = "scripted"
    session_types: frozenset[str] = frozenset({"research"})
    pausable: bool = True

    def stages(self, job: Job) -> Sequence[StageSpec]:
        return [StageSpec(name) for name in self.steps]

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        return await self.steps[stage](ctx)


def runner_of(
    platform: Platform,
    engine: Engine,
    drain: Drain | None = None,
    load: Callable[[str], Engine] | None = None,
    computing: ForkServer | None = None,
    models: OpenModel | None = None,
) -> Runner:
    """A runner for one engine."""
    server = computing or ForkServer(memory=1 << 30)

    def sources(_grant: Grant) -> OpenedSources:
        return Library()

    return Runner(
        sessions=platform,
        artifacts=platform,
        sources=sources,
        load=load or (lambda _name: engine),
        measure=StillMeter,
        computers=lambda: Computer(server),
        drain=drain or Drain(60),
        models=models,
    )


@dataclass
class QueuedCommand:
    """A command of the signal-driven engine, whose answer is kept."""

    body: Mapping[str, Any]
    answer: dict[str, Any] | None = None

    async def applied(self, **facts: JSON) -> None:
        self.answer = {"ok": True, **facts}

    async def refused(self, reason: str) -> None:
        self.answer = {"ok": False, "reason": reason}


@dataclass
class QueuedCommands:
    """A command source of prepared commands."""

    commands: list[QueuedCommand]

    @asynccontextmanager
    async def listen(self, session_id: str) -> AsyncIterator[AsyncIterator[QueuedCommand]]:
        async def flow() -> AsyncIterator[QueuedCommand]:
            while self.commands:
                yield self.commands.pop(0)

        yield flow()
