"""Who is calling: the credential of a request and its check."""

from __future__ import annotations

from typing import Protocol

from multidict import MultiMapping

from kit.auth.principal import Principal
from kit.errors import Unauthorized


class Verifier(Protocol):
    """Checks tokens."""

    def remembered(self, token: str) -> Principal | None:
        """The principal of a token that was checked before and is still good, without waiting."""
        ...

    async def verify(self, token: str) -> Principal:
        """The principal of a good token. Raises Unauthorized, or Unavailable when it cannot be checked."""
        ...


def credential(headers: MultiMapping[str]) -> str:
    """The token of a request: a bearer token in Authorization, or X-API-Key. Raises Unauthorized, also for two."""
    if any(len(headers.getall(name, ())) > 1 for name in ("Authorization", "X-API-Key")):
        raise Unauthorized()
    given = headers.get("Authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        raise Unauthorized()
    key = headers.get("X-API-Key", "").strip()
    if not key:
        raise Unauthorized()
    return key


async def authenticate(verifier: Verifier, headers: MultiMapping[str]) -> Principal:
    """The principal of a request. Raises Unauthorized, or Unavailable when tokens cannot be checked."""
    token = credential(headers)
    return verifier.remembered(token) or await verifier.verify(token)
