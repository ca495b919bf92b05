"""The archive around an exported document: everything that was gathered and done on the way, with checksums."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence

import orjson

from services.results.rendering import archives, figures, reproducing
from services.results.rendering.anchors import Anchors
from services.results.rendering.document import ResultDocument
from services.results.rendering.metadata import ExecutionMetadata
from services.results.rendering.reading import JSON
from services.results.rendering.serializer import SCHEMA_VERSION, dump, results_json

RAW_BLOCKS = ("passages", "screening", "decisions", "usage")
"""What raw data consists of; each is a list of objects."""

_FORMULA = re.compile(r"^[\s\ufeff]*[=+\-@\uff0b\uff0d\uff1d\uff20|%]|^[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
FIGURE_FOLDER = "figures"


def archive(
    document: ResultDocument,
    metadata: ExecutionMetadata | None,
    session_id: str,
    raw_data: Mapping[str, JSON],
    rendition: tuple[str, bytes],
) -> bytes:
    """A zip file with the rendition, the results as JSON, tables as CSV, figures, the script of an analysis, and the
    raw data.

    Equal content gives equal bytes.

    :param rendition: the document's own file name and bytes.
    """
    files: dict[str, bytes] = {rendition[0]: rendition[1]}
    files["results.json"] = results_json(document, metadata, session_id)
    files["references.csl.json"] = orjson.dumps(
        [dict(citation.csl) | {"id": citation.id} for citation in document.citations],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2,
    )
    # Files are named by the anchors of the report.
    anchors = Anchors()
    for table in document.tables:
        files[f"tables/{anchors.of('table', table.id)}.csv"] = csv_bytes(table.columns, table.rows)
    for figure in document.figures:
        path = f"{FIGURE_FOLDER}/{anchors.of('figure', figure.id)}"
        files[f"{path}.vl.json"] = orjson.dumps(figure.spec, option=orjson.OPT_SORT_KEYS)
        try:
            files[f"{path}.png"] = figures.png(figures.draw(figure.spec))
        except figures.FigureRefused:
            continue  # The specification is there, and the document says why there is no drawing.
    files.update(reproducing.files(document))
    for block in RAW_BLOCKS:
        rows = raw_data.get(block) or []
        files[f"raw/{block}.json"] = orjson.dumps(rows, option=orjson.OPT_SORT_KEYS)
        if block == "screening":
            files["raw/screening.csv"] = _records_csv(rows)
    files["manifest.json"] = _manifest(files, session_id)
    return archives.pack(files)


def csv_bytes(columns: Sequence[str], rows: Sequence[Sequence[JSON]]) -> bytes:
    """RFC 4180 CSV in UTF-8. Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow([guarded(column) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return target.getvalue().encode("utf-8", errors="replace")


def guarded(text: str) -> str:
    """`text` made harmless to spreadsheets; numbers stay as they are."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _csv_cell(cell: JSON) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return guarded(cell)
    if isinstance(cell, (bool, int, float)):
        return orjson.dumps(cell).decode()
    return guarded(orjson.dumps(cell, option=orjson.OPT_SORT_KEYS).decode())


def _records_csv(rows: Sequence[JSON]) -> bytes:
    records = [row for row in rows if isinstance(row, Mapping)]
    columns = list(dict.fromkeys(str(key) for record in records for key in record))
    return csv_bytes(columns, [[record.get(column) for column in columns] for record in records])


def _manifest(files: Mapping[str, bytes], session_id: str) -> bytes:
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "session_id": session_id,
            "files": [
                {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for path, content in files.items()
            ],
        }
    )
