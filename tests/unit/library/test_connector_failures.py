"""What a service may do wrong, and what becomes of it."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from services.library.connectors.asking import Answer, Asking
from services.library.connectors.connector import ConnectorFailed
from services.library.connectors.fulltext import Fetched, FetchingFailed, FullTexts, Terms
from services.library.connectors.http import Limits
from services.library.connectors.work import Found, FullText, Work
from tests.support.scholarly.formats import arxiv
from tests.support.scholarly.papers import FEN, PEAT
from tests.support.scholarly.server import ATOM, NAMES, Fault, Scholarly, running_scholarly
from tests.unit.library.connecting import Bench, bench

LIMITS = Limits(seconds=30.0, bytes=64 * 1024)
JSON_NAMES = ("openalex", "crossref", "europepmc")


@pytest.fixture
async def server() -> AsyncIterator[Scholarly]:
    async with running_scholarly() as server:
        yield server


@pytest.fixture
async def at(server: Scholarly) -> AsyncIterator[Bench]:
    made = bench(server, limits=LIMITS)
    yield made
    await made.close()


def type_of(name: str) -> str:
    return ATOM if name == "arxiv" else "application/json"


async def failure(at: Bench, name: str, query: str = "rewetting") -> ConnectorFailed:
    with pytest.raises(ConnectorFailed) as failed:
        await at.connectors[name].search(query, 5)
    return failed.value


@pytest.mark.parametrize("name", NAMES)
async def test_comes_back_when_it_was_asked_to(name: str, server: Scholarly, at: Bench) -> None:
    server.fail(name, Fault(429, headers={"Retry-After": "7"}))
    assert await at.connectors[name].search("rewetting", 1)
    assert sum(at.waiting.pauses) >= 7
    assert len(server.asked[name]) == 2


async def test_a_date_to_come_back_at(server: Scholarly, at: Bench) -> None:
    # The clock of tests begins with 2026.
    server.fail("crossref", Fault(503, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:09 GMT"}))
    assert await at.connectors["crossref"].search("rewetting", 1)
    assert sum(at.waiting.pauses) == 9


async def test_nobody_asks_while_a_service_wants_rest(server: Scholarly, at: Bench) -> None:
    server.fail("openalex", Fault(429, headers={"Retry-After": "3600"}))
    assert (await failure(at, "openalex")).problem == "allows no more requests for now (for 3600 s)"
    assert (await failure(at, "openalex")).problem == "is asked as often as it allows already"
    assert len(server.asked["openalex"]) == 1
    at.waiting.clock.advance(seconds=3600)
    assert await at.connectors["openalex"].search("rewetting", 1)


@pytest.mark.parametrize("name", NAMES)
async def test_passing_failures_are_tried_again(name: str, server: Scholarly, at: Bench) -> None:
    server.fail(name, Fault(500), Fault(502, content_type="text/html"), Fault(cut=True, content_type=type_of(name)))
    assert await at.connectors[name].search("rewetting", 1)
    assert len(server.asked[name]) == 4


async def test_pauses_double_and_requests_keep_their_distance(server: Scholarly, at: Bench) -> None:
    server.fail("arxiv", *[Fault(500)] * 4)
    assert (await failure(at, "arxiv")).problem == "fails (HTTP 500)"
    # Between attempts half a second, one, two; the rest until three seconds have gone by since the last.
    assert at.waiting.pauses == [0.5, 2.5, 1.0, 2.0, 2.0, 1.0]


@pytest.mark.parametrize("name", NAMES)
async def test_silence_ends(name: str, server: Scholarly) -> None:
    at = bench(server, limits=Limits(seconds=0.02))
    server.fail(name, *[Fault(hang=True)] * 4)
    assert (await failure(at, name)).problem == "did not answer in time"
    await at.close()


@pytest.mark.parametrize("name", NAMES)
async def test_half_an_answer(name: str, server: Scholarly, at: Bench) -> None:
    whole = b'{"results": [{"id"' if name != "arxiv" else arxiv([PEAT], 1, 0).encode()[:300]
    server.fail(name, *[Fault(body=whole, content_type=type_of(name))] * 4)
    kind = "XML" if name == "arxiv" else "JSON"
    assert (await failure(at, name)).problem == f"gives an answer that cannot be read (no {kind})"
    server.fail(name, *[Fault(body=whole, content_type=type_of(name), cut=True)] * 4)
    assert (await failure(at, name)).problem == "breaks off in the middle of its answer"


@pytest.mark.parametrize("name", NAMES)
async def test_another_type_is_not_read(name: str, server: Scholarly, at: Bench) -> None:
    server.fail(name, Fault(body=b"<html>Sign in</html>", content_type="text/html"))
    assert (await failure(at, name)).problem == "answers with text/html instead of what was asked for"
    assert len(server.asked[name]) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_huge_answer_is_not_read_to_its_end(name: str, server: Scholarly, at: Bench) -> None:
    server.fail(name, Fault(body=b" " * 70_000, content_type=type_of(name)))
    assert (await failure(at, name)).problem == "answers with more than 65,536 bytes"


async def test_compression_is_not_taken(server: Scholarly, at: Bench) -> None:
    small = zlib.compress(b" " * 10_000_000)
    server.fail("openalex", Fault(body=small, headers={"Content-Encoding": "deflate"}))
    assert (await failure(at, "openalex")).problem == "compresses its answer, which was not asked for"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_is_not_repeated(status: int, server: Scholarly, at: Bench) -> None:
    server.fail("crossref", Fault(status, body=b"{}"))
    assert (await failure(at, "crossref")).problem == f"refuses the request (HTTP {status})"
    assert len(server.asked["crossref"]) == 1


async def test_redirections_lead_nowhere(server: Scholarly, at: Bench) -> None:
    server.fail("europepmc", Fault(302, headers={"Location": f"{server.url}/openalex/works"}))
    assert (await failure(at, "europepmc")).problem == "refuses the request (HTTP 302)"
    assert not server.asked["openalex"]


async def test_what_was_found_before_is_kept(server: Scholarly) -> None:
    at = bench(server, limits=LIMITS, page_size=1)
    # The first page is right, and everything after it fails.
    works = [work async for page in at.connectors["arxiv"].pages("all:rewetting", 1) for work in page][:1]
    answer = Fault(body=arxiv([FEN], 2, 0).encode(), content_type=ATOM)
    server.fail("arxiv", answer, *[Fault(500)] * 4)
    failed = await failure(at, "arxiv")
    assert [work.title for work in failed.found] == [FEN.title]
    assert works
    await at.close()


BOMB = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d SYSTEM "file:///etc/hostname">]>
<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/2001.00001v1</id>
<title>&c;</title><summary>&d;</summary></entry></feed>"""


async def test_entities_are_not_expanded(server: Scholarly, at: Bench) -> None:
    server.fail("arxiv", *[Fault(body=BOMB, content_type=ATOM)] * 4)
    assert (await failure(at, "arxiv")).problem == "gives an answer that cannot be read (XML with a document type)"


async def test_an_error_that_is_told_as_a_feed(server: Scholarly, at: Bench) -> None:
    feed = arxiv([FEN], 1, 0).replace(f"http://arxiv.org/abs/{FEN.arxiv}v2", "http://arxiv.org/api/errors#bad_query", 1)
    server.fail("arxiv", Fault(body=feed.encode(), content_type=ATOM))
    assert (await failure(at, "arxiv")).problem == "refuses the query"


async def test_an_empty_page_of_many_results_is_asked_for_again(server: Scholarly, at: Bench) -> None:
    server.fail("arxiv", Fault(body=arxiv([], 40, 0).encode(), content_type=ATOM))
    assert await at.connectors["arxiv"].search("rewetting", 1)


@pytest.mark.parametrize("name", JSON_NAMES)
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"results": 7, "message": [], "resultList": "x"}',
        b'{"results": [7, null, {"abstract_inverted_index": {"a": ["x", -1, 1e99, {}]}, "authorships": [[]]}],'
        b'"message": {"items": [7, {"title": "x", "author": [7], "issued": {"date-parts": [[null]]}, "license": [7]}]},'
        b'"resultList": {"result": [{"authorList": 7, "journalInfo": [], "pubTypeList": {"pubType": 7}}, "x"]}}',
        b"[" * 5000 + b"]" * 5000,
    ],
)
async def test_odd_values_are_no_works(name: str, body: bytes, server: Scholarly, at: Bench) -> None:
    server.fail(name, *[Fault(body=body)] * 8)
    if body.startswith(b"{"):
        assert await at.connectors[name].search("rewetting", 5) == []
    else:
        assert "cannot be read" in (await failure(at, name)).problem


async def test_nobody_is_kept_away_for_years(server: Scholarly, at: Bench) -> None:
    server.fail("openalex", Fault(429, headers={"Retry-After": "999999999"}))
    assert (await failure(at, "openalex")).problem == "allows no more requests for now (for 86400 s)"
    at.waiting.clock.advance(seconds=86_400)
    assert await at.connectors["openalex"].search("rewetting", 1)


@pytest.mark.parametrize("header", ["Mon, 01 Jan 2001 00:00:00 +99999999999999999999", "soon", "-1"])
async def test_a_wait_that_is_none(header: str, server: Scholarly, at: Bench) -> None:
    server.fail("openalex", Fault(503, headers={"Retry-After": header}))
    assert await at.connectors["openalex"].search("rewetting", 1)


async def test_a_licence_from_beyond_all_time(server: Scholarly, at: Bench) -> None:
    body = (
        b'{"message": {"total-results": 1, "items": [{"title": ["Peat"], "abstract": "Of moss.", "license":'
        b'[{"URL": "https://creativecommons.org/licenses/by/4.0/", "start": {"date-parts": [[9999999999999]]}}]}]}}'
    )
    server.fail("crossref", Fault(body=body))
    assert [work.title for work in await at.connectors["crossref"].search("rewetting", 5)] == ["Peat"]


class Unforeseen:
    """A connector that fails as nobody thought of."""

    name = "one"
    address = "http://one.example"

    async def search(self, query: str, limit: int) -> list[Work]:
        raise RuntimeError("unforeseen")

    async def full_text(self, url: str) -> tuple[str, str, bytes]:
        raise RuntimeError("unforeseen")


class NoAnswers:
    """Keeps none."""

    async def get(self, key: str) -> list[Work] | None:
        return None

    async def put(self, key: str, works: Sequence[Work]) -> None:
        raise AssertionError("nothing was found")


async def test_a_failure_that_was_not_foreseen_is_one_connectors_alone() -> None:
    asking = Asking({"one": Unforeseen()}, NoAnswers(), seconds=5.0)
    assert await asking(["one", "two"], "peat", 5) == [
        Answer("one", problem="gives an answer that cannot be read"),
        Answer("two", problem="is not enabled here"),
    ]


async def test_a_full_texts_address_that_is_none_is_left_out() -> None:
    class Refusing:
        async def fetch(self, url: str, *, most_bytes: int, seconds: float) -> Fetched:
            raise FetchingFailed("is no well-formed address")

    work = Work("Peat", "Of moss.", full_texts=(FullText("http://[peat", "cc-by", "pdf"),))
    terms = Terms(frozenset({"cc-by"}), most=5, most_bytes=1000, seconds=5.0, seconds_for_all=5.0)
    texts = FullTexts(Asking({}, NoAnswers(), seconds=5.0), Refusing(), cast(Any, None), terms)
    assert await texts([Found(work, ("openalex",))]) == {}
