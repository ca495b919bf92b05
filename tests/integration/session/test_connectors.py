"""Which connectors a session asks: the library tells which there are."""

from __future__ import annotations

from typing import Any

import pytest

from kit.errors import PrsmError
from prsm.session.v1 import session_pb2 as pb
from services.session.drafts import Draft, check
from services.session.usecases.planning import Sources, workload
from tests.integration.session.stand import Stand
from tests.unit.session.test_drafts import CATALOGUE

ALL = ("arxiv", "openalex")
DOCUMENT = pb.DocumentInput(title="Salt", text="Rivers carry salt.")


@pytest.fixture
def connected(stand: Stand) -> Stand:
    stand.shelves.connectors = ALL
    return stand


async def asked(stand: Stand, *named: str, **request: Any) -> list[str]:
    """The connectors of a session that names these."""
    session_id = await stand.create(preferences=pb.Preferences(connectors=named), **request)
    return list((await stand.get(session_id)).preferences.connectors)


async def test_all_where_it_is_left_open_and_the_library_is_searched(connected: Stand) -> None:
    assert await asked(connected) == list(ALL)
    assert await asked(connected, "arxiv", "arxiv") == ["arxiv"]
    assert await asked(connected, "none") == ["none"]


async def test_named_documents_are_all_there_is_unless_connectors_are_named(connected: Stand) -> None:
    inputs = pb.Inputs(documents=[DOCUMENT])
    assert await asked(connected, inputs=inputs) == []
    assert await asked(connected, "openalex", inputs=inputs) == ["openalex"]


async def test_other_sessions_ask_nobody(connected: Stand) -> None:
    inputs = pb.Inputs(datasets=[pb.DatasetInput(name="sea", csv="a,b\n1,2\n")])
    assert await asked(connected, session_type="analysis", inputs=inputs) == []


async def test_a_connector_is_a_source(connected: Stand) -> None:
    connected.shelves.library_documents = 0
    assert await asked(connected) == list(ALL)
    for named in (["none"], ["none", "arxiv"], ["arxiv", "pubmed"]):
        with pytest.raises(PrsmError) as refused:
            await asked(connected, *named)
        assert refused.value.details is not None
        fields = [fault["field"] for fault in refused.value.details["fields"]]
        at = (
            {1: "inputs", 2: "preferences.connectors[0]"}[len(named)]
            if "none" in named
            else "preferences.connectors[1]"
        )
        assert fields == [at]


async def test_one_that_is_not_enabled_is_named_for_every_session_type(stand: Stand) -> None:
    inputs = pb.Inputs(datasets=[pb.DatasetInput(name="sea", csv="a,b\n1,2\n")])
    with pytest.raises(PrsmError) as refused:
        await asked(stand, "arxiv", session_type="analysis", inputs=inputs)
    assert refused.value.details is not None
    assert refused.value.details["fields"] == [
        {"field": "preferences.connectors[0]", "issue": "is not enabled here; enabled: none"}
    ]


async def test_the_estimate_counts_on_what_connectors_may_find(connected: Stand) -> None:
    draft = check(Draft("Why?", preferences={"connectors": ["arxiv"], "max_documents": 250}), CATALOGUE)
    prepared = await connected.shelves.prepare("s", "ada", draft, dry_run=True)
    sources = Sources(prepared, ())
    # The library's three, and as many as every connector that is asked may bring.
    assert workload(draft, sources).documents == 3 + 2 * 400
