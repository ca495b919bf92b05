"""User tokens of the embedded default."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cli.errors import Refused
from cli.stack.datadir import DataDir
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, load_user_key, read_key
from kit.auth.tokens import TokenRules
from kit.auth.tokens import mint as sign
from kit.times import Clock, SystemClock

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TTL = re.compile(r"([1-9][0-9]{0,8})([smhd])", flags=re.ASCII)
_SCOPES = ("read", "admin", "service")


def seconds_of(ttl: str, option: str = "--ttl") -> int:
    """Read a time such as 1h. Raises Refused."""
    match = _TTL.fullmatch(ttl)
    if match is None:
        raise Refused(f'{option} must be a whole number with s, m, h or d, such as "1h", not {ttl!r}')
    return int(match[1]) * _UNITS[match[2]]


def mint(
    data: DataDir,
    user: str,
    *,
    email: str = "",
    name: str = "",
    teams: Sequence[str] = (),
    scopes: Sequence[str] = (),
    ttl: int = 3600,
    clock: Clock | None = None,
    key: Path | None = None,
) -> str:
    """A signed token for `user`; `ttl` is in seconds. An email address counts as verified. `key` is the file of another
    key than the data directory's. Raises Refused."""
    if not 1 <= len(user) <= 255 or not user.strip() or not user.isprintable():
        raise Refused("--user must be 1 to 255 printable characters")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Refused(f"--email must look like name@example.org, not {email!r}")
    if unknown := sorted(set(scopes) - set(_SCOPES)):
        raise Refused(f"--scope must be one of {', '.join(_SCOPES)}, not {unknown[0]!r}")
    claims: dict[str, object] = {"sub": user}
    if email:
        claims |= {"email": email, "email_verified": True}
    if name:
        claims["name"] = name
    if teams:
        claims["teams"] = list(teams)
    if scopes:
        claims["scope"] = " ".join(dict.fromkeys(scopes))
    rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
    signing = read_key(key) if key is not None else load_user_key(data)
    return sign(signing, rules, clock or SystemClock(), ttl=ttl, claims=claims)
