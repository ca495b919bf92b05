"""The session service as the tests call it: served through kit's pipeline, its clock in the test's hands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

from kit.auth.grants import GrantVerifier
from kit.auth.internal import InternalVerifier
from kit.auth.keys import KeySource
from kit.bus.connection import Bus
from kit.db.database import Database
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.db.outbox import Outbox
from kit.ids import RandomIds
from kit.runtime import Runtime
from kit.times import ManualClock
from prsm.session.v1 import (
    admin_pb2_grpc,
    internal_pb2_grpc,
    session_pb2,
    session_pb2_grpc,
    worker_pb2,
    worker_pb2_grpc,
)
from services.session.app import OWN_IDEMPOTENCY, Outside, assemble
from services.session.settings import SessionSettings
from services.session.tables import KIT
from tests.integration.session.outside import Books, Calls, Shares, Shelves, StyleBook
from tests.support.serving import Identities, Served, answer, idempotency_store

pb = session_pb2
wpb = worker_pb2
HASH = "ab" * 32
STAGES = ("read", "think", "write")
_ENGINES = {"fixed": {"types": ["research"], "pausable": False}}


class Stand:
    """A served session service, its database and everything around it."""

    def __init__(
        self, db: Database, folder: Path, *, randomness: Callable[[int], bytes] = os.urandom, **settings: Any
    ) -> None:
        self.db = db
        self.clock = ManualClock()
        self.ids = RandomIds(self.clock, randomness)
        self.books, self.shelves, self.shares, self.calls = Books(), Shelves(), Shares(), Calls()
        self.styles = StyleBook()
        self.identities = Identities(folder, self.clock, ["session", "worker", "results", "collab"])
        given = {
            **self.identities.settings("session"),
            "listen": "127.0.0.1:0",
            "database_url": "unused",
            "nats_url": "nats://127.0.0.1:1",
            "billing_target": "unused",
            "library_target": "unused",
            "collab_target": "unused",
            "results_target": "unused",
            "engines": _ENGINES,
            "creation_extend_seconds": 0.01,
            "idempotency_wait_seconds": 0.5,
            "idempotency_poll_seconds": 0.01,
            "keep_alive_seconds": 60,
            **settings,
        }
        self.settings = SessionSettings.model_validate(given)
        store = idempotency_store(db, KIT, self.clock, self.ids)
        self.pipeline = self.identities.pipeline("session", store=store, ids=self.ids, own_idempotency=OWN_IDEMPOTENCY)
        services = KeySource(self.settings.internal_jwks, self.clock)
        self.grants = GrantVerifier(services, self.clock)
        self.runtime = Runtime(
            name="session",
            settings=self.settings,
            clock=self.clock,
            ids=self.ids,
            db=db,
            outbox=Outbox(KIT),
            inbox=Inbox(KIT),
            leases=Leases(KIT),
            idempotency=store,
            bus=Bus(self.settings.nats_url, name="test"),
            tokens=self.identities.peer("session", "billing")._tokens,
            users=self.pipeline._admission._users,
            callers=InternalVerifier(services, "session", self.clock),
            grants=self.grants,
            tables=KIT,
        )
        self.outside = Outside(self.books, self.shelves, self.shares, self.calls, self.styles)
        self.app = assemble(self.runtime, self.settings, self.outside)

    async def start(self) -> None:
        self._served = await Served.start(self.pipeline, self.app.services)
        self.port = self._served.port
        self.channel: grpc.aio.Channel = self._served.channel
        self.sessions = session_pb2_grpc.SessionServiceStub(self.channel)
        self.workers = worker_pb2_grpc.WorkerServiceStub(self.channel)
        self.admin = admin_pb2_grpc.SessionAdminServiceStub(self.channel)
        self.internal = internal_pb2_grpc.SessionInternalServiceStub(self.channel)

    async def stop(self) -> None:
        await self._served.stop()

    async def sweep(self, seconds: float = 0) -> None:
        """The sweeper looks, time goes by, and it looks every second meanwhile. It looks at most once in a second."""
        await self.app.sweeper.round()
        while seconds > 0:
            step = min(1.0, seconds)
            self.clock.advance(seconds=step)
            await self.app.sweeper.round()
            seconds -= step

    async def call(self, user: str, method: str, request: Any, *extra: tuple[str, str]) -> Any:
        """Call SessionService as a user. Raises the named error."""
        metadata = (*self.identities.user_metadata(user), *extra)
        return await answer(getattr(self.sessions, method)(request, metadata=metadata, timeout=60))

    async def operate(self, method: str, request: Any, scopes: tuple[str, ...] = ("admin",)) -> Any:
        """Call SessionAdminService as an operator. Raises the named error."""
        claims = {"scope": " ".join(scopes)} if scopes else {}
        metadata = self.identities.user_metadata("root", **claims)
        return await answer(getattr(self.admin, method)(request, metadata=metadata, timeout=60))

    async def create(self, user: str = "ada", *extra: tuple[str, str], **fields: Any) -> str:
        request = pb.CreateSessionRequest(**{"prompt": "Why is the sea salt?", **fields})
        return str((await self.call(user, "CreateSession", request, *extra)).session_id)

    async def get(self, session_id: str, user: str = "ada") -> pb.Session:
        found: pb.Session = await self.call(user, "GetSession", pb.GetSessionRequest(session_id=session_id))
        return found

    async def status(self, session_id: str, user: str = "ada") -> str:
        return pb.Session.Status.Name((await self.get(session_id, user)).status)

    async def history(self, session_id: str, user: str = "ada") -> dict[str, Any]:
        request = pb.GetSessionHistoryRequest(session_id=session_id)
        found = await self.call(user, "GetSessionHistory", request)
        return MessageToDict(found, preserving_proto_field_name=True)

    async def metrics(self, session_id: str, user: str = "ada") -> pb.GetSessionMetricsResponse:
        request = pb.GetSessionMetricsRequest(session_id=session_id)
        found: pb.GetSessionMetricsResponse = await self.call(user, "GetSessionMetrics", request)
        return found

    async def work(self, method: str, request: Any) -> Any:
        """Call WorkerService as the worker."""
        peer = self.identities.peer("worker", "session")
        return await peer.call(getattr(self.workers, method), request, timeout=60)

    async def claim(
        self, worker: str = "w1", engines: tuple[str, ...] = ("research", "fixed"), in_hand: int = 0
    ) -> wpb.Claim | None:
        found = await self.ask(worker, engines, in_hand)
        return found.claim if found.HasField("claim") else None

    async def ask(
        self, worker: str = "w1", engines: tuple[str, ...] = ("research", "fixed"), in_hand: int = 0
    ) -> wpb.ClaimNextResponse:
        request = wpb.ClaimNextRequest(worker_id=worker, engines=engines, in_hand=in_hand)
        found: wpb.ClaimNextResponse = await self.work("ClaimNext", request)
        return found

    async def started(self, worker: str = "w1") -> wpb.Claim:
        """The next session, running."""
        claim = await self.claim(worker)
        assert claim is not None
        stages = [wpb.StagePlan(stage=stage, weight=1) for stage in STAGES]
        await self.work("Start", wpb.StartRequest(lease=claim.lease, stages=stages))
        return claim

    async def begin(self, lease: wpb.Lease, stage: str) -> wpb.BeginStageResponse:
        found: wpb.BeginStageResponse = await self.work("BeginStage", wpb.BeginStageRequest(lease=lease, stage=stage))
        return found

    async def beat(self, lease: wpb.Lease, stage: str = "", done: float = 0, **usage: int) -> str:
        """A heartbeat with usage in whole units; the directive's name."""
        found = await self.work("Heartbeat", heartbeat(lease, stage, done, **usage))
        return wpb.Directive.Name(found.directive).removeprefix("DIRECTIVE_")

    async def checkpoint(self, lease: wpb.Lease, stage: str, **usage: int) -> str:
        request = wpb.CheckpointRequest(lease=lease, stage=stage, hash=HASH, usage=_usage(usage))
        found = await self.work("Checkpoint", request)
        return wpb.Directive.Name(found.directive).removeprefix("DIRECTIVE_")

    async def stage(self, lease: wpb.Lease, stage: str, **usage: int) -> None:
        """A whole stage of two seconds."""
        await self.begin(lease, stage)
        for _ in range(2):
            self.clock.advance(seconds=1)
            await self.beat(lease, stage, 0.5, **usage)
        await self.checkpoint(lease, stage, **usage)

    async def complete(self, lease: wpb.Lease) -> None:
        results = pb.CompactResults(title="Salt", summary="Rivers.", confidence_score=0.5)
        results.key_findings.add(id="f1", text="Rivers carry salt.", citations=["c1"], confidence=0.75)
        request = wpb.CompleteRequest(lease=lease, hash=HASH, results=results, cited_document_ids=["d1"])
        await self.work("Complete", request)

    async def completed(self, user: str = "ada") -> str:
        """The id of a session that went all the way."""
        session_id = await self.create(user)
        claim = await self.started()
        for stage in STAGES:
            await self.stage(claim.lease, stage, document_read=2)
        await self.complete(claim.lease)
        return session_id


def heartbeat(lease: wpb.Lease, stage: str = "", done: float = 0, **usage: int) -> wpb.HeartbeatRequest:
    return wpb.HeartbeatRequest(lease=lease, stage=stage, stage_done=done, usage=_usage(usage))


def _usage(usage: dict[str, int]) -> list[wpb.UsageItem]:
    return [wpb.UsageItem(item=item, quantity_micros=quantity * 1_000_000) for item, quantity in usage.items()]
