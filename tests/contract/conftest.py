"""The world of the contract suite, once for each edge: every case that is given it runs through both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.contract.described import faults_of
from tests.contract.scenarios.sessions import begin_time_out
from tests.contract.world import World
from tests.support.rest import Answer, Api, People
from tests.support.stack import RunningStack

EDGES = ("gateway", "envoy")


@pytest_asyncio.fixture(scope="session")
async def worlds(
    stack: RunningStack, fronted: RunningStack, client: aiohttp.ClientSession
) -> AsyncIterator[Mapping[str, World]]:
    """By edge: one running stack, and users and sessions of each one's own."""
    made = {each.edge: await World.of(each, People(each, client)) for each in (stack, fronted)}
    for world in made.values():
        begin_time_out(world)
    yield made
    for world in made.values():
        await world.close()


@pytest.fixture(scope="session", params=EDGES)
def edge(request: pytest.FixtureRequest) -> str:
    """What answers the REST API."""
    return str(request.param)


@pytest.fixture(scope="session")
def world(edge: str, worlds: Mapping[str, World]) -> World:
    """Where the scenarios are made."""
    return worlds[edge]


@pytest_asyncio.fixture(autouse=True)
async def _nothing_stays_running(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """After each case that used the world."""
    if "world" in request.fixturenames:
        # For the table at the end of a run.
        request.node.user_properties.append(("edge", request.getfixturevalue("edge")))
    yield
    if "world" in request.fixturenames:
        await request.getfixturevalue("world").end_running()


@pytest.fixture(autouse=True)
def _every_answer_is_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a case is about: no answer may differ from what the API's description says of it."""
    send = Api.send

    async def sent(api: Api, method: str, path: str, **request: Any) -> Answer:
        answer = await send(api, method, path, **request)
        assert not (faults := faults_of(answer)), f"{method} {path} {answer.status}: {faults[:5]} {answer.text[:300]}"
        return answer

    monkeypatch.setattr(Api, "send", sent)
