"""One episode: a stack of its own, clients at work, faults by the schedule, calm, and the books checked."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.checker import Verdict, check
from tests.chaos.faults.base import Fault
from tests.chaos.journal import Journal
from tests.chaos.load import Load
from tests.chaos.probe import Probe
from tests.chaos.rest import Rest
from tests.chaos.schedule import Schedule
from tests.chaos.stack import ChaosStack

DISK_MIB = 512
_PEOPLE = 12
_WARM_SECONDS = 2.0
_HEALTHY_SECONDS = 90.0
_RECOVERED_SECONDS = 90.0
_LONG = 100.0
"""Seconds from which an episode has time for long faults."""
_OVERTIME_SECONDS = 200.0
"""How much longer an episode may last until each type of fault that must come has come: on a busy machine parts take
long to start again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an episode is to be. `seconds` are those under faults."""

    number: int
    of: int
    seed: int
    database: str
    seconds: float
    rate: float
    only: Sequence[str] = ()
    mutants: Sequence[str] = ()
    disk_mib: int = DISK_MIB
    workers: int = 2
    finish_seconds: float = 240.0

    @property
    def name(self) -> str:
        return f"episode-{self.number + 1}-{self.database}"


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that came, and the seconds until everything worked again."""

    name: str
    target: str
    at: float
    recovery: float


@dataclass(slots=True)
class Outcome:
    """What became of an episode."""

    plan: Plan
    faults: list[Happened] = field(default_factory=list)
    sessions: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    verdict: Verdict | None = None
    wrong: list[str] = field(default_factory=list)
    """What went wrong beside what the checker found."""
    disk: str = ""
    seconds: float = 0.0
    parts_started_again: int = 0

    @property
    def ok(self) -> bool:
        return not self.wrong and self.verdict is not None and self.verdict.ok


async def conduct(plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run an episode. Evidence of what went wrong is left in `folder`, which must be there."""
    outcome = Outcome(plan)
    rng = random.Random(f"{plan.seed}/{plan.number}/{plan.database}")
    journal = Journal(folder / "journal.jsonl")
    began = time.monotonic()
    stack = ChaosStack(
        folder, database=plan.database, workers=plan.workers, mutants=plan.mutants, disk_mib=plan.disk_mib
    )
    try:
        async with stack:
            say(f"{plan.name}: {len(stack.parts)} parts healthy after {time.monotonic() - began:.0f} s")
            outcome.disk = stack.disk.kind
            try:
                await _live(stack, plan, rng, journal, outcome, say)
            except BaseException:
                say(stack.report(await stack.unhealthy()))
                raise
            finally:
                outcome.parts_started_again = len(stack.said)
                if not outcome.ok:
                    await stack.keep_databases()
    except (AssertionError, ExceptionGroup, OSError, TimeoutError) as error:
        outcome.wrong.append(_flat(error))
    for wrong in outcome.wrong:
        say(f"{plan.name}: WRONG: {wrong}")
    for entry in journal:
        if entry.kind == "asked":
            outcome.operations[entry["operation"]] += 1
        elif entry.kind in ("told", "lost", "heard"):
            outcome.answers[str(entry["status"]) if entry.kind == "told" else entry.kind] += 1
    outcome.seconds = time.monotonic() - began
    return outcome


async def _live(
    stack: ChaosStack,
    plan: Plan,
    rng: random.Random,
    journal: Journal,
    outcome: Outcome,
    say: Callable[[str], None],
) -> None:
    load = Load(
        url=stack.url,
        token=stack.token,
        rng=random.Random(rng.getrandbits(64)),
        journal=journal,
        people=_PEOPLE,
        rate=plan.rate,
    )
    stop = asyncio.Event()
    schedule = Schedule(
        stack,
        random.Random(rng.getrandbits(64)),
        part=plan.number,
        parts=plan.of,
        only=plan.only,
        haste=plan.seconds < _LONG,
    )
    async with Probe(stack, random.Random(rng.getrandbits(64)), journal) as probe:
        working = asyncio.create_task(load.run(stop, None), name="load")
        try:
            await asyncio.sleep(_WARM_SECONDS)
            await _faults(stack, plan, schedule, probe, working, outcome, say)
        finally:
            stop.set()
            await asyncio.gather(working, return_exceptions=True)
        await working
    await stack.settled(_HEALTHY_SECONDS)
    say(f"{plan.name}: calm; {load.sessions} sessions are known to clients")
    began = time.monotonic()
    if open_still := await load.finish(plan.finish_seconds):
        outcome.wrong.append(f"{len(open_still)} sessions do not end: {', '.join(open_still[:10])}")
    finished = time.monotonic()
    async with Rest(stack) as rest:
        outcome.wrong += await rest.reached(_HEALTHY_SECONDS)
        outcome.sessions = await rest.sessions()
    rested = time.monotonic()
    outcome.verdict = await check(stack.databases, journal)
    say(
        f"{plan.name}: clients finished after {finished - began:.1f} s, at rest after {rested - finished:.1f} s, "
        f"checked in {time.monotonic() - rested:.1f} s"
    )


async def _faults(
    stack: ChaosStack,
    plan: Plan,
    schedule: Schedule,
    probe: Probe,
    working: asyncio.Task[None],
    outcome: Outcome,
    say: Callable[[str], None],
) -> None:
    began = time.monotonic()
    missing = set(schedule.first)
    for fault in schedule:
        lived = time.monotonic() - began
        if (lived >= plan.seconds and not missing) or lived >= plan.seconds + _OVERTIME_SECONDS or working.done():
            break
        seconds = await _suffer(fault, probe)
        missing.discard(type(fault))
        outcome.faults.append(Happened(fault.name, fault.target, lived, seconds))
        say(f"  {lived:6.1f} s  {fault.name}, {fault.target}: recovered in {seconds:.2f} s")
        await asyncio.sleep(schedule.gap())
    if missing:
        names = ", ".join(sorted(kind.name for kind in missing))
        outcome.wrong.append(f"not tried, --seconds is too short here: {len(missing)} faults ({names})")


async def _suffer(fault: Fault, probe: Probe) -> float:
    """Let a fault happen; the seconds from its end until everything worked again."""
    try:
        await fault.inject()
        if not fault.sudden:
            await asyncio.sleep(fault.seconds)
    finally:
        await fault.heal()
    healed = time.monotonic()
    try:
        await probe.recovered(_RECOVERED_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"after {fault.name} ({fault.target}): {error}") from error
    return time.monotonic() - healed


def _flat(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_flat(each) for each in error.exceptions)
    return str(error) if isinstance(error, AssertionError) else repr(error)


def discard(folder: Path) -> None:
    """Remove evidence that nobody needs."""
    shutil.rmtree(folder, ignore_errors=True)
