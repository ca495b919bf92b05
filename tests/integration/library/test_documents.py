"""Single documents as their owner sees them: created, replaced, listed, searched, deleted."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from prsm.events.v1 import events_pb2
from prsm.library.v1 import library_pb2
from tests.integration.library.refusals import fields, refused
from tests.integration.library.stand import UNKNOWN, Stand
from tests.support.serving import answer

PEAT = "Peat is made of moss. Bogs keep carbon for thousands of years."
OAKS = "Oaks grow on dry ground. Their acorns feed jays."


async def test_created_document_is_stored_listed_and_found(stand: Stand) -> None:
    made = await stand.create(PEAT, title="  Bogs\n and peat ", external_id="a1", metadata={"year": 1999, "n": 1.5})
    assert made.title == "Bogs and peat"
    assert (made.kind, made.status, made.pages, made.characters) == ("text", library_pb2.Document.ready, 0, len(PEAT))
    assert made.sha256 == hashlib.sha256(PEAT.encode()).hexdigest()
    assert (made.external_id, made.year, made.dataset, list(made.problems)) == ("a1", 1999, False, [])
    assert dict(made.metadata) == {"year": 1999, "n": 1.5}
    assert await stand.get(made.document_id) == made
    assert await stand.text(made.document_id) == PEAT
    page = await stand.listed()
    assert (list(page.documents), page.total_count, page.page, page.limit) == ([made], 1, 1, 20)
    (hit,) = await stand.search("carbon in bogs")
    assert (hit.document_id, hit.external_id, hit.title) == (made.document_id, "a1", made.title)
    assert PEAT[hit.start : hit.end] == hit.quote == PEAT
    assert not hit.HasField("page")
    assert hit.score > 0


async def test_location_and_status_come_with_the_answer(stand: Stand) -> None:
    request = library_pb2.CreateDocumentRequest(text=PEAT)
    call = stand.library.CreateDocument(request, metadata=stand.headers("ada"), timeout=60)
    made = await answer(call)
    headers = dict(await call.initial_metadata())
    assert headers["x-prsm-http-status"] == "201"
    assert headers["location"] == f"/api/v1/documents/{made.document_id}"


async def test_deleted_document_is_gone_from_the_next_search(stand: Stand) -> None:
    made = await stand.create(PEAT)
    kept = await stand.create(OAKS)
    assert {hit.document_id for hit in await stand.search("peat oaks")} == {made.document_id, kept.document_id}
    await stand.delete(made.document_id)
    assert [hit.document_id for hit in await stand.search("peat oaks")] == [kept.document_id]
    assert (await refused(stand.get(made.document_id))).name == "DOCUMENT_NOT_FOUND"
    assert (await refused(stand.delete(made.document_id))).name == "DOCUMENT_NOT_FOUND"
    assert (await stand.listed()).total_count == 1


async def test_strangers_document_looks_like_none(stand: Stand) -> None:
    made = await stand.create(PEAT)
    for document_id in (made.document_id, UNKNOWN, "nonsense"):
        for call in (stand.get, stand.text, stand.delete):
            error = await refused(call(document_id, user="ben"))
            assert (error.name, error.message) == ("DOCUMENT_NOT_FOUND", "The specified document does not exist")
    assert await stand.search("peat", user="ben") == []
    assert await stand.text(made.document_id) == PEAT


async def test_text_is_stored_normalised_and_a_blank_title_is_derived(stand: Stand) -> None:
    made = await stand.create("Cafe\u0301 owners\r\nkeep\u00ad bees.", title=" ")
    assert await stand.text(made.document_id) == "Caf\u00e9 owners\nkeep bees."
    assert made.title == "Caf\u00e9 owners keep bees."


async def test_long_texts_come_back_whole_in_pieces(stand: Stand) -> None:
    text = "\n\n".join(f"Paragraph {n} tells of the ångström and the \U0001f33f moss number {n}." for n in range(9000))
    made = await stand.create(text)
    request = library_pb2.GetDocumentTextRequest(document_id=made.document_id)
    call = stand.library.GetDocumentText(request, metadata=stand.headers("ada"), timeout=60)
    parts = [part async for part in call]
    assert b"".join(part.data for part in parts).decode() == text
    assert len(parts) > 1
    assert max(len(part.data) for part in parts) <= 256 * 1024
    assert [part.content_type for part in parts] == ["text/plain; charset=utf-8"] + [""] * (len(parts) - 1)
    (hit,) = await stand.search("moss number 8123", passages=True, limit=1)
    assert hit.quote == text[hit.start : hit.end]
    assert "8123" in hit.quote


async def test_known_external_id_is_replaced(stand: Stand) -> None:
    old = await stand.create(PEAT, title="Bogs", external_id="a1")
    new = await stand.create(OAKS, title="Oaks", external_id="a1")
    assert new.document_id != old.document_id
    assert [d.document_id for d in (await stand.listed()).documents] == [new.document_id]
    assert (await stand.listed()).total_count == 1
    assert await stand.search("peat") == []
    assert (await refused(stand.get(old.document_id))).name == "DOCUMENT_NOT_FOUND"
    assert (await stand.create(PEAT, external_id="a1", user="ben")).external_id == "a1"
    assert (await stand.get(new.document_id)).title == "Oaks"


async def test_same_content_keeps_its_id(stand: Stand) -> None:
    old = await stand.create(PEAT, title="Bogs", external_id="a1", metadata={"k": [1, {"x": None}]})
    same = await stand.create(PEAT, title="Bogs", external_id="a1", metadata={"k": [1, {"x": None}]})
    assert same == old
    changed = await stand.create(PEAT, title="Bogs", external_id="a1", metadata={"k": [1, {"x": True}]})
    assert changed.document_id != old.document_id
    assert (await stand.listed()).total_count == 1


async def test_external_id_is_free_again_after_deletion(stand: Stand) -> None:
    old = await stand.create(PEAT, external_id="a1")
    await stand.delete(old.document_id)
    again = await stand.create(PEAT, external_id="a1")
    assert again.document_id != old.document_id
    assert [hit.document_id for hit in await stand.search("peat")] == [again.document_id]


async def test_replacements_at_once_leave_one(stand: Stand) -> None:
    made = await asyncio.gather(*(stand.create(f"{PEAT} {n}", external_id="a1") for n in range(6)))
    assert len({document.document_id for document in made}) == 6
    page = await stand.listed()
    assert page.total_count == 1
    assert [hit.document_id for hit in await stand.search("peat")] == [page.documents[0].document_id]


async def test_deletions_at_once_have_one_effect(stand: Stand) -> None:
    made = await stand.create(PEAT)
    outcomes = await asyncio.gather(*(stand.delete(made.document_id) for _ in range(4)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert (await stand.listed()).total_count == 0


async def test_same_key_creates_once(stand: Stand) -> None:
    first, second = await asyncio.gather(*(stand.create(PEAT, key="k1") for _ in range(2)))
    assert first == second
    assert await stand.create(PEAT, key="k1") == first
    assert (await refused(stand.create(OAKS, key="k1"))).name == "IDEMPOTENCY_KEY_REUSED"
    assert (await stand.listed()).total_count == 1


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"text": " \n\u00a0"}, ["text"]),
        ({"text": "\u00ad\ufeff"}, ["text"]),
        ({"text": "x", "title": "t" * 501}, ["title"]),
        ({"text": "x", "external_id": "tab\there"}, ["external_id"]),
        ({"text": "x", "metadata": {"big": "x" * 17_000}}, ["metadata"]),
        ({"text": "x", "metadata": {"n": float("inf")}}, ["metadata"]),
    ],
)
async def test_faulty_requests_store_nothing(local: Stand, request_: dict[str, Any], named: list[str]) -> None:
    assert fields(await refused(local.create(**request_))) == named
    assert (await local.listed()).total_count == 0
    assert await local.events() == []


async def test_metadata_too_deep_is_refused(local: Stand) -> None:
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"in": deep}
    assert fields(await refused(local.create("x", metadata=deep))) == ["metadata"]


async def test_cited_facts_are_taken_from_metadata(stand: Stand) -> None:
    metadata = {"authors": ["Ann  Bee", 7, ""], "year": "March 2004", "doi": "doi:10.1000/xyz.", "url": "not a url"}
    made = await stand.create(PEAT, metadata=metadata)
    assert (list(made.authors), made.year, made.doi) == (["Ann Bee"], 2004, "10.1000/xyz")
    bare = await stand.create(OAKS, metadata={"year": 12345, "doi": "none", "authors": {"a": 1}})
    assert list(bare.authors) == []
    assert not bare.HasField("year")
    assert not bare.HasField("doi")


async def test_pages_and_cursors(stand: Stand) -> None:
    made = []
    for number in range(5):
        made.append((await stand.create(f"Peat number {number}.")).document_id)
        stand.clock.advance(seconds=1)
    newest = made[::-1]
    first = await stand.listed(limit=2)
    assert [d.document_id for d in first.documents] == newest[:2]
    assert (first.total_count, first.limit) == (5, 2)
    late = await stand.create("Came meanwhile.")
    await stand.delete(newest[3])
    second = await stand.listed(limit=2, cursor=first.next_cursor)
    assert [d.document_id for d in second.documents] == [newest[2], newest[4]]
    assert (await stand.listed(limit=2, page=1)).documents[0].document_id == late.document_id
    third = await stand.listed(limit=2, page=3)
    assert [d.document_id for d in third.documents] == [newest[4]]
    assert not third.HasField("next_cursor")
    past = await stand.listed(page=9)
    assert (list(past.documents), past.total_count) == ([], 5)


async def test_a_page_of_the_largest_metadata_stays_below_a_mebibyte(local: Stand) -> None:
    lines = [{"text": f"Peat {number}.", "metadata": {"x": "y" * 16_000}} for number in range(100)]
    await local.batch(*lines[:60])
    await local.batch(*lines[60:])
    page = await local.listed(limit=100)
    assert len(page.documents) == 100
    assert page.ByteSize() < 1024 * 1024
    assert (await local.get(page.documents[0].document_id)).metadata["x"] == "y" * 16_000


async def test_every_change_is_an_event(stand: Stand) -> None:
    old = await stand.create(PEAT, external_id="a1")
    await stand.create(PEAT, external_id="a1")
    new = await stand.create(OAKS, external_id="a1")
    await stand.delete(new.document_id)
    seen = [(e.document_id, e.version, e.type, e.owner, e.status) for e in await stand.events()]
    assert seen == [
        (old.document_id, 1, "document.stored", "ada", "ready"),
        (new.document_id, 1, "document.stored", "ada", "ready"),
        (old.document_id, 2, "document.deleted", "ada", "ready"),
        (new.document_id, 2, "document.deleted", "ada", "ready"),
    ]
    assert isinstance((await stand.events())[0], events_pb2.DocumentChanged)


async def test_search_takes_only_the_documents_named(stand: Stand) -> None:
    bogs = await stand.create(PEAT)
    more = await stand.create("Peat burns. Peat is dug.")
    foreign = await stand.create("Peat of others.", user="ben")
    hits = await stand.search("peat", document_ids=[bogs.document_id, foreign.document_id, UNKNOWN])
    assert [hit.document_id for hit in hits] == [bogs.document_id]
    assert {hit.document_id for hit in await stand.search("peat", document_ids=[])} == {
        bogs.document_id,
        more.document_id,
    }


async def test_queries_that_ask_nothing(stand: Stand) -> None:
    await stand.create(PEAT)
    assert await stand.search("the of and") == []
    assert await stand.search("zebras") == []
    assert fields(await refused(stand.search(" \t"))) == ["query"]
    assert fields(await refused(stand.search("x", limit=0))) == ["limit"]


async def test_the_largest_search_stays_below_a_mebibyte(local: Stand) -> None:
    text = "Peat bogs keep carbon for a very long time, as everybody knows by now. " * 24
    await local.batch(*({"text": f"{text}Number {number}."} for number in range(900)))
    request = library_pb2.SearchDocumentsRequest(query="peat carbon", limit=1000)
    call = local.library.SearchDocuments(request, metadata=local.headers("ada"), timeout=60)
    found = await answer(call)
    assert len(found.hits) == 900
    assert found.ByteSize() < 1024 * 1024
    for hit in found.hits[::100]:
        assert len(hit.quote) > 500
        assert (await local.text(hit.document_id))[hit.start : hit.end] == hit.quote


async def test_a_reading_token_reads_and_cannot_write(local: Stand) -> None:
    made = await local.create(PEAT)
    reading = local.identities.user_metadata("ada", scope="read")
    request = library_pb2.GetDocumentRequest(document_id=made.document_id)
    assert await answer(local.library.GetDocument(request, metadata=reading, timeout=60)) == made
    refusal = await refused(
        answer(local.library.CreateDocument(library_pb2.CreateDocumentRequest(text="x"), metadata=reading, timeout=60))
    )
    assert refusal.name == "FORBIDDEN"
