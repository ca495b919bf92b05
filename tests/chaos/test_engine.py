"""The engine whose output the checker tells beforehand."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import pytest

from tests.chaos.engine import NAME, RUN, Fainted, RehearsalEngine, Script, digest, output
from tests.unit.engines.fakes import Library
from worker.attempt import Attempt
from worker.computing.computer import Computer
from worker.computing.forkserver import ForkServer
from worker.context import RunningStage
from worker.engines.base import JSON, EngineError, Job
from worker.meter import ProcessMeter
from worker.model import Claim, Lease
from worker.outcome import canonical, compact

_STAGES = [
    {"name": "read", "seconds": 0.02, "use": {"passage_read": 7, "document_read": 1}},
    {"name": "write", "seconds": 0.5, "use": {"passage_read": 10}},
]


class Context(RunningStage):
    """A worker's own context; writing up is asked for after `until` steps."""

    def __init__(self, *, until: int = 10**6, **traits: Any) -> None:
        job = Job("s1", "research", "A prompt", preferences={"analysis": {"stages": _STAGES, **traits}})
        claim = Claim(Lease("s1", 1, "w"), 15.0, 1.0, NAME, job, (), "grant")
        self.attempt = Attempt.of(claim, ProcessMeter(), Computer(ForkServer(memory=1 << 30)))
        self.finished: dict[str, JSON] = {}
        super().__init__(self.attempt, Library(), self.finished)
        self._until = until
        self._steps = 0

    async def step(self, done: float, total: float) -> None:
        await super().step(done, total)
        self._steps += 1
        self.attempt.write_up = self._steps >= self._until

    @property
    def used(self) -> Mapping[str, int]:
        return self.attempt.stage.usage

    @property
    def reasons(self) -> list[str]:
        return [decision.reason for decision in self.attempt.stage.decisions if decision.decision == RUN]


async def _through(engine: RehearsalEngine, ctx: Context) -> dict[str, JSON]:
    for stage in engine.stages(ctx.job):
        ctx.finished[stage.name] = await engine.run_stage(stage.name, ctx)
    return ctx.finished


async def test_its_output_is_what_can_be_told_beforehand() -> None:
    ctx = Context()
    outputs = await _through(RehearsalEngine(), ctx)
    script = Script.of(ctx.job.preferences)
    first = output("s1", script, 0, "", 1)
    assert outputs["read"] == first
    assert outputs["write"] == output("s1", script, 1, digest(first), 5)
    assert ctx.used == {"passage_read": 17, "document_read": 1}
    assert compact(outputs["write"])["partial"] is False


async def test_a_digest_is_that_of_what_workers_store() -> None:
    told = (await _through(RehearsalEngine(), Context()))["write"]
    assert digest(told) == hashlib.sha256(canonical(told)).hexdigest()


async def test_writing_up_leaves_out_the_rest_and_its_usage() -> None:
    ctx = Context(until=3)
    outputs = await _through(RehearsalEngine(), ctx)
    script = Script.of(ctx.job.preferences)
    assert (outputs["write"]["steps"], outputs["write"]["partial"]) == (2, True)
    assert ctx.used["passage_read"] == 7 + script.stages[1].used(2)["passage_read"] == 11


async def test_a_stubborn_one_takes_no_notice() -> None:
    ctx = Context(until=1, stubborn=True)
    assert not (await _through(RehearsalEngine(), ctx))["write"]["partial"]


async def test_who_ran_it_differs_from_attempt_to_attempt() -> None:
    engine, one, other = RehearsalEngine(), Context(), Context()
    await _through(engine, one)
    await _through(engine, other)
    assert one.reasons[0] == one.reasons[1] != other.reasons[0]
    assert one.reasons[0].startswith(f"{os.getpid()}/")


async def test_it_faints_as_often_as_it_is_told_to() -> None:
    engine = RehearsalEngine()
    for _ in range(2):
        with pytest.raises(Fainted):
            await _through(engine, Context(faint=2))
    assert set(await _through(engine, Context(faint=2))) == {"read", "write"}


async def test_a_broken_one_fails_at_its_end() -> None:
    ctx = Context(broken=True)
    with pytest.raises(EngineError) as raised:
        await _through(RehearsalEngine(), ctx)
    assert (raised.value.code, set(ctx.outputs)) == ("broken_script", {"read"})


@pytest.mark.parametrize("analysis", [{}, {"stages": []}, {"stages": [{"name": "x"}]}, {"stages": 3}])
def test_a_script_that_makes_no_sense_is_refused(analysis: JSON) -> None:
    with pytest.raises(EngineError, match="cannot be followed"):
        Script.of({"analysis": analysis})
