"""Accounts and holds as a pure model believes them to be, and the commands that are held against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.modelling import Command, Refused, Seen

GRANT = 20_000_000
QUOTA = 3
LEAST = 500_002
MOSTS = {1000: 524_000, 8_000_000: 10_100_000}
"""By bytes of a single dataset, the upper end of an analysis: 0.50, and 0.000002 for each of 10,000 rows or of the
rows that so many bytes can be, with a fifth on top."""
MISMATCH = "SETTLEMENT_MISMATCH"


@dataclass
class Account:
    """`ledger` are its transactions so far: kind, amount, session."""

    available: int = GRANT
    held: int = 0
    ledger: list[tuple[str, int, str]] = field(default_factory=lambda: [("credit", GRANT, "")])


@dataclass
class Held:
    """A hold, or the tombstone of one (`most` is 0)."""

    owner: str
    amount: int
    most: int
    state: str = "open"
    captured: int = 0
    released: int = 0


@dataclass
class Till:
    """Everything that billing knows."""

    accounts: dict[str, Account] = field(default_factory=dict)
    holds: dict[str, Held] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    """By session, the highest version of which an event was applied."""
    credited: dict[str, tuple[object, dict[str, Any]]] = field(default_factory=dict)
    """By an operator's key, the request and its answer."""

    def account(self, user: str) -> Account:
        return self.accounts.setdefault(user, Account())

    def open_holds(self, user: str) -> int:
        return sum((hold.owner, hold.state) == (user, "open") for hold in self.holds.values())

    def move(self, user: str, kind: str, amount: int, session: str = "") -> None:
        if not amount:
            return
        account = self.account(user)
        account.available += {"credit": amount, "hold": -amount, "capture": 0, "release": amount}[kind]
        account.held += {"credit": 0, "hold": amount, "capture": -amount, "release": -amount}[kind]
        account.ledger.append((kind, amount, session))

    def settle(self, hold_id: str, captured: int, released: int) -> None:
        hold = self.holds.get(hold_id)
        if hold is None:
            raise Refused(MISMATCH)
        if hold.state == "void":
            raise Refused("HOLD_VOIDED")
        if hold.state == "settled":
            if (hold.captured, hold.released) != (captured, released):
                raise Refused(MISMATCH)
            return
        if captured + released != hold.amount:
            raise Refused(MISMATCH)
        hold.state, hold.captured, hold.released = "settled", captured, released
        self.move(hold.owner, "capture", captured, hold_id)
        self.move(hold.owner, "release", released, hold_id)


@dataclass(frozen=True)
class Credit(Command[Till]):
    user: str
    amount: int
    key: str = ""

    def expect(self, world: Till, seen: Seen) -> dict[str, Any]:
        request = (self.user, self.amount)
        if self.key in world.credited:
            first, answer = world.credited[self.key]
            if first != request:
                raise Refused("IDEMPOTENCY_KEY_REUSED")
            return answer
        world.move(self.user, "credit", self.amount)
        account = world.account(self.user)
        answer = {"available": account.available, "held": account.held}
        if self.key:
            world.credited[self.key] = (request, answer)
        return answer


@dataclass(frozen=True)
class Place(Command[Till]):
    hold_id: str
    owner: str
    size: int
    limit: int | None = None

    def expect(self, world: Till, seen: Seen) -> dict[str, Any]:
        known = world.holds.get(self.hold_id)
        if known is None:
            known = self._new(world)
        elif known.owner != self.owner:
            raise Refused("VALIDATION_ERROR")
        elif known.state == "void":
            raise Refused("HOLD_VOIDED")
        return {"held": known.amount, "most": known.most}

    def _new(self, world: Till) -> Held:
        most = MOSTS[self.size]
        amount = most if self.limit is None else min(self.limit, most)
        # Who was never seen has the initial grant, whether the account is there yet or not.
        available = world.accounts[self.owner].available if self.owner in world.accounts else GRANT
        reasons = []
        if self.limit is not None and self.limit < LEAST:
            reasons.append("VALIDATION_ERROR")
        if amount > available:
            reasons.append("INSUFFICIENT_BALANCE")
        if world.open_holds(self.owner) >= QUOTA:
            reasons.append("SESSION_QUOTA_EXCEEDED")
        if reasons:
            raise Refused(*reasons)
        world.move(self.owner, "hold", amount, self.hold_id)
        hold = world.holds[self.hold_id] = Held(self.owner, amount, most)
        return hold


@dataclass(frozen=True)
class Settle(Command[Till]):
    hold_id: str
    captured: int
    released: int

    def expect(self, world: Till, seen: Seen) -> dict[str, Any]:
        world.settle(self.hold_id, self.captured, self.released)
        return {}


@dataclass(frozen=True)
class Hear(Command[Till]):
    """The event of a session's end: perhaps again, perhaps an older one, perhaps about a hold that never was."""

    hold_id: str
    version: int
    captured: int
    released: int

    def expect(self, world: Till, seen: Seen) -> dict[str, Any]:
        if self.version > world.heard.get(self.hold_id, 0):
            try:
                world.settle(self.hold_id, self.captured, self.released)
            except Refused:
                return {}  # An alarm: nothing of it stays.
            world.heard[self.hold_id] = self.version
        return {}


@dataclass(frozen=True)
class Void(Command[Till]):
    hold_id: str
    owner: str

    def expect(self, world: Till, seen: Seen) -> dict[str, Any]:
        hold = world.holds.get(self.hold_id)
        if hold is None:
            world.holds[self.hold_id] = Held(self.owner, 0, 0, "void")
            return {"released": 0}
        if hold.owner != self.owner:
            raise Refused("VALIDATION_ERROR")
        if hold.state == "settled":
            raise Refused(MISMATCH)
        if hold.state == "open":
            hold.state, hold.released = "void", hold.amount
            world.move(hold.owner, "release", hold.amount, self.hold_id)
        return {"released": hold.released}


@dataclass(frozen=True)
class Balance(Command[Till]):
    user: str

    def expect(self, world: Till, seen: Seen) -> dict[str, Any]:
        account = world.account(self.user)
        return {"available": account.available, "held": account.held}
