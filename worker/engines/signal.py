"""An engine that does what it is told, step by step, so that tests can walk a session through its life exactly.

It takes one command at a time and says when it is applied. Stages are named by `preferences.analysis.stages`;
without it they are `prepare`, `work` and `write`. Commands, as JSON objects:

    {"do": "progress", "value": 0.4}                         done inside the stage, 0 to 1
    {"do": "use", "item": "document_read", "quantity": 2}    billable work, in whole units
    {"do": "decide", "decision": "…", "reason": "…", "alternatives": […], "excluded": […]}
    {"do": "look"}                                           answers {stage, write_up, outputs}
    {"do": "finish_stage", "output": …}                      the stage returns
    {"do": "complete", "result": {…}}                        this stage and all that follow return
    {"do": "fail", "code": "…", "message": "…", "retryable": false}
    {"do": "crash"}                                          an error that no engine should let out
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from worker.engines.base import JSON, EngineError, Job, StageContext, StageSpec

_STAGES = ("prepare", "work", "write")
_COMPLETE = "complete"
_ENDING = frozenset({"finish_stage", _COMPLETE, "fail", "crash"})


class Command(Protocol):
    """One command; exactly one of the answers is given to it."""

    body: Mapping[str, Any]

    async def applied(self, **facts: JSON) -> None: ...

    async def refused(self, reason: str) -> None: ...


class CommandSource(Protocol):
    """Where commands for a session come from."""

    def listen(self, session_id: str) -> AbstractAsyncContextManager[AsyncIterator[Command]]: ...


class Crash(Exception):
    """What `crash` and a retryable `fail` raise."""


class SignalEngine:
    """See the module's text for its commands."""

    name = "signal"
    session_types = frozenset({"research", "analysis", "synthesis"})
    pausable = True

    def __init__(self, commands: CommandSource) -> None:
        self._commands = commands

    def stages(self, job: Job) -> Sequence[StageSpec]:
        """Equal shares for the stages that the session names."""
        asked = (job.preferences.get("analysis") or {}).get("stages") or _STAGES
        return [StageSpec(str(name)) for name in asked]

    async def run_stage(self, stage: str, ctx: StageContext) -> JSON:
        """Obey until a command ends the stage."""
        last = self.stages(ctx.job)[-1].name
        for output in ctx.outputs.values():
            if isinstance(output, dict) and _COMPLETE in output:
                return output[_COMPLETE] if stage == last else output
        async with self._commands.listen(ctx.job.session_id) as commands:
            ending = await _until_end(commands, stage, ctx)
        # Answered only now: whatever the sender says next is for the next stage.
        await ending.applied()
        body = ending.body
        match body["do"]:
            case "finish_stage":
                output = body.get("output") or {"stage": stage}
                return default_result(ctx) | dict(output) if stage == last else output
            case "complete":
                result = default_result(ctx) | dict(body.get("result") or {})
                return result if stage == last else {_COMPLETE: result}
            case "fail":
                raise _failure(body)
        raise Crash("told to crash")


async def _until_end(commands: AsyncIterator[Command], stage: str, ctx: StageContext) -> Command:
    async for command in commands:
        if command.body.get("do") in _ENDING:
            return command
        await _obey(command, stage, ctx)
    raise Crash("the commands ended before the stage did")


async def _obey(command: Command, stage: str, ctx: StageContext) -> None:
    body = command.body
    match body:
        case {"do": "progress", "value": float() | int() as value}:
            await ctx.step(value, 1)
        case {"do": "use", "item": str() as item, "quantity": int() as quantity}:
            ctx.use(item, quantity)
        case {"do": "decide", "decision": str() as decision, "reason": str() as reason}:
            alternatives, excluded = body.get("alternatives", ()), body.get("excluded", ())
            ctx.decide(decision, reason, alternatives=alternatives, excluded=excluded)
        case {"do": "look"}:
            await command.applied(stage=stage, write_up=ctx.write_up, outputs=dict(ctx.outputs))
            return
        case _:
            await command.refused(f"cannot do {body!r}")
            return
    await command.applied()


def _failure(body: Mapping[str, Any]) -> Exception:
    if body.get("retryable"):
        return Crash(str(body.get("message", "told to fail")))
    return EngineError(str(body.get("code", "signalled")), str(body.get("message", "Told to fail")))


def default_result(ctx: StageContext) -> dict[str, JSON]:
    """The smallest result document; the same for the same session settings."""
    return {
        "title": "A session driven by signals",
        "partial": ctx.write_up,
        "summary": "This session was led through its stages by commands.",
        "confidence_score": 0.5,
        "sections": [],
        "key_findings": [],
        "tables": [],
        "figures": [],
        "citations": [],
    }
