"""Documents as rows and back."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import orjson
from sqlalchemy import Row

from kit.times import Instant
from services.library.domain import Document, Source, Span, Status
from services.library.holdings import Held, Indexable
from services.library.places import Table, Work


def values_of(document: Document, revision: int, deleted_at: int | None) -> dict[str, Any]:
    """A document's row."""
    return {
        "document_id": document.document_id,
        "owner": document.owner,
        "session_id": document.session_id,
        "title": document.title,
        "kind": document.kind,
        "status": document.status.value,
        "created_at": document.created_at,
        "deleted_at": deleted_at,
        "revision": revision,
        "text_sha256": document.text_sha256,
        "characters": document.characters,
        "pages": _dumped([[span.page, span.start, span.end] for span in document.pages]),
        "authors": _dumped(document.authors),
        "year": document.year,
        "doi": document.doi,
        "url": document.url,
        "is_dataset": document.is_dataset,
        "problems": _dumped(document.problems),
        "external_id": document.external_id,
        "metadata": _dumped(dict(document.metadata)),
        "filename": document.source.filename,
        "content_type": document.source.content_type,
        "source_sha256": document.source.sha256,
        "source_size": document.source.size,
        "csl": _dumped(dict(document.csl)),
        "tables": _dumped([list(astuple(table)) for table in document.tables]),
        "works": _dumped([[work.start, work.end, dict(work.csl)] for work in document.works]),
        "source_url": document.source_url,
    }


def document_of(row: Row[Any]) -> Document:
    return Document(
        document_id=row.document_id,
        owner=row.owner,
        title=row.title,
        kind=row.kind,
        status=Status(row.status),
        created_at=Instant(row.created_at),
        text_sha256=row.text_sha256,
        characters=row.characters,
        pages=spans_of(row.pages),
        authors=tuple(orjson.loads(row.authors)),
        year=row.year,
        doi=row.doi,
        url=row.url,
        is_dataset=row.is_dataset,
        problems=tuple(orjson.loads(row.problems)),
        external_id=row.external_id,
        metadata=orjson.loads(row.metadata),
        source=Source(row.filename, row.content_type, row.source_sha256, row.source_size),
        session_id=row.session_id,
        csl=orjson.loads(row.csl),
        tables=tuple(Table(*table) for table in orjson.loads(row.tables)),
        works=tuple(Work(*work) for work in orjson.loads(row.works)),
        source_url=row.source_url,
    )


def held_of(row: Row[Any]) -> Held:
    return Held(document_of(row), row.deleted_at is not None)


def indexable_of(row: Any, *, kept: bool = False) -> Indexable:
    """With `kept`, a deleted document counts like any other."""
    gone = row.characters == 0 or (row.deleted_at is not None and not kept)
    pages = () if gone else spans_of(row.pages)
    return Indexable(row.document_id, row.title, row.characters, pages, row.is_dataset, gone)


def spans_of(text: str) -> tuple[Span, ...]:
    return tuple(Span(*span) for span in orjson.loads(text)) if text != "[]" else ()


def _dumped(value: object) -> str:
    return orjson.dumps(value).decode()
