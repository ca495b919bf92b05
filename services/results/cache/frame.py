"""A finished document as one object: a mark, a digest, lengths, what it is called, and its bytes.

The digest covers everything behind it, so that an object cut off or changed is told from a whole one.
"""

from __future__ import annotations

import hashlib

import orjson

from services.results.rendering.protocol import HEADER, rendition_head
from services.results.rendering.rendition import Rendition

_MARK = b"PRSM rendition 1\n"
_DIGEST = hashlib.sha256().digest_size
_START = len(_MARK) + _DIGEST


class Damaged(Exception):
    """The object is not what was stored."""


def framed(rendition: Rendition) -> bytes:
    """The object of a document."""
    head = orjson.dumps(rendition_head(rendition))
    rest = HEADER.pack(len(head), len(rendition.body)) + head + rendition.body
    return _MARK + hashlib.sha256(rest).digest() + rest


def unframed(data: bytes) -> Rendition:
    """The document in an object. Raises Damaged."""
    rest = memoryview(data)[_START:]
    if data[: len(_MARK)] != _MARK or len(rest) < HEADER.size:
        raise Damaged("it does not begin as one")
    head_length, body_length = HEADER.unpack(rest[: HEADER.size])
    if len(rest) != HEADER.size + head_length + body_length:
        raise Damaged("its length is another one")
    if hashlib.sha256(rest).digest() != data[len(_MARK) : _START]:
        raise Damaged("its digest is another one")
    head = orjson.loads(rest[HEADER.size : HEADER.size + head_length])
    return Rendition(head["media_type"], head["filename"], bytes(rest[HEADER.size + head_length :]))
