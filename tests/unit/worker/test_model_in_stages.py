"""A stage's way to the language model: when there is one, what it costs, and what ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kit.secret_files import values_from_files
from tests.support.model_server import ModelServer, Reply, model_server
from tests.unit.worker.fakes import Platform, Scripted, claim, runner_of
from worker.engines.base import JSON, ModelRequest, StageContext
from worker.model import Directive, Ending
from worker.models.allowance import Allowance
from worker.models.models import Models
from worker.models.settings import ModelOptions, ModelSettings

PRICES = {"tokens_in": 1000, "tokens_out": 4000}
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
REQUEST = ModelRequest("test", "Answer.", "data", SCHEMA, 100)
RESULT = {"title": "T", "summary": "S"}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as server:
        yield server


@pytest_asyncio.fixture
async def models(server: ModelServer) -> AsyncIterator[Models]:
    models = Models(ModelOptions(server.url, "m-1", "", "", 20.0, 10.0, 500, 8000, "json_schema", "max_tokens"))
    yield models
    await models.close()


async def ask(ctx: StageContext) -> JSON:
    assert ctx.model is not None
    assert ctx.model.name == "m-1"
    await ctx.model.ask(REQUEST)
    return RESULT


async def go_without(ctx: StageContext) -> JSON:
    assert ctx.model is None
    return RESULT


async def test_what_an_answer_took_is_the_stages_usage(server: ModelServer, models: Models) -> None:
    server.replies = [Reply("{}", usage=(150, 2))]
    platform = Platform(available=10**6, prices=PRICES)
    runner = runner_of(platform, Scripted({"write": ask}), models=models.open)
    assert await runner.run(claim()) is Ending.COMPLETED
    (finished,) = platform.finished
    assert finished.usage == {"tokens_in": 150, "tokens_out": 2}


@pytest.mark.parametrize("reason", ["no model", "no price", "preference"])
async def test_a_session_goes_without(models: Models, reason: str) -> None:
    platform = Platform(available=10**6, prices={} if reason == "no price" else PRICES)
    given_models = None if reason == "no model" else models.open
    runner = runner_of(platform, Scripted({"write": go_without}), models=given_models)
    claimed = claim()
    if reason == "preference":
        claimed = replace(claimed, job=replace(claimed.job, preferences={"model": "none"}))
    assert await runner.run(claimed) is Ending.COMPLETED


@pytest.mark.parametrize("directive", [Directive.PAUSE, Directive.CANCEL])
async def test_pause_and_cancel_leave_the_endpoint(server: ModelServer, models: Models, directive: Directive) -> None:
    counted = asyncio.Event()

    class Watching(Platform):
        async def heartbeat(self, beat: Any) -> Any:
            if beat.usage.get("tokens_in"):
                counted.set()
                self.directives.append(directive)
            return await super().heartbeat(beat)

    server.answer = lambda _request: Reply('{"a": "a long answer on its way"}', hold=asyncio.Event())
    platform = Watching(available=10**6, prices=PRICES)
    runner = runner_of(platform, Scripted({"write": ask}), models=models.open)
    assert await runner.run(claim()) is Ending.DROPPED
    assert counted.is_set()
    await asyncio.wait_for(server.gone.wait(), 60)
    assert not platform.finished


@given(
    available=st.integers(0, 10**5),
    prices=st.fixed_dictionaries({"tokens_in": st.integers(0, 5000), "tokens_out": st.integers(0, 20_000)}),
    calls=st.lists(
        st.tuples(st.integers(1, 20_000), st.integers(1, 4000), st.floats(0, 1), st.floats(0, 1)), max_size=12
    ),
)
def test_calls_that_are_covered_never_cost_more_than_there_is(
    available: int, prices: dict[str, int], calls: list[tuple[int, int, float, float]]
) -> None:
    allowance = Allowance(available, prices)
    used: dict[str, int] = {}
    for most_in, most_out, share_in, share_out in calls:
        with allowance.setting_aside({"tokens_in": most_in, "tokens_out": most_out}, used) as enough:
            if enough:
                used["tokens_in"] = used.get("tokens_in", 0) + int(most_in * share_in)
                used["tokens_out"] = used.get("tokens_out", 0) + int(most_out * share_out)
        assert allowance.cost(used) <= available


def test_calls_under_way_are_set_aside() -> None:
    allowance = Allowance(1_000_010, PRICES)
    most = {"tokens_in": 600_000}
    with allowance.setting_aside(most, {}) as first:
        assert first
        with allowance.setting_aside(most, {}) as second:
            assert not second
    with allowance.setting_aside(most, {}) as later:
        assert later


def options(**fields: Any) -> ModelOptions | None:
    return ModelSettings.model_validate(fields).model()


def test_settings() -> None:
    assert options() is None
    found = options(model_url="https://models.example.com/v1", model_name=" m ", model_key="k")
    assert found is not None
    assert (found.name, found.key, found.form) == ("m", "k", "json_schema")


@pytest.mark.parametrize(
    "fields",
    [
        {"model_url": "https://models.example.com/v1"},
        {"model_url": "ftp://models.example.com", "model_name": "m"},
        {"model_url": "https://user:pass@models.example.com", "model_name": "m"},
        {"model_url": "https://models.example.com?key=1", "model_name": "m"},
        {"model_url": "https://models.example.com", "model_name": "m", "model_key": "two\nlines"},
        {
            "model_url": "https://m.example.com",
            "model_name": "m",
            "model_max_tokens": 9000,
            "model_context_tokens": 9000,
        },
    ],
)
def test_settings_that_do_not_fit(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        options(**fields)
    assert "two" not in json.dumps([error["msg"] for error in refused.value.errors(include_input=False)])


def test_the_key_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n")
    given_values = values_from_files(
        {"PRSM_WORKER_MODEL_KEY_FILE": str(tmp_path / "key")}, "PRSM_WORKER_", ModelSettings.model_fields
    )
    assert given_values == {"model_key": "sk-1"}
