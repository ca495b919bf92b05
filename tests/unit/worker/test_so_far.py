"""What a session has found before its end, should its time be up: written beside the work, which it must not touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from kit.errors import PayloadTooLarge
from services.results.rendering.document import ResultDocument
from tests.unit.engines.fakes import Context
from tests.unit.worker.fakes import Platform, Scripted, claim, runner_of
from tests.unit.worker.test_same_bytes import _JOBS, library
from worker.engines.base import JSON, Job, StageContext
from worker.engines.registry import Registry
from worker.model import Ending
from worker.outcome import canonical, compact

SO_FAR = {"title": "T", "summary": "So far.", "partial": True, "citations": [{"id": "c1", "document_id": "d1"}]}


@dataclass
class Telling(Scripted):
    """An engine that tells what it has found."""

    found: Any = None

    async def so_far(self, ctx: StageContext) -> JSON | None:
        ctx.use("document_read", 7)
        ctx.decide("nothing", "it must not show")
        await ctx.step(9, 9)
        assert set(ctx.outputs) == {"gather"}
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


async def gather(ctx: StageContext) -> JSON:
    ctx.use("document_read", 1)
    return {"a": 1}


async def write(ctx: StageContext) -> JSON:
    return {"title": "T", "summary": "S", "citations": []}


async def ended(found: Any) -> Platform:
    platform = Platform()
    ending = await runner_of(platform, Telling({"gather": gather, "write": write}, found=found)).run(claim())
    assert ending is Ending.COMPLETED
    return platform


async def test_it_is_stored_with_the_checkpoint_and_nothing_of_it_is_counted() -> None:
    platform = await ended(SO_FAR)
    first, last = platform.finished
    assert platform.stored[first.result] == (orjson.dumps(SO_FAR, option=orjson.OPT_SORT_KEYS), True)
    assert (list(first.cited), first.usage, list(first.decisions)) == (["d1"], {"document_read": 1}, [])
    assert (last.result, list(last.cited)) == ("", [])


@pytest.mark.parametrize("found", [None, RuntimeError("no"), {"title": "no summary"}, {"summary": "s", "at": object()}])
async def test_without_it_the_session_goes_on(found: Any) -> None:
    assert [finished.result for finished in (await ended(found)).finished] == ["", ""]


@pytest.mark.parametrize(
    ("name", "after"), [("research", ["verify"]), ("analysis", ["profile", "model"]), ("synthesis", ["merge"])]
)
async def test_engines_tell_it_as_soon_as_there_is_something(name: str, after: list[str]) -> None:
    job = Job("session-1", name, "How does the ocean take up carbon dioxide?", **_JOBS[name])
    engine: Any = Registry.of([name]).load(name)
    context, told = Context(job, library()), []
    for spec in engine.stages(job)[:-1]:
        context.outputs[spec.name] = orjson.loads(canonical(await engine.run_stage(spec.name, context)))
        document = await engine.so_far(context)
        if document is not None:
            told.append(spec.name)
            assert document["partial"] is True
            assert compact(document)["key_findings"]
            ResultDocument.parse(orjson.loads(canonical(document)))
    assert told == after


async def test_a_store_that_does_not_take_it_does_the_session_no_harm() -> None:
    platform = Platform(away={"put": [PayloadTooLarge("too much")]})
    engine = Telling({"gather": gather, "write": write}, found=SO_FAR)
    assert await runner_of(platform, engine).run(claim()) is Ending.COMPLETED
    assert [finished.result for finished in platform.finished] == ["", ""]
