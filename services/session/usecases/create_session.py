"""CreateSession: money in one database, the session in another, and never one without the other.

A row in `creations` says first that a session of this id may come to be. Then billing sets the money aside under that
id, and only while the row is still pending is the session stored. What is left pending too long, only the sweeper ends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.db.lapses import beyond
from kit.errors import (
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    PrsmError,
    Unavailable,
)
from kit.ids import Ids
from kit.tasks import beside
from kit.telemetry import scope
from kit.times import Clock
from services.session import lifecycle, metrics
from services.session.domain import Entry, Session, Status
from services.session.drafts import Catalogue, Draft, Drafted, check, redraft
from services.session.ports import Billing, Creation, Creations, Library, PlacedHold, Sessions, WakeUps
from services.session.usecases.planning import Planner, Sources, preferences, workload
from services.session.usecases.stored_answer import Created, read_answer, write_answer

log = structlog.get_logger("create")
METHOD = "CreateSession"
REQUEUE = "RequeueSession"
# What library and billing refuse a request for. After any other error nobody knows what was done.
_REFUSALS = frozenset(
    {
        "VALIDATION_ERROR",
        "INSUFFICIENT_BALANCE",
        "SESSION_QUOTA_EXCEEDED",
        "DOCUMENT_NOT_FOUND",
        "DOCUMENT_UNREADABLE",
        "PAYLOAD_TOO_LARGE",
    }
)


@dataclass(frozen=True, slots=True)
class Timing:
    """`lease` in microseconds, how often it is extended, and how long and how often a second request waits for the
    first, in seconds."""

    lease: int
    extend: float
    wait: float
    poll: float


@dataclass(frozen=True, slots=True)
class _Order:
    """Who wants what, under which key; `replaces` is the failed session that it comes in the place of, and `actor` who
    said so."""

    method: str
    owner: str
    key: str
    fingerprint: str
    draft: Drafted
    sessions: tuple[Session, ...]
    replaces: Session | None = None
    actor: str = ""


class CreateSession:
    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        ids: Ids,
        creations: Creations,
        sessions: Sessions,
        planner: Planner,
        billing: Billing,
        library: Library,
        wake_ups: WakeUps,
        catalogue: Catalogue,
        currency: str,
        timing: Timing,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._creations = creations
        self._sessions = sessions
        self._planner = planner
        self._billing = billing
        self._library = library
        self._wake_ups = wake_ups
        self._catalogue = catalogue
        self._currency = currency
        self._timing = timing

    async def __call__(self, principal: Principal, draft: Draft, key: str, fingerprint: str) -> Created:
        """`key` is the client's, or empty; `fingerprint` tells its request from others.

        Raises ValidationError, IdempotencyKeyReused, IdempotencyKeyInUse, Unavailable, and what billing refuses with.
        """
        if key:
            stored = await self._stored(principal, key, fingerprint)
            if stored is not None:
                return stored
        drafted = check(draft, self._catalogue)
        await self._planner.citation_style(principal.user_id, drafted, dry_run=False)
        sessions = await self._planner.input_sessions(principal, drafted.sessions)
        return await self._make(_Order(METHOD, principal.user_id, key, fingerprint, drafted, sessions))

    async def again(self, failed: Session, actor: str) -> str:
        """The id of a session of the same owner, inputs and budget as one that failed: the same one however often it is
        asked for. Raises as a creation does.

        The owner was allowed to see the input sessions when asking for this work; it is not asked again.
        """
        sessions = await self._planner.known(failed.inputs.get("sessions", ()))
        order = _Order(REQUEUE, failed.owner, failed.session_id, "", redraft(failed), sessions, failed, actor)
        return (await self._make(order)).session_id

    async def _make(self, order: _Order) -> Created:
        begun = await self._begin(order)
        if isinstance(begun, Created):
            return begun
        async with beside(self._extend(begun), "creation-lease"):
            created = await self._carry_out(begun, order)
        await self._wake_ups.announce(order.draft.engine)
        return created

    async def _stored(self, principal: Principal, key: str, fingerprint: str) -> Created | None:
        found = await self._db.read(lambda db: self._creations.find(db, principal.user_id, METHOD, key))
        return None if found is None else _answer_of(found, fingerprint)

    async def _begin(self, order: _Order) -> Creation | Created:
        """Put the creation on record, or find out what became of the one that is."""
        for _ in range(max(1, round(self._timing.wait / self._timing.poll))):
            outcome = await self._db.write(lambda db: self._claim(db, order))
            if outcome is not None:
                return outcome
            await asyncio.sleep(self._timing.poll)
        raise IdempotencyKeyInUse()

    def _claim(self, db: Connection, order: _Order) -> Creation | Created | None:
        now = self._clock.now()
        session_id, holder = self._ids.new(), self._ids.new()
        fresh = Creation(
            principal=order.owner,
            method=order.method,
            key=order.key or f" {session_id}",
            fingerprint=order.fingerprint,
            session_id=session_id,
            state="pending",
            holder=holder,
            takeovers=0,
            lease_until=now + self._timing.lease,
            created_at=now,
        )
        if self._creations.insert(db, fresh):
            return fresh
        if self._creations.take_over(db, fresh, now, beyond(now, self._timing.lease)):
            return self._creations.find(db, fresh.principal, fresh.method, fresh.key)
        found = self._creations.find(db, fresh.principal, fresh.method, fresh.key)
        return None if found is None else _answer_of(found, fresh.fingerprint)

    async def _extend(self, creation: Creation) -> None:
        """Say again and again that somebody works on it; a process that died says nothing."""
        while True:
            await asyncio.sleep(self._timing.extend)
            try:
                await self._db.write(lambda db: self._hold_on(db, creation))
            except Exception as error:
                log.warning("a creation's lease is not extended", cause=repr(error))

    def _hold_on(self, db: Connection, creation: Creation) -> None:
        now = self._clock.now()
        self._creations.extend(db, creation, now, now + self._timing.lease)

    async def _carry_out(self, creation: Creation, order: _Order) -> Created:
        owner, session_id, draft = creation.principal, creation.session_id, order.draft
        try:
            prepared = await self._planner.prepare(session_id, owner, draft, dry_run=False)
            sources = Sources(prepared, order.sessions)
            minutes = await self._planner.minutes(draft)
            hold = await self._billing.place_hold(session_id, owner, workload(draft, sources), draft.limit)
            return await self._store(creation, order, sources, hold, minutes)
        except PrsmError as error:
            if error.name == "HOLD_VOIDED":
                # Of this id nothing can come any more: a retry has to begin with another one.
                return await self._refuse(creation, draft, Unavailable())
            if error.name not in _REFUSALS:
                # The money may be held: a retry with the key, or the sweeper, finds out.
                await self._db.write(lambda db: self._creations.let_go(db, creation, self._clock.now()))
                raise Unavailable() from error
            return await self._refuse(creation, draft, error)

    async def _store(
        self, creation: Creation, order: _Order, sources: Sources, hold: PlacedHold, minutes: int
    ) -> Created:
        now = self._clock.now()
        session = _new_session(creation, order.draft, sources, hold, now)
        created = Created(session.session_id, Status.QUEUED, minutes, hold.estimate, now)

        def work(db: Connection) -> Created:
            if self._creations.finish(db, creation, "" if creation.keyless else write_answer(created)):
                self._insert(db, session, order, now)
                return created
            told = self._told(db, creation)
            if told is None:
                # It was given up meanwhile, and the money goes back.
                raise Unavailable()
            return told

        stored = await self._db.write(work)
        if stored is created:
            metrics.moved(None, session)
        return stored

    def _insert(self, db: Connection, session: Session, order: _Order, now: int) -> None:
        """The session, and with it what the one in whose place it comes has to tell of it."""
        origin = None
        if order.replaces is not None:
            origin = Entry("session.requeued", order.actor, {"predecessor": order.replaces.session_id})
            failed = self._sessions.lock(db, order.replaces.session_id)
            assert failed is not None
            self._sessions.apply(db, lifecycle.succeeded(failed, session.session_id, order.actor, now))
        self._sessions.insert(db, lifecycle.created(session, self._currency, origin))

    def _told(self, db: Connection, creation: Creation) -> Created | None:
        """The answer of whoever carried the same request out."""
        found = self._creations.find(db, creation.principal, creation.method, creation.key)
        same = found is not None and found.fingerprint == creation.fingerprint
        return read_answer(found.response) if same and found is not None and found.response is not None else None

    async def _refuse(self, creation: Creation, draft: Drafted, error: PrsmError) -> Created:
        """Take back what was done, and raise the refusal. What another holder made of the same request meanwhile is
        the answer instead: the refusal of who was too slow counts for nothing."""

        def work(db: Connection) -> tuple[bool, Created | None]:
            if self._creations.refuse(db, creation):
                return True, None
            return False, self._told(db, creation)

        mine, told = await self._db.write(work)
        if told is not None:
            return told
        if not mine:
            raise Unavailable() from error
        await self._take_back(creation, draft)
        raise error

    async def _take_back(self, creation: Creation, draft: Drafted) -> None:
        """Free the key. If it dies or fails on the way, the sweeper goes on."""
        try:
            if creation.takeovers:
                # Who held it before may still place the hold: a tombstone has to keep it off.
                await self._billing.void_hold(creation.session_id, creation.principal)
            if draft.documents or draft.datasets:
                await self._library.discard(creation.session_id, creation.principal)
            await self._db.write(lambda db: self._creations.aborted(db, creation))
        except PrsmError as error:
            log.warning("a refused creation is left to the sweeper", cause=repr(error))


def _answer_of(found: Creation, fingerprint: str) -> Created | None:
    """The stored answer, or None while it is under way. Raises IdempotencyKeyReused."""
    if found.fingerprint != fingerprint:
        raise IdempotencyKeyReused()
    return None if found.response is None else read_answer(found.response)


def _new_session(creation: Creation, draft: Drafted, sources: Sources, hold: PlacedHold, now: int) -> Session:
    return Session(
        session_id=creation.session_id,
        owner=creation.principal,
        session_type=draft.session_type,
        engine=draft.engine,
        pausable=draft.pausable,
        prompt=draft.prompt,
        preferences=preferences(draft, sources),
        metadata=draft.metadata,
        inputs=sources.references(),
        budget_limit=hold.held if draft.limit is None else draft.limit,
        on_limit=draft.on_limit,
        prices=hold.estimate.prices,
        held=hold.held,
        time_limit=draft.time_limit,
        created_at=now,
        status=Status.QUEUED,
        status_since=now,
        updated_at=now,
        traceparent=scope.traceparent(),
    )
