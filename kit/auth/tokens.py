"""User tokens: JWTs checked by pinned algorithms, issuer, audience and type (RFC 8725, RFC 9068)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import KeySet, OKPKey

from kit.auth.keys import KeySource
from kit.auth.principal import Principal
from kit.errors import Unauthorized
from kit.times import MINUTE, SECOND, Clock

_MOST = 4096
_MOST_CHARACTERS = 8 * 1024 * 1024
"""Of all tokens that are remembered together: a grant may be long."""
_AGAIN = 5 * MINUTE
"""When a signature that was good is looked at anew: its key may have been taken out of the issuer's set."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A good token's content; `again` and `ends` are in microseconds, `again` never later than `ends`."""

    again: int
    ends: int
    principal: Principal
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be. `types` are the accepted `typ` headers, in lower case."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = ("EdDSA",)
    types: tuple[str, ...] = ("at+jwt", "jwt")
    leeway: int = 30
    """Seconds of clock difference that are forgiven."""
    longest: int = 16 * 1024
    """Characters of a token; a longer one is not looked at."""
    alone: bool = False
    """Whether a token must be for this audience and no other besides."""


def header_of(token: str) -> Mapping[str, Any]:
    """The header of a compact JWS, not verified. Raises ValueError."""
    head = token.split(".", 1)[0]
    value = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


class TokenVerifier:
    """Checks tokens and remembers the good ones for minutes. Raises Unauthorized without saying why."""

    def __init__(self, keys: KeySource, rules: TokenRules, clock: Clock) -> None:
        self._keys = keys
        self._rules = rules
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._characters = 0

    async def verify(self, token: str) -> Principal:
        return (await self.claims(token))[0]

    async def ends(self, token: str) -> int:
        """When a valid token stops being one, in microseconds."""
        return (await self._content(token)).ends

    def remembered(self, token: str) -> Principal | None:
        """The principal of a token that was verified a short while ago and has not ended, without awaiting."""
        known = self._known.get(token)
        return known.principal if known is not None and known.again > self._clock.now() else None

    async def claims(self, token: str) -> tuple[Principal, Mapping[str, Any]]:
        """The principal and all claims of a valid token."""
        content = await self._content(token)
        return content.principal, content.claims

    async def _content(self, token: str) -> _Known:
        now = self._clock.now()
        known = self._known.get(token)
        if known is not None:
            if known.again > now:
                return known
            self._forget(token)
            if known.ends <= now:
                raise Unauthorized()
        if len(token) > self._rules.longest or token.count(".") != 2:
            raise Unauthorized()
        try:
            kid = header_of(token).get("kid")
            keys = await self._keys.keys(kid if isinstance(kid, str) else None)
            decoded = await self._decoded(token, keys)
            ends = self._checked(decoded.header, decoded.claims, now)
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError) as error:
            # Whatever a stranger's bytes make a parser stumble over is a bad token, never a fault of ours.
            raise Unauthorized() from error
        fresh = _Known(min(ends, now + _AGAIN), ends, principal_of(decoded.claims), decoded.claims)
        self._remember(token, fresh)
        return fresh

    def _remember(self, token: str, known: _Known) -> None:
        # Somebody else may have verified the same one meanwhile.
        self._forget(token)
        self._known[token] = known
        self._characters += len(token)
        while len(self._known) > _MOST or self._characters > _MOST_CHARACTERS:
            self._forget(next(iter(self._known)))

    def _forget(self, token: str) -> None:
        if self._known.pop(token, None) is not None:
            self._characters -= len(token)

    async def _decoded(self, token: str, keys: KeySet) -> jwt.Token:
        algorithms = list(self._rules.algorithms)
        try:
            return jwt.decode(token, keys, algorithms=algorithms)
        except BadSignatureError:
            # The key of this id may have been replaced by another.
            newer = await self._keys.newer(keys)
            if newer is None:
                raise
            return jwt.decode(token, newer, algorithms=algorithms)

    def _checked(self, header: Mapping[str, Any], claims: Mapping[str, Any], now: int) -> int:
        rules = self._rules
        leeway = rules.leeway * SECOND
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        ends, starts = claims.get("exp"), claims.get("nbf", 0)
        subject = claims.get("sub")
        if not isinstance(ends, (int, float)) or isinstance(ends, bool) or not isinstance(starts, (int, float)):
            raise Unauthorized()
        good = (
            str(header.get("typ", "")).lower().removeprefix("application/") in rules.types
            and claims.get("iss") == rules.issuer
            and rules.audience in audiences
            and (len(audiences) == 1 or not rules.alone)
            and isinstance(subject, str)
            and 0 < len(subject) <= 255
            and "\0" not in subject  # PostgreSQL could not store it
        )
        if not good:
            raise Unauthorized()
        last = int(ends * SECOND) + leeway
        if last <= now or int(starts * SECOND) - leeway > now:
            raise Unauthorized()
        return last


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """Read a principal out of verified claims; an unverified email address counts for nothing."""
    email = claims.get("email")
    teams = claims.get("teams")
    scope = claims.get("scope")
    name = claims.get("name")
    return Principal(
        user_id=str(claims["sub"]),
        email=email.strip().lower() if isinstance(email, str) and claims.get("email_verified") is True else "",
        name=name[:255] if isinstance(name, str) else "",
        teams=tuple(sorted({t for t in teams if isinstance(t, str)})) if isinstance(teams, list) else (),
        scopes=frozenset(scope.split()) if isinstance(scope, str) else frozenset(),
    )


def mint(
    key: OKPKey, rules: TokenRules, clock: Clock, *, ttl: int, claims: Mapping[str, Any], typ: str = "at+jwt"
) -> str:
    """Sign a token of the embedded default's own issuer; `ttl` is in seconds."""
    now = clock.now() // SECOND
    body = {"iss": rules.issuer, "aud": rules.audience, "iat": now, "exp": now + ttl, **claims}
    header = {"alg": "EdDSA", "typ": typ, "kid": str(key.kid)}
    return jwt.encode(header, body, key, algorithms=["EdDSA"])
