"""Share tokens: what makes a share URL unguessable.

A token is 256 bits derived from a secret and the share's id, so that the answer to a repeated request can be made again
without the token being kept. What the database keeps is a hash under another key of the same secret: neither a copy of
the database nor the ids in it open a share.
"""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path

from kit.settings import BadSettings

_SHORTEST = 32


class ShareTokens:
    def __init__(self, secret: bytes, base: str) -> None:
        """`base` is what a token is put behind to make a URL."""
        self._token_key = hmac.digest(secret, b"prsm share token", "sha256")
        self._hash_key = hmac.digest(secret, b"prsm share token hash", "sha256")
        self._base = base.rstrip("/") + "/"

    def token(self, share_id: str) -> str:
        raw = hmac.digest(self._token_key, share_id.encode(), "sha256")
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def url(self, share_id: str) -> str:
        return self._base + self.token(share_id)

    def hash_of(self, token: str) -> str:
        """What is kept of a token, in hex."""
        return hmac.digest(self._hash_key, token.encode(), "sha256").hex()


def check_secret_file(path: str) -> None:
    """Raises ValueError for a file that cannot be read or holds too little to be a secret."""
    try:
        held = _content(path)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    if len(held) < _SHORTEST:
        raise ValueError(f"the file must hold at least {_SHORTEST} random bytes")


def read_secret(secret_file: str, own_key_file: str) -> bytes:
    """The secret in `secret_file`; without one, a secret derived from this process's own key. Raises BadSettings where
    that key is one of several replicas', for each would then open only the shares that it made."""
    if secret_file:
        return _content(secret_file)
    key = _content(own_key_file).strip()
    if _is_one_of_several(key):
        raise BadSettings("PRSM_COLLAB_SHARE_SECRET must be set where each replica has a key of its own")
    return hmac.digest(key, b"prsm share secret", "sha256")


def _is_one_of_several(key: bytes) -> bool:
    try:
        return "/" in str(json.loads(key)["kid"])
    except (ValueError, KeyError, TypeError):
        return False


def _content(path: str) -> bytes:
    # As they are: random bytes may begin or end with what text would call white space.
    return Path(path).read_bytes()
