"""Accounts, holds and the ledger. Amounts are integers of 10^-6 of the currency, moments microseconds since the epoch.

Money enters an account as a credit, is set aside by a hold, and leaves by a capture or comes back by a release. What is
available and what is held are at every moment the sums of an account's transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kit.errors import ValidationError
from kit.money import show


class Kind(Enum):
    """What a transaction does."""

    CREDIT = "credit"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one unit of a transaction adds to each part of an account."""

    available: int
    held: int


EFFECTS: Mapping[Kind, Effect] = {
    Kind.CREDIT: Effect(available=1, held=0),
    Kind.HOLD: Effect(available=-1, held=1),
    Kind.CAPTURE: Effect(available=0, held=-1),
    Kind.RELEASE: Effect(available=1, held=-1),
}


class HoldState(Enum):
    """OPEN is left once, for SETTLED or VOID; neither is left again."""

    OPEN = "open"
    SETTLED = "settled"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Account:
    """What a user has. `version` counts its transactions, `open_holds` the sessions that are not over."""

    user_id: str
    available: int
    held: int
    open_holds: int
    version: int


@dataclass(frozen=True, slots=True)
class Movement:
    """One transaction to be made, part of a posting."""

    kind: Kind
    amount: int
    description: str
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row of the ledger. `version` is the account's once it was made."""

    transaction_id: str
    user_id: str
    version: int
    kind: Kind
    amount: int
    description: str
    session_id: str | None
    available_after: int
    held_after: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of an item costs."""

    item: str
    unit: str
    unit_price: int


@dataclass(frozen=True, slots=True)
class EstimateItem:
    """A share of an estimate. `quantity` is in 10^-6 units."""

    item: str
    unit: str
    quantity: int
    unit_price: int
    amount: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a session is expected to cost: `amount`, the sum of its items, between `least` and `most`."""

    amount: int
    least: int
    most: int
    currency: str
    items: tuple[EstimateItem, ...]
    prices: tuple[Price, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """What an estimate is computed from. `characters` are code points, `max_documents` 0 where nobody asked."""

    session_type: str
    depth: str = "standard"
    documents: int = 0
    characters: int = 0
    datasets: int = 0
    dataset_bytes: int = 0
    sessions: int = 0
    max_documents: int = 0
    model: bool = False
    """Whether a language model may be used."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside for a session; its id is the session's. A tombstone is void and has no estimate."""

    hold_id: str
    owner: str
    amount: int
    state: HoldState
    captured: int = 0
    released: int = 0
    estimate: Estimate | None = None


def amount_to_hold(estimate: Estimate, limit: int | None) -> int:
    """The upper end of the estimate, capped by the budget."""
    return estimate.most if limit is None else min(limit, estimate.most)


def check_limit(estimate: Estimate, limit: int | None) -> None:
    """Raises ValidationError when a budget cannot pay for the least that the session costs."""
    if limit is not None and limit < estimate.least:
        issue = f'must be at least "{show(estimate.least)}", the least such a session can cost'
        raise ValidationError.of("budget.limit", issue)


def closing(hold_id: str, captured: int, released: int) -> list[Movement]:
    """The transactions that end a hold; a part of nothing makes none."""
    parts = (
        Movement(Kind.CAPTURE, captured, "Charged for a session", hold_id),
        Movement(Kind.RELEASE, released, "Released from a session", hold_id),
    )
    return [part for part in parts if part.amount]
