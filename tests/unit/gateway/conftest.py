from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import pytest

from tests.edges.conftest import backend, compiled, keys
from tests.support.things.compile import Compiled
from tests.support.things.stack import Backend, Keys, gateway_settings, running_gateway

__all__ = ["backend", "compiled", "keys"]

Opened = Callable[..., AbstractAsyncContextManager[aiohttp.ClientSession]]


@pytest.fixture
def opened(compiled: Compiled, keys: Keys, backend: Backend) -> Opened:
    """A signed-in client of a gateway of its own, with other settings than usual where given."""

    @contextlib.asynccontextmanager
    async def open_gateway(*, target: str | None = None, **changes: object) -> AsyncIterator[aiohttp.ClientSession]:
        settings = gateway_settings(compiled, keys, target or backend.target, **changes)
        headers = {"Authorization": f"Bearer {keys.token()}"}
        async with running_gateway(settings) as url, aiohttp.ClientSession(url, headers=headers) as client:
            yield client

    return open_gateway


@pytest.fixture
def things(backend: Backend) -> Backend:
    """The backend with nothing left over from another test."""
    backend.things.reset()
    return backend
