"""JSON and JSON Lines: a document of its own, or a dataset of records."""

from __future__ import annotations

from typing import Any

import orjson

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.bibliography import bibliography
from services.library.parsing.csl_json import csl_items
from services.library.parsing.document import (
    Kind,
    ParsedDocument,
    ParseLimits,
    beginning,
    bounded,
    table_text,
    too_much_text,
)
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.facts import TITLE_MAX, clean_doi, title_from_filename, usable_title
from services.library.parsing.normalise import one_line
from services.library.parsing.plain import require_text

_LISTED_LINES = 5
_CURE = " A table of that size can be sent as JSON Lines, CSV or Parquet."


def parse_json(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A JSON file. `{"title", "text"}` is a document, CSL-JSON items are a bibliography; a list of objects, a list
    of lists under a first one of names, or an object of equally long lists is a dataset; anything else is kept
    as its source text."""
    if len(data) > 4 * limits.characters:
        raise too_much_text(limits, _CURE)
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits, _CURE)
    require_text(text)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, f"It is not valid JSON: {error}.") from error
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return _article(value, filename, limits, problems)
    if (items := csl_items(value)) is not None:
        return bibliography(Kind.CSL, items, filename, limits, problems)
    return ParsedDocument(
        title_from_filename(filename), Kind.JSON, text, problems=problems, is_dataset=_is_table(value)
    )


def parse_jsonl(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A file with one JSON value a line; lines that are none are reported, none at all is an error."""
    head = beginning(data, limits)
    raw, problems = decode(head, declared_charset(content_type))
    text, told = table_text(raw, limits, cut=len(head) < len(data))
    problems += told
    require_text(text)
    bad: list[int] = []
    good = objects = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            bad.append(number)
            continue
        good += 1
        objects += isinstance(value, dict)
    if good == 0:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "None of its lines is valid JSON.")
    if bad:
        shown = ", ".join(map(str, bad[:_LISTED_LINES])) + (", …" if len(bad) > _LISTED_LINES else "")
        problems += (f"{len(bad)} of {good + len(bad)} lines are not valid JSON: line {shown}.",)
    return ParsedDocument(
        title_from_filename(filename), Kind.JSONL, text, problems=problems, is_dataset=objects == good
    )


def _article(value: dict[str, Any], filename: str, limits: ParseLimits, problems: tuple[str, ...]) -> ParsedDocument:
    text = bounded(value["text"], limits)
    require_text(text)
    title, authors, year, doi = (value.get(key) for key in ("title", "authors", "year", "doi"))
    names = [one_line(name) for name in authors if isinstance(name, str)] if isinstance(authors, list) else []
    return ParsedDocument(
        title=(usable_title(title) or one_line(title)[:TITLE_MAX] if isinstance(title, str) else "")
        or title_from_filename(filename),
        kind=Kind.JSON,
        text=text,
        authors=tuple(name for name in names if name)[:100],
        year=year if isinstance(year, int) and not isinstance(year, bool) and 0 < year < 3000 else None,
        doi=clean_doi(doi) if isinstance(doi, str) else "",
        problems=problems,
    )


def _is_table(value: object) -> bool:
    if isinstance(value, list):
        objects = bool(value) and all(isinstance(row, dict) for row in value)
        return objects or (len(value) > 1 and all(isinstance(row, list) and row for row in value))
    if isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
        return len({len(column) for column in value.values()}) == 1
    return False
