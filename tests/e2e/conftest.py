"""The sessions that the end-to-end tests look at: one of each type, on real input, by the real engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e import lab
from tests.e2e.lab import Done
from tests.support.rest import Api, People
from tests.support.stack import RunningStack


@dataclass(frozen=True)
class Sessions:
    """One session of each type, and the second research session that the synthesis draws on."""

    research: Done
    more_research: Done
    analysis: Done
    synthesis: Done

    def of_type(self, session_type: str) -> Done:
        return {"research": self.research, "analysis": self.analysis, "synthesis": self.synthesis}[session_type]


@pytest_asyncio.fixture(scope="session")
async def ada(people: People) -> Api:
    """A user with the sample library: the articles and a table."""
    api = people.new("ada", email="ada@example.org", name="Ada")
    cards = await lab.upload(api, [*lab.ARTICLES, lab.TABLE])
    assert [card["status"] for card in cards] == ["ready"] * (len(lab.ARTICLES) + 1), cards
    return api


@pytest_asyncio.fixture(scope="session")
async def table_id(ada: Api) -> str:
    """The id of the table in the library."""
    documents = (await ada.get("/documents", limit="100"))["documents"]
    (found,) = [document["document_id"] for document in documents if document["dataset"]]
    return str(found)


@pytest_asyncio.fixture(scope="session")
async def sessions(ada: Api, table_id: str) -> Sessions:
    research = await lab.research(ada)
    more_research = await lab.research(ada, lab.LAND)
    analysis = await lab.analysis(ada, table_id)
    return Sessions(research, more_research, analysis, await lab.synthesis(ada, research, more_research))


@pytest.fixture(params=["gateway", "envoy"])
def reading(request: pytest.FixtureRequest, stack: RunningStack, client: aiohttp.ClientSession) -> Callable[[Api], Api]:
    """The same user at each edge."""
    edge: RunningStack = request.getfixturevalue("fronted") if request.param == "envoy" else stack
    return lambda api: Api(client, edge.url, api.token, api.user)


@pytest.fixture(params=["research", "analysis", "synthesis"])
def done(request: pytest.FixtureRequest, sessions: Sessions, reading: Callable[[Api], Api]) -> Done:
    """A completed session of each type, looked at through each edge."""
    found = sessions.of_type(request.param)
    return replace(found, api=reading(found.api))
