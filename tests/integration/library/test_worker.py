"""What a worker finds and reads with its session's grant."""

from __future__ import annotations

import io

import docx
import orjson

from prsm.library.v1 import internal_pb2
from tests.integration.library.inputs import document, table, text
from tests.integration.library.refusals import refused
from tests.integration.library.stand import SESSION, UNKNOWN, Stand
from tests.support.serving import answer
from tests.unit.library.workbooks import workbook

PEAT = "Peat is made of moss. Bogs keep carbon."
CSV = b"depth;carbon\r\n1;20,5\r\n"


async def test_grant_without_documents_opens_the_library(stand: Stand) -> None:
    first = await stand.create(PEAT, title="Bogs", metadata={"url": "https://example.org/bogs", "year": 2001})
    stand.clock.advance(seconds=1)
    data = (await stand.upload(("data.csv", CSV), ("empty.txt", b""))).json["documents"][0]["document_id"]
    foreign = await stand.create(PEAT, user="ben")
    grant = stand.grant()
    assert [hit.document_id for hit in await stand.passages("peat", grant)] == [first.document_id]
    cards = await stand.cards(grant)
    assert [(card.document_id, card.dataset) for card in cards] == [(first.document_id, False), (data, True)]
    assert (cards[0].url, cards[0].year, cards[0].characters) == ("https://example.org/bogs", 2001, len(PEAT))
    assert not cards[1].HasField("url")
    assert await stand.content(grant, first.document_id) == ("Bogs", PEAT.encode())
    for unknown in (foreign.document_id, UNKNOWN):
        assert (await refused(stand.content(grant, unknown))).name == "DOCUMENT_NOT_FOUND"
    assert await stand.cards(grant, foreign.document_id, first.document_id) == [cards[0]]


async def test_grant_with_documents_opens_these_alone(stand: Stand) -> None:
    named = await stand.create(PEAT)
    other = await stand.create("More peat, all peat, only peat.")
    prepared = await stand.prepare(
        documents=[text("Fens", "Fens hold less peat."), document(named.document_id)],
        datasets=[table("cores", CSV)],
    )
    ids = [each.document_id for each in prepared.documents]
    data = prepared.datasets[0].document_id
    grant = stand.grant(documents=ids, datasets=[data])
    assert {hit.document_id for hit in await stand.passages("peat", grant, passages=True)} == set(ids)
    (hit,) = await stand.passages("peat", grant, document_ids=[ids[0], other.document_id])
    assert hit.document_id == ids[0]
    assert [card.document_id for card in await stand.cards(grant)] == [*ids, data]
    assert (await refused(stand.content(grant, other.document_id))).name == "DOCUMENT_NOT_FOUND"
    assert await stand.content(grant, data, raw=True) == ("cores.csv", CSV)
    assert await stand.content(grant, data) == ("cores", CSV.replace(b"\r\n", b"\n"))


async def test_library_grant_with_datasets_lists_both(stand: Stand) -> None:
    mine = await stand.create(PEAT)
    prepared = await stand.prepare(datasets=[table("cores", CSV)])
    grant = stand.grant(datasets=[prepared.datasets[0].document_id])
    assert [card.document_id for card in await stand.cards(grant)] == [
        mine.document_id,
        prepared.datasets[0].document_id,
    ]


async def test_named_documents_rank_the_same_whatever_else_there_is(stand: Stand) -> None:
    ids = [(await stand.create(f"{PEAT} Part {number}. {'carbon ' * number}")).document_id for number in range(4)]
    grant = stand.grant(documents=ids)
    before = await stand.passages("carbon in peat", grant)
    await stand.batch(*({"text": f"Carbon {number} and peat."} for number in range(50)))
    assert await stand.passages("carbon in peat", stand.grant(documents=ids[::-1])) == before


async def test_what_a_session_works_on_outlasts_its_deletion(stand: Stand) -> None:
    made = await stand.create(PEAT)
    named = stand.grant(documents=[made.document_id])
    whole = stand.grant()
    await stand.delete(made.document_id)
    assert [hit.quote for hit in await stand.passages("peat", named)] == [PEAT]
    assert await stand.passages("peat", whole) == []
    assert await stand.cards(whole) == []
    for grant in (named, whole):
        assert (await stand.content(grant, made.document_id))[1] == PEAT.encode()


async def test_files_come_back_as_they_were_sent(stand: Stand) -> None:
    written = docx.Document()
    written.add_paragraph("Peat is made of moss.")
    packed = io.BytesIO()
    written.save(packed)
    made = (await stand.upload(("bogs.docx", packed.getvalue()))).json
    grant = stand.grant()
    assert await stand.content(grant, made["document_id"], raw=True) == ("bogs.docx", packed.getvalue())
    assert (await stand.content(grant, made["document_id"]))[1] == b"Peat is made of moss."


async def test_a_workbook_comes_as_its_bytes(local: Stand) -> None:
    book = workbook({"Empty": [], "Cores": [["depth", "carbon"], [1, 20.5]], "Notes": [["x"], ["y"]]})
    made = (await local.upload(("book.xlsx", book))).json
    assert (made["kind"], made["dataset"]) == ("xlsx", True)
    assert await local.content(local.grant(), made["document_id"], raw=True) == ("book.xlsx", book)


async def test_many_cards_come_in_pages(stand: Stand) -> None:
    results = await stand.batch(*({"text": f"Peat {number}."} for number in range(450)))
    ids = [result["document_id"] for result in results]
    assert [card.document_id for card in await stand.cards(stand.grant())] == ids
    assert [card.document_id for card in await stand.cards(stand.grant(documents=ids[::-1]))] == ids[::-1]


async def test_cards_show_what_is_known_of_works(local: Stand) -> None:
    items = [
        {
            "type": "article-journal",
            "title": f"On the carbon of bog number {number}" + " and of its moss" * 110,
            "author": [{"family": "Doe", "given": "Jane"}],
            "issued": {"date-parts": [[1900 + number % 100]]},
            "abstract": "Peat keeps carbon.",
        }
        for number in range(600)
    ]
    made = (await local.upload(("bogs.csljson", orjson.dumps(items)))).json
    # As many as there is room for.
    assert 100 < len(made["works"]) < 600
    assert len(orjson.dumps(made)) < 4 * 1024 * 1024
    first = made["works"][0]
    content = await local.text(made["document_id"])
    assert "On the carbon of bog number 0" in content[first["start"] : first["end"]]
    assert orjson.dumps(first["csl"]["issued"]) == b'{"date-parts":[[1900]]}'
    plain = await local.create("Peat.", title="Plain")
    grant = local.grant()
    cards = await local.cards(grant)
    # Its works come in several cards, one after the other.
    places = [place for place, card in enumerate(cards) if card.document_id == made["document_id"]]
    assert places == [*range(places[0], places[0] + len(cards) - 1)]
    shown = [cards[place] for place in places]
    assert len(shown) > 1
    works = [work for card in shown for work in card.works]
    assert [(work.start, work.end) for work in works[:1]] == [(first["start"], first["end"])]
    assert len(works) == 600
    assert all("abstract" not in orjson.loads(work.csl) for work in works)
    (last,) = await local.cards(grant, plain.document_id)
    assert (last.csl, list(last.works)) == (b"", [])


async def test_large_content_comes_in_pieces(local: Stand) -> None:
    long = "Peat is made of moss. " * 40_000
    made = await local.create(long)
    assert (await local.content(local.grant(), made.document_id))[1] == long.encode()


async def test_calls_without_a_grant_are_refused(local: Stand) -> None:
    worker = local.identities.peer("worker", "library")
    request = internal_pb2.SearchPassagesRequest(query="peat", limit=1)
    assert (await refused(worker.call(local.internal.SearchPassages, request, timeout=60))).name == "FORBIDDEN"
    assert (await refused(local.passages("peat", "forged"))).name == "FORBIDDEN"


async def test_only_the_services_named_may_call(local: Stand) -> None:
    results = local.identities.peer("results", "library")
    inputs = internal_pb2.PrepareInputsRequest(session_id=SESSION, owner="ada")
    assert (await refused(results.call(local.internal.PrepareInputs, inputs, timeout=60))).name == "FORBIDDEN"
    user = local.internal.PrepareInputs(inputs, metadata=local.headers("ada"), timeout=60)
    assert (await refused(answer(user))).name == "UNAVAILABLE"
