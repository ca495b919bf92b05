"""Large results over gRPC: complete as a stream, by parts, as reports and as archives."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import grpc
import orjson
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from kit.errors import PrsmError, RemoteError, Unavailable
from kit.rpc.client import named
from prsm.results.v1 import artifacts_pb2, results_pb2
from services.results import convert
from services.results.domain import ArtifactKey
from services.results.large import shelf
from services.results.rendering.document import ResultDocument
from services.results.rendering.serializer import results_json
from services.results.usecases import put_artifact
from tests.integration.results.stand import DOCUMENT, SESSION, Stand

SOURCES, PASSAGES = 600, 4
LARGE: dict[str, Any] = {
    **DOCUMENT,
    "citations": [
        {
            **DOCUMENT["citations"][0],
            "id": f"r{source}",
            "passages": [
                {"quote": f"Fact {source}-{n} of soils.", "page": None, "start": n, "end": n + 9, "sha256": "0" * 64}
                for n in range(PASSAGES)
            ],
        }
        for source in range(SOURCES)
    ],
    "sections": [
        {
            "id": "s1",
            "heading": "Burial",
            "body": "",
            "claims": [{"id": f"c{n}", "text": f"Claim {n}.", "citations": [f"r{n}"]} for n in (1, SOURCES - 1)],
        }
    ],
    "tables": [{"id": "t1", "title": "Rows", "columns": ["n", "text"], "rows": [[n, f"=row {n}"] for n in range(900)]}],
    "screening": {"excluded": [{"document_id": f"x{n}", "reason": "off topic"} for n in range(700)]},
}


async def stored(stand: Stand, data: bytes | None = None) -> str:
    hash = await stand.put(data or orjson.dumps(LARGE, option=orjson.OPT_SORT_KEYS), grant=stand.grant(), pieces=7)
    stand.sessions.results[SESSION] = ArtifactKey(SESSION, 1, hash)
    return hash


@pytest.mark.parametrize("indented", [False, True])
async def test_the_whole_answer_is_the_serialisers(stand: Stand, indented: bool) -> None:
    data = orjson.dumps(LARGE, option=orjson.OPT_INDENT_2 if indented else orjson.OPT_SORT_KEYS)
    await stored(stand, data)
    media_type, body = await stand.read()
    metadata = (await stand.sessions.execution(SESSION)).metadata
    assert media_type == "application/json"
    assert body == results_json(ResultDocument.parse(LARGE), metadata, SESSION)
    bare = (await stand.read(include_metadata=False))[1]
    assert bare == results_json(ResultDocument.parse(LARGE), None, SESSION)


async def test_pages_neither_skip_nor_repeat(stand: Stand) -> None:
    await stored(stand)
    first = json.loads((await stand.read(limit=100))[1])
    told = {block["field"]: block for block in first["page"]["blocks"]}
    assert {field: (block["items"], block["total"]) for field, block in told.items()} == {
        "citations": (100, SOURCES),
        "results.screening.excluded": (100, 700),
        "results.tables.0.rows": (100, 900),
    }
    citations, cursor = first["citations"], told["citations"]["next_cursor"]
    while cursor:
        page = json.loads((await stand.read(fields="citations", limit=170, cursor=cursor))[1])
        assert set(page) == {"session_id", "citations", "page"}
        citations += page["citations"]
        cursor = page["page"]["blocks"][0].get("next_cursor")
    assert citations == LARGE["citations"]


async def test_small_results_have_pages_too(stand: Stand) -> None:
    await stand.complete()
    found = json.loads((await stand.read(fields="results.screening,summary", limit=1))[1])
    assert found["results"] == {"screening": DOCUMENT["screening"]}
    assert found["page"] == {"limit": 1, "truncated": False, "blocks": []}


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"fields": "bogus"}, "fields"),
        ({"fields": "summary", "format": "pdf"}, "fields"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"fields": "citations", "cursor": "xyz"}, "cursor"),
    ],
)
async def test_wrong_parameters_are_named(stand: Stand, request_: dict[str, Any], field: str) -> None:
    await stand.complete()
    with pytest.raises(RemoteError) as caught:
        await stand.read(**request_)
    assert caught.value.name == "VALIDATION_ERROR"
    assert caught.value.details is not None
    assert caught.value.details["fields"][0]["field"] == field


async def test_the_typed_twin_pages_and_says_so_when_it_cannot_hold_all(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored(stand)
    typed = json_format.MessageToDict(
        await stand.typed(limit=2), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert typed == json.loads((await stand.read(limit=2))[1])
    monkeypatch.setattr(convert, "MOST_TYPED", 1 << 16)
    with pytest.raises(RemoteError) as caught:
        await stand.typed()
    assert caught.value.name == "PAYLOAD_TOO_LARGE"
    assert caught.value.details is not None
    assert caught.value.details["parameters"] == ["fields", "limit", "cursor"]


async def test_a_report_says_what_it_leaves_out_and_keeps_the_sources_of_what_it_says(stand: Stand) -> None:
    await stored(stand)
    text = (await stand.read(format="markdown"))[1].decode()
    assert "Claim 1." in text
    assert f"Fact {SOURCES - 1}-0 of soils." in text
    assert "600" in text
    assert "Not in this report" in text


async def test_an_archive_holds_every_row(stand: Stand) -> None:
    await stored(stand)
    media_type, body, _ = await stand.export("markdown", raw=True)
    assert media_type == "application/zip"
    package = zipfile.ZipFile(io.BytesIO(body))
    assert package.testzip() is None
    files = {name: package.read(name) for name in package.namelist()}
    assert len(orjson.loads(files["raw/passages.json"])) == SOURCES * PASSAGES
    assert len(orjson.loads(files["raw/screening.json"])) == 700
    assert files["raw/passages.csv"].count(b"\r\n") == SOURCES * PASSAGES + 1
    (table,) = [content for name, content in files.items() if name.startswith("tables/")]
    assert table.count(b"\r\n") == 901
    assert b"'=row 899" in table
    assert orjson.loads(files["results.json"])["citations"] == LARGE["citations"]
    for entry in orjson.loads(files["manifest.json"])["files"]:
        assert entry["sha256"] == hashlib.sha256(files[entry["path"]]).hexdigest()
        assert entry["bytes"] == len(files[entry["path"]])
    assert (await stand.export("markdown", raw=True))[1] == body


async def test_the_json_export_has_everything_with_and_without_raw_data(stand: Stand) -> None:
    await stored(stand)
    whole = json.loads((await stand.export("json"))[1])
    raw = json.loads((await stand.export("json", raw=True))[1])
    assert whole["citations"] == LARGE["citations"]
    assert len(raw.pop("raw_data")["passages"]) == SOURCES * PASSAGES
    assert raw == whole
    bare = json.loads((await stand.export("json", raw=True, include_metadata=False))[1])
    assert len(bare.pop("raw_data")["passages"]) == SOURCES * PASSAGES
    del whole["execution_metadata"]
    assert bare == whole


async def test_comments_may_point_at_all_of_it(stand: Stand) -> None:
    await stored(stand)
    request = artifacts_pb2.ListReferencePointsRequest(session_id=SESSION)
    for _ in range(2):
        listed = await stand.collab.call(stand.artifacts.ListReferencePoints, request, timeout=60)
        assert tuple(listed.reference_points) == ResultDocument.parse(LARGE).reference_points()


async def test_a_later_session_gets_it_with_the_prompt(stand: Stand) -> None:
    hash = await stored(stand)
    grant = stand.grant(sessions=(f"{SESSION}:1:{hash}",))
    found = await stand.input_results(SESSION, grant=grant)
    assert found == {**LARGE, "prompt": "What do marshes bury?"}


async def test_an_upload_beyond_what_is_held_goes_through_the_store(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put_artifact, "_HELD", 1000)
    data = bytes(range(256)) * 1500
    hash = await stand.put(data, grant=stand.grant(), kind=1, pieces=9)
    assert hash == hashlib.sha256(data).hexdigest()
    assert await stand.get(1, hash, grant=stand.grant()) == data
    with pytest.raises(RemoteError) as caught:
        await stand.put(b"x" * ((1 << 20) + 1), grant=stand.grant(), pieces=5)
    assert caught.value.name == "PAYLOAD_TOO_LARGE"


async def test_an_upload_that_cannot_be_finished_leaves_nothing(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(key: str, to: str) -> None:
        raise Unavailable()

    monkeypatch.setattr(put_artifact, "_HELD", 1000)
    monkeypatch.setattr(stand.blobs, "rename", away)
    with pytest.raises(PrsmError):
        await stand.put(b"x" * 5000, grant=stand.grant(), pieces=2)
    assert [found async for found in stand.blobs.stored("artifacts") if found] == []


async def test_what_is_no_json_is_an_error_without_details(stand: Stand) -> None:
    await stored(stand, b"{" + b"x" * 100_000)
    with pytest.raises(RemoteError) as caught:
        await stand.read()
    assert caught.value.name == "INTERNAL"


async def test_a_list_of_points_that_was_damaged_is_made_anew(stand: Stand) -> None:
    hash = await stored(stand)
    points = await _points(stand)
    assert f"citation:r{SOURCES - 1}" in points
    await stand.blobs.put(f"{ArtifactKey(SESSION, 1, hash).blob}.points", b"[")
    assert await _points(stand) == points


async def _points(stand: Stand) -> list[str]:
    request = artifacts_pb2.ListReferencePointsRequest(session_id=SESSION)
    answer = await stand.collab.call(stand.artifacts.ListReferencePoints, request, timeout=60)
    return list(answer.reference_points)


async def test_a_document_that_is_away_is_told_before_anything_is_sent(stand: Stand) -> None:
    hash = await stored(stand)
    await stand.read()
    await stand.blobs.delete(ArtifactKey(SESSION, 1, hash).blob)
    assert await _told(stand) == ([], "UNAVAILABLE")


@pytest.mark.parametrize("edge", ["gateway", "envoy"])
async def test_what_breaks_off_in_the_middle_does_not_look_whole(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, edge: str
) -> None:
    monkeypatch.setattr(shelf, "READ_BYTES", 50_000)
    monkeypatch.setattr(convert, "CHUNK", 20_000)
    hash = await stored(stand)
    whole = (await stand.read())[1]
    blob = ArtifactKey(SESSION, 1, hash).blob
    await stand.blobs.put(blob, (await stand.blobs.get_range(blob, 0, 120_000)))
    messages, name = await _told(stand, **({"x-envoy-original-path": "/api"} if edge == "envoy" else {}))
    assert name == "UNAVAILABLE"
    if edge == "envoy":
        # Its transcoder cannot read that, and breaks the answer off.
        with pytest.raises(DecodeError):
            HttpBody.FromString(messages.pop())
    sent = b"".join(HttpBody.FromString(message).data for message in messages)
    assert 20_000 <= len(sent) < len(whole)
    assert whole.startswith(sent)


async def _told(stand: Stand, **metadata: str) -> tuple[list[bytes], str]:
    """The messages of an answer as they were sent, and the name of the error at its end."""
    method: Any = stand.channel.unary_stream(
        "/prsm.results.v1.ResultsService/ReadResults",
        request_serializer=results_pb2.ReadResultsRequest.SerializeToString,
    )
    credentials = stand.identities.user_metadata("ada")
    call = method(results_pb2.ReadResultsRequest(session_id=SESSION), metadata=(*credentials, *metadata.items()))
    messages: list[bytes] = []
    try:
        async for message in call:
            messages.append(message)
    except grpc.aio.AioRpcError as error:
        told = named(error, "test")
        assert isinstance(told, PrsmError)
        return messages, told.name
    return messages, ""
