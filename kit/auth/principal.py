"""Who is calling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user as their verified token describes them.

    `email` is set only when the issuer has verified it; `scopes` is empty for a full user.
    """

    user_id: str
    email: str = ""
    name: str = ""
    teams: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()

    @property
    def may_write(self) -> bool:
        return "read" not in self.scopes or "admin" in self.scopes

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes
