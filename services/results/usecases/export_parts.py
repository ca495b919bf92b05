"""Exports of large results: as JSON and as an archive they are written as they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import orjson

from services.results.large.answers import Answers, Piece, Stored
from services.results.large.flow import Flow
from services.results.large.gathered import listed, passages, screening
from services.results.large.packing import packed
from services.results.large.shelf import length_of, streamed
from services.results.ports import Execution
from services.results.rendering.filenames import SCHEMA_FILE, safe_filename
from services.results.rendering.rendition import MEDIA_TYPES, Rendition
from services.results.rendering.serializer import export_json

ZIP = "application/zip"


def json_export(
    stored: Stored, session_id: str, metadata: Mapping[str, Any] | None, execution: Execution | None
) -> Flow:
    """The JSON export, with what was gathered where `execution` is given."""
    answers = Answers(stored, session_id, metadata)
    raw: Mapping[str, Any] | None = None
    if execution is not None:
        raw = {
            "passages": answers.made(lambda: listed(passages(stored))),
            "screening": answers.made(lambda: listed(screening(stored))),
            "decisions": execution.decisions,
            "usage": execution.usage,
        }
    document = answers.document()
    pieces = answers.pieces(export_json(document, metadata, session_id, raw))
    media_type, extension = MEDIA_TYPES["json"]
    return Flow(media_type, _filename(stored, extension), length_of(pieces), lambda: streamed(stored, pieces))


async def archive(
    stored: Stored,
    session_id: str,
    metadata: Mapping[str, Any] | None,
    report: Callable[[], Awaitable[Rendition]],
) -> Flow:
    """The archive around a report; `report` makes the archive of the shortened document."""
    answers = Answers(stored, session_id, metadata)
    written = export_json(answers.document(), metadata, session_id, schema=SCHEMA_FILE)
    results: list[Piece] = answers.pieces(written)
    made = await report()

    def pieces() -> AsyncIterator[bytes]:
        return packed(stored, session_id, results, made.body)

    return Flow(ZIP, made.filename, None, pieces)


def shown_raw(execution: Execution) -> bytes:
    """What is gathered for the report's own archive; the large blocks of it are written anew."""
    raw = {"passages": [], "screening": [], "decisions": execution.decisions, "usage": execution.usage}
    return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)


def _filename(stored: Stored, extension: str) -> str:
    title = stored.index.small.get("title")
    return safe_filename(title if isinstance(title, str) else "", extension)
