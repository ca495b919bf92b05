"""A cluster that issues service accounts' tokens, as Kubernetes does: RSA keys, a JWKS over HTTPS for those who show a
token themselves, and files that are replaced."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from kit.times import SECOND, Clock
from tests.support.certificates import Authority, TlsFolder

ISSUER = "https://kubernetes.default.svc.cluster.local"
SUBJECTS = "system:serviceaccount:prsm:"


class Cluster:
    """The issuer. Its JWKS is at `url` while it is entered; `reader` is the token that reading it needs."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._clock = clock
        self._key = self._made("first")
        self._published = [self._key]
        self._files = TlsFolder(folder / "cluster", Authority(), "localhost")
        self.ca = str(self._files.ca)
        self.reader = folder / "reader-token"
        self.reader.write_text("may-read\n")
        self.asked: list[str] = []
        self.status = 200
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/openid/v1/jwks", self._jwks)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._files.cert, self._files.key)
        await web.TCPSite(self._runner, "localhost", 0, ssl_context=context).start()
        self.url = f"https://localhost:{self._runner.addresses[0][1]}/openid/v1/jwks"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on; the old ones stay published."""
        self._key = self._made(kid)
        self._published.append(self._key)

    def token(self, account: str, audience: str, *, ttl: int = 3600, **claims: Any) -> str:
        """A token of a service account, with its audience as a list and without a `typ`."""
        now = self._clock.now() // SECOND
        body = {
            "aud": [audience],
            "exp": now + ttl,
            "iat": now,
            "iss": ISSUER,
            "nbf": now,
            "sub": SUBJECTS + account,
            **claims,
        }
        return jwt.encode(
            {"alg": "RS256", "kid": str(self._key.kid)}, body, self._key, algorithms=["RS256"], default_type=None
        )

    def project(self, directory: Path, account: str, audience: str, *, ttl: int = 3600) -> Path:
        """Write a token for `audience` into a directory, whole or not at all."""
        directory.mkdir(exist_ok=True)
        fresh = directory / f".{audience}"
        fresh.write_text(self.token(account, audience, ttl=ttl))
        os.replace(fresh, directory / audience)
        return directory / audience

    async def _jwks(self, request: web.Request) -> web.Response:
        shown = request.headers.get("Authorization", "")
        self.asked.append(shown)
        if shown != "Bearer may-read" and shown != "Bearer may-read-too":
            return web.Response(status=401)
        keys: list[dict[str, Any]] = [dict(key.as_dict(private=False)) for key in self._published]
        # A kind of key that is not known yet harms nobody.
        keys.append({"kty": "NEW", "kid": "newer"})
        return web.json_response({"keys": keys}, status=self.status, content_type="application/jwk-set+json")

    @staticmethod
    def _made(kid: str) -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)
