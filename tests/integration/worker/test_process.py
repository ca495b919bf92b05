"""The worker process: claims, stages, directives, failures, its end."""

from __future__ import annotations

import asyncio

import orjson
from google.protobuf.struct_pb2 import Struct

from prsm.results.v1 import artifacts_pb2
from prsm.session.v1 import session_pb2, worker_pb2
from tests.integration.worker.conftest import Stand

RESULT = {
    "title": "Found",
    "summary": "It is so.",
    "key_findings": [{"id": "f1", "text": "So.", "citations": ["c1"], "confidence": 0.9}],
    "citations": [{"id": "c1", "document_id": "d1"}],
}


def preferences(*stages: str) -> session_pb2.Preferences:
    analysis = Struct()
    analysis.update({"stages": list(stages)})
    return session_pb2.Preferences(analysis=analysis)


async def test_a_wake_up_leads_through_the_stages_to_a_result(stand: Stand) -> None:
    await stand.start()
    session_id = await stand.offer(preferences=preferences("one", "two"))
    claimed = await stand.sessions.next(worker_pb2.ClaimNextRequest)
    assert set(claimed.engines) >= {"signal"}
    start = await stand.sessions.next(worker_pb2.StartRequest)
    assert [stage.stage for stage in start.stages] == ["one", "two"]
    assert (start.lease.session_id, start.lease.epoch) == (session_id, 1)
    begun = await stand.sessions.next(worker_pb2.BeginStageRequest)
    assert begun.stage == "one"
    await stand.signals.use(session_id, "document_read", 2)
    await stand.signals.decide(session_id, "kept", "good", alternatives=["drop"], excluded=[{"document_id": "d9"}])
    await stand.signals.progress(session_id, 0.5)
    await stand.signals.finish_stage(session_id, {"b": 1, "a": 2})
    checkpoint = await stand.sessions.next(worker_pb2.CheckpointRequest)
    assert [(item.item, item.quantity_micros) for item in checkpoint.usage] == [("document_read", 2_000_000)]
    assert checkpoint.decisions[0].decision == "kept"
    assert dict(checkpoint.decisions[0].excluded[0]) == {"document_id": "d9"}
    assert stand.results.stored[checkpoint.hash] == (
        artifacts_pb2.PutArtifactRequest.KIND_CHECKPOINT,
        b'{"a":2,"b":1}',
    )
    assert stand.results.grants[0].session_id == session_id
    await stand.sessions.next(worker_pb2.BeginStageRequest)
    assert (await stand.signals.look(session_id))["outputs"] == {"one": {"a": 2, "b": 1}}
    await stand.signals.complete(session_id, RESULT)
    last = await stand.sessions.next(worker_pb2.CheckpointRequest)
    complete = await stand.sessions.next(worker_pb2.CompleteRequest)
    assert complete.hash == last.hash
    kind, content = stand.results.stored[complete.hash]
    assert kind == artifacts_pb2.PutArtifactRequest.KIND_RESULT
    assert orjson.loads(content)["title"] == "Found"
    assert (complete.results.title, complete.results.key_findings[0].text) == ("Found", "So.")
    assert list(complete.cited_document_ids) == ["d1"]
    assert complete.bytes_stored == sum(len(stored) for _, stored in stand.results.stored.values())
    assert complete.cpu_seconds > 0
    assert complete.peak_memory_mb > 0


async def test_the_wake_up_is_kept_until_the_session_has_ended(stand: Stand) -> None:
    await stand.start()
    session_id = await stand.offer()
    await stand.sessions.next(worker_pb2.ClaimNextRequest)
    await stand.signals.look(session_id)
    assert await stand.jobs() == 1
    await stand.signals.complete(session_id)
    await stand.no_jobs()


async def test_work_is_found_without_a_broker(stand: Stand) -> None:
    await stand.nats.stop()
    await stand.start(poll_seconds="0.05", test_engines="0", engines='["research"]')
    stand.sessions.waiting.append(
        worker_pb2.Claim(
            lease=worker_pb2.Lease(session_id="s", epoch=1),
            lease_us=15_000_000,
            heartbeat_us=20_000,
            engine="research",
            session_type="research",
            prompt="Why is the sky blue?",
            grant=stand.grant("s"),
        )
    )
    await stand.sessions.next(worker_pb2.ClaimNextRequest)
    await stand.sessions.next(worker_pb2.StartRequest)


async def test_it_goes_on_from_the_last_checkpoint(stand: Stand) -> None:
    await stand.start()
    content = b'{"n":1}'
    digest = "a" * 64
    stand.results.stored[digest] = (artifacts_pb2.PutArtifactRequest.KIND_CHECKPOINT, content)
    stored = worker_pb2.StoredStage(stage="prepare", epoch=1, hash=digest)
    session_id = await stand.offer(stages=[stored])
    await stand.sessions.next(worker_pb2.ClaimNextRequest)
    await stand.sessions.next(worker_pb2.StartRequest)
    assert (await stand.sessions.next(worker_pb2.BeginStageRequest)).stage == "work"
    assert (await stand.signals.look(session_id))["outputs"] == {"prepare": {"n": 1}}


async def test_heartbeats_go_on_and_bring_directives(stand: Stand) -> None:
    await stand.start()
    session_id = await stand.offer()
    await stand.sessions.next(worker_pb2.ClaimNextRequest)
    await stand.signals.progress(session_id, 0.25)
    stand.sessions.directive = worker_pb2.DIRECTIVE_WRITE_UP
    async with asyncio.timeout(60):
        while not (await stand.signals.look(session_id))["write_up"]:
            pass
        # The heartbeat that brought it may have been on its way before the progress was made.
        while not (beats := [beat for beat in stand.sessions.beats if beat.stage_done == 0.25]):
            await stand.signals.look(session_id)
    assert (beats[0].stage, beats[0].lease.session_id) == ("prepare", session_id)


async def test_after_a_pause_it_is_free_for_the_next_session(stand: Stand) -> None:
    await stand.start()
    first = await stand.offer()
    await stand.sessions.next(worker_pb2.ClaimNextRequest)
    await stand.signals.look(first)
    stand.sessions.directive = worker_pb2.DIRECTIVE_PAUSE
    await stand.sessions.next(worker_pb2.StartRequest)
    await stand.sessions.next(worker_pb2.BeginStageRequest)
    await stand.no_jobs()
    stand.sessions.directive = worker_pb2.DIRECTIVE_GO_ON
    second = await stand.offer()
    await stand.sessions.next(worker_pb2.ClaimNextRequest)
    assert (await stand.signals.look(second))["stage"] == "prepare"


async def test_a_stale_epoch_ends_the_work_at_once(stand: Stand) -> None:
    await stand.start()
    first = await stand.offer()
    await stand.signals.look(first)
    stand.sessions.stale = True
    second = await stand.offer()
    # Nothing is written for the first one any more: the next calls are those of the second.
    for kind in (worker_pb2.ClaimNextRequest, worker_pb2.StartRequest, worker_pb2.BeginStageRequest):
        await stand.sessions.next(kind)
    await stand.sessions.next(worker_pb2.ClaimNextRequest)
    start = await stand.sessions.next(worker_pb2.StartRequest)
    assert start.lease.session_id == second


async def test_failures_name_whose_they_are(stand: Stand) -> None:
    await stand.start()
    first = await stand.offer()
    await stand.signals.fail(first, "no_usable_source", "Nothing to read")
    for kind in (worker_pb2.ClaimNextRequest, worker_pb2.StartRequest, worker_pb2.BeginStageRequest):
        await stand.sessions.next(kind)
    failure = await stand.sessions.next(worker_pb2.FailRequest)
    assert (failure.code, failure.message, failure.stage) == ("no_usable_source", "Nothing to read", "prepare")
    assert (failure.retryable, failure.ours) == (False, False)
    second = await stand.offer()
    await stand.signals.crash(second)
    for kind in (worker_pb2.ClaimNextRequest, worker_pb2.StartRequest, worker_pb2.BeginStageRequest):
        await stand.sessions.next(kind)
    crash = await stand.sessions.next(worker_pb2.FailRequest)
    assert (crash.code, crash.retryable, crash.ours) == ("engine_crashed", True, True)
    assert "told to crash" not in crash.message


async def test_sigterm_hands_the_session_back(stand: Stand) -> None:
    await stand.start(drain_seconds="4")
    session_id = await stand.offer()
    await stand.signals.look(session_id)
    assert await stand.stop() == 0
    for kind in (worker_pb2.ClaimNextRequest, worker_pb2.StartRequest, worker_pb2.BeginStageRequest):
        await stand.sessions.next(kind)
    released = await stand.sessions.next(worker_pb2.ReleaseRequest)
    assert released.lease.session_id == session_id


async def test_bad_settings_are_one_line(stand: Stand) -> None:
    await stand.start(engines='["divination"]')
    assert stand.process is not None
    assert await stand.process.wait() == 2
