"""The JSON answer of a stored document: whole, its chosen members, or a page of them.

A whole answer is the serialiser's own, written with a mark in place of each large member; what the marks stand for
comes from the store as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kit.errors import ValidationError
from services.results.large.excerpt import Bounds, Excerpt, Held, Path, Read, Shortened
from services.results.large.fields import Asked, encode_cursor, unknown, written, wrong_cursor
from services.results.large.index import Index, Run
from services.results.rendering.document import ResultDocument
from services.results.rendering.reading import JSON, Node
from services.results.rendering.serializer import dump, results_object

INSIDE = 100
"""Items of a list inside an item that a page shows at least."""

PAGE_BYTES = 1024 * 1024
"""Of each block of a page, about; a page ends early, but not before its first item."""

Made = Callable[[], AsyncIterator[bytes]]
Piece = bytes | tuple[int, int] | Made
"""A part of an answer: bytes, where they lie in the stored document, or what makes them as they are wanted."""

_MARK = re.compile(rb"\x00(\d+)\x00")
_LINES = ("title", "summary")
_DOCUMENTS_OWN = ("summary", "citations", "confidence_score")


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is read by parts. `hash` is of its bytes, in hex."""

    index: Index
    read: Read
    hash: str


class Answers:
    """The answers of one document for one session."""

    def __init__(self, stored: Stored, session_id: str, metadata: Mapping[str, JSON] | None) -> None:
        self._stored = stored
        self._metadata = metadata
        # What cursors are bound to: two sessions may have found the very same.
        self._seal = hashlib.sha256(f"{session_id} {stored.hash}".encode()).hexdigest()[:16]
        self._marked: list[tuple[int, int] | Made] = []
        self._document = outline(stored.index, self._mark)
        self._whole = results_object(self._document, metadata, session_id)

    def document(self) -> ResultDocument:
        """The document with marks for its large members; `pieces` knows what they stand for."""
        return self._document

    def pieces(self, written: bytes) -> list[Piece]:
        """What was written with the document's marks, cut at them."""
        parts = _MARK.split(written)
        return [self._marked[int(part)] if number % 2 else part for number, part in enumerate(parts) if part]

    async def asked(self, asked: Asked) -> list[Piece]:
        """Raises ValidationError, PayloadTooLarge."""
        if not asked.anything:
            return self.pieces(dump(self._whole))
        bounds = Bounds(asked.limit or 0, max(INSIDE, asked.limit or 0), PAGE_BYTES)
        excerpt = Excerpt(self._stored.read, bounds)
        if asked.fields:
            answer: dict[str, Any] = {"session_id": self._whole["session_id"]}
            for parts in asked.fields:
                path, value = await self._field(excerpt, parts, asked)
                _put(answer, path, value)
        else:
            answer = dict(self._whole)
            for name in self._whole:
                if name != "results":
                    answer[name] = (await self._member(excerpt, (name,), asked))[1]
            answer["results"] = await self._results(excerpt, asked)
        if asked.limit is not None:
            answer["page"] = self._page(excerpt.shortened, asked.limit)
        return self.pieces(dump(answer))

    async def _results(self, excerpt: Excerpt, asked: Asked) -> dict[str, Any]:
        names = self._whole["results"]
        return {name: (await self._member(excerpt, ("results", name), asked))[1] for name in names}

    async def _field(self, excerpt: Excerpt, parts: tuple[str, ...], asked: Asked) -> tuple[Path, Any]:
        if parts == ("results",) and asked.offset is None:
            return parts, await self._results(excerpt, asked)
        if parts == ("execution_metadata",) and self._metadata is None:
            raise ValidationError.of("fields", "'execution_metadata' was left out with include_metadata=false")
        return await self._member(excerpt, parts, asked)

    async def _member(self, excerpt: Excerpt, parts: tuple[str, ...], asked: Asked) -> tuple[Path, Any]:
        """The path and the value of what the parts name: shortened where there is a limit, else a mark for it."""
        inner = _inner(parts)
        found: tuple[Held, Path] | None = None
        if parts[0] == "execution_metadata":
            found = _of_metadata(self._metadata, parts)
        elif inner and self._has(inner[0]) and (asked.limit is not None or len(inner) > 1):
            found = await self._held(excerpt, inner)
        if found is None:
            return parts, self._given(parts, asked)
        held, path = found
        if asked.offset is not None:
            if not held.is_list:
                raise wrong_cursor()
            if asked.seal != self._seal:
                raise ValidationError.of("cursor", "it was answered for other results")
        answer_path = path if parts[0] != "results" else ("results", *path)
        if asked.limit is not None:
            return answer_path, await excerpt.of(held, path, offset=asked.offset or 0)
        return answer_path, held.value if held.node is None else self._mark(held.node.start, held.node.end)

    async def _held(self, excerpt: Excerpt, names: tuple[str, ...]) -> tuple[Held, Path] | None:
        if len(names) == 1 and names[0] in self._stored.index.small:
            value = self._stored.index.small[names[0]]
            return (Held(value), names) if isinstance(value, (list, dict)) else None
        found = await excerpt.find(self._stored.index.root, names)
        if found is None:
            raise unknown(named(names), self._choices())
        return found

    def _given(self, parts: tuple[str, ...], asked: Asked) -> Any:
        """What the serialiser gave for a member."""
        value: Any = self._whole
        for key in parts:
            if not isinstance(value, Mapping) or key not in value:
                raise unknown(written(parts), self._choices())
            value = value[key]
        if asked.offset is not None:
            raise wrong_cursor()
        return value

    def _has(self, name: str) -> bool:
        run = self._stored.index.root.run_of(name)
        return run is not None and run.first == name

    def _choices(self) -> list[str]:
        return [*(name for name in self._whole), *(f"results.{name}" for name in self._whole["results"])]

    def _page(self, shortened: Sequence[Shortened], limit: int) -> dict[str, Any]:
        blocks = []
        for item in shortened:
            field = named(item.path)
            block = {"field": field, "offset": item.offset, "items": item.items, "total": item.total}
            if (after := item.offset + item.items) < item.total:
                block["next_cursor"] = encode_cursor(self._seal, field, after)
            blocks.append(block)
        return {"limit": limit, "truncated": bool(blocks), "blocks": blocks}

    def made(self, pieces: Made) -> orjson.Fragment:
        """A mark for a value that is made as it is sent."""
        self._marked.append(pieces)
        return orjson.Fragment(b"\x00%d\x00" % (len(self._marked) - 1))

    def _mark(self, start: int, end: int) -> orjson.Fragment:
        self._marked.append((start, end))
        return orjson.Fragment(b"\x00%d\x00" % (len(self._marked) - 1))


def outline(index: Index, mark: Any) -> ResultDocument:
    """The document with `mark(start, end)` in place of each large member.

    :raises InvalidResultDocument: a member is missing or of the wrong type.
    """
    source: dict[str, Any] = {}
    for run in index.root.runs:
        name = str(run.first)
        source[name] = index.small[name] if name in index.small else mark(*value_range(run))
    small = Node(index.small, "")
    # One that is not short is a text or was never valid; whoever parses the document as a whole sees which.
    title, summary = (source[name] if name in source and name not in index.small else None for name in _LINES)
    return ResultDocument(
        title=title if title is not None else small.text("title"),
        partial=small.flag("partial"),
        summary=summary if summary is not None else small.text("summary", default=""),
        confidence_score=small.number("confidence_score"),
        sections=(),
        key_findings=(),
        tables=(),
        figures=(),
        citations=(),
        blocks={},
        source=source,
    )


def value_range(run: Run) -> tuple[int, int]:
    """Where the value of a run of one member lies."""
    name = orjson.dumps(run.first)
    return run.start + len(name) + 1, run.end


def _inner(path: tuple[str, ...]) -> tuple[str, ...]:
    """Names in the answer as names in the document."""
    if path[0] == "results":
        return path[1:] if len(path) == 1 or path[1] not in _DOCUMENTS_OWN else ()
    return path if path[0] in _DOCUMENTS_OWN else ()


def named(path: Path) -> str:
    """A path of the document as the name of a field of the answer."""
    own = path[0] in (*_DOCUMENTS_OWN, "execution_metadata")
    return written(path if own else ("results", *path))


def _of_metadata(metadata: Mapping[str, JSON] | None, names: tuple[str, ...]) -> tuple[Held, Path] | None:
    value: Any = metadata
    path: list[str | int] = [names[0]]
    for name in names[1:]:
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
            path.append(int(name))
        elif isinstance(value, Mapping) and name in value:
            value = value[name]
            path.append(name)
        else:
            return None
    return (Held(value), tuple(path)) if isinstance(value, (list, dict)) else None


def _put(answer: dict[str, Any], path: Path, value: Any) -> None:
    """Put a value at its path; an item of a list is the one item of a list."""
    place: Any = answer
    for key, after in zip(path, (*path[1:], None), strict=True):
        inner: Any = value if after is None else [] if isinstance(after, int) else {}
        if isinstance(place, list):
            place.append(inner)
            place = inner
        elif after is None or not isinstance(place.get(key), dict):
            place[key] = inner
            place = inner
        else:
            place = place[key]
