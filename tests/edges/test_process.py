"""Envoy as a process: rendered from the environment, drained on a signal; and what the real Envoy takes of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import grpc
import pytest

from deploy.envoy.program import find_envoy
from deploy.envoy.render import render, write_secrets
from deploy.envoy.settings import EdgeSettings
from tests.support.certificates import Authority
from tests.support.nats import free_port
from tests.support.processes import ROOT
from tests.support.things.stack import RULES, Keys

SERVICES = ("session", "results", "collab", "billing", "library")


def environment(keys: Keys, folder: Path, **changes: str) -> dict[str, str]:
    given = {
        "PORT": "8080",
        "DESCRIPTORS": str(ROOT / "gen" / "descriptors.binpb"),
        "BACKENDS": json.dumps({name: f"127.0.0.1:{9000 + n}" for n, name in enumerate(SERVICES)}),
        "USER_ISSUER": RULES.issuer,
        "USER_AUDIENCE": RULES.audience,
        "USER_JWKS": str(keys.jwks),
        "SECRETS_DIR": str(folder / "secrets"),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRSM_")}
    return {**kept, **{f"PRSM_ENVOY_{name}": value for name, value in (given | changes).items() if value}}


def certificates(folder: Path) -> dict[str, str]:
    """Settings for all of TLS, with files that are there."""
    authority = Authority()
    certificate, key = authority.issue("envoy.test")
    paths = {name: folder / name for name in ("tls.crt", "tls.key", "ca.crt")}
    for path, content in zip(paths.values(), (certificate, key, authority.pem), strict=True):
        path.write_bytes(content)
    own, secret, ca = map(str, paths.values())
    internal = {"TLS_CERT": own, "TLS_KEY": secret, "TLS_CA": ca, "BACKEND_NAME": "{service}.prsm.svc"}
    return {**internal, "PUBLIC_CERT": own, "PUBLIC_KEY": secret, "HTTPS_PORT": "8443", "USER_JWKS_CA": ca}


EMBEDDED = {"HEALTH_CHECK_SECONDS": "0", "DRAIN_SECONDS": "1.5", "CONCURRENCY": "2"}
PRODUCTION = {
    "HOST": "0.0.0.0",
    "GRPC_PORT": "9000",
    "METRICS_PORT": "9464",
    "BACKENDS": json.dumps({name: f"dns:///{name}.prsm.svc:9000" for name in SERVICES}),
    "USER_JWKS": "https://issuer.example/.well-known/jwks.json",
    "USER_ALGORITHMS": '["RS256", "EdDSA"]',
    "RATE_LIMIT": "0.3",
    "RATE_BURST": "7",
    "MAX_HEAP": "500000000",
    "TRUSTED_HOPS": "1",
    "OTLP_ENDPOINT": "http://collector:4317",
    "TRACE_RATIO": "0.1",
}


@pytest.mark.parametrize(
    ("changes", "is_secure"),
    [
        pytest.param(EMBEDDED, False, id="embedded"),
        pytest.param(PRODUCTION, True, id="production"),
        pytest.param({**PRODUCTION, "PLAIN_HTTP": "redirect"}, True, id="production, HTTPS alone"),
        pytest.param(
            {"RATE_LIMIT": "0", "ACCESS_LOG": "false", "USER_JWKS": "http://issuer:81/keys"}, False, id="bare"
        ),
    ],
)
async def test_the_real_envoy_takes_what_is_rendered(
    keys: Keys, tmp_path: Path, changes: dict[str, str], is_secure: bool
) -> None:
    given = environment(keys, tmp_path, **{**changes, **(certificates(tmp_path) if is_secure else {})})
    rendering = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.envoy.render"),
        env={**given, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    configuration, _ = await rendering.communicate()
    assert rendering.returncode == 0
    config = tmp_path / "envoy.json"
    config.write_bytes(configuration)
    validating = await asyncio.create_subprocess_exec(
        *(str(find_envoy()), "--mode", "validate", "-c", str(config), "--log-level", "error"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await validating.communicate()
    assert validating.returncode == 0, said.decode()


def test_a_settings_file_goes_before_the_environment(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRSM_ENVOY_PORT", "1")
    monkeypatch.setenv("PRSM_ENVOY_CALL_SECONDS", "7")
    common = {"backends": {}, "user_issuer": "i", "user_audience": "a", "user_jwks": str(keys.jwks)}
    settings = EdgeSettings.model_validate({"port": 2, **common})
    assert (settings.port, settings.call_seconds) == (2, 7.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"BACKENDS": '{"session": "a:1"}'}, "no backend is set for billing"),
        ({"USER_ISSUER": ""}, "PRSM_ENVOY_USER_ISSUER: "),
        ({"PORT": "many"}, "PRSM_ENVOY_PORT: "),
        ({"DESCRIPTORS": "/nonexistent"}, "/nonexistent"),
        ({"TLS_CERT": "a"}, "go together"),
    ],
)
@pytest.mark.parametrize("module", ["deploy.envoy", "deploy.envoy.render"])
async def test_bad_settings_are_one_clear_line(
    keys: Keys, tmp_path: Path, module: str, changes: dict[str, str], words: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        env={**environment(keys, tmp_path, **changes), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert (process.returncode, said.count(b"\n")) == (2, 1)
    assert said.startswith(b"envoy: ")
    assert words in said.decode()


def test_nothing_secret_is_in_the_configuration(keys: Keys, tmp_path: Path) -> None:
    secured = {name.lower(): value for name, value in certificates(tmp_path).items()}
    common = {"user_issuer": "i", "user_audience": "a", "user_jwks": keys.jwks, "secrets_dir": tmp_path / "secrets"}
    backends = {name: f"{name}:9000" for name in SERVICES}
    descriptors = ROOT / "gen" / "descriptors.binpb"
    settings = EdgeSettings.model_validate({**common, **secured, "backends": backends, "descriptors": descriptors})
    write_secrets(settings)
    written = [json.dumps(render(settings, pages={})), *(p.read_text() for p in (tmp_path / "secrets").iterdir())]
    assert len(written) == 4
    assert not [text for text in written if "PRIVATE KEY" in text]


# google.api.HttpBody{content_type: "text/event-stream", data: ": hello\n\n"}
_FRAME = b"\x0a\x11text/event-stream\x12\x09: hello\n\n"


@asynccontextmanager
async def service_that_waits(answered: asyncio.Event) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A gRPC server whose calls wait, streams after a first frame; its port, and whether a call is there."""
    there = asyncio.Event()

    async def wait(_request: bytes, _context: object) -> bytes:
        there.set()
        await answered.wait()
        return b""

    async def stream(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield _FRAME
        await answered.wait()

    class Waits(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
            if details.method.endswith("Events"):
                return grpc.unary_stream_rpc_method_handler(stream)
            return grpc.unary_unary_rpc_method_handler(wait)

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Waits(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port, there
    finally:
        await server.stop(None)


@asynccontextmanager
async def envoy_before(
    service: int, keys: Keys, folder: Path, drain_seconds: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """`python -m deploy.envoy`, and the port on which it answers."""
    port = free_port()
    backends = json.dumps(dict.fromkeys(SERVICES, f"127.0.0.1:{service}"))
    changes = {**EMBEDDED, "PORT": str(port), "ADMIN_PORT": "0", "BACKENDS": backends, "DRAIN_SECONDS": drain_seconds}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.envoy", str(folder)),
        env={**environment(keys, folder, **changes), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            while not await _answers(client):
                pass
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def signed_in(port: int, keys: Keys) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers={"X-API-Key": keys.token()})


async def test_a_signal_lets_requests_finish(keys: Keys, tmp_path: Path) -> None:
    answered = asyncio.Event()
    async with (
        service_that_waits(answered) as (service, there),
        envoy_before(service, keys, tmp_path, "30") as (process, port),
        signed_in(port, keys) as client,
    ):
        asking = asyncio.create_task(client.get("/api/v1/billing/balance").__aenter__())
        await there.wait()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            while await _connects(port):
                pass
        answered.set()
        async with await asking as response:
            assert response.status == 200
        async with asyncio.timeout(60):
            assert await process.wait() == 0


async def test_event_streams_at_the_end(keys: Keys, tmp_path: Path) -> None:
    async with (
        service_that_waits(asyncio.Event()) as (service, _),
        envoy_before(service, keys, tmp_path, "0.2") as (process, port),
        signed_in(port, keys) as client,
        client.get("/api/v1/sessions/a/events") as events,
    ):
        assert await events.content.readuntil(b"\n\n") == b": hello\n\n"
        process.send_signal(signal.SIGTERM)
        with pytest.raises((aiohttp.ClientPayloadError, ConnectionError)):
            await events.read()
        assert await process.wait() == 0


async def _answers(client: aiohttp.ClientSession) -> bool:
    try:
        async with client.get("/health") as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
