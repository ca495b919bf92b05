"""The session service and billing, assembled as in their processes on databases of their own, without a network.

Calls go through the services' whole pipelines: credentials, rules, keys, errors. Session reaches billing through its
own client, so that what is said between the two is what is said on the wire.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from kit.auth.grants import GrantVerifier
from kit.auth.internal import InternalVerifier
from kit.auth.keys import KeySource
from kit.bus.connection import Bus
from kit.db.database import Database, open_database
from kit.db.idempotency import IdempotencyStore
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.db.outbox import Outbox
from kit.ids import RandomIds
from kit.rpc.pipeline import Pipeline
from kit.runtime import Runtime
from kit.settings import ServiceSettings
from kit.times import ManualClock
from prsm.session.v1 import session_pb2
from services.billing import tables as billing_tables
from services.billing.app import assemble as assemble_billing
from services.billing.settings import BillingSettings
from services.session import tables as session_tables
from services.session.app import OWN_IDEMPOTENCY, Outside, assemble
from services.session.clients import BillingClient
from services.session.drafts import Drafted
from services.session.ports import Prepared, PreparedInput
from services.session.settings import SessionSettings
from tests.integration.crash.faults import DeadlyDatabase, DeadlyPort, Points
from tests.integration.session.outside import Calls, Shares, StyleBook
from tests.support.serving import Identities, answer

LEASE = 2.0
"""Of a worker, in seconds."""
S = TypeVar("S", bound=ServiceSettings)


@cache
def _base(kind: type[ServiceSettings]) -> ServiceSettings:
    required = {name: "unused" for name, field in kind.model_fields.items() if field.is_required()}
    return kind.model_validate({**required, "internal_key": "unused"})


def _settings(kind: type[S], given: dict[str, Any]) -> S:
    """To read settings takes longer than all the rest of a node."""
    base = _base(kind)
    assert isinstance(base, kind)
    return base.model_copy(update=given)


class _Details(NamedTuple):
    method: str
    invocation_metadata: tuple[tuple[str, str], ...] = ()


class _Refused(Exception):
    def __init__(self, code: grpc.StatusCode, message: str, trailing: Sequence[tuple[str, Any]]) -> None:
        super().__init__(message)
        self.error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), message)


class _Context:
    """As much of a gRPC call's context as the pipeline uses."""

    def __init__(self, metadata: Sequence[tuple[str, str]]) -> None:
        self._metadata = tuple(metadata)
        self.initial: dict[str, str] = {}

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata

    async def send_initial_metadata(self, metadata: Sequence[tuple[str, str]]) -> None:
        self.initial.update(metadata)

    async def abort(self, code: grpc.StatusCode, message: str, trailing: Sequence[tuple[str, Any]]) -> None:
        raise _Refused(code, message, trailing)


class Direct:
    """A service's methods behind its pipeline, called in the same process. It looks like any of its stubs."""

    def __init__(
        self,
        pipeline: Pipeline,
        services: Sequence[tuple[ServiceDescriptor, object]],
    ) -> None:
        self._methods: dict[str, Any] = {}
        self.away = False
        self.loses_answers = False
        for service, servicer in services:
            handler = pipeline.handler(service, servicer)
            for method in service.methods:
                found = handler.service(_Details(f"/{service.full_name}/{method.name}"))  # type: ignore[arg-type]
                self._methods[method.name] = found

    def __getattr__(self, name: str) -> Any:
        behaviour = self._methods[name].unary_unary

        async def call(request: Any, *, metadata: Sequence[tuple[str, str]], **_of_a_channel: object) -> Any:
            if self.away:
                raise _unavailable()
            try:
                value = await behaviour(request.SerializeToString(), _Context(metadata))
            except _Refused as refused:
                raise refused.error from None
            if self.loses_answers:
                raise _unavailable()
            return value

        return call


def _unavailable() -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())


class Shelves:
    """The library: what is stored for sessions, as files, so that it outlives the process."""

    def __init__(self, folder: Path) -> None:
        self._stored, self._discarded = folder / "stored", folder / "discarded"
        for each in (self._stored, self._discarded):
            each.mkdir(parents=True, exist_ok=True)

    async def prepare(self, session_id: str, owner: str, draft: Drafted, *, dry_run: bool) -> Prepared:
        assert not (self._discarded / session_id).exists()
        if draft.documents:
            (self._stored / session_id).touch()
        documents = tuple(PreparedInput(f"d{n}", "Stored", 100, 100) for n, _ in enumerate(draft.documents))
        return Prepared(documents=documents, library_documents=3 if draft.uses_library else 0, library_characters=1000)

    async def discard(self, session_id: str, owner: str) -> None:
        (self._discarded / session_id).touch()
        (self._stored / session_id).unlink(missing_ok=True)

    def stored(self) -> set[str]:
        return {path.name for path in self._stored.iterdir()}


@dataclass(frozen=True)
class Place:
    """Where a node's data is."""

    session_url: str
    billing_url: str
    folder: str


class Node:
    """Both services on one event loop."""

    def __init__(
        self,
        place: Place,
        *,
        seconds: float = 0,
        points: Points | None = None,
        grant: str = "1000.00",
        seed: int = 0,
    ) -> None:
        """`seconds` is how far the clock has come; `points` are counted around ports and units of work; a new
        account starts with `grant`; ids of the same `seed` are the same."""
        points = points or Points()
        self.clock = ManualClock()
        self.clock.advance(seconds=seconds)
        self.ids = RandomIds(self.clock, random.Random(seed).randbytes)
        Path(place.folder).mkdir(parents=True, exist_ok=True)
        keys = Path(tempfile.mkdtemp(prefix="keys-", dir=place.folder))
        self.identities = Identities(keys, self.clock, ["session", "billing", "worker"])
        self.db: Database = DeadlyDatabase(open_database(place.session_url, schema="session"), "session", points)
        self.ledger: Database = DeadlyDatabase(open_database(place.billing_url, schema="billing"), "billing", points)
        self.shelves, self.shares, self.calls = Shelves(Path(place.folder)), Shares(), Calls()
        self._assemble_billing(grant)
        self._assemble_session(points)

    def _assemble_billing(self, grant: str) -> None:
        kit = billing_tables.KIT
        settings = _settings(BillingSettings, {**self.identities.settings("billing"), "initial_grant": grant})
        store = IdempotencyStore(self.ledger, kit, self.clock, self.ids)
        app = assemble_billing(
            settings, db=self.ledger, outbox=Outbox(kit), inbox=Inbox(kit), clock=self.clock, ids=self.ids
        )
        self.apply_settlement = app.apply_settlement
        self.billing = Direct(self.identities.pipeline("billing", store=store, ids=self.ids), app.services)

    def _assemble_session(self, points: Points) -> None:
        kit = session_tables.KIT
        changes = {"creation_extend_seconds": 1e6, "idempotency_wait_seconds": 0.05, "lease_seconds": LEASE}
        # A minute of work needs no sixty heartbeats.
        changes["beat_seconds"] = 60.0
        settings = _settings(SessionSettings, {**self.identities.settings("session"), **changes})
        store = IdempotencyStore(self.db, kit, self.clock, self.ids, renew=1e6, wait=0.05)
        pipeline = self.identities.pipeline("session", store=store, ids=self.ids, own_idempotency=OWN_IDEMPOTENCY)
        services = KeySource(settings.internal_jwks, self.clock)
        peer = self.identities.peer("session", "billing")
        runtime = Runtime(
            name="session",
            settings=settings,
            clock=self.clock,
            ids=self.ids,
            db=self.db,
            outbox=Outbox(kit),
            inbox=Inbox(kit),
            leases=Leases(kit),
            idempotency=store,
            bus=Bus(settings.nats_url, name="test"),
            tokens=peer._tokens,
            users=self.identities.users(),
            callers=InternalVerifier(services, "session", self.clock),
            grants=GrantVerifier(services, self.clock),
            tables=kit,
        )
        ports: tuple[Any, ...] = (
            BillingClient(self.billing, peer, deadline=3),  # type: ignore[arg-type]
            self.shelves,
            self.shares,
            self.calls,
            StyleBook(),
        )
        named = zip(ports, ("billing", "library", "collab", "wake_ups", "styles"), strict=True)
        self.app = assemble(runtime, settings, Outside(*(DeadlyPort(port, name, points) for port, name in named)))
        self._session = Direct(pipeline, self.app.services)

    async def call(self, method: str, request: Any, *, user: str = "ada", key: str = "", scope: str = "") -> Any:
        """Call a public method as a user. Raises the named error."""
        metadata = self.identities.user_metadata(user, **({"scope": scope} if scope else {}))
        keyed = (*metadata, ("idempotency-key", key)) if key else metadata
        service = self._session if method in self._session._methods else self.billing
        return await answer(getattr(service, method)(request, metadata=keyed, timeout=60))

    async def work(self, method: str, request: Any) -> Any:
        """Call a method of the workers'. Raises the named error."""
        return await self.identities.peer("worker", "session").call(getattr(self._session, method), request, timeout=60)

    async def sweep(self, seconds: int) -> None:
        """Let time go by while somebody sweeps."""
        for _ in range(seconds // 2):
            self.clock.advance(seconds=2)
            await self.app.sweeper.round()

    async def status(self, session_id: str) -> str:
        found = await self.call("GetSession", session_pb2.GetSessionRequest(session_id=session_id))
        return session_pb2.Session.Status.Name(found.status)

    async def close(self) -> None:
        await self.db.close()
        await self.ledger.close()
