"""Keys: Ed25519 pairs as JWK files, and sets of public keys from a file or an HTTPS URL."""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from joserfc.jwk import KeySet, OKPKey

from kit.errors import Unavailable
from kit.telemetry.metrics import Counter
from kit.times import MINUTE, SECOND, Clock

log = structlog.get_logger("keys")
FETCHES = Counter("prsm_jwks_fetches_total", "Readings of signing keys.", ["outcome"])
FETCHES.prepare(("ok", "failed"))
_FETCH_SECONDS = 5.0
_MOST_BYTES = 1024 * 1024
_KINDS = ("OKP", "EC", "RSA")


def owner_of(kid: object) -> str:
    """Whom a key id names: `session` and `session/2` are both session's. Empty for what is no key id."""
    return kid.partition("/")[0] if isinstance(kid, str) else ""


def create_key(path: Path, kid: str) -> OKPKey:
    """Create a private key readable by its owner alone."""
    key = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": "EdDSA"}, private=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(key.as_dict(private=True), file)
    return key


def load_key(path: Path) -> OKPKey:
    return OKPKey.import_key(json.loads(path.read_text()))


def write_jwks(path: Path, keys: list[OKPKey]) -> None:
    """Write the public halves, whole or not at all."""
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}))
    fresh.replace(path)


async def _fetch(url: str, ca: str, token_file: str) -> dict[str, Any]:
    import ssl

    import aiohttp

    # Authorities and token are read each time: both may be replaced while we run.
    context = await asyncio.to_thread(ssl.create_default_context, cafile=ca) if ca else True
    headers = {}
    if token_file:
        token = (await asyncio.to_thread(Path(token_file).read_text)).strip()
        headers["Authorization"] = f"Bearer {token}"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_FETCH_SECONDS)) as client,
        # Keys come from the place that was named, and nobody else gets to see the token.
        client.get(url, headers=headers, ssl=context, allow_redirects=False) as response,
    ):
        if response.status != 200:
            # Not aiohttp's own error: its representation, which goes to the log, holds the request's headers.
            raise ValueError(f"status {response.status}")
        data = bytearray()
        async for piece in response.content.iter_any():
            data += piece
            if len(data) > _MOST_BYTES:
                raise ValueError(f"longer than {_MOST_BYTES} bytes")
        body: dict[str, Any] = json.loads(data)
        return body


async def _read(path: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(await asyncio.to_thread(Path(path).read_text))
    return body


def _imported(body: dict[str, Any]) -> KeySet:
    """The keys of a JWKS, without those of kinds that we do not know (RFC 7517, section 5). Raises ValueError."""
    listed = [key for key in body["keys"] if isinstance(key, dict) and key.get("kty") in _KINDS]
    keys: KeySet = KeySet.import_key_set({"keys": listed})
    return keys


class KeySource:
    """The public keys of an issuer. They are read again when a key id is unknown, when a signature does not fit the
    key of its id, and when they are old, but not more often than `pause`; while that fails the old ones stay."""

    def __init__(
        self,
        location: str,
        clock: Clock,
        *,
        ca: str = "",
        token_file: str = "",
        pause: int | None = None,
        longest: int = 5 * MINUTE,
    ) -> None:
        """`location` is a path or an http(s) URL of a JWKS; of a URL, `ca` is a PEM file of authorities and
        `token_file` holds a bearer token. Keys older than `longest` are read again; times are in microseconds, `pause`
        a second for a file and five for a URL if not given."""
        self._location = location
        self._clock = clock
        remote = location.startswith(("http://", "https://"))
        self._pause = pause if pause is not None else (5 if remote else 1) * SECOND
        self._longest = longest
        self._keys: KeySet | None = None
        self._body: dict[str, Any] = {}
        self._kids: frozenset[str] = frozenset()
        self._tried_at = -self._pause
        self._read_at = 0
        # Who comes while the keys are being read waits for them, and is not refused.
        self._reading = asyncio.Lock()
        self._load = partial(_fetch, location, ca, token_file) if remote else partial(_read, location)

    def held(self, kid: str | None) -> KeySet | None:
        """The keys at hand when they hold `kid` and are not old."""
        fresh = self._keys is not None and self._clock.now() - self._read_at < self._longest
        return self._keys if fresh and (kid is None or kid in self._kids) else None

    async def keys(self, kid: str | None) -> KeySet:
        """Raises Unavailable when no keys can be had."""
        held = self.held(kid)
        if held is not None:
            return held
        if self._keys is not None and kid in self._kids and self._reading.locked():
            # Old, and somebody is reading them again: one waits for a source that may be away, not everybody.
            return self._keys
        async with self._reading:
            held = self.held(kid)
            if held is not None:
                return held
            await self._read_again()
        if self._keys is None:
            raise Unavailable("The signing keys cannot be read")
        return self._keys

    async def newer(self, than: KeySet) -> KeySet | None:
        """Other keys than those that a signature did not fit; None while there are none."""
        async with self._reading:
            if self._keys is than:
                await self._read_again()
        return self._keys if self._keys is not than else None

    async def _read_again(self) -> None:
        now = self._clock.now()
        if now - self._tried_at < self._pause:
            return
        self._tried_at = now
        try:
            body = await self._load()
            # What has not changed stays the same object.
            if self._keys is None or body != self._body:
                self._keys = _imported(body)
                self._kids = frozenset(str(key.kid) for key in self._keys.keys)
                self._body = body
            self._read_at = now
            FETCHES.labels("ok").inc()
        except Exception as error:
            FETCHES.labels("failed").inc()
            if self._keys is None:
                raise Unavailable("The signing keys cannot be read") from error
            log.warning("signing keys cannot be read again, the old ones stay", cause=repr(error))
