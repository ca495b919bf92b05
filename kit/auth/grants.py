"""Grants: what session signs for the worker that holds a session, checked offline by results and library."""

from __future__ import annotations

from dataclasses import dataclass

from joserfc.jwk import OKPKey

from kit.auth.keys import KeySource, owner_of
from kit.auth.tokens import TokenRules, TokenVerifier, header_of, mint
from kit.errors import Forbidden, Unauthorized
from kit.times import Clock

ISSUER = "prsm-session"
SIGNER = "session"
"""The service whose key signs; another service's key, the holder's own among them, makes no grant."""
AUDIENCE = "prsm-grants"
TYPE = "prsm-grant+jwt"
METADATA_KEY = "x-prsm-grant"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who works on what. Empty `documents` means the owner's whole library."""

    owner: str
    session_id: str
    epoch: int
    documents: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    """Input sessions, each "id:epoch:hash" of its result."""


class GrantSigner:
    """Session's side."""

    def __init__(self, key: OKPKey, clock: Clock, *, ttl: int = 600) -> None:
        """`ttl` is in seconds."""
        self._key = key
        self._clock = clock
        self._ttl = ttl

    def sign(self, grant: Grant) -> str:
        claims = {
            "sub": grant.session_id,
            "owner": grant.owner,
            "epoch": grant.epoch,
            "documents": list(grant.documents),
            "datasets": list(grant.datasets),
            "sessions": list(grant.sessions),
        }
        rules = TokenRules(issuer=ISSUER, audience=AUDIENCE)
        return mint(self._key, rules, self._clock, ttl=self._ttl, claims=claims, typ=TYPE)


class GrantVerifier:
    """Results' and library's side."""

    def __init__(self, keys: KeySource, clock: Clock) -> None:
        # A session may name a thousand documents.
        rules = TokenRules(issuer=ISSUER, audience=AUDIENCE, types=(TYPE,), leeway=5, longest=128 * 1024)
        self._tokens = TokenVerifier(keys, rules, clock)

    async def verify(self, token: str) -> Grant:
        """Raises Forbidden."""
        try:
            _, claims = await self._tokens.claims(token)
            if owner_of(header_of(token).get("kid")) != SIGNER:
                raise Unauthorized()
            return Grant(
                owner=str(claims["owner"]),
                session_id=str(claims["sub"]),
                epoch=int(claims["epoch"]),
                documents=tuple(claims["documents"]),
                datasets=tuple(claims["datasets"]),
                sessions=tuple(claims["sessions"]),
            )
        except (Unauthorized, KeyError, TypeError, ValueError) as error:
            raise Forbidden("The grant is not valid") from error
