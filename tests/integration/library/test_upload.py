"""Files: one, several, unreadable ones, hostile ones, and forms that are none."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import grpc
import orjson
import pytest
from google.api.httpbody_pb2 import HttpBody

from gateway.json_codec import Schema
from kit.errors import PrsmError
from prsm.library.v1 import library_pb2
from tests.integration.library.refusals import fields, refused
from tests.integration.library.stand import BOUNDARY, FORM, Stand, form, pieces
from tests.support.processes import ROOT

PEAT = b"# Bogs\n\nPeat is made of moss. Bogs keep carbon for thousands of years.\n"
TABLE = b"depth,carbon\n1,20.5\n2,18.25\n"
BROKEN = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nnothing more"


def bomb() -> bytes:
    """A small file that unpacks to a large one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * (9 * 1024 * 1024))
    return packed.getvalue()


async def test_one_file_answers_with_its_document(stand: Stand) -> None:
    answered = await stand.upload(("bogs.md", PEAT))
    card = answered.json
    assert answered.content_type == "application/json"
    assert answered.headers["x-prsm-http-status"] == "201"
    assert answered.headers["location"] == f"/api/v1/documents/{card['document_id']}"
    assert (card["title"], card["kind"], card["status"]) == ("Bogs", "markdown", "ready")
    assert (card["pages"], card["characters"], card["problems"], card["metadata"]) == (0, len(PEAT), [], {})
    assert "external_id" not in card
    assert await stand.text(card["document_id"]) == PEAT.decode()
    (hit,) = await stand.search("carbon")
    assert hit.document_id == card["document_id"]


async def test_the_answer_is_the_json_that_the_edges_show(local: Stand) -> None:
    card = (await local.upload(("data.csv", TABLE))).json
    made = await local.get(card["document_id"])
    schema = Schema.from_bytes((ROOT / "gen" / "descriptors.binpb").read_bytes())
    codec = next(method.output for method in schema.methods() if method.path.endswith("/GetDocument"))
    assert orjson.loads(codec.decode(made.SerializeToString())) == card
    assert card["dataset"] is True


async def test_several_files_keep_their_order_and_the_bad_ones_their_reasons(stand: Stand) -> None:
    answered = await stand.upload(("bogs.md", PEAT), ("broken.pdf", BROKEN), ("data.csv", TABLE), ("empty.txt", b""))
    cards = answered.json["documents"]
    assert [(c["title"], c["kind"], c["status"]) for c in cards] == [
        ("Bogs", "markdown", "ready"),
        ("broken", "pdf", "unreadable"),
        ("data", "csv", "ready"),
        ("empty", "text", "unreadable"),
    ]
    assert "location" not in answered.headers
    assert answered.headers["x-prsm-http-status"] == "201"
    assert "damaged" in cards[1]["problems"][0]
    assert cards[3]["problems"] == ["The file is empty."]
    listed = (await stand.listed()).documents
    assert [d.document_id for d in listed] == [c["document_id"] for c in reversed(cards)]
    unreadable = await stand.get(cards[1]["document_id"])
    assert (unreadable.status, unreadable.sha256) == (library_pb2.Document.unreadable, "")
    refusal = await refused(stand.text(unreadable.document_id))
    assert (refusal.name, refusal.message) == ("DOCUMENT_UNREADABLE", cards[1]["problems"][0])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("broken.pdf", BROKEN, "corrupt"),
        ("empty.txt", b"", "empty"),
        ("blank.md", b" \n\t", "empty"),
        ("photo.jpg", b"\xff\xd8\xff\xe0 jfif", "unsupported_type"),
        ("bomb.docx", bomb(), "decompression_limit"),
    ],
)
async def test_an_unreadable_file_alone_is_refused(local: Stand, name: str, content: bytes, reason: str) -> None:
    error = await refused(local.upload((name, content)))
    assert (error.name, error.details) == ("DOCUMENT_UNREADABLE", {"reason": reason})
    assert (await local.listed()).total_count == 0


async def test_a_hostile_file_does_no_harm_to_others(local: Stand) -> None:
    outcomes = await asyncio.gather(
        *(local.upload(("bomb.docx", bomb())) for _ in range(2)),
        *(local.upload((f"{number}.md", PEAT + b"%d" % number)) for number in range(4)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, PrsmError) for outcome in outcomes] == [True] * 2 + [False] * 4
    assert (await local.listed()).total_count == 4


async def test_pieces_of_any_size(local: Stand) -> None:
    body = form(("bogs.md", PEAT), ("data.csv", TABLE))
    for size in (1, 7, len(body)):
        method = local.library.UploadDocuments
        assert len((await local.send(method, FORM, pieces(body, size))).json["documents"]) == 2


@pytest.mark.parametrize(
    ("content_type", "body", "name", "named"),
    [
        ("application/json", b"{}", "UNSUPPORTED_MEDIA_TYPE", []),
        ("multipart/form-data", b"", "UNSUPPORTED_MEDIA_TYPE", []),
        ("", b"", "UNSUPPORTED_MEDIA_TYPE", []),
        (FORM, form(), "VALIDATION_ERROR", ["file"]),
        (FORM, form(("a.md", PEAT))[:-20], "VALIDATION_ERROR", ["body"]),
        (FORM, b"nonsense", "VALIDATION_ERROR", ["body"]),
        (FORM, form(("a.md", PEAT)).replace(b'; filename="a.md"', b""), "VALIDATION_ERROR", ["file"]),
    ],
)
async def test_forms_that_are_none_store_nothing(
    local: Stand, content_type: str, body: bytes, name: str, named: list[str]
) -> None:
    error = await refused(local.send(local.library.UploadDocuments, content_type, pieces(body, 64)))
    assert error.name == name
    assert not named or fields(error) == named
    assert (await local.listed()).total_count == 0


@pytest.mark.parametrize("content_type", [FORM, "text/plain"])
async def test_who_is_still_sending_learns_why_it_is_refused(local: Stand, content_type: str) -> None:
    body = pieces(form(("big.txt", b"x" * (12 * 1024 * 1024))))
    expected = "PAYLOAD_TOO_LARGE" if content_type == FORM else "UNSUPPORTED_MEDIA_TYPE"
    for _ in range(5):
        assert (await refused(local.send(local.library.UploadDocuments, content_type, body))).name == expected


async def test_a_large_upload_of_nobody_is_unauthenticated(local: Stand) -> None:
    body = form(("big.txt", b"x" * (4 * 1024 * 1024)))

    async def requests() -> AsyncIterator[HttpBody]:
        for piece in pieces(body):
            yield HttpBody(content_type=FORM, data=piece)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in local.library.UploadDocuments(requests(), timeout=60):
            pass
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_same_key_uploads_once(stand: Stand) -> None:
    async def send(boundary: str, *files: tuple[str, bytes]) -> Any:
        body = form(*files).replace(BOUNDARY.encode(), boundary.encode())
        content_type = f"multipart/form-data; boundary={boundary}"
        return await stand.send(stand.library.UploadDocuments, content_type, pieces(body), key="k1")

    first = await send("one", ("bogs.md", PEAT))
    again = await send("two", ("bogs.md", PEAT))
    assert again.body == first.body
    assert again.headers["location"] == first.headers["location"]
    assert (await stand.listed()).total_count == 1
    for files in ([("bogs.md", PEAT + b"More.")], [("other.md", PEAT)], [("bogs.md", PEAT), ("data.csv", TABLE)]):
        assert (await refused(send("one", *files))).name == "IDEMPOTENCY_KEY_REUSED"
    assert (await stand.listed()).total_count == 1


async def test_a_refused_upload_leaves_its_key_free(stand: Stand) -> None:
    assert (await refused(stand.upload(("empty.txt", b""), key="k1"))).name == "DOCUMENT_UNREADABLE"
    assert (await stand.upload(("bogs.md", PEAT), key="k1")).json["status"] == "ready"


async def test_texts_that_are_too_long_together(local: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.library.usecases.upload_documents._MOST_CHARACTERS", 2 * len(PEAT) - 1)
    error = await refused(local.upload(("one.md", PEAT), ("two.md", PEAT)))
    assert error.name == "PAYLOAD_TOO_LARGE"
    assert "send fewer at a time" in (error.message or "")
    assert (await local.listed()).total_count == 0
    assert (await local.upload(("one.md", PEAT))).json["status"] == "ready"
