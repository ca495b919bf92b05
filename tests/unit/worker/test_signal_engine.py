"""The engine that does what it is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library
from tests.unit.worker.fakes import QueuedCommand, QueuedCommands
from worker.engines.base import EngineError, Job
from worker.engines.registry import Registry, UnknownEngine
from worker.engines.signal import Crash, SignalEngine
from worker.outcome import compact


def job(*stages: str) -> Job:
    preferences = {"analysis": {"stages": list(stages)}} if stages else {}
    return Job("s1", "research", "Why?", preferences=preferences)


def engine(*bodies: dict[str, Any]) -> tuple[SignalEngine, list[QueuedCommand]]:
    commands = [QueuedCommand(body) for body in bodies]
    return SignalEngine(QueuedCommands(list(commands))), commands


async def test_commands_act_on_the_stage_in_order() -> None:
    ctx = Context(job(), Library())
    signal, commands = engine(
        {"do": "progress", "value": 0.4},
        {"do": "use", "item": "document_read", "quantity": 2},
        {"do": "decide", "decision": "kept", "reason": "good", "alternatives": ["drop"], "excluded": [{"id": "x"}]},
        {"do": "look"},
        {"do": "finish_stage", "output": {"n": 1}},
    )
    assert await signal.run_stage("work", ctx) == {"n": 1}
    assert (ctx.steps, dict(ctx.used)) == ([(0.4, 1)], {"document_read": 2})
    assert ctx.decisions[0]["decision"] == "kept"
    assert commands[3].answer == {"ok": True, "stage": "work", "write_up": False, "outputs": {}}
    assert all(command.answer is not None and command.answer["ok"] for command in commands)


async def test_a_command_that_makes_no_sense_is_refused_and_the_next_one_taken() -> None:
    signal, commands = engine({"do": "dance"}, {"do": "use", "item": 3}, {"do": "finish_stage"})
    assert await signal.run_stage("work", Context(job(), Library())) == {"stage": "work"}
    assert [command.answer["ok"] for command in commands if command.answer] == [False, False, True]


async def test_stages_are_those_the_session_names() -> None:
    signal, _ = engine()
    assert [spec.name for spec in signal.stages(job())] == ["prepare", "work", "write"]
    assert [spec.name for spec in signal.stages(job("one", "two"))] == ["one", "two"]


async def test_the_last_stage_gives_a_result_document() -> None:
    signal, _ = engine({"do": "finish_stage", "output": {"summary": "Done."}})
    result = await signal.run_stage("write", Context(job(), Library(), write_up=True))
    assert compact(result)["summary"] == "Done."
    assert compact(result)["partial"] is True


async def test_complete_ends_this_stage_and_all_that_follow() -> None:
    signal, _ = engine({"do": "complete", "result": {"title": "Early"}})
    ctx = Context(job(), Library())
    for stage in ("prepare", "work", "write"):
        ctx.outputs[stage] = await signal.run_stage(stage, ctx)
    assert ctx.outputs["write"]["title"] == "Early"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"do": "fail", "code": "no_input", "message": "none"}, EngineError),
        ({"do": "fail", "retryable": True}, Crash),
        ({"do": "crash"}, Crash),
    ],
)
async def test_failures(body: dict[str, Any], error: type[Exception]) -> None:
    signal, commands = engine(body)
    with pytest.raises(error):
        await signal.run_stage("work", Context(job(), Library()))
    assert commands[0].answer == {"ok": True}


def test_only_a_worker_with_a_command_source_offers_it() -> None:
    assert "signal" not in Registry.of().names
    with_signals = Registry.of(signals=QueuedCommands([]))
    assert with_signals.load("signal").name == "signal"
    assert with_signals.load("signal") is with_signals.load("signal")


def test_engines_are_offered_by_name() -> None:
    assert Registry.of(["research"]).names == ["research"]
    with pytest.raises(UnknownEngine, match="there is no engine divination"):
        Registry.of(["divination"])
    with pytest.raises(UnknownEngine):
        Registry.of(["research"]).load("analysis")
