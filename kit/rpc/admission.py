"""Who may make a call: credentials, the method's rule, the client's idempotency key."""

from __future__ import annotations

from collections.abc import Mapping

from kit.auth.grants import METADATA_KEY as GRANT_KEY
from kit.auth.grants import GrantVerifier
from kit.auth.internal import CallerVerifier
from kit.auth.tokens import TokenVerifier
from kit.errors import Forbidden, Unauthorized, ValidationError
from kit.levels import Level
from kit.rpc.call import Call
from kit.rpc.rules import MethodRule

IDEMPOTENCY_KEY = "idempotency-key"
_LONGEST_KEY = 255


def bearer(metadata: Mapping[str, str]) -> str:
    """The token of `authorization: Bearer` or of `x-api-key`. Raises Unauthorized."""
    header = metadata.get("authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
        raise Unauthorized()
    token = metadata.get("x-api-key", "")
    if not token:
        raise Unauthorized()
    return token


class Admission:
    """Decides by the rules in the protos."""

    def __init__(self, users: TokenVerifier, internal: CallerVerifier, grants: GrantVerifier | None) -> None:
        self._users = users
        self._internal = internal
        self._grants = grants

    async def admit(self, call: Call, rule: MethodRule) -> None:
        """Fill in who calls. Raises Unauthorized, Forbidden, ValidationError for a bad idempotency key."""
        metadata = call.metadata
        token = bearer(metadata)
        if rule.level is Level.INTERNAL:
            call.caller = await self._internal.caller(token)
            if call.caller not in rule.callers:
                raise Forbidden("This service may not call this method")
            grant = metadata.get(GRANT_KEY)
            if grant is not None and self._grants is not None:
                call.grant = await self._grants.verify(grant)
            return
        principal = self._users.remembered(token) or await self._users.verify(token)
        if rule.level is Level.ADMIN and not principal.is_admin:
            raise Forbidden("This needs a token with scope admin")
        if not rule.reads and not principal.may_write:
            raise Forbidden("A token with scope read cannot change anything")
        call._principal = principal
        if rule.idempotency_key:
            call.idempotency_key = _checked_key(metadata.get(IDEMPOTENCY_KEY))


def _checked_key(key: str | None) -> str:
    if key is None:
        return ""
    if not (1 <= len(key) <= _LONGEST_KEY and all("!" <= c <= "~" for c in key)):
        raise ValidationError.of("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return key
