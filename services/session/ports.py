"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from kit.access import Shared
from kit.access import Shares as Shares
from kit.auth.principal import Principal
from kit.errors import Fault
from kit.paging import Page
from services.session.domain import (
    Change,
    Charge,
    FinishedStage,
    HistoryRow,
    Price,
    Session,
    Status,
)
from services.session.drafts import Drafted
from services.session.views import SessionView


@dataclass(frozen=True, slots=True)
class Workload:
    """What an estimate is computed from."""

    session_type: str
    depth: str
    documents: int = 0
    characters: int = 0
    datasets: int = 0
    dataset_bytes: int = 0
    sessions: int = 0
    max_documents: int = 0
    model: bool = False


@dataclass(frozen=True, slots=True)
class EstimateItem:
    item: str
    unit: str
    quantity: int
    unit_price: int
    amount: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Billing's answer; amounts in 10^-6 of the currency."""

    amount: int
    least: int
    most: int
    currency: str
    items: tuple[EstimateItem, ...]
    prices: Mapping[str, Price]


@dataclass(frozen=True, slots=True)
class PlacedHold:
    estimate: Estimate
    held: int


class Billing(Protocol):
    """Raises RemoteError with billing's reason, Unavailable, DeadlineExceeded."""

    async def estimate(self, workload: Workload) -> Estimate: ...

    async def place_hold(self, hold_id: str, owner: str, workload: Workload, limit: int | None) -> PlacedHold: ...

    async def settle(self, hold_id: str, captured: int, released: int) -> None: ...

    async def void_hold(self, hold_id: str, owner: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PreparedInput:
    document_id: str
    title: str
    characters: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the library made of a session's inputs; `faults` name what cannot be used."""

    documents: tuple[PreparedInput, ...] = ()
    datasets: tuple[PreparedInput, ...] = ()
    faults: tuple[Fault, ...] = ()
    library_documents: int = 0
    library_characters: int = 0
    connectors: tuple[str, ...] = ()
    """Those that the installation has enabled, sorted; of a session that was planned, those that it asks."""


class Library(Protocol):
    """Raises RemoteError, Unavailable, DeadlineExceeded."""

    async def prepare(self, session_id: str, owner: str, draft: Drafted, *, dry_run: bool) -> Prepared: ...

    async def discard(self, session_id: str, owner: str) -> None: ...


class Styles(Protocol):
    """Citation styles. Raises Unavailable, DeadlineExceeded."""

    async def use(self, owner: str, style: str, *, dry_run: bool) -> str:
        """Why an owner cannot use a style, "" if that can be done; then it is kept for the session that does."""
        ...


class Collab(Shares, Protocol):
    """Collab beyond the single access check."""

    async def check_many(self, checks: Sequence[tuple[str, Principal]]) -> list[Shared]: ...

    async def shared_with(self, principal: Principal) -> list[str]:
        """Ids of the sessions with an unexpired share for the principal."""
        ...


class WakeUps(Protocol):
    """Says to workers that there is work. Best effort: idle workers also poll."""

    async def announce(self, engine: str, count: int = 1) -> None: ...

    async def announced(self, engine: str) -> int:
        """How many wake-ups are waiting or being worked on."""
        ...


class Watchers(Protocol):
    """Open event streams of this process."""

    def changed(self, session_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Creation:
    """A creation under way. `response` is the stored answer once it is done."""

    principal: str
    method: str
    key: str
    fingerprint: str
    session_id: str
    state: str
    holder: str
    takeovers: int
    lease_until: int
    created_at: int
    response: str | None = None

    @property
    def keyless(self) -> bool:
        """Whether the client sent no key; its own would have no blank."""
        return self.key.startswith(" ")


class Creations(Protocol):
    def find(self, db: Connection, principal: str, method: str, key: str) -> Creation | None: ...
    def insert(self, db: Connection, creation: Creation) -> bool: ...
    def take_over(self, db: Connection, fresh: Creation, now: int, beyond: int) -> bool: ...
    def finish(self, db: Connection, creation: Creation, answer: str) -> bool: ...
    def refuse(self, db: Connection, creation: Creation) -> bool: ...
    def give_up(self, db: Connection, creation: Creation) -> bool: ...
    def let_go(self, db: Connection, creation: Creation, now: int) -> None: ...
    def extend(self, db: Connection, creation: Creation, now: int, until: int) -> None: ...
    def aborted(self, db: Connection, creation: Creation) -> None: ...
    def stuck(self, db: Connection, before: int, beyond: int, most: int) -> Sequence[Creation]: ...
    def prune(self, db: Connection, before: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Glance:
    """As much of a session as an open stream needs to know whether there is news."""

    session_id: str
    version: int
    status: Status
    progress: int
    stage: str
    updated_at: int


class Sessions(Protocol):
    """The sessions and what stands or falls with them."""

    def view(self, db: Connection, session_id: str) -> SessionView | None: ...
    def get(self, db: Connection, session_id: str) -> Session | None: ...
    def lock(self, db: Connection, session_id: str) -> Session | None: ...
    def insert(self, db: Connection, change: Change) -> Session: ...
    def apply(self, db: Connection, change: Change) -> Session: ...
    def finished_stages(self, db: Connection, session_id: str) -> list[FinishedStage]: ...
    def charges(self, db: Connection, session_id: str) -> list[Charge]: ...
    def settled(self, db: Connection, session_id: str, now: int) -> None: ...
    def settle_later(self, db: Connection, session_id: str, after: int) -> None: ...
    def glance(self, db: Connection, session_ids: Sequence[str]) -> list[Glance]: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is: the candidates of one lane, oldest first. `number` is the claim's, `engines` what was asked
    for."""

    owner: str
    number: int
    engines: tuple[str, ...]
    session_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Busy:
    """A worker with sessions in hand, and the engines of these."""

    worker_id: str
    engines: frozenset[str]


class Queue(Protocol):
    def turns(self, db: Connection, engines: Sequence[str], cap: int) -> Sequence[Turn]: ...
    def served(self, db: Connection, turn: Turn) -> None: ...
    def demand(self, db: Connection) -> Mapping[str, int]: ...
    def busy(self, db: Connection, last: int) -> Sequence[Busy]: ...


class History(Protocol):
    def after(self, db: Connection, session_id: str, seq: int, most: int) -> list[HistoryRow]: ...


class Durations(Protocol):
    def mean(self, db: Connection, session_type: str, depth: str) -> int | None: ...
    def learn(self, db: Connection, session_type: str, depth: str, running: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """Which sessions: of an owner, or these ids of others, or both; moments inclusive."""

    owner: str
    owned: bool
    shared: tuple[str, ...] = ()
    status: str = ""
    session_type: str = ""
    date_from: int | None = None
    date_to: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    session_type: str
    status: str
    count: int
    held: int
    charged: int


class Lists(Protocol):
    def page(self, db: Connection, listing: Listing, page: Page) -> list[SessionView]: ...
    def tally(self, db: Connection, listing: Listing) -> list[Tally]: ...


class Held(NamedTuple):
    """As much of a session in the hands of a worker as tells whether its worker lives and its time is up."""

    session_id: str
    epoch: int
    lease_until: int
    status: str
    running: int
    time_limit: int


class Unsettled(NamedTuple):
    """An ended session that billing is to be told of when `settle_after` has come."""

    session_id: str
    settle_after: int


@dataclass(frozen=True, slots=True)
class FailedQuery:
    """Which failed sessions: of an error code, by whose fault, ended at or after a moment."""

    code: str = ""
    ours: bool | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A session that failed or timed out, as operators see it."""

    session_id: str
    owner: str
    session_type: str
    engine: str
    status: str
    code: str
    message: str
    stage: str
    ours: bool | None
    attempts: int
    failures: int
    created_at: int
    finished_at: int
    charged: int
    successor: str


@dataclass(frozen=True, slots=True)
class Overlong:
    """How many wait for too long, since when the first of them does, and the ids of the first few."""

    count: int
    since: int | None
    session_ids: tuple[str, ...]


class Failures(Protocol):
    """What operators look for, over all owners."""

    def page(self, db: Connection, query: FailedQuery, page: Page) -> tuple[list[Failed], int]: ...
    def by_code(self, db: Connection, since: int) -> Mapping[str, int]: ...
    def unsettled(self, db: Connection, before: int) -> Overlong: ...
    def creations(self, db: Connection, before: int) -> Overlong: ...
    def paused(self, db: Connection, before: int) -> Overlong: ...
    def in_hand(self, db: Connection) -> Mapping[str, int]: ...
    def queue(self, db: Connection) -> Mapping[str, tuple[int, int | None]]: ...


class Overdue(Protocol):
    """What the sweeper looks for."""

    def held(self, db: Connection) -> list[Held]: ...
    def unsettled(self, db: Connection, most: int) -> list[Unsettled]: ...
    def settlements(self, db: Connection, session_ids: Sequence[str]) -> list[Session]: ...
