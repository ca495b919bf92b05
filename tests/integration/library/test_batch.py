"""Many documents, one a line."""

from __future__ import annotations

import orjson
import pytest

from tests.integration.library.refusals import refused
from tests.integration.library.stand import NDJSON, Stand, pieces


async def test_one_result_a_line_in_order(stand: Stand) -> None:
    await stand.create("Fens are wet.", external_id="c")
    unchanged = await stand.create("Oaks are tall.", title="Oaks", external_id="d")
    results = await stand.batch(
        {"title": "Bogs", "text": "Peat is made of moss.", "external_id": "a", "metadata": {"year": 2001}},
        b"\n",
        b"{not json}\n",
        {"text": "No name."},
        {"title": "Without text"},
        {"text": "Marshes are wet.", "external_id": "c"},
        {"title": "Oaks", "text": "Oaks are tall.", "external_id": "d"},
        ["no", "object"],
        {"text": "x", "colour": "red", "external_id": ""},
    )
    assert results[0] == {
        "line": 1,
        "document_id": results[0]["document_id"],
        "external_id": "a",
        "title": "Bogs",
        "status": "ready",
        "characters": 21,
        "change": "created",
    }
    assert (results[1]["line"], results[1]["error"]) == (3, "invalid_json")
    assert (results[2]["line"], results[2]["title"], results[2]["change"]) == (4, "No name.", "created")
    assert "external_id" not in results[2]
    assert (results[3]["line"], results[3]["error"]) == (5, "validation_error")
    assert results[3]["details"] == {"fields": [{"field": "text", "issue": "is required"}]}
    assert results[4]["change"] == "replaced"
    assert (results[5]["change"], results[5]["document_id"]) == ("unchanged", unchanged.document_id)
    assert [result["error"] for result in results[6:]] == ["validation_error"] * 2
    assert [fault["field"] for fault in results[7]["details"]["fields"]] == ["colour"]
    assert (await stand.listed()).total_count == 4
    assert (await stand.get(results[0]["document_id"])).year == 2001
    assert {hit.external_id for hit in await stand.search("wet")} == {"c"}


async def test_the_last_of_one_external_id_stays(stand: Stand) -> None:
    results = await stand.batch(
        *({"text": f"Peat version {number}.", "external_id": "a"} for number in (1, 2, 2)),
        {"text": "Peat beside it."},
    )
    assert [result["change"] for result in results] == ["created", "replaced", "unchanged", "created"]
    assert results[1]["document_id"] == results[2]["document_id"] != results[0]["document_id"]
    listed = (await stand.listed()).documents
    assert [document.document_id for document in listed] == [results[3]["document_id"], results[1]["document_id"]]
    assert {hit.document_id for hit in await stand.search("peat")} == {d.document_id for d in listed}


async def test_five_thousand_documents(stand: Stand) -> None:
    count = 5_000
    lines = ({"text": f"Abstract {n} tells of peat and of marker{n}.", "external_id": f"e{n}"} for n in range(count))
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    answered = await stand.send(stand.library.BatchDocuments, NDJSON, pieces(body, 100_001))
    results = [orjson.loads(line) for line in answered.body.splitlines()]
    assert [result["line"] for result in results] == list(range(1, count + 1))
    assert answered.largest <= 256 * 1024
    assert "x-prsm-http-status" not in answered.headers
    assert (await stand.listed()).total_count == count
    hit, *_ = await stand.search("marker4321")
    assert hit.external_id == "e4321"
    assert len(await stand.search("peat", limit=1000)) == 1000


async def test_same_key_stores_once(stand: Stand) -> None:
    lines = [{"text": f"Peat {number}."} for number in range(3)]
    first = await stand.batch(*lines, key="k1")
    assert await stand.batch(*lines, key="k1") == first
    assert (await stand.listed()).total_count == 3
    assert (await refused(stand.batch(*lines[:2], key="k1"))).name == "IDEMPOTENCY_KEY_REUSED"
    again = await stand.batch(*lines[:2], key="k2")
    assert [(each["document_id"], each["change"]) for each in again] == [
        (each["document_id"], "unchanged") for each in first[:2]
    ]
    assert (await stand.listed()).total_count == 3


@pytest.mark.parametrize(
    ("content_type", "body", "name"),
    [
        ("application/json", b"{}", "UNSUPPORTED_MEDIA_TYPE"),
        ("", b"", "UNSUPPORTED_MEDIA_TYPE"),
        (NDJSON, b'{"text": "x"}\n' * 20_001, "PAYLOAD_TOO_LARGE"),
        (NDJSON, b'{"text": "x"}\n' + b'{"text": "' + b"y" * (1024 * 1024), "PAYLOAD_TOO_LARGE"),
        (NDJSON, (b'{"text": "' + b"y" * 200_000 + b'"}\n') * 11, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_bodies_that_are_refused_store_nothing(local: Stand, content_type: str, body: bytes, name: str) -> None:
    assert (await refused(local.send(local.library.BatchDocuments, content_type, pieces(body)))).name == name
    assert (await local.listed()).total_count == 0


async def test_an_empty_batch_is_an_empty_answer(local: Stand) -> None:
    assert await local.batch() == []
    assert await local.batch(b"\n\n") == []
