"""What a document says of works and tables, in messages."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from google.protobuf.struct_pb2 import Struct

from prsm.library.v1 import internal_pb2, library_pb2
from services.library.domain import Document
from services.library.places import CSL

CARD_BYTES = 512 * 1024
"""Of the works of one card."""


def struct_of(item: CSL) -> Struct | None:
    """None for an item of which nothing is known."""
    if not item:
        return None
    message = Struct()
    message.update(dict(item))
    return message


def add_places(message: library_pb2.Document, document: Document, room: int) -> None:
    """Show the tables and works of a document, as many as `room` bytes hold."""
    for table in document.tables:
        shown = library_pb2.TextTable(
            start=table.start,
            end=table.end,
            page=table.page,
            caption=table.caption,
            rows=table.rows,
            columns=table.columns,
        )
        room -= shown.ByteSize()
        if room < 0:
            return
        message.tables.append(shown)
    for work in document.works:
        described = library_pb2.TextWork(start=work.start, end=work.end, csl=struct_of(work.csl))
        room -= described.ByteSize()
        if room < 0:
            return
        message.works.append(described)


def card_csl(item: CSL) -> bytes:
    """An item as JSON, empty for one of which nothing is known. Its abstract stays behind: it stands in the text."""
    known = {key: value for key, value in item.items() if key != "abstract"}
    return orjson.dumps(known) if known else b""


def card_works(document: Document) -> Iterator[list[internal_pb2.CardWork]]:
    """The works of a document for its card, in portions of at most 512 KiB; none for a document without works."""
    portion: list[internal_pb2.CardWork] = []
    size = 0
    for work in document.works:
        message = internal_pb2.CardWork(start=work.start, end=work.end, csl=card_csl(work.csl))
        if portion and size + message.ByteSize() > CARD_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(message)
        size += message.ByteSize()
    if portion:
        yield portion
