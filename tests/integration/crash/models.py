"""Small models of what creating a session meets, taken step by step: a database in memory, billing, the library."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from kit.access import Shared, Standing
from kit.auth.principal import Principal
from kit.errors import PrsmError, RemoteError, Unavailable, ValidationError
from kit.money import SCALE
from services.session.drafts import Drafted
from services.session.ports import Estimate, PlacedHold, Prepared, PreparedInput, Workload
from services.session.tables import METADATA, virtual_clock
from tests.integration.crash.exploring import Gates

T = TypeVar("T")
HELD = 10 * SCALE
ESTIMATE = Estimate(2 * SCALE, SCALE, HELD, "FTNS", (), {})


class Numbered:
    """Ids that are the same in each run."""

    def __init__(self, prefix: str) -> None:
        self._prefix, self._count = prefix, 0

    def new(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"

    def secret(self, size: int) -> bytes:
        return bytes(size)


class Store:
    """A SQLite database in memory; everything since `begin` can be undone."""

    def __init__(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool)

        @event.listens_for(engine, "connect")
        def _configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.isolation_level = None

        self.connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        METADATA.create_all(self.connection)
        self.connection.execute(virtual_clock.insert(), {"id": 1, "virtual_time": 0})
        driver = self.connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self._run = driver.execute

    def begin(self) -> None:
        self._run("SAVEPOINT before")

    def undo(self) -> None:
        self._run("ROLLBACK TO before")
        self._run("RELEASE before")

    def write(self, fn: Callable[[Connection], T]) -> T:
        self._run("SAVEPOINT work")
        try:
            value = fn(self.connection)
        except BaseException:
            self._run("ROLLBACK TO work")
            self._run("RELEASE work")
            raise
        self._run("RELEASE work")
        return value


class SteppedDatabase:
    """Each unit of work is one step."""

    dialect = "sqlite"

    def __init__(self, store: Store, gates: Gates) -> None:
        self.store = store
        self.gates = gates

    async def write(self, fn: Callable[[Connection], T]) -> T:
        return await self.gates.step("write", lambda: self.store.write(fn))

    async def read(self, fn: Callable[[Connection], T]) -> T:
        # What is only looked at is decided upon in a unit of work later: to look is no step.
        return fn(self.store.connection)

    async def scan(self, fn: Callable[[Connection], T]) -> T:
        return await self.read(fn)

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Nobody listens."""

    async def ping(self) -> None:
        """It is there."""

    async def close(self) -> None:
        """The store is its maker's."""


@dataclass
class Late:
    """Calls whose caller has given up, and which still arrive."""

    waiting: list[Callable[[], object]] = field(default_factory=list)

    async def arrive(self, gates: Gates) -> None:
        while True:
            await gates.step("a late call", lambda: [self.waiting.pop(0)() for _ in self.waiting[:1]])
            if not self.waiting:
                return


@dataclass
class Ledger:
    """Billing: holds by id, and tombstones."""

    gates: Gates
    funded: bool
    late: Late
    """Where calls wait whose callers have given up."""
    losses: int = 0
    """How many answers to PlaceHold are still to be lost."""
    repeats: bool = False
    """Whether a call is sent again on the way when its answer is lost; else the caller is told that nobody knows."""
    open: set[str] = field(default_factory=set)
    void: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)

    async def estimate(self, workload: Workload) -> Estimate:
        return ESTIMATE

    async def place_hold(self, hold_id: str, owner: str, workload: Workload, limit: int | None) -> PlacedHold:
        if self.losses:
            await self.gates.step("place_hold, lost", lambda: self._lose(hold_id))
        return await self.gates.step("place_hold", lambda: self._place(hold_id, again=self.repeats))

    def _lose(self, hold_id: str) -> None:
        self.losses -= 1
        self.late.waiting.append(lambda: self._quietly(hold_id))
        if not self.repeats:
            raise Unavailable()

    def _quietly(self, hold_id: str) -> str:
        try:
            self._place(hold_id)
        except PrsmError as error:
            return error.name
        return "held"

    def _place(self, hold_id: str, *, again: bool = False) -> PlacedHold:
        if hold_id in self.void:
            raise RemoteError("HOLD_VOIDED")
        if hold_id not in self.open:
            if not self.funded:
                if again:
                    # As billing does: the first attempt may come later.
                    self.void.add(hold_id)
                raise RemoteError("INSUFFICIENT_BALANCE")
            self.open.add(hold_id)
        return PlacedHold(ESTIMATE, HELD)

    async def void_hold(self, hold_id: str, owner: str) -> None:
        await self.gates.step("void_hold", lambda: self._void(hold_id))

    def _void(self, hold_id: str) -> None:
        self.open.discard(hold_id)
        self.void.add(hold_id)

    async def settle(self, hold_id: str, captured: int, released: int) -> None:
        raise AssertionError("nothing ends here")


@dataclass
class Shelf:
    """Library: inputs by session, and tombstones."""

    gates: Gates
    stored: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)

    async def prepare(self, session_id: str, owner: str, draft: Drafted, *, dry_run: bool) -> Prepared:
        return await self.gates.step("prepare", lambda: self._prepare(session_id))

    def _prepare(self, session_id: str) -> Prepared:
        if session_id in self.discarded:
            raise ValidationError.of("session_id", "its inputs were discarded")
        self.stored.add(session_id)
        return Prepared(documents=(PreparedInput("d", "Salt", 18, 18),))

    async def discard(self, session_id: str, owner: str) -> None:
        await self.gates.step("discard", lambda: self._discard(session_id))

    def _discard(self, session_id: str) -> None:
        self.stored.discard(session_id)
        self.discarded.add(session_id)


class SweepersDatabase(SteppedDatabase):
    """What the sweeper finds, it acts upon later: to look is a step of its own."""

    async def read(self, fn: Callable[[Connection], T]) -> T:
        return await self.gates.step("look", lambda: fn(self.store.connection))


class Nobody:
    """A collab without shares."""

    async def check(self, session_id: str, principal: Principal) -> Shared:
        return Shared(Standing.STRANGER)

    async def check_many(self, checks: Sequence[tuple[str, Principal]]) -> list[Shared]:
        return [Shared(Standing.STRANGER) for _ in checks]

    async def shared_with(self, principal: Principal) -> list[str]:
        return []


class Silent:
    """Wake-ups that nobody waits for."""

    async def announce(self, engine: str, count: int = 1) -> None:
        """Said into the wind."""

    async def announced(self, engine: str) -> int:
        return 0
