"""The engine `rehearsal`: work that costs time and money, whose whole output can be told beforehand.

A session brings its own script in `preferences.analysis`:

    {"stages": [{"name": "read", "seconds": 3, "use": {"passage_read": 40}}, …],
     "poison": "read",      the process dies whenever it comes to this stage (true: to the last one)
     "faint": 1,            so many runs in each process fail in a way that may be tried again
     "broken": true,        the last stage fails in a way that may not
     "stubborn": true}      takes no notice when it is told to write up

A stage's output names the digest of the output before it, so a stage that was left out, repeated or mixed up shows in
everything after it. `steps` tells how much of the stage was done before it was told to write up, and usage is a
function of it: from a checkpoint's hash one can tell both. What was run by whom stands beside it, as a decision, for
that must differ from attempt to attempt.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from worker.engines.base import JSON, EngineError, Job, StageContext, StageSpec

NAME = "rehearsal"
_STEP_SECONDS = 0.1
_MOST_STEPS = 200
RUN = "run"
"""The decision by which a stage says who ran it: `reason` is `PROCESS/ATTEMPT`."""


class Fainted(Exception):
    """A failure that the next attempt need not have."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a script; `use` is in whole units."""

    name: str
    seconds: float
    use: Mapping[str, int]

    @property
    def steps(self) -> int:
        return max(1, min(_MOST_STEPS, round(self.seconds / _STEP_SECONDS)))

    def used(self, steps: int) -> dict[str, int]:
        """What so many of its steps use up."""
        return {item: quantity * steps // self.steps for item, quantity in sorted(self.use.items())}


@dataclass(frozen=True, slots=True)
class Script:
    """What a session of this engine does."""

    stages: tuple[Stage, ...]
    poison: str
    faint: int
    broken: bool
    stubborn: bool

    @classmethod
    def of(cls, preferences: Mapping[str, Any]) -> Script:
        """Raises EngineError for a script that cannot be followed."""
        given = preferences.get("analysis") or {}
        try:
            stages = tuple(
                Stage(
                    str(stage["name"]),
                    float(stage["seconds"]),
                    {str(item): int(quantity) for item, quantity in stage.get("use", {}).items()},
                )
                for stage in given["stages"]
            )
            if not stages:
                raise ValueError("it has no stages")
            poison = given.get("poison", False)
            return cls(
                stages=stages,
                poison=stages[-1].name if poison is True else str(poison or ""),
                faint=int(given.get("faint", 0)),
                broken=bool(given.get("broken", False)),
                stubborn=bool(given.get("stubborn", False)),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise EngineError("bad_script", f"The script cannot be followed: {error!r}") from error


def output(session_id: str, script: Script, number: int, before: str, steps: int) -> dict[str, JSON]:
    """The output of the stage with this number (from 0), of which `steps` were done; `before` is the digest of the
    output before it, or empty. The last one's is a result document."""
    stage = script.stages[number]
    told: dict[str, JSON] = {
        "session_id": session_id,
        "stage": stage.name,
        "number": number,
        "before": before,
        "steps": steps,
        "partial": steps < stage.steps,
    }
    if number < len(script.stages) - 1:
        return told
    return {
        **told,
        "title": "A rehearsal",
        "summary": f"{len(script.stages)} stages, after {before or 'nothing'}.",
        "confidence_score": 0.5,
        "sections": [],
        "key_findings": [{"id": "f1", "text": f"{stage.name} was done.", "citations": [], "confidence": 0.5}],
        "tables": [],
        "figures": [],
        "citations": [],
    }


def digest(value: JSON) -> str:
    """SHA-256 in hex of the value as workers store it: JSON without blanks, keys sorted."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


class RehearsalEngine:
    """See the module's text."""

    name = NAME
    session_types = frozenset({"research", "analysis", "synthesis"})
    pausable = True

    def __init__(self) -> None:
        self._fainted: Counter[str] = Counter()
        self._attempts: WeakKeyDictionary[StageContext, str] = WeakKeyDictionary()

    def stages(self, job: Job) -> Sequence[StageSpec]:
        """The script's, weighted by the seconds they take."""
        return [StageSpec(stage.name, max(stage.seconds, _STEP_SECONDS)) for stage in Script.of(job.preferences).stages]

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        """Follow the script."""
        script = Script.of(ctx.job.preferences)
        number = [each.name for each in script.stages].index(stage)
        before = digest(ctx.outputs[script.stages[number - 1].name]) if number else ""
        if stage == script.poison:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fainted[ctx.job.session_id] < script.faint:
            self._fainted[ctx.job.session_id] += 1
            raise Fainted("told to fail and to be tried again")
        ctx.decide(RUN, f"{os.getpid()}/{self._attempt(ctx)}")
        steps = await _work(script.stages[number], ctx, stubborn=script.stubborn)
        if script.broken and number == len(script.stages) - 1:
            raise EngineError("broken_script", "The script ends in a failure")
        return output(ctx.job.session_id, script, number, before, steps)

    def _attempt(self, ctx: StageContext) -> str:
        """Its name; the runner makes one context for an attempt."""
        return self._attempts.setdefault(ctx, uuid.uuid4().hex[:12])


async def _work(stage: Stage, ctx: StageContext, *, stubborn: bool) -> int:
    """How many steps were done before it was told to write up."""
    used = dict.fromkeys(stage.use, 0)
    for step in range(1, stage.steps + 1):
        if ctx.write_up and not stubborn:
            return step - 1
        await asyncio.sleep(stage.seconds / stage.steps)
        for item, quantity in stage.used(step).items():
            ctx.use(item, quantity - used[item])
            used[item] = quantity
        await ctx.step(step, stage.steps)
    return stage.steps
