"""The world in which creations are explored: the real use cases on a real database, billing and library as small
models whose every call is one step, a clock that jumps, and money that comes."""

from __future__ import annotations

from collections.abc import Coroutine, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import select

from kit.auth.principal import Principal
from kit.db.outbox import Outbox
from kit.db.prepared import Statement
from kit.errors import PrsmError
from kit.times import MINUTE, SECOND, ManualClock
from services.session.convert.events import EventWriter
from services.session.domain import SessionType
from services.session.drafts import Catalogue, DocumentDraft, Draft, EngineKind
from services.session.ports import Creation, PlacedHold, Prepared
from services.session.repository.creations import CreationRepository
from services.session.repository.history import DurationRepository
from services.session.repository.queue import FairQueue
from services.session.repository.sessions import SessionRepository
from services.session.tables import KIT, creations, sessions
from services.session.usecases.create_session import CreateSession, Timing
from services.session.usecases.planning import Planner
from services.session.usecases.reconcile_creations import ReconcileCreations
from services.session.usecases.stored_answer import Created
from tests.integration.crash.exploring import Gates
from tests.integration.crash.models import (
    Late,
    Ledger,
    Nobody,
    Numbered,
    Shelf,
    Silent,
    SteppedDatabase,
    Store,
    SweepersDatabase,
)
from tests.integration.session.outside import StyleBook

T = TypeVar("T")
LEASE = 5 * SECOND
ABORT_AFTER = 120 * SECOND
OWNER = Principal("ada")
CATALOGUE = Catalogue({"research": EngineKind(frozenset({SessionType.RESEARCH}))}, False, 60 * MINUTE)
OUTBOX = Outbox(KIT)
"""Holds compiled statements and nothing else: one is enough for all runs."""
DRAFT = Draft(prompt="Why?", documents=(DocumentDraft(title="Salt", text="Rivers carry salt."),))

_c = creations.c
_creations = Statement(
    select(_c.session_id, _c.state, _c.holder, _c.takeovers, _c.lease_until, _c.response).order_by(_c.key)
)
_sessions = Statement(select(sessions.c.session_id).order_by(sessions.c.session_id))


@dataclass(frozen=True)
class Plot:
    """Who acts: requests with one key, sweeps, jumps of the clock in seconds, and whether the money is there from the
    beginning, comes at some moment, goes at some moment, or comes with the jump; whether an answer of billing's is
    lost, and whether the call is repeated on the way then."""

    requests: int
    sweeps: int = 0
    jumps: tuple[int, ...] = ()
    money: str = "there"
    loses: bool = False
    repeats: bool = False
    keyless: bool = False


def _brief(value: object) -> Hashable:
    """What matters of an answer."""
    match value:
        case Creation():
            return value.session_id, value.state, value.holder, value.takeovers, value.lease_until, value.response
        case Created():
            return value.session_id, value.created_at
        case PlacedHold() | Prepared():
            return type(value).__name__
        case list() | tuple():
            return tuple(_brief(each) for each in value)
        case Hashable():
            return value
    raise TypeError(value)


class CreationWorld:
    """See the module."""

    def __init__(self, store: Store, plot: Plot, mended: set[Hashable]) -> None:
        self.gates = Gates(_brief)
        self._store, self._plot, self._mended = store, plot, mended
        self._clock = ManualClock()
        self._db = SteppedDatabase(store, self.gates)
        self._late = Late()
        losses = 1 if plot.loses else 0
        self.ledger = Ledger(self.gates, plot.money in ("there", "goes"), self._late, losses, plot.repeats)
        self.shelf = Shelf(self.gates)
        store.begin()

    def close(self) -> None:
        self._store.undo()

    def actors(self) -> Mapping[str, Coroutine[Any, Any, Any]]:
        plot = self._plot
        made: dict[str, Coroutine[Any, Any, Any]] = {}
        for number in range(plot.requests):
            name = "HIJ"[number]
            made[name] = self._request(name)
        for number in range(plot.sweeps):
            made[f"sweeper {number}"] = self._sweep()
        if plot.jumps:
            made["clock"] = self._jump()
        if plot.money in ("comes", "goes"):
            made["money"] = self._fund(plot.money == "comes")
        if plot.loses:
            made["network"] = self._late.arrive(self.gates)
        return made

    async def _request(self, name: str) -> Created:
        key = "" if self._plot.keyless else "k"
        return await self._create(name)(OWNER, DRAFT, key, "same")

    async def _sweep(self) -> int:
        await self.gates.step("begin", lambda: None)
        return await self._reconcile()()

    async def _jump(self) -> None:
        for seconds in self._plot.jumps:
            await self.gates.step("jump", lambda s=seconds: self._jumped(s))  # type: ignore[misc]

    def _jumped(self, seconds: int) -> None:
        self._clock.jump(seconds=seconds)
        self.ledger.funded |= self._plot.money == "comes with the jump"

    async def _fund(self, funded: bool) -> None:
        await self.gates.step("money", lambda: setattr(self.ledger, "funded", funded))

    def _create(self, name: str) -> CreateSession:
        repository = SessionRepository(OUTBOX, FairQueue(), EventWriter(Numbered(f"event-{name}")))
        return CreateSession(
            db=self._db,
            clock=self._clock,
            ids=Numbered(name),
            creations=CreationRepository(),
            sessions=repository,
            planner=Planner(self._db, repository, self.shelf, Nobody(), StyleBook(), DurationRepository(), MINUTE),
            billing=self.ledger,
            library=self.shelf,
            wake_ups=Silent(),
            catalogue=CATALOGUE,
            currency="FTNS",
            timing=Timing(LEASE, extend=1e6, wait=0, poll=1e-9),
        )

    def _reconcile(self) -> ReconcileCreations:
        return ReconcileCreations(
            db=SweepersDatabase(self._store, self.gates),
            clock=self._clock,
            creations=CreationRepository(),
            billing=self.ledger,
            library=self.shelf,
            lease=LEASE,
            abort_after=ABORT_AFTER,
        )

    def state(self) -> Hashable:
        return (self._stored(), self._clock.now(), len(self._late.waiting))

    def _stored(self) -> Hashable:
        rows = _creations.all(self._store.connection, {})
        known = tuple((*row[:-1], bool(row[-1])) for row in rows)
        ledger, shelf = self.ledger, self.shelf
        money = (ledger.funded, frozenset(ledger.open), frozenset(ledger.void), ledger.losses)
        return known, tuple(self._sessions()), money, frozenset(shelf.stored), frozenset(shelf.discarded)

    def _sessions(self) -> list[str]:
        return [row[0] for row in _sessions.all(self._store.connection, {})]

    async def check(self) -> None:
        self._check_sessions()
        stored = (self._stored(), len(self._late.waiting))
        if stored in self._mended:
            return
        with self._apart():
            while self._late.waiting:
                self._late.waiting.pop(0)()
            await self._mend()
        with self._apart():
            # The late call comes after everything was swept up.
            await self._mend(late=True)
        self._mended.add(stored)

    def _check_sessions(self) -> None:
        made = self._sessions()
        assert len(made) <= (1 if not self._plot.keyless else self._plot.requests), f"more than one session: {made}"
        for session_id in made:
            assert session_id in self.ledger.open, f"{session_id} has no money"
            assert session_id in self.shelf.stored, f"{session_id} has lost its inputs"

    async def _mend(self, *, late: bool = False) -> None:
        """Everybody has died; hours later somebody sweeps, and the client comes back."""
        self._clock.advance(seconds=3600)
        for _ in range(2):
            await self._reconcile()()
        if late:
            while self._late.waiting:
                self._late.waiting.pop(0)()
        unfinished = [row for row in _creations.all(self._store.connection, {}) if row[1] != "done"]
        assert not unfinished, f"left for ever: {unfinished}"
        self._check_sound()
        before = self._sessions()
        self.ledger.funded = True
        if not self._plot.keyless:
            again = await self._create("again")(OWNER, DRAFT, "k", "same")
            self._check_sound()
            assert self._sessions() == (before or [again.session_id]) == [again.session_id]

    def _check_sound(self) -> None:
        self._check_sessions()
        made = set(self._sessions())
        assert self.ledger.open == made, f"held for nothing: {self.ledger.open - made}"
        assert self.shelf.stored == made, f"stored for nothing: {self.shelf.stored - made}"

    def check_end(self, outcomes: Mapping[str, object]) -> None:
        made = self._sessions()
        for name, outcome in outcomes.items():
            if isinstance(outcome, Created):
                assert outcome.session_id in made, f"{name} was told of a session that there is not"
            elif isinstance(outcome, BaseException):
                assert isinstance(outcome, PrsmError), f"{name}: {outcome!r}"

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """What is done in the block is undone after it."""
        ledger, shelf = self.ledger, self.shelf
        kept = (set(ledger.open), set(ledger.void), ledger.funded, set(shelf.stored), set(shelf.discarded))
        late, losses, now = list(self._late.waiting), ledger.losses, self._clock.now()
        ledger.losses = 0
        self._store.begin()
        try:
            yield
        finally:
            self._store.undo()
            ledger.open, ledger.void, ledger.funded, shelf.stored, shelf.discarded = kept
            self._late.waiting = late
            ledger.losses = losses
            self._clock.jump(seconds=(now - self._clock.now()) / SECOND)
