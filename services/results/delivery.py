"""Handing out a document over HTTP: its tag, its length, its name, and nothing at all to who has it already."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus

from google.api.httpbody_pb2 import HttpBody

from kit.rpc.call import Call
from services.results import convert, metrics
from services.results.ports import Offer
from services.results.rendering.filenames import content_disposition

_KEPT = {
    # Kept by who asked alone, and asked for again each time: the right to it may have ended.
    "cache-control": "private, no-cache",
    "vary": "Authorization, X-API-Key",
    "accept-ranges": "none",
}
_LENGTH = "x-prsm-content-length"
"""Becomes `Content-Length`."""


async def handed_out(offer: Offer, call: Call, format: str, *, is_file: bool = False) -> AsyncIterator[HttpBody]:
    """The document in pieces, or 304 without one. The right to it was checked before; raises what `fetch` raises."""
    headers = {"etag": offer.tag, **_KEPT}
    if is_known(call.metadata.get("if-none-match", ""), offer.tag):
        call.headers.update(headers)
        call.status = HTTPStatus.NOT_MODIFIED
        metrics.UNCHANGED.labels(format).inc()
        yield HttpBody()
        return
    rendition = await offer.fetch()
    # Only now: an error has none of these.
    call.headers.update(headers)
    length = convert.length_of(rendition)
    if length is not None:
        call.headers[_LENGTH] = str(length)
    if is_file:
        call.headers["content-disposition"] = content_disposition(rendition.filename)
    async for body in convert.bodies(rendition):
        yield body


def is_known(given: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag (RFC 9110, 13.1.2: compared weakly, so that W/ makes no difference)."""
    return any(item.strip().removeprefix("W/") in (tag, "*") for item in given.split(","))
