"""The embedded default's own keys: one for user tokens, one per process for internal identity."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from joserfc.jwk import OKPKey

from cli.errors import Refused
from cli.stack.datadir import DataDir
from kit.auth.keys import create_key, load_key, write_jwks

USER_KID = "prsm-local"
USER_ISSUER = "prsm-local"
USER_AUDIENCE = "prsm"
IDENTITIES = ("session", "results", "collab", "billing", "library", "worker")
"""Who has an internal identity; a key's id is its owner's name."""


def ensure_keys(data: DataDir) -> None:
    """Create what is missing and write both key sets. Raises Refused for a key that cannot be read."""
    write_jwks(data.user_jwks, [_key(data.user_key, USER_KID)])
    write_jwks(data.internal_jwks, [_key(data.internal_key(name), name) for name in IDENTITIES])
    if not data.nats_token.exists():
        descriptor = os.open(data.nats_token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))


def load_user_key(data: DataDir) -> OKPKey:
    """The key that signs user tokens. Raises Refused where there is none yet."""
    if not data.user_key.exists():
        raise Refused(f"there are no keys in {data.root}: run prsm up --data-dir {data.root} first")
    return _key(data.user_key, USER_KID)


def read_key(path: Path) -> OKPKey:
    """A private key from its file. Raises Refused."""
    try:
        return load_key(path)
    except (OSError, ValueError) as error:
        raise Refused(f"the key {path} cannot be read: {error}") from error


def _key(path: Path, kid: str) -> OKPKey:
    try:
        return load_key(path) if path.exists() else create_key(path, kid)
    except (OSError, ValueError) as error:
        raise Refused(f"the key {path} cannot be read: {error}") from error
