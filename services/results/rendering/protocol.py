"""How the service and its rendering processes talk: framed messages over pipes, JSON with a body of bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.results.rendering.reading import JSON
from services.results.rendering.rendition import Format, Rendition

HEADER = struct.Struct(">IQ")
"""Lengths in bytes of the JSON and of the body that follow."""

NO_DOCUMENT = b"null"
"""What stands for the document in a request that holds the options alone."""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One rendering. `document` and `raw_data` are JSON bytes and pass through as they are."""

    format: Format
    document: bytes
    session_id: str
    metadata: Mapping[str, JSON] | None = None
    citation_style: str = "apa"
    language: str = "en"
    raw_data: bytes | None = None
    csl: str | None = None
    """The source of the citation style, where it is none that comes with the product."""


def pack(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """A frame."""
    encoded = orjson.dumps(head)
    return HEADER.pack(len(encoded), len(body)) + encoded + body


def pack_request(request: RenderRequest) -> bytes:
    """The frame of a request."""
    return pack(
        {
            "format": request.format,
            "document": orjson.Fragment(request.document),
            "session_id": request.session_id,
            "metadata": request.metadata,
            "citation_style": request.citation_style,
            "language": request.language,
            "csl": request.csl,
            "raw_data": None if request.raw_data is None else orjson.Fragment(request.raw_data),
        }
    )


def read_frame(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next frame from a blocking stream, or None at its end."""
    start = read(HEADER.size)
    if len(start) < HEADER.size:
        return None
    head_length, body_length = HEADER.unpack(start)
    head, body = read(head_length), read(body_length)
    if len(head) < head_length or len(body) < body_length:
        return None
    parsed: dict[str, Any] = orjson.loads(head)
    return parsed, body


def rendition_head(rendition: Rendition) -> dict[str, str]:
    """The head of a successful answer, whose body is the rendition's."""
    return {"media_type": rendition.media_type, "filename": rendition.filename}
