"""How a delimited file is written, found on a sample: encoding, comments, quoting, delimiter, header, units, marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from worker.engines.analysis.reading.cells import COMMA_FORMATS, POINT_FORMATS, NumberFormat, canonical_number
from worker.engines.analysis.reading.decoding import decode
from worker.engines.analysis.reading.delimiters import find_comment, find_delimiter, find_quoting
from worker.engines.analysis.reading.layout import Layout, find_layout
from worker.engines.analysis.reading.missing import MISSING_AMONG_VALUES
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.overrides import ReadOptions
from worker.engines.analysis.reading.records import Record, Syntax, lines_of, read_records

SAMPLE_CHARACTERS = 256_000
_DIRECTIVE = re.compile(r"\ufeff?sep=(.)\r?\n?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is written. Lines count from 1.

    A delimiter of one space stands for runs of spaces. `syntax.quote` and `syntax.comment` are "" where there are none.
    `decimal` and `thousands` are what most columns show ("" for no thousands mark); a column may differ from them.
    """

    encoding: str
    syntax: Syntax
    layout: Layout
    decimal: str = "."
    thousands: str = ""
    missing: frozenset[str] = MISSING_AMONG_VALUES
    """Codes for a missing value, in lower case: the customary ones and those of the request."""

    @property
    def delimiter(self) -> str:
        return self.syntax.delimiter

    @property
    def names(self) -> tuple[str, ...]:
        return self.layout.names

    @property
    def body_line(self) -> int:
        """The first line that may hold a row of data."""
        return self.layout.body_line


def detect_dialect(sample: bytes, options: ReadOptions, notes: Notes, *, whole: bool) -> Dialect:
    """The dialect of a file from its first bytes, `whole` when they are all there is. Decisions go to `notes`.

    A sample is cut back to its last whole line. Raises :class:`AnalysisError` when it is no text or holds no row.
    """
    if not whole:
        sample = _whole_lines(sample)
    text, encoding = decode(sample, options.encoding, notes)
    return dialect_of(text, encoding, options, notes)


def dialect_of(text: str, encoding: str, options: ReadOptions, notes: Notes) -> Dialect:
    """The same for text that is decoded already; only its beginning is looked at."""
    lines = sample_lines(text)
    directive = _DIRECTIVE.fullmatch(lines[0]) if lines else None
    skip = options.skip_lines
    if directive and options.delimiter is None:
        notes.decide(f"fields separated by {directive[1]!r}", "the first line says sep=", override="delimiter")
        options = replace(options, delimiter=directive[1])
        skip = max(1, skip)
    body = lines[skip:]
    comment = find_comment(body, notes) if options.comment is None else options.comment
    told = [line for line in body if not (comment and line.startswith(comment))]
    quote, escape = find_quoting(told, options.quote, notes)
    delimiter = options.delimiter or find_delimiter(told, quote, escape, notes)
    syntax = Syntax(delimiter, quote, escape, comment, skip, options.comment is not None)
    silent = Notes()  # What is wrong with records is said when all of them are read.
    records = read_records(lines, syntax, silent)
    layout = find_layout(records, options, notes, comments=_comments(silent, lines, syntax))
    decimal, thousands = _marks(layout, records, options, european=delimiter == ";")
    codes = frozenset(code.strip().lower() for code in options.missing)
    return Dialect(encoding, syntax, layout, decimal, thousands, MISSING_AMONG_VALUES | codes)


def sample_lines(text: str) -> list[str]:
    """The lines of the text's beginning; the last one that is cut is left out."""
    lines = lines_of(text[:SAMPLE_CHARACTERS])
    return lines[:-1] or lines if len(text) > SAMPLE_CHARACTERS else lines


def _whole_lines(sample: bytes) -> bytes:
    end = max(sample.rfind(b"\n"), sample.rfind(b"\r"))
    if end < 0:
        return sample
    wide = sample[:4].count(0) or sample[:2] in (b"\xff\xfe", b"\xfe\xff")
    return sample[: end + 1 + (-(end + 1) % (4 if sample[:4].count(0) > 1 else 2) if wide else 0)]


def _comments(notes: Notes, lines: Sequence[str], syntax: Syntax) -> list[Record]:
    """The comment lines above the first row, as records: the last one may hold the names."""
    found = [p.line for p in notes.problems if p.issue.startswith("a comment")]
    rows = (lines[number - 1].removeprefix(syntax.comment) for number in found)
    plain = replace(syntax, comment="", skip_lines=0)
    return [
        Record(number, fields[0].fields if (fields := read_records([row], plain, Notes())) else [], number)
        for number, row in zip(found, rows, strict=True)
    ]


def _marks(layout: Layout, records: Sequence[Record], options: ReadOptions, *, european: bool) -> tuple[str, str]:
    """Decimal and thousands mark that the most columns of the sample fit."""
    rows = [r.fields for r in records if r.line >= layout.body_line and len(r.fields) == len(layout.names)]
    forms = allowed_forms(options, european=european)
    votes = dict.fromkeys(forms, 0)
    for cells in zip(*rows, strict=True):
        present = {c for cell in cells if (c := cell.strip()) and c.lower() not in MISSING_AMONG_VALUES}
        fitting = [form for form in forms if present and all(canonical_number(c, form) is not None for c in present)]
        if fitting:
            votes[fitting[0]] += len([c for c in present if not c.lstrip("+-").isdigit()])
    best = max(forms, key=lambda form: votes[form])
    return best.decimal, best.thousands


def allowed_forms(options: ReadOptions, *, european: bool) -> tuple[NumberFormat, ...]:
    """The number formats that the request leaves open, in the order to try."""
    forms = COMMA_FORMATS + POINT_FORMATS if european else POINT_FORMATS + COMMA_FORMATS
    if options.decimal is not None:
        forms = tuple(form for form in forms if form.decimal == options.decimal)
    if options.thousands is not None:
        forms = tuple(form for form in forms if form.thousands in ("", options.thousands)) or forms
    return forms
