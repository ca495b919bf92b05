"""Table files of every format through upload and a session, and every cell beside another reading of the same file."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from time import perf_counter
from typing import Any

from eval.options import Options
from eval.product import JSON, Person, Product, Unexpected
from eval.report import Cell, Report, Table
from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.reading.reader import read_table

PART = "tables"
_FOLDER = "tables"
_MANIFEST = "MANIFEST.json"
_EXTENSIONS = frozenset((".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls", ".parquet", ".json", ".jsonl", ".ndjson"))
_MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "--", ".", "?"))
_MARKS = re.compile(r"[\s,'$€£%\u00a0\u202f]")
_SHOWN = 70


@dataclass(frozen=True, slots=True)
class Beside:
    """The cells of another reading: the names, then rows as (line, fields)."""

    names: list[str]
    rows: list[tuple[int, list[str]]]


async def measure(product: Product, data: Path, options: Options) -> Report:
    """Upload every table file of the folders `tables` below `data`, profile it in a session, and compare.

    Rows, columns and problems are the session's. Values are the cells of the same code in this process, each held
    against the csv module's, calamine's or pyarrow's reading of the file as text. `came back` counts cells that mean
    the same; `named` those of rows or cells that a problem names by line; the rest is `lost`, which must be none.
    """
    person = product.person("tables")
    rows: list[list[Cell]] = []
    problems: list[str] = []
    lost = total = 0
    for path in _files(data):
        began = perf_counter()
        dataset, refusal = await _profiled(person, path)
        seconds = perf_counter() - began
        found, reason = _read(path)
        beside = None if found is None else await asyncio.to_thread(read_beside, path, found)
        came, named, gone = (0, 0, []) if found is None or beside is None else compare(beside, found)
        lost, total = lost + len(gone), total + came + named + len(gone)
        problems += [f"{path.name}: {each}" for each in gone[:5]]
        if (dataset is None) != (found is None):
            problems.append(f"{path.name}: the session says {refusal or 'nothing'}, the reader {reason or 'nothing'}")
        told = [] if dataset is None else dataset["problems"]
        rows.append(
            [
                path.name,
                None if dataset is None else dataset["rows"],
                None if dataset is None else len(dataset["columns"]),
                came,
                named,
                len(gone),
                "; ".join(f"{each['line']}: {each['issue']}" for each in told)[:_SHOWN] or refusal[:_SHOWN],
                _expected(path)[:_SHOWN],
                seconds,
            ]
        )
    columns = ["file", "rows", "columns", "came back", "named", "lost", "faults by line, or refusal", "expected", "s"]
    figures = {"files": len(rows), "values": total, "lost": lost}
    return Report(PART, [Table("Values of each file", columns, rows)], figures, problems)


def _files(data: Path) -> list[Path]:
    folders = [data] if data.name == _FOLDER else sorted(path for path in data.rglob(_FOLDER) if path.is_dir())
    return [
        path
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _EXTENSIONS and path.name != _MANIFEST
    ]


def _expected(path: Path) -> str:
    manifest = path.with_name(_MANIFEST)
    if not manifest.exists():
        return ""
    entries = {entry.get("file"): entry for entry in json.loads(manifest.read_text())}
    entry = entries.get(path.name, {})
    return str(entry.get("expected") or entry.get("kind") or "")


async def _profiled(person: Person, path: Path) -> tuple[JSON | None, str]:
    """The dataset as the session's result has it, or why there is none."""
    status, answer = await person.upload(path)
    if status != 201:
        return None, str(answer.get("message"))
    body = {
        "prompt": "Describe the data.",
        "session_type": "analysis",
        "inputs": {"datasets": [{"document_id": answer["document_id"]}]},
        "preferences": {"analysis": {"tasks": [{"kind": "profile"}]}},
    }
    try:
        result = await person.results(body)
    except Unexpected as error:
        return None, str(error)
    dataset: JSON = result["results"]["datasets"][0]
    return dataset, ""


def _read(path: Path) -> tuple[ReadResult | None, str]:
    try:
        return read_table(path.name, path.read_bytes()), ""
    except AnalysisError as error:
        return None, str(error)


def read_beside(path: Path, found: ReadResult) -> Beside | None:
    """The file's cells by another program, as text; None where it has no reading of that format."""
    match path.suffix.lower():
        case ".csv" | ".tsv" | ".tab":
            return _separated(path.read_bytes())
        case ".xlsx" | ".xlsm" | ".xls":
            return _sheet(path, found)
        case ".parquet":
            return _parquet(path)
    return None


def _separated(data: bytes) -> Beside:
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    first = text.splitlines()[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=first.count))
    rows: list[tuple[int, list[str]]] = []
    line = 1
    for fields in reader:
        rows.append((line, fields))
        line = reader.line_num + 1
    return _headed(rows)


def _headed(rows: Sequence[tuple[int, list[str]]]) -> Beside:
    filled = [(line, fields) for line, fields in rows if any(field.strip() for field in fields)]
    return Beside(filled[0][1], filled[1:])


def _sheet(path: Path, found: ReadResult) -> Beside:
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(str(path)) as workbook:
        told = [d.decision for d in found.decisions if d.decision.startswith("the sheet ")]
        name = next((name for name in workbook.sheet_names if told and repr(name) in told[0]), workbook.sheet_names[0])
        cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return _headed([(number, [_plain(cell) for cell in row]) for number, row in enumerate(cells, start=1)])


def _plain(cell: Any) -> str:
    return cell.isoformat() if hasattr(cell, "isoformat") else "" if cell is None else str(cell)


def _parquet(path: Path) -> Beside:
    import pyarrow.parquet as parquet

    table = parquet.read_table(path)
    flat = table.flatten()
    columns = [_texts(column) for column in flat.columns]
    return Beside(list(flat.column_names), [(i + 1, list(row)) for i, row in enumerate(zip(*columns, strict=True))])


def _texts(column: Any) -> list[str]:
    """The values as text; single precision by the digits that tell it from its neighbours, as numpy writes them."""
    import numpy as np

    if str(column.type) == "float":
        return ["" if value is None else str(np.float32(value)) for value in column.to_pylist()]
    return ["" if value is None else _value(value) for value in column.to_pylist()]


def _value(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else _plain(value)


def compare(beside: Beside, found: ReadResult) -> tuple[int, int, list[str]]:
    """Cells that came back, cells that a problem names, and the rest in words. Rows are matched in order."""
    named_lines = {problem.line for problem in found.problems if problem.column is None}
    named_cells = {(problem.line, problem.column) for problem in found.problems}
    columns = found.table.columns
    came = named = 0
    gone: list[str] = []
    row = 0
    for line, fields in beside.rows:
        width = len(beside.names)
        if line in named_lines and len(fields) != width:
            named += len(fields)
            continue
        if row >= found.table.rows:
            gone += [f"line {line} is in no row"]
            continue
        for place, cell in enumerate(fields):
            if place >= len(columns):
                gone += [f"line {line}, field {place + 1}: {cell!r} is in no column"] if cell.strip() else []
                continue
            got = columns[place].cells[row]
            if same(cell, got):
                came += 1
            elif (line, columns[place].name) in named_cells:
                named += 1
            else:
                gone.append(f"line {line}, {columns[place].name}: {cell[:40]!r} became {got!r}")
        row += 1
    if row != found.table.rows:
        gone.append(f"{found.table.rows} rows, the other reading has {row}")
    return came, named, gone


def same(raw: str, cell: str | None) -> bool:
    """Whether a canonical cell means what the text says."""
    text = raw.strip()
    if cell is None:
        return text.lower() in _MISSING
    return text == cell or _number(text) == _number(cell) is not None or cell in _otherwise(text)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(_MARKS.sub("", text))
    except InvalidOperation:
        return None


def _otherwise(text: str) -> Iterator[str]:
    """What else the text may mean: a truth value, a date with the month or the day first."""
    from pandas import Timestamp

    if text.lower() in ("true", "yes", "t", "y", "1"):
        yield "true"
    if text.lower() in ("false", "no", "f", "n", "0"):
        yield "false"
    if not any(map(str.isdigit, text)):
        return
    for day_first in (False, True):
        try:
            moment = Timestamp(re.sub(r"[+-]..:?..$|Z$", "", text) if "T" in text else text)
            if day_first and (match := re.fullmatch(r"(\d+)\D(\d+)\D(.*)", text)):
                moment = Timestamp(f"{match[2]}/{match[1]}/{match[3]}")
        except (ValueError, OverflowError):
            continue
        yield moment.isoformat()
        yield moment.date().isoformat()
