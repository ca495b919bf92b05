"""The world of the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.scenarios.sessions import begin_time_out
from tests.contract.world import World
from tests.support.rest import People
from tests.support.stack import RunningStack


@pytest_asyncio.fixture(scope="session")
async def world(stack: RunningStack, people: People) -> AsyncIterator[World]:
    """Where the scenarios are made."""
    world = await World.of(stack, people)
    begin_time_out(world)
    yield world
    await world.close()


@pytest_asyncio.fixture(autouse=True)
async def _nothing_stays_running(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """After each case that used the world."""
    yield
    if "world" in request.fixturenames:
        await request.getfixturevalue("world").end_running()
