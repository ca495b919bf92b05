"""The other services and the broker as small in-memory ports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from kit.access import Shared, Standing
from kit.auth.principal import Principal
from kit.errors import Fault, PrsmError, RemoteError, Unavailable, ValidationError
from kit.ids import is_uuid
from kit.levels import Level
from kit.money import SCALE
from services.session.domain import Price
from services.session.drafts import Drafted
from services.session.ports import (
    Estimate,
    EstimateItem,
    PlacedHold,
    Prepared,
    PreparedInput,
    Workload,
)

PRICES = {
    "base": Price("session", 1 * SCALE),
    "document_read": Price("document", 20_000),
    "passage_read": Price("passage", 2_000),
}
LEAST, MOST = 1_022_000, 10 * SCALE


@dataclass
class Books:
    """Billing: one balance for each owner."""

    balance: int = 100 * SCALE
    quota: int = 1000
    holds: dict[str, tuple[str, int]] = field(default_factory=dict)
    settled: dict[str, tuple[int, int]] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)
    refuse: PrsmError | None = None
    """Raised by every call while set."""
    lose_answers: bool = False
    """Do what is asked, and say that it is unknown."""

    async def estimate(self, workload: Workload) -> Estimate:
        self._check()
        item = EstimateItem("base", "session", SCALE, SCALE, SCALE)
        return Estimate(2 * SCALE, LEAST, MOST, "FTNS", (item,), PRICES)

    async def place_hold(self, hold_id: str, owner: str, workload: Workload, limit: int | None) -> PlacedHold:
        self._check()
        if hold_id in self.voided:
            raise RemoteError("HOLD_VOIDED")
        if limit is not None and limit < LEAST:
            raise ValidationError([Fault("budget.limit", 'must be at least "1.022"')])
        estimate = await self.estimate(workload)
        if hold_id not in self.holds:
            held = min(limit or MOST, MOST)
            mine = {id_: amount for id_, (whose, amount) in self.holds.items() if whose == owner}
            still = {id_: amount for id_, amount in mine.items() if id_ not in self.settled}
            spent = sum(captured for id_, (captured, _) in self.settled.items() if id_ in mine)
            available = self.balance - spent - sum(still.values())
            if held > available:
                details = {"required": "10.00", "available": "0.00", "currency": "FTNS"}
                raise RemoteError("INSUFFICIENT_BALANCE", details=details)
            if len(still) >= self.quota:
                raise RemoteError("SESSION_QUOTA_EXCEEDED", details={"quota": "open_sessions"})
            self.holds[hold_id] = (owner, held)
        if self.lose_answers:
            raise Unavailable()
        return PlacedHold(estimate, self.holds[hold_id][1])

    async def settle(self, hold_id: str, captured: int, released: int) -> None:
        self._check()
        assert captured + released == self.holds[hold_id][1]
        if self.settled.setdefault(hold_id, (captured, released)) != (captured, released):
            raise RemoteError("SETTLEMENT_MISMATCH")
        if self.lose_answers:
            raise Unavailable()

    async def void_hold(self, hold_id: str, owner: str) -> None:
        self._check()
        self.voided.add(hold_id)
        self.holds.pop(hold_id, None)
        if self.lose_answers:
            raise Unavailable()

    def _check(self) -> None:
        if self.refuse is not None:
            raise self.refuse


class Gate:
    """Holds back who comes until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def passed(self) -> None:
        self.reached.set()
        await self.opened.wait()


@dataclass
class Shelves:
    """Library: ids that exist are usable; anything inline is stored."""

    documents: set[str] = field(default_factory=set)
    library_documents: int = 3
    connectors: tuple[str, ...] = ()
    stored: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)
    prepared: int = 0
    gate: Gate | None = None
    """Where each preparation waits."""
    away: bool = False
    """Whether nothing can be discarded."""

    async def prepare(self, session_id: str, owner: str, draft: Drafted, *, dry_run: bool) -> Prepared:
        self.prepared += 1
        if self.gate is not None:
            await self.gate.passed()
        faults = [
            Fault(f"inputs.documents[{n}].document_id", "is not in your library")
            for n, d in enumerate(draft.documents)
            if d.document_id is not None and d.document_id not in self.documents
        ]
        if not dry_run and not faults:
            self.stored.add(session_id)
        return Prepared(
            documents=tuple(
                PreparedInput(d.document_id or f"doc-{n}", d.title or "Stored", 100, 100)
                for n, d in enumerate(draft.documents)
            ),
            datasets=tuple(
                PreparedInput(d.document_id or f"data-{n}", d.name or "Stored", 100, 100)
                for n, d in enumerate(draft.datasets)
            ),
            faults=tuple(faults),
            library_documents=self.library_documents if draft.uses_library else 0,
            library_characters=1000,
            connectors=self.connectors,
        )

    async def discard(self, session_id: str, owner: str) -> None:
        if self.away:
            raise Unavailable()
        self.discarded.add(session_id)
        self.stored.discard(session_id)


@dataclass
class Shares:
    """Collab: what was shared, by session and user."""

    grants: dict[tuple[str, str], Shared] = field(default_factory=dict)
    away: bool = False

    def share(self, session_id: str, user: str, level: Level) -> None:
        self.grants[session_id, user] = Shared(Standing.CURRENT, level)

    def revoke(self, session_id: str, user: str) -> None:
        self.grants[session_id, user] = Shared(Standing.FORMER)

    async def check(self, session_id: str, principal: Principal) -> Shared:
        if self.away:
            raise Unavailable()
        assert is_uuid(session_id)
        return self.grants.get((session_id, principal.user_id), Shared(Standing.STRANGER))

    async def check_many(self, checks: Sequence[tuple[str, Principal]]) -> list[Shared]:
        return [await self.check(session_id, principal) for session_id, principal in checks]

    async def shared_with(self, principal: Principal) -> list[str]:
        if self.away:
            raise Unavailable()
        return [
            session_id
            for (session_id, user), shared in self.grants.items()
            if user == principal.user_id and shared.standing is Standing.CURRENT
        ]


@dataclass
class Calls:
    """Wake-ups that were said."""

    said: dict[str, int] = field(default_factory=dict)

    async def announce(self, engine: str, count: int = 1) -> None:
        self.said[engine] = self.said.get(engine, 0) + count

    async def announced(self, engine: str) -> int:
        return self.said.get(engine, 0)


@dataclass
class StyleBook:
    """Results: citation styles by their owner."""

    usable: set[tuple[str, str]] = field(default_factory=set)
    used: set[tuple[str, str]] = field(default_factory=set)
    away: bool = False

    async def use(self, owner: str, style: str, *, dry_run: bool) -> str:
        if self.away:
            raise Unavailable()
        if (owner, style) not in self.usable:
            return "is no citation style that you may use"
        if not dry_run:
            self.used.add((owner, style))
        return ""
