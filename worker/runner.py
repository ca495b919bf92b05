"""One claimed session, from its claim or last checkpoint to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import orjson
import structlog

from kit.errors import DeadlineExceeded, Unavailable
from kit.tasks import end
from kit.telemetry import scope, tracing
from kit.telemetry.scope import Scope, TraceContext
from kit.telemetry.tracing import Attributes, Kind
from worker import metrics
from worker.attempt import Attempt, StageState
from worker.computing.forkserver import ComputingTooLong
from worker.context import Aside, RunningStage
from worker.drain import Drain
from worker.engines.base import JSON, Engine, EngineError, StageSpec
from worker.engines.registry import libraries_of
from worker.errors import LeaseLost, Stubborn
from worker.heartbeat import Heartbeat
from worker.model import Claim, Directive, Ending, Failure, Finished, Lease, Outcome
from worker.models.allowance import Allowance
from worker.outcome import canonical, cited_documents, compact
from worker.patience import insist
from worker.ports import Artifacts, Computer, Meter, OpenModel, OpenSources, Sessions

log = structlog.get_logger("runner")
_TIME_SETTING = "PRSM_WORKER_COMPUTATION_SECONDS"
_TRIES = 8
"""How often work is cancelled, four times a second, before it counts as stubborn."""


class Runner:
    """Runs claims; `load` gives the engine of a name and may take seconds, `measure` begins a measurement, `computers`
    gives each claim a computer of its own. For `patience` seconds past its lease a claim is worked on while the session
    service does not answer."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        artifacts: Artifacts,
        sources: OpenSources,
        load: Callable[[str], Engine],
        measure: Callable[[], Meter],
        computers: Callable[[], Computer],
        drain: Drain,
        patience: float = 0.0,
        models: OpenModel | None = None,
    ) -> None:
        self._sessions = sessions
        self._artifacts = artifacts
        self._sources = sources
        self._load = load
        self._measure = measure
        self._computers = computers
        self._drain = drain
        self._models = models
        self._heartbeat = Heartbeat(sessions, patience=patience)

    async def run(self, claim: Claim) -> Ending:
        """Work on a claim until it is done, lost, failed or handed back. Raises Stubborn when it would not end."""
        lease, began = claim.lease, perf_counter()
        within = Scope("", lease.session_id, TraceContext.parse(claim.traceparent))
        about: Attributes = {
            "prsm.session_id": lease.session_id,
            "prsm.engine": claim.engine,
            "prsm.epoch": lease.epoch,
        }
        with tracing.working(f"attempt {claim.engine}", Kind.CONSUMER, within, about) as span:
            ending = await self._run(claim)
            if span is not None:
                span.set("prsm.ending", ending.value)
                if ending is Ending.FAILED:
                    span.fail(ending.value)
            log.info("attempt ended", epoch=lease.epoch, ending=ending.value)
        metrics.ATTEMPTS.labels(claim.engine, ending.value).observe(perf_counter() - began)
        return ending

    async def _run(self, claim: Claim) -> Ending:
        computer = self._computers()
        attempt = Attempt.of(claim, self._measure(), computer)
        work = asyncio.create_task(self._attempt(attempt), name="work")
        heart = asyncio.create_task(self._heartbeat.beat(attempt), name="heartbeat")
        overdue = asyncio.create_task(self._drain.overdue(), name="drain")
        try:
            await asyncio.wait({work, heart, overdue}, return_when=asyncio.FIRST_COMPLETED)
            if attempt.closing:
                await asyncio.wait({work, overdue}, return_when=asyncio.FIRST_COMPLETED, timeout=claim.lease_seconds)
            if work.done():
                ending = work.result()
            else:
                await end([work], tries=_TRIES)
                if heart.done() and (error := heart.exception()):
                    log.error("the heartbeat failed", exc_info=error)
                ending = Ending.DROPPED if heart.done() else await self._hand_back(claim.lease)
        finally:
            # What was tried above is not tried again.
            await end([heart, overdue, *([] if work.cancelling() else [work])], tries=_TRIES)
            await computer.close()
        if not work.done():
            log.error("the work does not end", engine=claim.engine, stage=attempt.stage.name)
            raise Stubborn(claim.engine)
        return ending

    async def _attempt(self, attempt: Attempt) -> Ending:
        try:
            return await self._pipeline(attempt)
        except LeaseLost:
            return Ending.DROPPED
        except Exception as error:
            return await self._fail(attempt, error)

    async def _pipeline(self, attempt: Attempt) -> Ending:
        claim = attempt.claim
        # In a thread: an engine's imports may take seconds, and heartbeats must go on.
        engine = await asyncio.to_thread(self._load, claim.engine)
        attempt.computer.needs(libraries_of(engine))
        plan: Sequence[StageSpec] = engine.stages(claim.job)
        outputs = await self._checkpoints(attempt)
        await insist(lambda: self._sessions.start(claim.lease, plan))
        sources = self._sources(lambda: attempt.grant)
        try:
            return await self._stages(attempt, engine, plan, RunningStage(attempt, sources, outputs, self._models))
        finally:
            await sources.close()

    async def _stages(
        self, attempt: Attempt, engine: Engine, plan: Sequence[StageSpec], context: RunningStage
    ) -> Ending:
        claim, outputs = attempt.claim, context.finished
        last, digest = plan[-1].name, ""
        for spec in plan:
            if spec.name in outputs:
                continue
            if self._drain.begun:
                return await self._hand_back(claim.lease)
            with _watched(claim, spec.name):
                content = await self._stage(attempt, engine, spec.name, context)
                # What a later stage sees is what it would see after a crash: the output as it comes back from storage.
                done = orjson.loads(content)
                so_far = None
                if spec.name != last:
                    so_far = await self._so_far(attempt, engine, Aside(context, {**outputs, spec.name: done}))
                digest = await self._checkpoint(attempt, content, so_far, result=spec.name == last)
            outputs[spec.name] = done
        return await self._complete(attempt, outputs[last], digest)

    async def _checkpoints(self, attempt: Attempt) -> dict[str, JSON]:
        outputs: dict[str, JSON] = {}
        for stored in attempt.claim.stages:
            outputs[stored.stage] = orjson.loads(await self._artifacts.get(attempt.grant, stored.epoch, stored.hash))
        return outputs

    async def _stage(self, attempt: Attempt, engine: Engine, name: str, context: RunningStage) -> bytes:
        lease = attempt.claim.lease
        attempt.stage = StageState(name)
        await attempt.computer.forget()
        begun = await insist(lambda: self._sessions.begin_stage(lease, name))
        attempt.stage.allowance = Allowance(begun.available, begun.prices)
        self._go_on(attempt, begun.directive)
        return canonical(await engine.run_stage(name, context))

    async def _so_far(self, attempt: Attempt, engine: Engine, context: Aside) -> tuple[str, Sequence[str]] | None:
        """The artifact of what the finished stages found, and what it cites; None where the engine gives nothing."""
        write = getattr(engine, "so_far", None)
        if write is None:
            return None
        try:
            document = await write(context)
            if document is None:
                return None
            compact(document)
            content, cited = canonical(document), cited_documents(document)
            digest = await self._artifacts.put(attempt.grant, content, result=True)
        except LeaseLost:
            raise
        except Exception as error:
            # The session itself goes on: this was for the case that it does not come to its end.
            log.warning("no results so far", stage=attempt.stage.name, exc_info=error)
            return None
        attempt.bytes_stored += len(content)
        return digest, cited

    async def _checkpoint(
        self, attempt: Attempt, content: bytes, so_far: tuple[str, Sequence[str]] | None, *, result: bool
    ) -> str:
        digest = await self._artifacts.put(attempt.grant, content, result=result)
        attempt.bytes_stored += len(content)
        stage = attempt.stage
        stage.done = 1.0
        usage, decisions = dict(stage.usage), tuple(stage.decisions)
        finished = Finished(
            attempt.claim.lease, stage.name, digest, usage, decisions, attempt.resources(), *(so_far or ("", ()))
        )
        self._go_on(attempt, await insist(lambda: self._sessions.checkpoint(finished)))
        return digest

    @staticmethod
    def _go_on(attempt: Attempt, directive: Directive) -> None:
        if not attempt.heed(directive):
            raise LeaseLost(directive.value)

    async def _complete(self, attempt: Attempt, document: Any, digest: str) -> Ending:
        """`digest` is "" when an earlier attempt ended between its last checkpoint and here."""
        lease = attempt.claim.lease
        summary = compact(document)
        if not digest:
            digest = await self._artifacts.put(attempt.grant, canonical(document), result=True)
        outcome = Outcome(digest, summary, cited_documents(document), attempt.resources())
        attempt.closing = True
        await insist(lambda: self._sessions.complete(lease, outcome))
        return Ending.COMPLETED

    async def _fail(self, attempt: Attempt, error: Exception) -> Ending:
        lease, stage = attempt.claim.lease, attempt.stage.name
        failure = _failure(error, stage)
        metrics.FAILURES.labels(attempt.claim.engine, "ours" if failure.ours else "input").inc()
        level = log.error if failure.ours else log.info
        level("attempt failed", stage=stage, code=failure.code, exc_info=error if failure.ours else None)
        attempt.closing = True
        try:
            await insist(lambda: self._sessions.fail(lease, failure))
        except LeaseLost:
            return Ending.DROPPED
        return Ending.FAILED

    async def _hand_back(self, lease: Lease) -> Ending:
        try:
            await self._sessions.release(lease, "drain")
        except (LeaseLost, Unavailable, DeadlineExceeded) as error:
            # Without it the lease runs out by itself.
            log.warning("not handed back", cause=repr(error))
            return Ending.DROPPED
        return Ending.RELEASED


@contextmanager
def _watched(claim: Claim, stage: str) -> Iterator[None]:
    """Time a stage, as a span of its own."""
    began, outcome = perf_counter(), "interrupted"
    try:
        with tracing.working(f"stage {stage}", Kind.INTERNAL, scope.current() or Scope(), {"prsm.stage": stage}):
            yield
        outcome = "finished"
    except Exception as error:
        outcome = "interrupted" if isinstance(error, LeaseLost) else "failed"
        raise
    finally:
        metrics.STAGES.labels(claim.engine, stage, outcome).observe(perf_counter() - began)


def _failure(error: Exception, stage: str) -> Failure:
    if isinstance(error, EngineError):
        return Failure(error.code, str(error), stage, retryable=False, ours=False)
    if isinstance(error, Unavailable | DeadlineExceeded):
        message = "A service that the work needs was not available"
        return Failure("dependency_unavailable", message, stage, retryable=True, ours=True)
    if isinstance(error, MemoryError):
        message = (
            "The work needs more memory than one session may use: give it less to read, or have the operator raise "
            "PRSM_WORKER_MEMORY_MB"
        )
        return Failure("out_of_memory", message, stage, retryable=False, ours=True)
    if isinstance(error, ComputingTooLong):
        message = f"The work was ended: {error}. Give it less to do, or have the operator raise {_TIME_SETTING}"
        return Failure("computation_too_long", message, stage, retryable=False, ours=True)
    return Failure("engine_crashed", "The engine stopped unexpectedly", stage, retryable=True, ours=True)
