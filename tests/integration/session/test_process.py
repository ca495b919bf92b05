"""The process with its broker and a real billing: wake-ups, events both ways, streams that end with it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from kit.bus.connection import Bus
from kit.bus.names import JOBS_STREAM, job_subject
from kit.db.migrate import upgrade
from kit.errors import PrsmError
from kit.ids import RandomIds
from kit.rpc.call import Call
from kit.times import SystemClock
from prsm.billing.v1 import billing_pb2, billing_pb2_grpc
from prsm.collab.v1 import access_pb2
from prsm.events.v1 import events_pb2
from prsm.library.v1 import internal_pb2
from prsm.session.v1 import session_pb2, session_pb2_grpc
from services.session.clients import JetStreamWakeUps
from tests.support.nats import NatsServer
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities, Served, answer

CLOCK = SystemClock()
pb = session_pb2


class OneDocument:
    """A library in which everybody has one document."""

    async def PrepareInputs(
        self, request: internal_pb2.PrepareInputsRequest, _call: Call
    ) -> internal_pb2.PrepareInputsResponse:
        return internal_pb2.PrepareInputsResponse(library_documents=1, library_characters=100)

    def __getattr__(self, name: str) -> Any:
        async def unused(_request: object, _call: Call) -> None:
            raise PrsmError(name)

        return unused


class NobodyShares:
    """A collab without a share."""

    async def CheckAccess(self, _request: access_pb2.CheckAccessRequest, _call: Call) -> access_pb2.CheckAccessResponse:
        return access_pb2.CheckAccessResponse(grant=access_pb2.Grant(standing=access_pb2.Grant.STANDING_STRANGER))

    async def CheckAccessBulk(
        self, request: access_pb2.CheckAccessBulkRequest, _call: Call
    ) -> access_pb2.CheckAccessBulkResponse:
        return access_pb2.CheckAccessBulkResponse(grants=[access_pb2.Grant() for _ in request.checks])

    async def ListShared(self, _request: access_pb2.ListSharedRequest, _call: Call) -> access_pb2.ListSharedResponse:
        return access_pb2.ListSharedResponse()


@dataclass
class Town:
    """Everything around a session process."""

    identities: Identities
    bus: Bus
    process: ServiceProcess
    sessions: session_pb2_grpc.SessionServiceAsyncStub
    billing: billing_pb2_grpc.BillingServiceAsyncStub

    def metadata(self, user: str) -> tuple[tuple[str, str], ...]:
        return self.identities.user_metadata(user)

    async def balance(self) -> tuple[str, str]:
        request = billing_pb2.GetBalanceRequest()
        found = await answer(self.billing.GetBalance(request, metadata=self.metadata("ada"), timeout=60))
        return found.available, found.held


@pytest.fixture
async def town(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Town]:
    identities = Identities(tmp_path, CLOCK, ["session", "billing", "library", "collab"])
    await asyncio.to_thread(shutil.copy, migrated_file, tmp_path / "session.db")
    await asyncio.to_thread(upgrade, "services.billing", f"sqlite:///{tmp_path}/billing.db")
    async with AsyncExitStack() as stack:
        nats = NatsServer(tmp_path)
        await nats.start()
        stack.push_async_callback(nats.stop)
        bus = Bus(nats.url, name="test")
        bus.start()
        stack.push_async_callback(bus.close)
        await bus.ready()
        await bus.ensure_streams()
        peers = []
        for name, module, service, servicer in (
            ("library", internal_pb2, "LibraryInternalService", OneDocument()),
            ("collab", access_pb2, "AccessService", NobodyShares()),
        ):
            pipeline = identities.pipeline(name, store=None, ids=RandomIds(CLOCK))
            served = await Served.start(pipeline, [(module.DESCRIPTOR.services_by_name[service], servicer)])
            stack.push_async_callback(served.stop)
            peers.append(f"127.0.0.1:{served.port}")
        common = {"nats_url": nats.url}
        billing = ServiceProcess(
            "billing", {**common, **identities.settings("billing"), "database_url": f"sqlite:///{tmp_path}/billing.db"}
        )
        await stack.enter_async_context(billing)
        process = ServiceProcess(
            "session",
            {
                **common,
                **identities.settings("session"),
                "database_url": f"sqlite:///{tmp_path}/session.db",
                "billing_target": billing.target,
                "library_target": peers[0],
                "collab_target": peers[1],
                "results_target": "127.0.0.1:1",
                "wake_up_seconds": "0.1",
                "sweep_seconds": "0.1",
            },
        )
        await stack.enter_async_context(process)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(process.target))
        ledger = await stack.enter_async_context(grpc.aio.insecure_channel(billing.target))
        sessions = session_pb2_grpc.SessionServiceStub(channel)
        yield Town(identities, bus, process, sessions, billing_pb2_grpc.BillingServiceStub(ledger))


async def create(town: Town) -> str:
    request = pb.CreateSessionRequest(prompt="Why is the sea salt?")
    created = await answer(town.sessions.CreateSession(request, metadata=town.metadata("ada"), timeout=60))
    return str(created.session_id)


async def test_money_moves_and_everybody_hears_of_it(town: Town) -> None:
    events = await town.bus.client.subscribe("prsm.events.session.>")
    await town.bus.client.flush()
    before = await town.balance()
    session_id = await create(town)
    available, held = await town.balance()
    assert (before[1], available != before[0], held != "0.00") == ("0.00", True, True)
    created = await events.next_msg(timeout=60)
    changed = events_pb2.SessionChanged.FromString(created.data)
    assert (changed.session_id, changed.type, changed.status) == (session_id, "session.created", "queued")
    assert created.headers is not None
    assert created.headers["ce-source"] == "prsm/session"
    request = pb.CancelSessionRequest(session_id=session_id)
    cancelled = await answer(town.sessions.CancelSession(request, metadata=town.metadata("ada"), timeout=60))
    assert await town.balance() == before
    ended = events_pb2.SessionChanged.FromString((await events.next_msg(timeout=60)).data)
    assert (ended.type, ended.settlement.captured_micros) == ("session.cancelled", 0)
    assert cancelled.refund_amount == held


async def test_wake_ups_are_said_and_topped_up(town: Town) -> None:
    said = await town.bus.client.subscribe(job_subject("research"))
    await town.bus.client.flush()
    await create(town)
    await said.next_msg(timeout=60)
    await town.bus.jetstream().purge_stream(JOBS_STREAM, subject=job_subject("research"))
    await said.next_msg(timeout=60)
    wake_ups = JetStreamWakeUps(town.bus)
    await wake_ups.announce("analysis", 3)
    await town.bus.client.flush()
    await town.bus.jetstream().publish(job_subject("analysis"), b"")
    assert await wake_ups.announced("analysis") == 4
    assert await wake_ups.announced("synthesis") == 0


async def test_a_comment_joins_an_open_stream_which_ends_with_the_process(town: Town) -> None:
    session_id = await create(town)
    request = pb.StreamEventsRequest(session_id=session_id)
    stream = town.sessions.StreamEvents(request, metadata=town.metadata("ada"), timeout=60)
    frames = stream.__aiter__()
    seen = b""
    while b"session.queued" not in seen:
        seen += (await frames.__anext__()).data
    event = events_pb2.CollabChanged(
        session_id=session_id, version=1, type="comment.added", actor="bob", subject_id="c1", comment_type="note"
    )
    await town.bus.jetstream().publish("prsm.events.collab.added", event.SerializeToString())
    while b"comment.added" not in seen:
        seen += (await frames.__anext__()).data
    assert b'"actor":"bob"' in seen
    stopping = asyncio.create_task(town.process.stop())
    rest = b"".join([frame.data async for frame in stream])
    assert b"event: error" in rest
    assert b'"error":"unavailable"' in rest
    assert await stopping == 0
