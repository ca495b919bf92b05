from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.contract.envoy_prototype.compile import Compiled, compile_things
from tests.contract.envoy_prototype.stack import (
    Backend,
    Keys,
    gateway_settings,
    make_keys,
    running_backend,
    running_envoy,
    running_gateway,
)


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


@pytest_asyncio.fixture(scope="session")
async def edges(
    compiled: Compiled, keys: Keys, backend: Backend, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """Base URLs of both edges in front of one backend."""
    folder: Path = tmp_path_factory.mktemp("envoy")
    settings = gateway_settings(compiled, keys, backend.target)
    async with (
        running_gateway(settings) as gateway,
        running_envoy(compiled, keys, backend.target, folder) as envoy,
    ):
        yield {"gateway": gateway, "envoy": envoy}


@pytest.fixture(params=["gateway", "envoy"])
def edge(request: pytest.FixtureRequest, edges: dict[str, str]) -> str:
    return edges[request.param]


@pytest_asyncio.fixture
async def client(edge: str, keys: Keys) -> AsyncIterator[aiohttp.ClientSession]:
    """A signed-in client of one edge."""
    headers = {"Authorization": f"Bearer {keys.token()}"}
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(edge, headers=headers, timeout=timeout) as session:
        yield session
