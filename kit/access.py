"""Who may do what with a session: one decision, made in every service from the same parts.

Owners never change and are known where the data is. For anybody else, and for ids that do not exist alike, collab is
asked each time: nothing is cached, so a revocation acts on the next request, and nothing is told by the time it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kit.auth.principal import Principal
from kit.errors import SessionNotAccessible, SessionNotFound
from kit.ids import is_uuid
from kit.levels import Level


class Standing(Enum):
    """What a principal's shares of a session come to."""

    STRANGER = "stranger"
    FORMER = "former"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Shared:
    """Collab's answer. `expires_at` is when that level ends, in microseconds."""

    standing: Standing
    level: Level = Level.NONE
    expires_at: int = 0


@dataclass(frozen=True, slots=True)
class Access:
    """A principal's right to a session. `expires_at` is 0 for its owner."""

    level: Level
    expires_at: int = 0


class Shares(Protocol):
    """Collab, as the decision needs it. Raises Unavailable or DeadlineExceeded when it is away."""

    async def check(self, session_id: str, principal: Principal) -> Shared: ...


def decide(shared: Shared, needed: Level) -> Access:
    """Raises SessionNotFound for a stranger, SessionNotAccessible for who lacks the right; it tells who has some right
    which one is needed."""
    if shared.standing is Standing.STRANGER:
        raise SessionNotFound()
    if shared.standing is Standing.FORMER or shared.level < Level.VIEW:
        raise SessionNotAccessible()
    if shared.level < needed:
        wanted = "is for the session's owner" if needed is Level.OWNER else f"needs the level {needed.name.lower()}"
        raise SessionNotAccessible(f"This {wanted}; you have {shared.level.name.lower()}")
    return Access(shared.level, shared.expires_at)


async def require(shares: Shares, principal: Principal, session_id: str, owner: str | None, needed: Level) -> Access:
    """Decide for one call. `owner` is None when there is no such session.

    Raises SessionNotFound, SessionNotAccessible, Unavailable.
    """
    if owner is not None and owner == principal.user_id:
        return Access(Level.OWNER)
    if not is_uuid(session_id):
        raise SessionNotFound()
    return decide(await shares.check(session_id, principal), needed)
