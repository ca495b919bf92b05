"""One claim, from every beginning to every end."""

from __future__ import annotations

import asyncio
import hashlib
import operator
import os

import orjson
import pytest

from kit.errors import DeadlineExceeded, Unavailable
from tests.support.pids import ended
from tests.unit.worker.fakes import LEASE, Platform, Scripted, claim, runner_of
from worker.computing.forkserver import ForkServer
from worker.computing.frames import NotKept
from worker.drain import Drain
from worker.engines.base import JSON, Engine, EngineError, Kept, StageContext
from worker.errors import Stubborn
from worker.model import Directive, Ending, Lease, Outcome, StoredStage

RESULT = {
    "title": "T",
    "summary": "S",
    "partial": False,
    "confidence_score": 0.75,
    "key_findings": [{"id": f"f{n}", "text": "t", "citations": ["c1"], "confidence": 0.5} for n in range(12)],
    "citations": [
        {"id": "c1", "document_id": "d1"},
        {"id": "c2", "document_id": "d2"},
        {"id": "c3", "document_id": "d1"},
    ],
}


async def gather(ctx: StageContext) -> JSON:
    ctx.use("document_read", 2)
    ctx.use("document_read", 1)
    ctx.decide("kept", "it fits", alternatives=["drop"], excluded=[{"document_id": "d9"}])
    await ctx.step(1, 4)
    return {"b": 1, "a": [1.5]}


async def write(ctx: StageContext) -> JSON:
    assert ctx.outputs["gather"] == {"a": [1.5], "b": 1}
    return RESULT


async def hang(ctx: StageContext) -> JSON:
    await asyncio.Event().wait()
    return None


def put(platform: Platform, value: JSON) -> str:
    content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(content).hexdigest()
    platform.stored[digest] = (content, False)
    return digest


async def test_a_session_goes_through_its_stages_to_completion() -> None:
    platform = Platform()
    ending = await runner_of(platform, Scripted({"gather": gather, "write": write})).run(claim())
    assert ending is Ending.COMPLETED
    assert platform.calls == [
        "start", "begin gather", "put", "checkpoint gather", "begin write", "put", "checkpoint write", "complete",
    ]  # fmt: skip
    first, last = platform.finished
    assert first.usage == {"document_read": 3}
    assert [d.decision for d in first.decisions] == ["kept"]
    assert (last.usage, last.decisions) == ({}, ())
    assert platform.stored[first.hash] == (b'{"a":[1.5],"b":1}', False)
    assert platform.outcome is not None
    assert platform.stored[platform.outcome.hash] == (orjson.dumps(RESULT, option=orjson.OPT_SORT_KEYS), True)
    assert platform.outcome.cited == ["d1", "d2"]
    assert len(platform.outcome.compact["key_findings"]) == 10
    assert platform.outcome.compact["confidence_score"] == 0.75
    assert platform.outcome.resources.bytes_stored == sum(len(content) for content, _ in platform.stored.values())


async def test_a_heartbeat_that_hears_of_the_end_first_does_not_undo_it() -> None:
    class Told(Platform):
        """Answers `complete` only after a heartbeat has heard that the session has ended."""

        async def complete(self, lease: Lease, outcome: Outcome) -> None:
            await super().complete(lease, outcome)
            self.directives = [Directive.CANCEL]
            self.beaten.clear()
            await self.beaten.wait()
            for _ in range(10):
                await asyncio.sleep(0)  # The heartbeat takes it in, and ends.

    ending = await runner_of(Told(), Scripted({"gather": gather, "write": write})).run(claim())
    assert ending is Ending.COMPLETED


async def test_finished_stages_are_read_back_and_not_run_again() -> None:
    platform = Platform()
    stored = StoredStage("gather", 2, put(platform, {"a": [1.5], "b": 1}))
    await runner_of(platform, Scripted({"gather": hang, "write": write})).run(claim(stored))
    assert platform.calls == ["get", "start", "begin write", "put", "checkpoint write", "complete"]


async def test_a_result_whose_completion_was_lost_is_completed_under_the_new_epoch() -> None:
    platform = Platform()
    stages = [StoredStage("gather", 2, put(platform, {})), StoredStage("write", 2, put(platform, RESULT))]
    ending = await runner_of(platform, Scripted({"gather": hang, "write": hang})).run(claim(*stages))
    assert ending is Ending.COMPLETED
    assert platform.calls == ["get", "get", "start", "put", "complete"]
    assert platform.outcome is not None
    assert platform.stored[platform.outcome.hash][1]


async def test_an_engines_own_error_is_the_sessions_and_final() -> None:
    async def refuse(ctx: StageContext) -> JSON:
        raise EngineError("no_usable_source", "Nothing to read")

    platform = Platform()
    ending = await runner_of(platform, Scripted({"gather": refuse})).run(claim())
    assert ending is Ending.FAILED
    (failure,) = platform.failures
    assert (failure.code, failure.message, failure.stage) == ("no_usable_source", "Nothing to read", "gather")
    assert (failure.retryable, failure.ours) == (False, False)


async def test_any_other_error_is_ours_and_tells_nothing() -> None:
    async def crash(ctx: StageContext) -> JSON:
        raise KeyError("secret")

    platform = Platform()
    await runner_of(platform, Scripted({"gather": crash})).run(claim())
    (failure,) = platform.failures
    assert (failure.code, failure.retryable, failure.ours) == ("engine_crashed", True, True)
    assert "secret" not in failure.message


async def test_an_engine_that_cannot_be_loaded_is_ours() -> None:
    def broken(_name: str) -> Engine:
        raise ImportError("no such module")

    platform = Platform()
    await runner_of(platform, Scripted({"gather": gather}), load=broken).run(claim())
    assert [f.code for f in platform.failures] == ["engine_crashed"]


async def test_a_last_stage_without_a_result_document_is_ours() -> None:
    async def nothing(ctx: StageContext) -> JSON:
        return ["not", "a", "document"]

    platform = Platform()
    await runner_of(platform, Scripted({"write": nothing})).run(claim())
    assert [f.code for f in platform.failures] == ["engine_crashed"]


async def test_a_service_that_stays_away_is_ours_and_tried_again() -> None:
    async def search(ctx: StageContext) -> JSON:
        raise Unavailable("library")

    platform = Platform()
    await runner_of(platform, Scripted({"gather": search})).run(claim())
    (failure,) = platform.failures
    assert (failure.code, failure.retryable, failure.ours) == ("dependency_unavailable", True, True)


async def test_writes_wait_for_a_session_service_that_is_away() -> None:
    platform = Platform(away={"start": [Unavailable()], "checkpoint gather": [DeadlineExceeded()]})
    ending = await runner_of(platform, Scripted({"gather": gather, "write": write})).run(claim())
    assert ending is Ending.COMPLETED
    assert platform.calls.count("start") == 2
    assert platform.calls.count("checkpoint gather") == 2


@pytest.mark.parametrize("directive", [Directive.PAUSE, Directive.CANCEL])
async def test_pause_and_cancel_end_the_stage_and_write_nothing_more(directive: Directive) -> None:
    platform = Platform()

    async def until_ended(ctx: StageContext) -> JSON:
        platform.directives.append(directive)
        await asyncio.Event().wait()
        return None

    ending = await runner_of(platform, Scripted({"gather": until_ended})).run(claim())
    assert ending is Ending.DROPPED
    assert platform.calls == ["start", "begin gather"]


async def test_a_stale_epoch_drops_the_work() -> None:
    for call in ("start", "begin gather", "checkpoint gather", "heartbeat"):
        platform = Platform(stale={call})
        steps = {"gather": hang if call == "heartbeat" else gather}
        assert await runner_of(platform, Scripted(steps)).run(claim()) is Ending.DROPPED
        assert not platform.failures


async def test_a_lease_that_runs_out_drops_the_work() -> None:
    platform = Platform(away={"heartbeat": [Unavailable()] * 10_000})
    given = claim()
    short = type(given)(LEASE, 0.0, 0.0, given.engine, given.job, (), "grant-1")
    assert await runner_of(platform, Scripted({"gather": hang})).run(short) is Ending.DROPPED


async def test_write_up_reaches_the_stage_and_a_fresh_grant_the_next_call() -> None:
    platform = Platform()

    async def until_told(ctx: StageContext) -> JSON:
        assert not ctx.write_up
        platform.directives.append(Directive.WRITE_UP)
        platform.fresh_grant = "grant-2"
        while not ctx.write_up:
            platform.beaten.clear()
            await platform.beaten.wait()
        return {"cut_short": ctx.write_up}

    await runner_of(platform, Scripted({"gather": until_told, "write": write_any})).run(claim())
    assert platform.grants[0] == "grant-2"
    assert platform.outcome is not None
    assert platform.outcome.compact["partial"] is True


async def write_any(ctx: StageContext) -> JSON:
    return {**RESULT, "partial": ctx.write_up}


async def test_a_claim_that_is_to_be_written_up_says_so_from_the_start() -> None:
    platform = Platform()
    await runner_of(platform, Scripted({"write": write_any})).run(claim(write_up=True))
    assert platform.outcome is not None
    assert platform.outcome.compact["partial"] is True


async def test_a_heartbeat_carries_stage_progress_usage_and_resources() -> None:
    platform = Platform()

    async def report(ctx: StageContext) -> JSON:
        ctx.use("passage_read", 7)
        await ctx.step(3, 4)
        await ctx.step(1, 4)
        platform.beaten.clear()
        await platform.beaten.wait()
        return {}

    await runner_of(platform, Scripted({"gather": report, "write": write_any})).run(claim())
    beat = next(beat for beat in platform.beats if beat.done == 0.75)
    assert (beat.stage, beat.usage, beat.lease) == ("gather", {"passage_read": 7}, LEASE)
    assert (beat.resources.cpu_seconds, beat.resources.peak_memory_mb) == (1.5, 64.0)


async def test_a_drain_hands_back_after_the_next_checkpoint() -> None:
    platform, drain = Platform(), Drain(60)

    async def last(ctx: StageContext) -> JSON:
        drain.begin()
        return {}

    ending = await runner_of(platform, Scripted({"gather": last, "write": write}), drain).run(claim())
    assert ending is Ending.RELEASED
    assert platform.calls == ["start", "begin gather", "put", "checkpoint gather", "release"]


async def test_a_drain_does_not_wait_longer_than_its_grace() -> None:
    platform, drain = Platform(), Drain(0)

    async def long(ctx: StageContext) -> JSON:
        drain.begin()
        await asyncio.Event().wait()
        return None

    assert await runner_of(platform, Scripted({"gather": long}), drain).run(claim()) is Ending.RELEASED
    assert platform.calls == ["start", "begin gather", "release"]


@pytest.mark.parametrize("directive", [Directive.PAUSE, Directive.CANCEL])
async def test_a_call_into_c_ends_with_its_stage(directive: Directive) -> None:
    platform, computing = Platform(), ForkServer(memory=1 << 30)
    begun: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def compute(ctx: StageContext) -> JSON:
        begun.set_result(await ctx.run(os.getpid))
        return await ctx.run(operator.pow, 7, 10**9)

    runner = runner_of(platform, Scripted({"gather": compute}), computing=computing)
    running = asyncio.create_task(runner.run(claim()))
    pid = await begun
    platform.directives.append(directive)
    assert await running is Ending.DROPPED
    await ended(pid)
    assert platform.calls == ["start", "begin gather"]
    await computing.close()


async def test_a_drain_ends_a_call_into_c_and_hands_back() -> None:
    platform, drain, computing = Platform(), Drain(0), ForkServer(memory=1 << 30)

    async def compute(ctx: StageContext) -> JSON:
        await ctx.run(os.getpid)
        drain.begin()
        return await ctx.run(operator.pow, 7, 10**9)

    runner = runner_of(platform, Scripted({"gather": compute}), drain, computing=computing)
    assert await runner.run(claim()) is Ending.RELEASED
    await computing.close()


async def test_what_its_process_used_is_the_sessions() -> None:
    platform, computing = Platform(), ForkServer(memory=1 << 30)

    async def compute(ctx: StageContext) -> JSON:
        await ctx.run(sum, range(3_000_000))
        return RESULT

    await runner_of(platform, Scripted({"write": compute}), computing=computing).run(claim())
    assert platform.outcome is not None
    assert platform.outcome.resources.cpu_seconds > 1.5
    assert platform.outcome.resources.peak_memory_mb > 64
    await computing.close()


async def test_what_one_stage_keeps_the_next_does_not_have() -> None:
    platform, computing = Platform(), ForkServer(memory=1 << 30)
    kept: list[Kept] = []

    async def keep(ctx: StageContext) -> JSON:
        kept.append(await ctx.keep(list, "abc"))
        return await ctx.run(len, *kept)

    async def look(ctx: StageContext) -> JSON:
        with pytest.raises(NotKept):
            await ctx.run(len, *kept)
        return RESULT

    ending = await runner_of(platform, Scripted({"gather": keep, "write": look}), computing=computing).run(claim())
    assert ending is Ending.COMPLETED
    await computing.close()


async def test_too_little_memory_is_told_and_not_tried_again() -> None:
    platform, computing = Platform(), ForkServer(memory=1 << 30)

    async def compute(ctx: StageContext) -> JSON:
        return await ctx.run(operator.mul, b"x", 2 << 30)

    await runner_of(platform, Scripted({"write": compute}), computing=computing).run(claim())
    (failure,) = platform.failures
    assert (failure.code, failure.retryable, failure.ours) == ("out_of_memory", False, True)
    await computing.close()


async def test_work_that_does_not_end_is_given_up_and_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    platform, drain = Platform(), Drain(0)
    monkeypatch.setattr("worker.runner._TRIES", 1)
    released = asyncio.Event()

    async def stubborn(ctx: StageContext) -> JSON:
        drain.begin()
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return None

    with pytest.raises(Stubborn):
        await runner_of(platform, Scripted({"gather": stubborn}), drain).run(claim())
    assert platform.calls == ["start", "begin gather", "release"]
    released.set()
