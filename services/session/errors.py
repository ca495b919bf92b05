"""The session domain's named errors."""

from __future__ import annotations

from kit.errors import PrsmError


class WrongState(PrsmError):
    """A transition that the session's status does not allow; `details` names the status."""

    def __init__(self, current: str, message: str | None = None) -> None:
        super().__init__(message, details={"status": current})


class SessionCannotBeCancelled(WrongState):
    reason = "SESSION_CANNOT_BE_CANCELLED"


class SessionCannotBePaused(WrongState):
    reason = "SESSION_CANNOT_BE_PAUSED"


class SessionCannotBeResumed(WrongState):
    reason = "SESSION_CANNOT_BE_RESUMED"


class SessionCannotBeRequeued(WrongState):
    reason = "SESSION_CANNOT_BE_REQUEUED"


class StaleEpoch(WrongState):
    """A worker's write for a claim that it no longer holds."""

    reason = "STALE_EPOCH"


class LostRace(Exception):
    """A conditional update found another state than the one that was read: the unit of work starts again."""
