"""Both edges in front of one small gRPC backend that the tests lead."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.support.envoy import RunningEnvoy, running_envoy
from tests.support.things.compile import Compiled, compile_things
from tests.support.things.stack import (
    Backend,
    Keys,
    edge_settings,
    gateway_settings,
    make_keys,
    running_backend,
    running_gateway,
)

Opened = Callable[..., AbstractAsyncContextManager[aiohttp.ClientSession]]
Start = Callable[..., AbstractAsyncContextManager[RunningEnvoy]]
EDGES = ("gateway", "envoy")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compile_things(tmp_path_factory.mktemp("things"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest_asyncio.fixture(scope="session")
async def backend(compiled: Compiled) -> AsyncIterator[Backend]:
    async with running_backend(compiled) as running:
        yield running


@pytest.fixture
def things(backend: Backend) -> Backend:
    """The backend with nothing left over from another test."""
    backend.things.reset()
    return backend


@pytest_asyncio.fixture(scope="session")
async def edges(
    compiled: Compiled, keys: Keys, backend: Backend, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """Base URLs of both edges in front of one backend."""
    folder: Path = tmp_path_factory.mktemp("envoy")
    settings = gateway_settings(compiled, keys, backend.target)
    async with (
        running_gateway(settings) as gateway,
        running_envoy(edge_settings(compiled, keys, backend.target), folder, pages={}) as envoy,
    ):
        yield {"gateway": gateway, "envoy": envoy.url}


@pytest.fixture(params=EDGES)
def edge_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def edge(edge_name: str, edges: dict[str, str]) -> str:
    """The base URL of one edge."""
    return edges[edge_name]


@pytest_asyncio.fixture
async def client(edge: str, keys: Keys) -> AsyncIterator[aiohttp.ClientSession]:
    """A signed-in client of one edge."""
    async with signed_in(edge, keys) as session:
        yield session


@pytest.fixture
def opened(compiled: Compiled, keys: Keys, backend: Backend, edge_name: str, tmp_path: Path) -> Opened:
    """A signed-in client of an edge of its own, with other settings than usual where given."""

    @contextlib.asynccontextmanager
    async def open_edge(*, target: str | None = None, **changes: object) -> AsyncIterator[aiohttp.ClientSession]:
        where = target or backend.target
        async with contextlib.AsyncExitStack() as running:
            if edge_name == "gateway":
                settings = gateway_settings(compiled, keys, where, **changes)
                url = await running.enter_async_context(running_gateway(settings))
            else:
                envoy_settings = edge_settings(compiled, keys, where, **changes)
                envoy = await running.enter_async_context(running_envoy(envoy_settings, tmp_path, pages={}))
                url = envoy.url
            yield await running.enter_async_context(signed_in(url, keys))

    return open_edge


@pytest.fixture
def start(compiled: Compiled, keys: Keys, backend: Backend, tmp_path: Path) -> Start:
    """Start an Envoy with these settings."""

    def make(target: str = "", **changes: object) -> AbstractAsyncContextManager[RunningEnvoy]:
        settings = edge_settings(compiled, keys, target or backend.target, secrets_dir=tmp_path / "sds", **changes)
        return running_envoy(settings, tmp_path, pages={})

    return make


async def error_of(response: aiohttp.ClientResponse) -> tuple[int, str]:
    """(status, error) of an answer that is the documented error JSON."""
    body = json.loads(await response.read())
    assert body["code"] == response.status
    assert body["request_id"] == response.headers["X-Request-Id"]
    return response.status, body["error"]


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds; each look is a request of its own."""
    async with asyncio.timeout(60):
        while not await look():
            pass


def signed_in(url: str, keys: Keys) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {keys.token()}"}
    return aiohttp.ClientSession(url, headers=headers, timeout=aiohttp.ClientTimeout(total=20))
