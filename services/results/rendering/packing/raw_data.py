"""The archive around an exported document: everything that was gathered and done on the way, with checksums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from kit import results_schema
from services.results.rendering import figures
from services.results.rendering.citing.bibliography import Work, csl_json, works
from services.results.rendering.citing.bibliography_formats import bibtex, ris
from services.results.rendering.composing import reproducing
from services.results.rendering.composing.anchors import Anchors
from services.results.rendering.composing.computed import exhibit_order
from services.results.rendering.composing.exhibits import in_order
from services.results.rendering.composing.metadata import ExecutionMetadata
from services.results.rendering.document import ResultDocument
from services.results.rendering.filenames import CHECKSUMS, FIGURE_FOLDER, MANIFEST, SCHEMA_FILE
from services.results.rendering.packing import spreadsheets, task_records
from services.results.rendering.packing.archives import Archive
from services.results.rendering.plain_text import one_line, shorten
from services.results.rendering.reading import JSON
from services.results.rendering.serializer import SCHEMA_VERSION, dump, export_json

RAW_BLOCKS = ("passages", "screening", "decisions", "usage")
"""What raw data consists of; each is a list of objects."""

_COLUMNS: Mapping[str, Sequence[str]] = {
    "passages": ("citation", "citation_key", "document_id", "page", "start", "end", "sha256", "quote"),
    "screening": ("document_id", "title", "stage", "reason"),
    "usage": ("item", "stage", "quantity", "unit", "unit_price", "amount"),
}
"""Columns of the blocks that are tables as well; further members stand after them."""

_PIECE = 64 * 1024
_WHAT: tuple[tuple[str, str], ...] = (
    ("README.txt", "This text."),
    ("results.json", "All of the results in JSON, with every digit."),
    (SCHEMA_FILE, "JSON Schema of results.json: what each member means."),
    ("references.bib", "The references as BibTeX."),
    ("references.ris", "The references as RIS, for reference managers."),
    ("references.csl.json", "The references as CSL-JSON; `custom.citation` is the citation's id in results.json."),
    ("raw/passages", "Every passage quoted: its citation, document, page, place in the stored text, and words."),
    ("raw/screening", "Each document that was left out, with the reason."),
    ("raw/decisions", "What was decided on the way, and why."),
    ("raw/usage", "What the work used and cost, item by item."),
    ("steps.json", "The steps of the analysis."),
    (".py", "A program that repeats the analysis."),
    (MANIFEST, "Size and SHA-256 of every file but this one and the next."),
    (CHECKSUMS, "The checksums for `sha256sum -c SHA256SUMS`."),
)

_EXHIBITS: Mapping[str, str] = {
    ".csv": "its rows as in results.json.",
    ".vl.json": "Vega-Lite specification, with its data.",
    ".svg": "drawing.",
    ".png": "picture.",
}
"""What the files of tables and figures hold, by their endings."""
_BEHIND = "what it was made of: all {name} of the task's result, with every digit."
_TITLE = 80
"""Characters of a title in the list of files."""


def archive(
    document: ResultDocument,
    metadata: ExecutionMetadata | None,
    session_id: str,
    raw_data: Mapping[str, JSON],
    rendition: tuple[str, bytes],
) -> bytes:
    """A zip file with the rendition, the results as JSON with their schema, references, tables, figures, the script of
    an analysis, and the raw data.

    Equal content gives equal bytes. Large blocks are written in pieces, so that none is held a second time.

    :param rendition: the document's own file name and bytes.
    """
    made = Archive()
    made.add(*rendition)
    made.add("results.json", export_json(document, metadata, session_id, schema=SCHEMA_FILE))
    made.add(SCHEMA_FILE, results_schema.written())
    sources = works(document.citations)
    made.add("references.bib", bibtex(sources))
    made.add("references.ris", ris(sources))
    made.add("references.csl.json", csl_json(document.citations, sources))
    named = _exhibits(made, document)
    for path, content in reproducing.files(document).items():
        made.add(path, content)
    _raw(made, raw_data, sources)
    made.add("README.txt", _readme(document, session_id, [entry.path for entry in made.entries], named))
    made.add(MANIFEST, _manifest(made, session_id))
    made.add(CHECKSUMS, "".join(f"{entry.sha256}  {entry.path}\n" for entry in made.entries).encode())
    return made.close()


def _exhibits(made: Archive, document: ResultDocument) -> dict[str, str]:
    """Add the tables and figures. What each is in the report, by its path without the ending."""
    tables, drawings = in_order(document, exhibit_order(document))
    numbers = {("Table", item.id): place for place, item in enumerate(tables, start=1)}
    numbers |= {("Figure", item.id): place for place, item in enumerate(drawings, start=1)}
    named: dict[str, str] = {}
    # Files are named by the anchors of the report.
    anchors = Anchors()
    records = task_records.of_tables(document)
    for table in document.tables:
        path = f"tables/{anchors.of('table', table.id)}"
        named[path] = _named("Table", numbers.get(("Table", table.id)), table.title)
        made.add(f"{path}.csv", spreadsheets.csv_pieces(table.columns, table.rows))
        for name, items in records.get(table.id, {}).items():
            behind = f"{path}.{name}"
            named[behind] = f"{named[path]}, {_BEHIND.format(name=name.replace('_', ' '))}"
            made.add(f"{behind}.csv", spreadsheets.record_pieces(items))
    for figure in document.figures:
        path = f"{FIGURE_FOLDER}/{anchors.of('figure', figure.id)}"
        named[path] = _named("Figure", numbers[("Figure", figure.id)], figure.title)
        made.add(f"{path}.vl.json", orjson.dumps(figure.spec, option=orjson.OPT_SORT_KEYS))
        try:
            svg = figures.draw(figure.spec)
            drawn = ((".svg", svg.encode()), (".png", figures.png(svg)))
        except figures.FigureRefused:
            continue  # The specification is there, and the document says why there is no drawing.
        for extension, content in drawn:
            made.add(f"{path}{extension}", content)
    return named


def _named(kind: str, number: int | None, title: str) -> str:
    label = kind if number is None else f"{kind} {number}"
    return f"{label} ({shown})" if (shown := shorten(one_line(title), _TITLE)) else label


def _raw(made: Archive, raw_data: Mapping[str, JSON], sources: Sequence[Work]) -> None:
    keys = {work.id: work.key for work in sources}
    for block in RAW_BLOCKS:
        rows = raw_data.get(block) or []
        made.add(f"raw/{block}.json", _lines(rows))
        if block == "passages":
            rows = _Keyed(rows, keys)
        if columns := _COLUMNS.get(block):
            made.add(f"raw/{block}.csv", spreadsheets.record_pieces(rows, columns))


class _Keyed(Sequence[JSON]):
    """Passages with the citation keys of the references, each made as it is looked at."""

    def __init__(self, rows: Sequence[JSON], keys: Mapping[str, str]) -> None:
        self._rows = rows
        self._keys = keys

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int | slice) -> JSON:
        row = self._rows[index]
        return (
            row if not isinstance(row, Mapping) else {**row, "citation_key": self._keys.get(str(row.get("citation")))}
        )


def _lines(rows: Sequence[JSON]) -> Iterator[bytes]:
    """A JSON array with an item on each line, in pieces."""
    piece = bytearray(b"[")
    for index, row in enumerate(rows):
        piece += b",\n" if index else b"\n"
        piece += orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
        if len(piece) > _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece + b"\n]\n")


def _readme(document: ResultDocument, session_id: str, paths: Sequence[str], exhibits: Mapping[str, str]) -> bytes:
    """:param exhibits: what a table or figure is in the report, by its path without the ending."""
    named = [*paths, "README.txt", MANIFEST, CHECKSUMS]
    width = max(map(len, named))
    lines = [
        one_line(document.title),
        f"Session {session_id}",
        "",
        *(f"{path:<{width}}  {_what(path, exhibits, first=index == 0)}" for index, path in enumerate(named)),
        "",
        "Text is UTF-8. CSV files begin with a byte order mark, which tells Excel so; other programs may want to be",
        'told ("utf-8-sig" in Python). Text that a spreadsheet would run as a formula has an apostrophe before it; the',
        "JSON files have it as it is. Places in texts are code points counted from 0, the end exclusive.",
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", errors="replace")


def _what(path: str, exhibits: Mapping[str, str], *, first: bool) -> str:
    if first:
        return "The report."
    stem = next((path.removesuffix(ending) for ending in _EXHIBITS if path.endswith(ending)), "")
    if stem in exhibits:
        named, ending = exhibits[stem], path.removeprefix(stem)
        return named if named.endswith(".") else f"{named}: {_EXHIBITS[ending]}"
    for pattern, what in _WHAT:
        start, _, end = pattern.rpartition("*")
        if path.startswith(start or pattern) and (not start or path.endswith(end)):
            return what
    return next((what for pattern, what in _WHAT if pattern.startswith(".") and path.endswith(pattern)), "")


def _manifest(made: Archive, session_id: str) -> bytes:
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "session_id": session_id,
            "files": [{"path": entry.path, "bytes": entry.bytes, "sha256": entry.sha256} for entry in made.entries],
        }
    )
