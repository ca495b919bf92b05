"""Billing's named errors."""

from __future__ import annotations

from kit.errors import PrsmError
from kit.money import show


class InsufficientBalance(PrsmError):
    """`required` and `available` are in 10^-6 of the currency."""

    reason = "INSUFFICIENT_BALANCE"

    def __init__(self, *, required: int, available: int, currency: str) -> None:
        super().__init__(
            details={"required": show(required), "available": show(available), "currency": currency},
        )


class SessionQuotaExceeded(PrsmError):
    """`limit` is how many holds one owner may have open, `used` how many there are."""

    reason = "SESSION_QUOTA_EXCEEDED"

    def __init__(self, *, limit: int, used: int) -> None:
        super().__init__(details={"quota": "open_sessions", "limit": limit, "used": used})


class HoldVoided(PrsmError):
    """The hold was given back whole, perhaps before it was ever placed; it can be neither placed nor settled."""

    reason = "HOLD_VOIDED"


class SettlementMismatch(PrsmError):
    """A settlement that is not the one on record, or does not add up to its hold."""

    reason = "SETTLEMENT_MISMATCH"
