"""The sessions that the end-to-end tests look at: one of each type, on real input, by the real engines."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e import lab
from tests.e2e.lab import Done
from tests.support.model_server import ModelServer, model_server
from tests.support.rest import Api, People
from tests.support.scholarly.server import NAMES, Scholarly, running_scholarly
from tests.support.stack import RunningStack, running_stack

MODEL_KEY = "sk-only-the-endpoint-knows"


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


@dataclass(frozen=True)
class Furnished:
    """A stack with what is off by default: a language model, and connectors. Both ask local servers."""

    people: People
    model: ModelServer
    scholarly: Scholarly


@pytest_asyncio.fixture(scope="session")
async def furnished(client: aiohttp.ClientSession) -> AsyncIterator[Furnished]:
    with tempfile.TemporaryDirectory(prefix="prsm-furnished-", ignore_cleanup_errors=True) as folder:
        async with model_server() as model, running_scholarly() as scholarly:
            key = Path(folder) / "key"
            key.write_text(MODEL_KEY + "\n")
            settings = {
                "PRSM_WORKER_MODEL_URL": model.url,
                "PRSM_WORKER_MODEL_NAME": "writer-1",
                "PRSM_WORKER_MODEL_KEY_FILE": str(key),
                "PRSM_LIBRARY_CONNECTORS": json.dumps(NAMES),
                "PRSM_LIBRARY_CONNECTOR_URLS": json.dumps(scholarly.urls()),
                "PRSM_LIBRARY_CONNECTOR_INTERVALS": json.dumps(dict.fromkeys(NAMES, 0)),
                "PRSM_LIBRARY_CONNECTOR_CONTACT": "library@example.org",
            }
            async with running_stack(Path(folder), workers=1, settings=settings) as stack:
                yield Furnished(People(stack, client), model, scholarly)
                logs = {log.name: log.read_text(errors="replace") for log in stack.data.logs.glob("*.log")}
                assert not [name for name, text in logs.items() if MODEL_KEY in text]
