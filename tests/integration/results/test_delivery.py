"""How documents are handed out: with tag and length, not at all to who has them, and never past the access check."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from kit.access import Standing
from kit.errors import RemoteError
from kit.rpc.client import named
from prsm.results.v1 import results_pb2
from services.results import metrics
from services.results.delivery import is_known
from services.results.ports import Order
from services.results.rendering.pool import RenderPool
from services.results.rendering.protocol import NO_DOCUMENT, RenderRequest
from tests.integration.results.stand import SESSION, Stand

FORMATS = ["pdf", "docx", "markdown", "json"]


async def asked(
    stand: Stand, rpc: str, user: str = "ada", tag: str = "", **request: Any
) -> tuple[dict[str, str], bytes]:
    """The metadata of the answer, and its body."""
    message = getattr(results_pb2, f"{rpc}Request")(session_id=SESSION, **request)
    metadata = (*stand.identities.user_metadata(user), *((("if-none-match", tag),) if tag else ()))
    call = getattr(stand.results, rpc)(message, metadata=metadata, timeout=60)
    try:
        body = b"".join([part.data async for part in call])
    except grpc.aio.AioRpcError as error:
        raise named(error, "test") from error
    return {str(key): str(value) for key, value in await call.initial_metadata()}, body


def rendered() -> float:
    return sum(metrics.REQUESTS.labels(format, "rendered").value for format in FORMATS)


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        *(("ExportResults", {"format": format}) for format in FORMATS),
        ("ReadResults", {}),
        ("ReadResults", {"format": "pdf"}),
    ],
)
async def test_a_tag_and_a_length_and_nothing_the_second_time(stand: Stand, rpc: str, request_: dict[str, str]) -> None:
    await stand.complete()
    headers, body = await asked(stand, rpc, **request_)
    assert headers["x-prsm-content-length"] == str(len(body))
    assert headers["cache-control"] == "private, no-cache"
    assert (headers["accept-ranges"], headers["vary"]) == ("none", "Authorization, X-API-Key")
    assert ("content-disposition" in headers) == (rpc == "ExportResults")
    before = rendered()
    again, nothing = await asked(stand, rpc, tag=f'"other", {headers["etag"]}', **request_)
    assert (again["x-prsm-http-status"], nothing) == ("304", b"")
    assert again["etag"] == headers["etag"]
    assert "x-prsm-content-length" not in again
    other, whole = await asked(stand, rpc, tag='"other"', **request_)
    assert (other["etag"], whole) == (headers["etag"], body)
    assert rendered() == before


async def test_304_makes_nothing_even_where_nothing_is_kept(stand: Stand, pool: RenderPool) -> None:
    """A tag tells of the content alone: one that another replica gave, which has gone with all that was kept."""
    await stand.complete()
    elsewhere = stand.kept.renderer(pool, version="1", most_bytes=0, timeout_seconds=1)
    found = stand.sessions.results[SESSION]
    digest = await stand.sessions.execution_digest(SESSION)
    request = RenderRequest("markdown", NO_DOCUMENT, SESSION)
    tag = elsewhere.tag(Order(request, found.hash, execution=digest))
    before = rendered()
    headers, body = await asked(stand, "ExportResults", tag=tag, format="markdown")
    assert (headers["x-prsm-http-status"], body) == ("304", b"")
    assert rendered() == before


@pytest.mark.parametrize("rpc", ["ExportResults", "ReadResults"])
async def test_revoked_access_acts_on_what_is_kept_and_on_304(stand: Stand, rpc: str) -> None:
    await stand.complete()
    headers, _ = await asked(stand, rpc, "vera", format="markdown")
    assert (await asked(stand, rpc, "vera", headers["etag"], format="markdown"))[0]["x-prsm-http-status"] == "304"
    for standing, reason in ((Standing.FORMER, "SESSION_NOT_ACCESSIBLE"), (Standing.STRANGER, "SESSION_NOT_FOUND")):
        stand.sessions.standings["vera"] = standing
        for tag in ("", headers["etag"], "*"):
            with pytest.raises(RemoteError) as caught:
                await asked(stand, rpc, "vera", tag, format="markdown")
            assert caught.value.name == reason


async def test_options_that_change_the_document_change_the_tag(stand: Stand) -> None:
    await stand.complete()
    tags = [
        (await asked(stand, rpc, **request))[0]["etag"]
        for rpc, request in (
            ("ExportResults", {"format": "json"}),
            ("ExportResults", {"format": "json", "include_raw_data": True}),
            ("ReadResults", {"include_metadata": False}),
            ("ExportResults", {"format": "markdown"}),
        )
    ]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b" ,W/"a"', True),
        ("*", True),
        ("", False),
        ("a", False),
        ('"b"', False),
        ('"a b"', False),
    ],
)
def test_tags_are_compared_as_the_standard_says(given: str, known: bool) -> None:
    assert is_known(given, '"a"') is known
