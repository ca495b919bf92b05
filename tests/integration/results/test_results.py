"""What results hands out, to whom, and in which form."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile

import docx
import orjson
import pypdf
import pytest
from google.protobuf import json_format

from kit.errors import PrsmError, RemoteError
from prsm.results.v1 import artifacts_pb2
from tests.integration.results.stand import DOCUMENT, OTHER, QUOTE, SESSION, Stand


def squeezed(text: str) -> str:
    return "".join(text.split())


async def test_json_carries_every_documented_field(stand: Stand) -> None:
    await stand.complete()
    media_type, body = await stand.read()
    found = json.loads(body)
    assert media_type == "application/json"
    assert set(found) == {"session_id", "results", "summary", "citations", "confidence_score", "execution_metadata"}
    assert found["results"]["key_findings"] == DOCUMENT["key_findings"]
    assert found["citations"] == DOCUMENT["citations"]
    assert found["execution_metadata"]["session_type"] == "research"


async def test_execution_metadata_can_be_left_out_and_the_rest_stays_the_same(stand: Stand) -> None:
    await stand.complete()
    whole = json.loads((await stand.read())[1])
    bare = json.loads((await stand.read(include_metadata=False))[1])
    del whole["execution_metadata"]
    assert bare == whole


async def test_the_typed_twin_says_the_same(stand: Stand) -> None:
    await stand.complete()
    typed = json_format.MessageToDict(await stand.typed(), preserving_proto_field_name=True)
    assert typed == json.loads((await stand.read())[1])


async def test_markdown_and_pdf_are_the_document_itself(stand: Stand) -> None:
    await stand.complete()
    media_type, text = await stand.read(format="markdown")
    assert media_type.startswith("text/markdown")
    assert QUOTE in text.decode()
    media_type, pdf = await stand.read(format="pdf")
    assert media_type == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert squeezed(QUOTE) in squeezed("".join(page.extract_text() for page in pages))


@pytest.mark.parametrize("format", ["docx", "JSON", "xml"])
async def test_an_unknown_format_is_named_before_anything_else(stand: Stand, format: str) -> None:
    with pytest.raises(RemoteError) as caught:
        await stand.read("stranger", format=format)
    assert caught.value.name == "VALIDATION_ERROR"
    assert caught.value.details is not None
    (fault,) = caught.value.details["fields"]
    assert fault["field"] == "format"
    assert ("write it in lower case, json" in fault["issue"]) is (format == "JSON")


async def test_exports_are_attachments_that_open(stand: Stand) -> None:
    await stand.complete()
    for format, extension in (("pdf", "pdf"), ("docx", "docx"), ("markdown", "md"), ("json", "json")):
        _, body, disposition = await stand.export(format)
        assert disposition.startswith('attachment; filename="Carbon in salt marshes.' + extension)
        if format == "docx":
            paragraphs = docx.Document(io.BytesIO(body)).paragraphs
            assert squeezed(QUOTE) in squeezed("".join(p.text for p in paragraphs))


async def test_raw_data_comes_as_a_zip_around_the_document_or_as_a_block(stand: Stand) -> None:
    await stand.complete()
    media_type, body, _ = await stand.export("markdown", raw=True)
    assert media_type == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(body)).namelist()
    assert {"raw/passages.json", "raw/screening.csv", "raw/decisions.json", "manifest.json"} <= set(names)
    found = json.loads((await stand.export("json", raw=True))[1])
    assert found["raw_data"]["passages"][0]["quote"] == QUOTE
    assert found["raw_data"]["decisions"] == [{"decision": "kept d1"}]


async def test_an_export_can_leave_the_facts_of_the_run_out(stand: Stand) -> None:
    await stand.complete()
    whole = json.loads((await stand.export("json"))[1])
    bare = json.loads((await stand.export("json", include_metadata=False))[1])
    assert whole.pop("execution_metadata")["session_type"] == "research"
    assert bare == whole
    kept = (await stand.export("markdown", include_metadata=True))[1].decode()
    left = (await stand.export("markdown", include_metadata=False))[1].decode()
    assert "2026-01-02" in kept
    assert "2026-01-02" not in left
    assert left == (await stand.read(format="markdown", include_metadata=False))[1].decode()


async def test_raw_data_stays_where_the_facts_of_the_run_are_left_out(stand: Stand) -> None:
    await stand.complete()
    whole = json.loads((await stand.export("json", raw=True))[1])
    bare = json.loads((await stand.export("json", raw=True, include_metadata=False))[1])
    del whole["execution_metadata"]
    assert bare == whole
    package = zipfile.ZipFile(io.BytesIO((await stand.export("markdown", raw=True, include_metadata=False))[1]))
    assert "execution_metadata" not in json.loads(package.read("results.json"))
    assert json.loads(package.read("raw/decisions.json")) == [{"decision": "kept d1"}]


@pytest.mark.parametrize("format", ["", "xml", "PDF"])
async def test_an_unknown_export_format_has_its_own_error(stand: Stand, format: str) -> None:
    with pytest.raises(RemoteError) as caught:
        await stand.export(format)
    assert caught.value.name == "INVALID_EXPORT_FORMAT"
    assert ("write it in lower case, pdf" in (caught.value.message or "")) is (format == "PDF")


async def test_nothing_is_visible_until_session_points_at_it(stand: Stand) -> None:
    await stand.put(orjson.dumps(DOCUMENT), grant=stand.grant())
    with pytest.raises(RemoteError) as caught:
        await stand.read()
    assert caught.value.name == "RESULTS_NOT_AVAILABLE"


@pytest.mark.parametrize(
    ("status", "said", "details"),
    [
        ("running", "yet: it is running, at 40 %", {"status": "running", "progress": 40}),
        ("cancelled", "was cancelled: it has no results", {"status": "cancelled"}),
        ("failed", "failed: it has no results", {"status": "failed"}),
        ("timeout", "timed out before anything was found", {"status": "timeout"}),
    ],
)
async def test_without_results_is_said_whether_there_will_be_any(
    stand: Stand, status: str, said: str, details: dict[str, object]
) -> None:
    stand.sessions.status = status
    for attempt in (stand.read(), stand.export("pdf")):
        with pytest.raises(RemoteError, match=said) as caught:
            await attempt
        assert (caught.value.name, caught.value.details) == ("RESULTS_NOT_AVAILABLE", details)


@pytest.mark.parametrize(("user", "reason"), [("zoe", "SESSION_NOT_FOUND"), ("fred", "SESSION_NOT_ACCESSIBLE")])
async def test_strangers_and_former_recipients_see_nothing(stand: Stand, user: str, reason: str) -> None:
    await stand.complete()
    for attempt in (stand.read(user), stand.export("pdf", user), stand.typed(user)):
        with pytest.raises(RemoteError) as caught:
            await attempt
        assert caught.value.name == reason


async def test_a_viewer_reads(stand: Stand) -> None:
    await stand.complete()
    assert json.loads((await stand.read("vera"))[1])["session_id"] == SESSION


async def test_equal_documents_asked_for_at_once_are_rendered_once(stand: Stand) -> None:
    await stand.complete()
    bodies = await asyncio.gather(*(stand.export("pdf") for _ in range(6)))
    assert len({body for _, body, _ in bodies}) == 1


async def test_artifacts_come_back_to_their_own_session_alone(stand: Stand) -> None:
    data = bytes(range(256)) * 2000
    hash = await stand.put(data, grant=stand.grant(), kind=1, pieces=3)
    assert await stand.put(data, grant=stand.grant(), kind=1) == hash
    assert await stand.get(1, hash, grant=stand.grant(epoch=2)) == data
    with pytest.raises(RemoteError):
        await stand.get(1, hash, grant=stand.grant(OTHER))
    with pytest.raises(RemoteError):
        await stand.get(2, hash, grant=stand.grant())


async def test_an_artifact_beyond_the_limit_is_refused(stand: Stand) -> None:
    with pytest.raises(RemoteError) as caught:
        await stand.put(b"x" * ((1 << 20) + 1), grant=stand.grant(), pieces=5)
    assert caught.value.name == "PAYLOAD_TOO_LARGE"


async def test_a_worker_without_a_grant_gets_nowhere(stand: Stand) -> None:
    with pytest.raises(RemoteError) as caught:
        await stand.put(b"x", grant={})
    assert caught.value.name == "FORBIDDEN"


async def test_a_worker_reads_the_inputs_that_its_grant_names_with_their_prompt(stand: Stand) -> None:
    await stand.complete(OTHER)
    key = stand.sessions.results[OTHER]
    grant = stand.grant(sessions=(f"{OTHER}:{key.epoch}:{key.hash}",))
    found = await stand.input_results(OTHER, grant=grant)
    assert found["prompt"] == "What do marshes bury?"
    assert found["title"] == DOCUMENT["title"]
    with pytest.raises(RemoteError) as caught:
        await stand.input_results(OTHER, grant=stand.grant())
    assert caught.value.name == "FORBIDDEN"


async def test_collab_learns_what_can_be_referred_to(stand: Stand) -> None:
    request = artifacts_pb2.ListReferencePointsRequest(session_id=SESSION)
    empty = await stand.collab.call(stand.artifacts.ListReferencePoints, request, timeout=60)
    assert list(empty.reference_points) == []
    await stand.complete()
    found = await stand.collab.call(stand.artifacts.ListReferencePoints, request, timeout=60)
    assert set(found.reference_points) == {"section:s1", "claim:c1", "finding:f1", "citation:r1"}


@pytest.mark.parametrize(("harm", "named"), [("missing", "UNAVAILABLE"), ("changed", "INTERNAL"), ("cut", "INTERNAL")])
@pytest.mark.parametrize("format", ["json", "markdown"])
async def test_a_document_that_is_not_what_was_stored_is_never_shown(
    stand: Stand, harm: str, named: str, format: str
) -> None:
    await stand.complete()
    blob = stand.sessions.results[SESSION].blob
    whole = orjson.dumps(DOCUMENT)
    if harm == "missing":
        await stand.blobs.delete(blob)
    else:
        await stand.blobs.put(blob, whole[:-9] if harm == "cut" else whole.replace(b"centuries", b"millennia"))
    with pytest.raises(PrsmError) as caught:
        await stand.read(format=format)
    assert caught.value.name == named


async def test_a_worker_is_not_given_what_was_changed(stand: Stand) -> None:
    await stand.complete()
    key = stand.sessions.results[SESSION]
    await stand.blobs.put(key.blob, orjson.dumps(DOCUMENT).replace(b"centuries", b"millennia"))
    named = f"{SESSION}:1:{key.hash}"
    for reading in (
        stand.get(1, key.hash, grant=stand.grant()),
        stand.input_results(SESSION, grant=stand.grant(sessions=(named,))),
    ):
        with pytest.raises(RemoteError) as caught:
            await reading
        assert caught.value.name == "INTERNAL"
