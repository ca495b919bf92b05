"""Records to rows of equal width; what is no row of data is reported by line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from worker.engines.analysis.reading.cells import looks_typed
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.overrides import ReadOptions
from worker.engines.analysis.reading.records import Record
from worker.engines.analysis.wording import plural

_NOTE = re.compile(
    r"(?:[*†‡§¹²³#(\[]|[0-9a-z][).] |(?:source|note|notes|quelle|anmerkung|fuente|nota|remarque|footnote|legend"
    r"|generated|created|copyright|©|\*)\b)",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"(?:grand )?totals?|sum|sub-?totals?|summe|gesamt|insgesamt|average|mean", re.IGNORECASE)
_MOST_NOTES = 30


def rectangle(
    names: Sequence[str], body: Sequence[Record], options: ReadOptions, notes: Notes
) -> tuple[list[str], list[list[str]], list[int]]:
    """Names, rows and their lines. Rows that do not fit the names are left out and reported."""
    body = list(body)
    while body and body[-1].blank and len(names) > 1:
        body.pop()
    body = _without_end(body, len(names), options, notes)
    names, body = _without_empty_end(list(names), body, notes)
    width = len(names)
    rows: list[list[str]] = []
    lines: list[int] = []
    blank = 0
    for record in body:
        fields = record.fields
        if record.blank and width > 1:
            blank += 1
            continue
        if len(fields) > width and not "".join(fields[width:]).strip():
            fields = fields[:width]
        if width == 1 and not fields:
            fields = [""]
        if len(fields) != width:
            notes.problem(
                record.line, f"has {plural(len(fields), 'field')} where the header has {width}", "row left out"
            )
            continue
        if width > 1 and is_header(fields, names):
            notes.problem(record.line, "the header again", "line left out")
            continue
        rows.append(fields)
        lines.append(record.line)
    if blank:
        notes.decide(f"{blank} blank row(s) left out", "no field holds anything")
    if rows and width > 1 and _TOTAL.fullmatch(rows[-1][0].strip()) and options.skip_end == 0:
        notes.decide(
            f"the last row, line {lines[-1]}, is taken as data",
            f"its first cell {rows[-1][0].strip()!r} may mean that it sums up the others",
            "left out",
            override="skip_end",
        )
    return names, rows, lines


def is_header(fields: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row is the header once more, as where files were put one after the other."""
    cells = [field.strip() for field in fields]
    return cells == list(names) and not any(looks_typed(cell) for cell in cells)


def _without_end(body: list[Record], width: int, options: ReadOptions, notes: Notes) -> list[Record]:
    """Without notes under the table, each named as a problem, and without the lines that the request leaves out."""
    for record in body[max(0, len(body) - options.skip_end) :]:
        notes.problem(record.line, "left out at the end, as asked for", "line left out")
    body = body[: max(0, len(body) - options.skip_end)]
    begin = len(body)
    while begin > 0 and len(body) - begin < _MOST_NOTES and (body[begin - 1].blank or _single(body[begin - 1], width)):
        begin -= 1
    while begin < len(body) and not _starts_notes(body, begin, width):
        begin += 1
    for record in body[begin:]:
        if not record.blank:
            text = " ".join(field.strip() for field in record.fields if field.strip())
            notes.problem(record.line, f"a line under the table: {text[:60]!r}", "line left out")
    return body[:begin]


def _single(record: Record, width: int) -> bool:
    """Whether the record holds words in its first field only, in a table where that is unusual."""
    first, rest = "".join(record.fields[:1]).strip(), "".join(record.fields[1:]).strip()
    whole = len(record.fields) == width
    return width > 1 and bool(first) and not rest and not looks_typed(first) and not (whole and width < 3)


def _starts_notes(body: Sequence[Record], begin: int, width: int) -> bool:
    record = body[begin]
    if record.blank:
        return False
    parted = begin > 0 and (body[begin - 1].blank or body[begin - 1].line + 1 < record.line > body[begin - 1].last + 1)
    return len(record.fields) != width or parted or _NOTE.match(record.fields[0].strip()) is not None


def _without_empty_end(names: list[str], body: list[Record], notes: Notes) -> tuple[list[str], list[Record]]:
    """Without the empty last column that a delimiter at the end of every line makes."""
    last = len(names) - 1
    if last > 0 and names[last] == f"column_{last + 1}" and all(not "".join(r.fields[last:]).strip() for r in body):
        notes.decide(f"column {last + 1} is left out", "it has no name and no value")
        return names[:last], [Record(r.line, r.fields[:last], r.last) for r in body]
    return names, body
