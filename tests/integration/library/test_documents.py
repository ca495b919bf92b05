"""Single documents as their owner sees them: created, replaced, listed, searched, deleted."""

from __future__ import annotations

import hashlib

import pytest

from kit.errors import PrsmError
from prsm.library.v1 import library_pb2
from tests.integration.library.stand import UNKNOWN, Stand
from tests.support.serving import answer

PEAT = "Peat is made of moss. Bogs keep carbon for thousands of years."
OAKS = "Oaks grow on dry ground. Their acorns feed jays."


async def refused(call: object) -> PrsmError:
    with pytest.raises(PrsmError) as caught:
        await call  # type: ignore[misc]
    return caught.value


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
    call = stand.library.CreateDocument(request, metadata=stand.headers("ada"), timeout=30)
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
