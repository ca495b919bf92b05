"""The parts of a small stack, each as an async context manager: backend and gateway; and an Envoy's settings."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from joserfc.jwk import OKPKey

from deploy.envoy.settings import EdgeSettings
from gateway.app import start
from gateway.settings import GatewaySettings
from kit.auth.keys import create_key, write_jwks
from kit.auth.tokens import TokenRules, mint
from kit.rpc.serve import SERVER_OPTIONS
from kit.times import SystemClock
from tests.support.things.backend import Things
from tests.support.things.compile import Compiled

RULES = TokenRules(issuer="https://issuer.test", audience="prsm-test")


@dataclass(frozen=True)
class Keys:
    """A signing key and the JWKS file that holds its public half."""

    key: OKPKey
    jwks: Path

    def token(
        self,
        user: str = "alice",
        *,
        audience: str = RULES.audience,
        ttl: int = 600,
        typ: str = "at+jwt",
        **claims: object,
    ) -> str:
        """`claims` go before those that a good token has."""
        rules = TokenRules(issuer=RULES.issuer, audience=audience)
        return mint(self.key, rules, SystemClock(), ttl=ttl, claims={"sub": user, **claims}, typ=typ)


@dataclass(frozen=True)
class Backend:
    """A running backend."""

    things: Things
    health: health.aio.HealthServicer
    target: str


def make_keys(folder: Path) -> Keys:
    key = create_key(folder / "key.json", "test")
    write_jwks(folder / "jwks.json", [key])
    return Keys(key, folder / "jwks.json")


@contextlib.asynccontextmanager
async def running_backend(compiled: Compiled) -> AsyncIterator[Backend]:
    things = Things(compiled.pb2)
    checks = health.aio.HealthServicer()
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((things.handlers(),))
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Backend(things, checks, f"127.0.0.1:{port}")
    finally:
        await server.stop(None)


def gateway_settings(compiled: Compiled, keys: Keys, target: str, **changes: object) -> GatewaySettings:
    given = {
        "listen": "127.0.0.1:0",
        "descriptors": compiled.descriptors,
        "backends": {"edge": target},
        "user_issuer": RULES.issuer,
        "user_audience": RULES.audience,
        "user_jwks": str(keys.jwks),
        "rate_limit": 0,
        "hold_seconds": 0,
    }
    return GatewaySettings.model_validate(given | changes)


@contextlib.asynccontextmanager
async def running_gateway(settings: GatewaySettings) -> AsyncIterator[str]:
    gateway = await start(settings)
    try:
        yield f"http://127.0.0.1:{gateway.port}"
    finally:
        await gateway.stop()


def edge_settings(compiled: Compiled, keys: Keys, target: str, **changes: object) -> EdgeSettings:
    given = {
        "port": 0,
        "admin_port": 0,
        "descriptors": compiled.descriptors,
        "backends": {"edge": target},
        "health_check_seconds": 0,
        "user_issuer": RULES.issuer,
        "user_audience": RULES.audience,
        "user_jwks": keys.jwks,
        "rate_limit": 0,
        "access_log": False,
        "concurrency": 1,
    }
    return EdgeSettings.model_validate(given | changes)
