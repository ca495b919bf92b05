"""What a parser returns, and the limits it works under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import NoneType
from typing import Any, Self

from services.library.domain import Span
from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.csl import checked_item
from services.library.parsing.normalise import normalise
from services.library.places import CSL, Table, Work

MIB = 1024 * 1024
WORKS_MAX = 20_000
TABLES_MAX = 10_000
"""Tables of a document whose places are kept; the text of any further ones is."""


class Kind(StrEnum):
    """The document kinds that are read; the value is shown to users as `kind`."""

    PDF = "pdf"
    DOCX = "docx"
    HTML = "html"
    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSONL = "jsonl"
    XLSX = "xlsx"
    XLS = "xls"
    BIBTEX = "bibtex"
    RIS = "ris"
    CSL = "csl"
    JATS = "jats"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """Bounds on one file. Sizes are bytes, `seconds` is wall-clock time from hand-over to answer."""

    seconds: float = 60.0
    memory_bytes: int = 1024 * MIB
    file_bytes: int = 50 * MIB
    unpacked_bytes: int = 256 * MIB
    pages: int = 5_000
    characters: int = 20_000_000
    cells: int = 5_000_000
    head_characters: int = 1_000_000
    """What is kept as text of a table that is over the others; its file is kept whole."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A file's text, normalised as it will be stored, and what the file says about itself.

    `pages` is empty for kinds that have no pages; for workbooks each sheet is a page. `problems` are
    sentences for the owner about what could not be read. Unknown facts stay empty: nothing is guessed
    that a citation would later repeat. `csl` is the document as a CSL-JSON item as far as it is known,
    `tables` are the places of tables in `text`, `works` those of a bibliography's entries.
    """

    title: str
    kind: Kind
    text: str
    pages: tuple[Span, ...] = ()
    authors: tuple[str, ...] = ()
    year: int | None = None
    doi: str = ""
    problems: tuple[str, ...] = ()
    is_dataset: bool = False
    csl: CSL = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    works: tuple[Work, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """A JSON-ready mapping; :meth:`from_wire` turns it back."""
        wire = asdict(self)
        wire["pages"] = [[span.page, span.start, span.end] for span in self.pages]
        return wire

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Self:
        """Rebuild a document, trusting nothing: the process that sent it has read a foreign file.

        Raises ValueError, TypeError or KeyError when the mapping is not a document.
        """
        text = _string(wire["text"])
        pages = tuple(Span(*_span(item, len(text))) for item in wire["pages"])
        if len(wire["works"]) > WORKS_MAX or len(wire["tables"]) > TABLES_MAX:
            raise ValueError("more works or tables than there may be")
        year = wire["year"]
        if year is not None and not isinstance(year, int):
            raise TypeError("year is no integer")
        return cls(
            title=_string(wire["title"]),
            kind=Kind(wire["kind"]),
            text=text,
            pages=pages,
            authors=tuple(_string(item) for item in wire["authors"]),
            year=year,
            doi=_string(wire["doi"]),
            problems=tuple(_string(item) for item in wire["problems"]),
            is_dataset=bool(wire["is_dataset"]),
            csl=checked_item(wire["csl"]),
            tables=tuple(_table(item, len(text)) for item in wire["tables"]),
            works=tuple(_work(item, len(text)) for item in wire["works"]),
        )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _span(item: Sequence[object], length: int) -> tuple[int, int, int]:
    page, start, end = item
    if not (isinstance(page, int) and isinstance(start, int) and isinstance(end, int)):
        raise TypeError("a page span holds something other than integers")
    if not 0 <= start <= end <= length:
        raise ValueError("a page span lies outside the text")
    return page, start, end


def _table(item: dict[str, Any], length: int) -> Table:
    start, end, page, rows, columns = (item[key] for key in ("start", "end", "page", "rows", "columns"))
    if not all(type(number) is int for number in (start, end, rows, columns)) or type(page) not in (int, NoneType):
        raise TypeError("a table's place holds something other than integers")
    if not (0 <= start <= end <= length and rows >= 0 and columns >= 0):
        raise ValueError("a table lies outside the text")
    return Table(start, end, page, _string(item["caption"]), rows, columns)


def _work(item: dict[str, Any], length: int) -> Work:
    start, end = item["start"], item["end"]
    if type(start) is not int or type(end) is not int:
        raise TypeError("a work's place holds something other than integers")
    if not 0 <= start <= end <= length:
        raise ValueError("a work lies outside the text")
    return Work(start, end, checked_item(item["csl"]))


def assemble(pages: Sequence[str], limits: ParseLimits, *, prose: bool = False) -> tuple[str, tuple[Span, ...]]:
    """Normalise page texts and join them by a blank line; the spans leave the separators out.

    With `prose`, a page that goes on in the middle of a sentence is joined by a space instead, so that
    the sentence stays whole.
    """
    parts: list[str] = []
    spans: list[Span] = []
    position = 0
    last = ""
    for number, raw in enumerate(pages, start=1):
        text = normalise(raw).strip()
        if last and text:
            separator = " " if prose and _goes_on(last, text) else "\n\n"
            parts.append(separator)
            position += len(separator)
        spans.append(Span(number, position, position + len(text)))
        parts.append(text)
        position += len(text)
        last = text or last
        if position > limits.characters:
            raise too_much_text(limits)
    return "".join(parts), tuple(spans)


def _goes_on(before: str, after: str) -> bool:
    return after[0].islower() and (before[-1].isalnum() or before[-1] == ",")


def bounded(text: str, limits: ParseLimits, cure: str = "") -> str:
    """Normalise an unpaged text and hold it to the limit on characters. `cure` ends what is said beyond it."""
    stored = normalise(text)
    if len(stored) > limits.characters:
        raise too_much_text(limits, cure)
    return stored


def beginning(data: bytes, limits: ParseLimits) -> bytes:
    """A file of lines, or the beginning of one that is over the limit in any encoding."""
    if len(data) <= 4 * limits.characters:
        return data
    most = 4 * limits.head_characters
    wide = b"\0" in data[:1_024]
    return data[: most // 4 * 4 if wide else data.rfind(b"\n", 0, most) + 1 or most]


def table_text(raw: str, limits: ParseLimits, *, cut: bool) -> tuple[str, tuple[str, ...]]:
    """The text of a table as it is stored, and what its owner should know: of one over the limit, or already `cut`,
    the head is kept, for searches to show what it is about."""
    if not cut and len(raw) <= limits.characters:
        return normalise(raw), ()
    stored = normalise(raw[: 2 * limits.head_characters])
    head = stored[: stored.rfind("\n", 0, limits.head_characters) + 1 or limits.head_characters]
    return head, (head_problem(head.count("\n")),)


def head_problem(lines: int) -> str:
    """What the owner is told of a table of which only so many lines are kept as text."""
    return f"Searches read its first {lines:,} lines only, for it is large; an analysis reads all of the file."


def too_large_file(limits: ParseLimits) -> DocumentUnreadable:
    return DocumentUnreadable(
        UnreadableCause.TOO_LARGE,
        f"It is over {limits.file_bytes:,} bytes, the most that PRSM_LIBRARY_UPLOAD_MB allows here.",
    )


def too_much_text(limits: ParseLimits, cure: str = "") -> DocumentUnreadable:
    return DocumentUnreadable(UnreadableCause.TOO_LARGE, f"Its text is over {limits.characters:,} characters.{cure}")
