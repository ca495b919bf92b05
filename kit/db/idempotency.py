"""Idempotency keys of clients: one effect per (principal, method, key), and the first answer for every retry.

A record is `pending` with a lease while its request is under way, then `done` with the answer. Only success is
stored; a refused request leaves no record. The process that works on a request extends its lease; one that ran out (the
process died, or is cut off) may be taken over, and a second request waits for longer than a lease lasts. So a client
whose request is lost with a process gets its answer from the next one at the first retry.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy import ColumnElement, Connection, and_, delete, not_, select, update

from kit.db.database import Database
from kit.db.lapses import lapsed
from kit.db.tables import KitTables
from kit.db.upsert import insert_for
from kit.errors import IdempotencyKeyInUse, IdempotencyKeyReused, PrsmError
from kit.ids import Ids
from kit.tasks import beside
from kit.times import DAY, SECOND, Clock

log = structlog.get_logger("idempotency")


@dataclass(frozen=True, slots=True)
class Replay:
    """The stored answer of an earlier request with the same key."""

    response: bytes
    location: str


@dataclass(slots=True)
class Ticket:
    """The right to answer for a key. `record` belongs into the transaction that has the effect."""

    store: IdempotencyStore
    principal: str
    method: str
    key: str
    holder: str
    recorded: bool = field(default=False)

    def record(self, connection: Connection, response: bytes, location: str = "") -> None:
        self.store.finish(connection, self, response, location)
        self.recorded = True


class IdempotencyStore:
    """Keeps the records for at least 24 hours."""

    KEPT = 2 * DAY

    def __init__(
        self,
        db: Database,
        tables: KitTables,
        clock: Clock,
        ids: Ids,
        *,
        lease: int = 5 * SECOND,
        renew: float = 1.0,
        wait: float = 6.0,
        poll: float = 0.05,
    ) -> None:
        """`lease` is in microseconds; `renew` is how often, in seconds, it is extended; `wait` and `poll` are how long
        and how often, in seconds, a second request looks whether the first has ended."""
        self._db = db
        self._table = tables.idempotency
        self._clock = clock
        self._ids = ids
        self._lease = lease
        self._renew = renew
        self._wait = wait
        self._poll = poll

    async def begin(self, principal: str, method: str, key: str, fingerprint: str) -> Replay | Ticket:
        """Raises IdempotencyKeyReused for another request, IdempotencyKeyInUse while the first is under way."""
        ticket = Ticket(self, principal, method, key, self._ids.new())
        looks = max(1, round(self._wait / self._poll))
        while (outcome := await self._db.write(lambda c: self._claim(c, ticket, fingerprint))) is None:
            # Who waits only looks: a claim locks the row that the first request wants to finish.
            while await self._db.read(lambda c: self._is_under_way(c, ticket)):
                if not looks:
                    raise IdempotencyKeyInUse()
                looks -= 1
                await asyncio.sleep(self._poll)
        return outcome

    @asynccontextmanager
    async def held(self, ticket: Ticket) -> AsyncIterator[None]:
        """Extend the lease while the block lasts. A request that is refused in it frees its key."""
        try:
            async with beside(self._extend(ticket), "idempotency-lease"):
                yield
        except PrsmError:
            await self.abandon(ticket)
            raise

    async def _extend(self, ticket: Ticket) -> None:
        while True:
            await asyncio.sleep(self._renew)
            try:
                await self.extend(ticket)
            except Exception as error:
                log.warning("a lease is not extended", cause=repr(error))

    async def extend(self, ticket: Ticket) -> None:
        """Begin the lease anew. One that ran out stays so: somebody may be about to take over."""
        t = self._table
        now = self._clock.now()
        await self._db.write(
            lambda c: c.execute(
                update(t)
                .where(*self._own(ticket), t.c.state == "pending", t.c.lease_until > now)
                .values(lease_until=now + self._lease)
            )
        )

    def _own(self, ticket: Ticket) -> tuple[ColumnElement[bool], ...]:
        return (*self._of_key(ticket), self._table.c.holder == ticket.holder)

    def _of_key(self, ticket: Ticket) -> tuple[ColumnElement[bool], ...]:
        t = self._table
        return (t.c.principal == ticket.principal, t.c.method == ticket.method, t.c.key == ticket.key)

    def _is_under_way(self, connection: Connection, ticket: Ticket) -> bool:
        t = self._table
        live = (t.c.state == "pending", not_(lapsed(t.c.lease_until, self._clock.now(), self._lease)))
        statement = select(t.c.key).where(*self._of_key(ticket), *live)
        return connection.execute(statement).first() is not None

    def _claim(self, connection: Connection, ticket: Ticket, fingerprint: str) -> Replay | Ticket | None:
        t = self._table
        now = self._clock.now()
        fresh = {
            "fingerprint": fingerprint,
            "state": "pending",
            "holder": ticket.holder,
            "lease_until": now + self._lease,
            "created_at": now,
        }
        statement = insert_for(connection, t).values(
            principal=ticket.principal, method=ticket.method, key=ticket.key, **fresh
        )
        inserted = connection.execute(
            statement.on_conflict_do_update(
                index_elements=["principal", "method", "key"],
                set_=fresh,
                where=and_(
                    t.c.state == "pending",
                    lapsed(t.c.lease_until, now, self._lease),
                    t.c.fingerprint == fingerprint,
                ),
            )
        )
        if inserted.rowcount == 1:
            return ticket
        row = connection.execute(
            select(t.c.fingerprint, t.c.state, t.c.response, t.c.location).where(*self._of_key(ticket))
        ).one_or_none()
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise IdempotencyKeyReused()
        return Replay(row.response, row.location) if row.state == "done" else None

    def finish(self, connection: Connection, ticket: Ticket, response: bytes, location: str) -> None:
        t = self._table
        changed = connection.execute(
            update(t).where(*self._own(ticket)).values(state="done", response=response, location=location)
        ).rowcount
        if not changed:
            # The lease ran out and a retry took over: its effect counts, not this one.
            raise IdempotencyKeyInUse()

    async def close(self, ticket: Ticket, response: bytes, location: str) -> None:
        """Record an answer whose effect was committed before, or had none."""
        if not ticket.recorded:
            await self._db.write(lambda c: ticket.record(c, response, location))

    async def abandon(self, ticket: Ticket) -> None:
        """Forget a request that was refused, so that the key may be used again. What was recorded stays: the row
        tells, for a ticket's own mark outlives a transaction that failed after it."""
        t = self._table
        await self._db.write(lambda c: c.execute(delete(t).where(*self._own(ticket), t.c.state == "pending")))

    def prune(self, connection: Connection) -> int:
        t = self._table
        return connection.execute(delete(t).where(t.c.created_at < self._clock.now() - self.KEPT)).rowcount
