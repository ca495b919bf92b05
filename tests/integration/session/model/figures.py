"""The figures that the contract names, as the model knows them, and the settings that make a service keep them."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from types import MappingProxyType

S = 1_000_000
"""One second, one unit of an item, one of the currency."""
MINUTE = 60 * S

LEASE = 6 * S
BEAT = 5 * S
"""The most that running time grows by between two signs of life."""
ATTEMPTS = 3
INITIALIZING = 60 * S
OWNER_CAP = 2
SETTLE_PAUSE = 2 * S
CREATION_LEASE = 5 * S
ABORT_AFTER = 20 * S
WRITE_UP_TIME = Fraction(85, 100)
WRITE_UP_MONEY = Fraction(15, 100)
QUOTA = 7
BALANCE = 40 * S

SETTINGS = MappingProxyType(
    {
        "lease_seconds": LEASE / S,
        "beat_seconds": BEAT / S,
        "max_attempts": ATTEMPTS,
        "initializing_seconds": INITIALIZING / S,
        "owner_cap": OWNER_CAP,
        "settle_seconds": SETTLE_PAUSE / S,
        "creation_lease_seconds": CREATION_LEASE / S,
        "creation_abort_seconds": ABORT_AFTER / S,
        "write_up_time": float(WRITE_UP_TIME),
        "write_up_money": float(WRITE_UP_MONEY),
        # A second request must not keep the machine waiting for a first one that is dead.
        "idempotency_wait_seconds": 0.02,
        "idempotency_poll_seconds": 0.01,
    }
)

BASE = "base"
PRICES = MappingProxyType({BASE: 1 * S, "document_read": 20_000, "passage_read": 2_000})
LEAST, MOST = 1_022_000, 10 * S
"""The least that a session can cost, and the upper end of its estimate."""

TERMINAL = frozenset({"completed", "failed", "cancelled", "timeout"})
HELD = frozenset({"initializing", "running"})

NEXT = MappingProxyType(
    {
        None: {"queued"},
        "queued": {"initializing", "failed", "timeout", "cancelled"},
        "initializing": {"running", "queued", "failed", "timeout", "cancelled"},
        "running": {"completed", "paused", "queued", "failed", "timeout", "cancelled"},
        "paused": {"queued", "failed", "timeout", "cancelled"},
        "completed": set[str](),
        "failed": set[str](),
        "timeout": set[str](),
        "cancelled": set[str](),
    }
)
"""Where a session may go from where; a worker that hands back, fails or is lost leads to `queued`."""


def rounded(value: Fraction) -> int:
    """Half up, to whole millionths."""
    return floor(value + Fraction(1, 2))


def cost(item: str, quantity: int) -> int:
    """What a quantity, in millionths of a unit, costs; an item without a price costs nothing."""
    return rounded(Fraction(PRICES.get(item, 0) * quantity, S))
