"""Internal identity: short tokens of a second issuer, one signing key per process, the callee as audience.

A key's id is the name of the service that owns it, for several replicas with a name of theirs after a slash
(`session/2`), so that no service can speak for another. A user's token never opens an internal method, and an internal
token never opens a user's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from joserfc.jwk import OKPKey

from kit.auth.keys import KeySource, owner_of
from kit.auth.tokens import TokenRules, TokenVerifier, header_of, mint
from kit.errors import Unauthorized
from kit.times import SECOND, Clock

ISSUER = "prsm-internal"
TYPE = "prsm-internal+jwt"


class TokenSource(Protocol):
    """Where a process has its tokens from."""

    def token(self, audience: str) -> str:
        """A token for the service `audience`. Raises Unavailable."""
        ...


class CallerVerifier(Protocol):
    """Tells which service calls."""

    async def caller(self, token: str) -> str:
        """The calling service's name. Raises Unauthorized."""
        ...


@lru_cache(maxsize=64)
def _owner(token: str) -> str:
    """Of a verified token's key; every caller shows the same one for minutes."""
    return owner_of(header_of(token).get("kid"))


class InternalSigner:
    """Mints this process's tokens and uses each for half its life."""

    def __init__(self, key: OKPKey, service: str, clock: Clock, *, ttl: int = 300) -> None:
        """`ttl` is in seconds."""
        self._key = key
        self._service = service
        self._clock = clock
        self._ttl = ttl
        self._cached: dict[str, tuple[int, str]] = {}

    def token(self, audience: str) -> str:
        now = self._clock.now()
        cached = self._cached.get(audience)
        if cached is not None and cached[0] > now:
            return cached[1]
        rules = TokenRules(issuer=ISSUER, audience=audience)
        token = mint(self._key, rules, self._clock, ttl=self._ttl, claims={"sub": self._service}, typ=TYPE)
        self._cached[audience] = (now + self._ttl * SECOND // 2, token)
        return token


class InternalVerifier:
    """Tells which service calls, by the key that it signs with."""

    def __init__(self, keys: KeySource, audience: str, clock: Clock) -> None:
        rules = TokenRules(issuer=ISSUER, audience=audience, types=(TYPE,), leeway=5)
        self._tokens = TokenVerifier(keys, rules, clock)

    async def caller(self, token: str) -> str:
        """The calling service's name. Raises Unauthorized."""
        principal, _ = await self._tokens.claims(token)
        # A key speaks only for the service that it is named after.
        if _owner(token) != principal.user_id:
            raise Unauthorized()
        return principal.user_id
