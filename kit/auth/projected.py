"""Internal identity by the platform: tokens that a Kubernetes kubelet projects into files, one per service called.

The cluster signs them for a service account; its name is the service's. They have no `typ`, so issuer, audience (the
callee alone) and the subject's prefix keep them apart from users' tokens.
https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from kit.auth.keys import KeySource
from kit.auth.tokens import TokenRules, TokenVerifier
from kit.errors import Unauthorized, Unavailable
from kit.times import SECOND, Clock

_AGAIN = 30 * SECOND
_MOST_CHARACTERS = 16 * 1024


class ProjectedTokens:
    """The tokens in a directory, in a file of each callee's name. Files are read again every half a minute, since they
    are replaced when most of their tokens' life is over."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._cached: dict[str, tuple[int, int, str]] = {}
        """By audience: when to read again, when the token ends, the token."""

    def token(self, audience: str) -> str:
        """Raises Unavailable, caused by an error that names the file."""
        now = self._clock.now()
        again, ends, token = self._cached.get(audience, (0, 0, ""))
        if again > now and ends > now:
            return token
        path = self._directory / audience
        try:
            token = path.read_text().strip()
            ends = _end(token)
            if ends <= now:
                raise ValueError("the token has ended")
        except (OSError, ValueError) as error:
            if ends > now:
                # Better the one at hand than none.
                return self._cached[audience][2]
            raise Unavailable(f"There is no token for the {audience} service") from ValueError(f"{path}: {error}")
        self._cached[audience] = (now + _AGAIN, ends, token)
        return token


def _end(token: str) -> int:
    """When a token ends, in microseconds, not verified: that is its reader's part. Raises ValueError."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _MOST_CHARACTERS:
        raise ValueError("not a token")
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    ends = claims.get("exp") if isinstance(claims, dict) else None
    if not isinstance(ends, (int, float)) or isinstance(ends, bool):
        raise ValueError("not a token with an end")
    return int(ends * SECOND)


class ServiceAccountVerifier:
    """Tells which service calls, by the service account that the cluster vouches for."""

    def __init__(
        self,
        keys: KeySource,
        audience: str,
        clock: Clock,
        *,
        issuer: str,
        subjects: str,
        algorithms: tuple[str, ...] = ("RS256", "ES256"),
    ) -> None:
        """`subjects` is what stands before the service's name in `sub`."""
        rules = TokenRules(
            issuer=issuer, audience=audience, algorithms=algorithms, types=("", "jwt"), leeway=5, alone=True
        )
        self._tokens = TokenVerifier(keys, rules, clock)
        self._subjects = subjects

    async def caller(self, token: str) -> str:
        """The calling service's name. Raises Unauthorized."""
        principal, _ = await self._tokens.claims(token)
        name = principal.user_id.removeprefix(self._subjects)
        if name == principal.user_id or not name or ":" in name:
            raise Unauthorized()
        return name
