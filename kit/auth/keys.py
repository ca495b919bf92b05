"""Keys: Ed25519 pairs as JWK files, and sets of public keys from a file or an HTTPS URL."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet, OKPKey

from kit.errors import Unavailable
from kit.times import SECOND, Clock


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


async def _fetch(url: str) -> dict[str, Any]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as client, client.get(url) as response:
        response.raise_for_status()
        body: dict[str, Any] = await response.json(content_type=None)
        return body


async def _read(path: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(await asyncio.to_thread(Path(path).read_text))
    return body


class KeySource:
    """The public keys of an issuer, read again when a key id is unknown, but not more often than `pause`."""

    def __init__(self, location: str, clock: Clock, *, pause: int = 10 * SECOND) -> None:
        """`location` is a path or an http(s) URL of a JWKS; `pause` is in microseconds."""
        self._location = location
        self._clock = clock
        self._pause = pause
        self._keys: KeySet | None = None
        self._kids: frozenset[str] = frozenset()
        self._read_at = -pause
        # Who comes while the keys are being read waits for them, and is not refused.
        self._reading = asyncio.Lock()
        remote = location.startswith(("http://", "https://"))
        self._load: Callable[[str], Awaitable[dict[str, Any]]] = _fetch if remote else _read

    def held(self, kid: str | None) -> KeySet | None:
        """The keys at hand when they hold `kid`."""
        return self._keys if self._keys is not None and (kid is None or kid in self._kids) else None

    async def keys(self, kid: str | None) -> KeySet:
        """Raises Unavailable when no keys can be had."""
        held = self.held(kid)
        if held is not None:
            return held
        async with self._reading:
            held = self.held(kid)
            if held is not None:
                return held
            if self._clock.now() - self._read_at >= self._pause:
                self._read_at = self._clock.now()
                await self._read_again()
        if self._keys is None:
            raise Unavailable("The signing keys cannot be read")
        return self._keys

    async def _read_again(self) -> None:
        try:
            body = await self._load(self._location)
            self._keys = KeySet.import_key_set(body)  # type: ignore[arg-type]  # a JWKS as parsed JSON
            self._kids = frozenset(str(key.kid) for key in self._keys.keys)
        except Exception as error:
            if self._keys is None:
                raise Unavailable("The signing keys cannot be read") from error
