"""What a service's composition root starts from: the parts that every process has, built from its settings."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from kit.auth.grants import GrantVerifier
from kit.auth.internal import CallerVerifier, TokenSource
from kit.auth.keys import KeySource
from kit.auth.tokens import TokenRules, TokenVerifier
from kit.bus.connection import Bus
from kit.bus.relay import Relay
from kit.db.database import Database, open_database
from kit.db.durability import tell
from kit.db.idempotency import IdempotencyStore
from kit.db.inbox import Inbox
from kit.db.leases import Leases
from kit.db.outbox import Outbox
from kit.db.revision import WrongRevision, require_revision
from kit.db.sole import InUse, SoleUse
from kit.db.tables import KitTables
from kit.identity import caller_verifier, grant_verifier, nats_context, tls_files, token_source
from kit.ids import Ids, RandomIds
from kit.pruning import IdempotencyPruner, InboxPruner
from kit.rpc.channels import open_channel
from kit.rpc.client import Peer
from kit.rpc.pipeline import Pipeline
from kit.rpc.serve import GrpcServer, Part, run_until_signalled
from kit.rpc.tls import TlsFiles
from kit.settings import BadSettings, ServiceSettings, name_of
from kit.telemetry.common import common
from kit.telemetry.readings import Reading, Readings
from kit.telemetry.setup import Telemetry
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
    tokens: TokenSource
    users: TokenVerifier
    callers: CallerVerifier
    grants: GrantVerifier | None
    tables: KitTables
    tls: TlsFiles | None = None

    def channel(self, target: str, *, reads: Iterable[tuple[str, str]] = ()) -> grpc.aio.Channel:
        """A channel to another service; `reads` are (service, method) that may be retried."""
        return open_channel(target, reads=reads, tls=self.tls)

    def peer(self, audience: str) -> Peer:
        return Peer(audience, self.tokens)

    def pipeline(self, *, own_idempotency: frozenset[str] = frozenset()) -> Pipeline:
        return Pipeline(
            users=self.users,
            internal=self.callers,
            grants=self.grants,
            idempotency=self.idempotency,
            clock=self.clock,
            ids=self.ids,
            own_idempotency=own_idempotency,
            access_at_info=self.settings.access_log == "info",
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

    def inbox_pruner(self) -> InboxPruner:
        """For a process whose consumers may apply an event once more without a difference."""
        return InboxPruner(self.db, self.inbox, retention=self.settings.retention_days * DAY)

    async def close(self) -> None:
        await self.bus.close()
        await self.db.close()

    async def _require_revision(self) -> None:
        try:
            await require_revision(self.db, self.tables.revision, self.name)
        except WrongRevision as error:
            await self.db.close()
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from None

    async def _alone(self) -> SoleUse:
        try:
            return SoleUse(self.settings.database_url)
        except InUse as error:
            await self.db.close()
            raise BadSettings(f"{name_of(self.settings, 'database_url')}: {error}") from None

    async def serve(
        self,
        services: Sequence[tuple[ServiceDescriptor, object]],
        *,
        parts: Sequence[Part] = (),
        own_idempotency: frozenset[str] = frozenset(),
        ending: Callable[[], None] | None = None,
        readings: Sequence[Reading] = (),
        volumes: Mapping[str, Path] | None = None,
    ) -> None:
        """Serve the services with the relay and the parts beside them, until a signal; `ending` is called then, before
        the calls under way are drained, so that open streams can end. A database that this release cannot work on ends
        the process with status 2 and one line, before anything was done to it. `readings` are the service's own
        figures for metrics, `volumes` the places on this machine that it writes to beside its database."""
        alone = await self._alone()
        await self._require_revision()
        telemetry = Telemetry(self.name, f"{socket.gethostname()}-{os.getpid()}", self.settings)
        try:
            telemetry.start()
        except (OSError, ValueError) as error:
            await self.db.close()
            raise BadSettings(f"{name_of(self.settings, 'metrics_listen')}: {error}") from error
        server = GrpcServer(
            self.settings.listen,
            self.pipeline(own_idempotency=own_idempotency),
            services,
            tls=self.tls,
            health_listen=self.settings.health_listen,
        )
        await tell(self.db)
        self.bus.start()
        measuring = [self._readings(readings, volumes or {})] if telemetry.metrics_on else []

        async def close() -> None:
            await self.close()
            alone.release()
            await telemetry.close()

        await run_until_signalled(
            server,
            parts=[self.relay(), IdempotencyPruner(self.db, self.idempotency), *measuring, *parts],
            drain=self.settings.drain_seconds,
            before_serving=self.db.ping,
            ending=ending,
            close=close,
        )

    def _readings(self, own: Sequence[Reading], volumes: Mapping[str, Path]) -> Readings:
        written = dict(volumes)
        if self.settings.database_url.startswith("sqlite"):
            written["database"] = Path(self.settings.database_url.removeprefix("sqlite:///")).parent
        kept = common(db=self.db, tables=self.tables, bus=self.bus, clock=self.clock, volumes=written)
        return Readings([*kept, *own], db=self.db, leases=self.leases, clock=self.clock, ids=self.ids)


def build(name: str, settings: ServiceSettings, tables: KitTables) -> Runtime:
    """Put the common parts together for the service `name`, whose kit tables are `tables`."""
    clock = SystemClock()
    ids = RandomIds(clock)
    db = open_database(settings.database_url, schema=name)
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
        tls=nats_context(settings),
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
        inbox=Inbox(tables, clock),
        leases=Leases(tables),
        idempotency=IdempotencyStore(db, tables, clock, ids),
        bus=bus,
        tokens=token_source(settings, name, clock),
        users=TokenVerifier(KeySource(settings.user_jwks, clock), rules, clock),
        callers=caller_verifier(settings, name, clock),
        grants=grant_verifier(settings, clock),
        tls=tls_files(settings),
        tables=tables,
    )
