"""What is published, what is heard, and what the other services may ask."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from sqlalchemy import select

from kit.errors import PrsmError
from prsm.events.v1 import events_pb2
from prsm.session.v1 import internal_pb2
from services.session.domain import Entry
from services.session.tables import KIT
from services.session.usecases.record_collab_event import CollabEvent
from tests.integration.session.stand import HASH, STAGES, Stand, pb, wpb


async def published(stand: Stand) -> list[tuple[str, events_pb2.SessionChanged]]:
    rows = await stand.db.read(lambda db: db.execute(select(KIT.outbox).order_by(KIT.outbox.c.id)).all())
    return [(row.subject, events_pb2.SessionChanged.FromString(row.payload)) for row in rows]


async def test_events_carry_the_full_state_and_a_rising_version(stand: Stand) -> None:
    session_id = await stand.completed()
    events = await published(stand)
    types = ["created", "initializing", "running", "completed"]
    assert [event.type for _, event in events] == [f"session.{type_}" for type_ in types]
    assert [subject for subject, _ in events] == [f"prsm.events.session.{type_}" for type_ in types]
    versions = [event.version for _, event in events]
    assert versions == sorted(set(versions))
    last = events[-1][1]
    assert last.version == len((await stand.history(session_id))["timeline"])
    assert (last.status, last.progress, last.owner, last.engine) == ("completed", 100, "ada", "research")
    assert (last.result_epoch, last.result_hash, list(last.cited_document_ids)) == (1, HASH, ["d1"])
    captured = stand.books.settled[session_id]
    assert (last.settlement.captured_micros, last.settlement.released_micros) == captured
    assert not events[0][1].HasField("settlement")


async def test_every_change_of_status_is_published(stand: Stand) -> None:
    session_id = await stand.create()
    await stand.started()
    await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
    await stand.call("ada", "ResumeSession", pb.ResumeSessionRequest(session_id=session_id))
    claim = await stand.started()
    await stand.work("Release", wpb.ReleaseRequest(lease=claim.lease))
    await stand.call("ada", "CancelSession", pb.CancelSessionRequest(session_id=session_id))
    names = [event.type.removeprefix("session.") for _, event in await published(stand)]
    assert names == [
        "created", "initializing", "running", "paused", "resumed", "initializing", "running", "queued", "cancelled",
    ]  # fmt: skip


async def test_a_refused_change_publishes_nothing(stand: Stand) -> None:
    session_id = await stand.create()
    before = await published(stand)
    with pytest.raises(PrsmError):
        await stand.call("ada", "PauseSession", pb.PauseSessionRequest(session_id=session_id))
    assert await published(stand) == before


async def test_shares_and_comments_become_part_of_the_history_once(stand: Stand) -> None:
    session_id = await stand.completed()
    before = len((await stand.history(session_id))["timeline"])

    def comment(version: int, type_: str, subject: str = "c1") -> CollabEvent:
        return CollabEvent(session_id, subject, version, Entry(type_, "bob", {"id": subject}))

    for event in (
        comment(1, "comment.added"),
        comment(1, "comment.added"),
        comment(2, "comment.updated"),
        comment(1, "comment.added"),
        comment(1, "comment.added", "c2"),
    ):
        await stand.app.record_collab(event)
    added = (await stand.history(session_id))["timeline"][before:]
    assert [(row["type"], row["detail"]["id"]) for row in added] == [
        ("comment.added", "c1"),
        ("comment.updated", "c1"),
        ("comment.added", "c2"),
    ]
    assert [row["seq"] for row in added] == [before + 1, before + 2, before + 3]
    assert await stand.status(session_id) == "completed"


async def test_an_event_that_is_overtaken_is_still_part_of_the_history(stand: Stand) -> None:
    session_id = await stand.completed()
    for version, type_ in ((2, "comment.updated"), (1, "comment.added")):
        await stand.app.record_collab(CollabEvent(session_id, "c1", version, Entry(type_, "bob", {"id": "c1"})))
    types = [row["type"] for row in (await stand.history(session_id))["timeline"]]
    assert types[-2:] == ["comment.updated", "comment.added"]


async def test_events_about_no_session_here_are_passed_over(stand: Stand) -> None:
    for id_ in ("01890000-0000-7000-8000-000000000000", "nonsense"):
        await stand.app.record_collab(CollabEvent(id_, "c1", 1, Entry("comment.added", "bob", {})))
    assert await published(stand) == []


async def ask(stand: Stand, method: str, request: Any, caller: str = "results") -> Any:
    peer = stand.identities.peer(caller, "session")
    return await peer.call(getattr(stand.internal, method), request, timeout=60)


async def test_looking_a_session_up(stand: Stand) -> None:
    session_id = await stand.create(preferences=pb.Preferences(citation_style="apa", language="en"))
    claim = await stand.started()
    for stage in STAGES:
        await stand.stage(claim.lease, stage)
    await stand.complete(claim.lease)
    found = await ask(stand, "LookUpSession", internal_pb2.LookUpSessionRequest(session_id=session_id), "collab")
    assert found.found
    assert (found.owner, pb.Session.Status.Name(found.status)) == ("ada", "completed")
    assert (found.result_epoch, found.result_hash, list(found.stages)) == (1, HASH, list(STAGES))
    assert (found.citation_style, found.language, found.progress) == ("apa", "en", 100)
    for unknown in ("01890000-0000-7000-8000-000000000000", "nonsense"):
        request = internal_pb2.LookUpSessionRequest(session_id=unknown)
        assert not (await ask(stand, "LookUpSession", request)).found


async def test_describing_an_execution(stand: Stand) -> None:
    session_id = await stand.completed()
    request = internal_pb2.DescribeExecutionRequest(session_id=session_id)
    described = await ask(stand, "DescribeExecution", request)
    metadata = MessageToDict(described.metadata)
    assert (metadata["session_id"], metadata["session_type"], metadata["attempts"]) == (session_id, "research", 1)
    assert metadata["cost"] == {"currency": "FTNS", "held": "10.00", "charged": "1.12", "released": "8.88"}
    assert [stage["stage"] for stage in metadata["stages"]] == list(STAGES)
    assert metadata["execution_time"] == 6
    assert described.metrics == await stand.metrics(session_id)
    assert MessageToDict(described.history, preserving_proto_field_name=True) == await stand.history(session_id)


async def test_metrics_of_a_completed_session(stand: Stand) -> None:
    session_id = await stand.completed()
    metrics = await stand.metrics(session_id)
    assert metrics.execution_time == 6
    assert (metrics.resource_usage.documents_read, metrics.resource_usage.worker_seconds) == (6, 6.0)
    items = metrics.cost_breakdown.items
    assert [(i.stage, i.item, i.quantity, i.unit, i.unit_price, i.amount) for i in items] == [
        ("read", "base", 1, "session", "1.00", "1.00"),
        ("read", "document_read", 2, "document", "0.02", "0.04"),
        ("think", "document_read", 2, "document", "0.02", "0.04"),
        ("write", "document_read", 2, "document", "0.02", "0.04"),
    ]
    assert metrics.cost_breakdown.charged == "1.12"
    performance = metrics.performance_metrics
    assert dict(performance.stage_seconds) == dict.fromkeys(STAGES, 2.0)
    assert (performance.documents_per_second, performance.attempts) == (1.0, 1)
    assert metrics.efficiency_score == 1.0


async def test_metrics_before_anything_happened(stand: Stand) -> None:
    session_id = await stand.create()
    stand.clock.advance(seconds=3)
    metrics = await stand.metrics(session_id)
    assert (metrics.execution_time, metrics.efficiency_score) == (0, 0.0)
    assert metrics.performance_metrics.queue_seconds == 3
    assert metrics.HasField("resource_usage")
    assert (metrics.cost_breakdown.held, metrics.cost_breakdown.charged) == ("10.00", "0.00")


async def test_decisions_are_told_where_they_belong(stand: Stand) -> None:
    session_id = await stand.create()
    claim = await stand.started()
    await stand.begin(claim.lease, "read")
    decision = wpb.Decision(decision="kept 1 of 2", reason="The other is off topic", alternatives=["keep both"])
    decision.excluded.add()["document_id"] = "d2"
    request = wpb.CheckpointRequest(lease=claim.lease, stage="read", hash=HASH, decisions=[decision])
    await stand.work("Checkpoint", request)
    history = await stand.history(session_id)
    (point,) = history["decision_points"]
    assert (point["stage"], point["decision"], point["alternatives"]) == ("read", "kept 1 of 2", ["keep both"])
    assert point["excluded"] == [{"document_id": "d2"}]
    row = history["timeline"][point["seq"] - 1]
    assert (row["type"], row["detail"]["excluded"]) == ("decision.made", 1)
