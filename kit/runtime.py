"""What a service's composition root starts from: the parts that every process has, built from its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor import ServiceDescriptor

from kit.auth.grants import GrantVerifier
from kit.auth.internal import InternalSigner, InternalVerifier
from kit.auth.keys import KeySource, load_key
from kit.auth.tokens import TokenRules, TokenVerifier
from kit.bus.connection import Bus
from kit.bus.relay import Relay
from kit.db.database import Database, open_database
from kit.db.idempotency import IdempotencyStore
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.db.outbox import Outbox
from kit.db.tables import KitTables
from kit.ids import Ids, RandomIds
from kit.pruning import IdempotencyPruner
from kit.rpc.client import Peer
from kit.rpc.pipeline import Pipeline
from kit.rpc.serve import GrpcServer, Part, run_until_signalled
from kit.settings import ServiceSettings
from kit.times import DAY, Clock, SystemClock


@dataclass(slots=True)
class Runtime:
    """A process's common parts. Build it on the event loop."""

    name: str
    settings: ServiceSettings
    clock: Clock
    ids: Ids
    db: Database
    outbox: Outbox
    inbox: Inbox
    leases: Leases
    idempotency: IdempotencyStore
    bus: Bus
    signer: InternalSigner
    users: TokenVerifier
    internal_keys: KeySource
    grants: GrantVerifier

    def peer(self, audience: str) -> Peer:
        return Peer(audience, self.signer)

    def pipeline(self, *, own_idempotency: frozenset[str] = frozenset()) -> Pipeline:
        return Pipeline(
            users=self.users,
            internal=InternalVerifier(self.internal_keys, self.name, self.clock),
            grants=self.grants,
            idempotency=self.idempotency,
            clock=self.clock,
            ids=self.ids,
            own_idempotency=own_idempotency,
        )

    def relay(self) -> Relay:
        return Relay(
            db=self.db,
            outbox=self.outbox,
            leases=self.leases,
            bus=self.bus,
            clock=self.clock,
            ids=self.ids,
            source=f"prsm/{self.name}",
            poll=self.settings.relay_poll_seconds,
            retention=self.settings.retention_days * DAY,
        )

    async def close(self) -> None:
        await self.bus.close()
        await self.db.close()

    async def serve(
        self,
        services: Sequence[tuple[ServiceDescriptor, object]],
        *,
        parts: Sequence[Part] = (),
        own_idempotency: frozenset[str] = frozenset(),
        ending: Callable[[], None] | None = None,
    ) -> None:
        """Serve the services with the relay and the parts beside them, until a signal; `ending` is called then, before
        the calls under way are drained, so that open streams can end."""
        server = GrpcServer(self.settings.listen, self.pipeline(own_idempotency=own_idempotency), services)
        self.bus.start()
        await run_until_signalled(
            server,
            parts=[self.relay(), IdempotencyPruner(self.db, self.idempotency), *parts],
            drain=self.settings.drain_seconds,
            before_serving=self.db.ping,
            ending=ending,
            close=self.close,
        )


def build(name: str, settings: ServiceSettings, tables: KitTables) -> Runtime:
    """Put the common parts together for the service `name`, whose kit tables are `tables`."""
    clock = SystemClock()
    ids = RandomIds(clock)
    db = open_database(settings.database_url, schema=name)
    key = load_key(Path(settings.internal_key))
    internal_keys = KeySource(settings.internal_jwks, clock)
    rules = TokenRules(
        issuer=settings.user_issuer,
        audience=settings.user_audience,
        algorithms=tuple(settings.user_algorithms),
        types=tuple(settings.user_token_types),
    )
    bus = Bus(
        settings.nats_url,
        name=name,
        token=settings.nats_token,
        replicas=settings.stream_replicas,
        retention=settings.retention_days * 86400,
    )
    return Runtime(
        name=name,
        settings=settings,
        clock=clock,
        ids=ids,
        db=db,
        outbox=Outbox(tables),
        inbox=Inbox(tables),
        leases=Leases(tables),
        idempotency=IdempotencyStore(db, tables, clock, ids),
        bus=bus,
        signer=InternalSigner(key, name, clock),
        users=TokenVerifier(KeySource(settings.user_jwks, clock), rules, clock),
        internal_keys=internal_keys,
        grants=GrantVerifier(internal_keys, clock),
    )
