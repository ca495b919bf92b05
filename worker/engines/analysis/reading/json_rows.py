"""Rows given as JSON: numbers keep the digits they were written with."""

from __future__ import annotations

import json
from typing import Any

from worker.engines.analysis.errors import TOO_LARGE, UNREADABLE, AnalysisError
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.records import MAX_CELLS


class _Number(str):
    """A JSON number as it was written."""


def looks_like_json(text: str) -> bool:
    """Whether the text is JSON rows rather than delimited text that happens to begin with a bracket."""
    head = text.lstrip()[:1]
    if head not in ("[", "{"):
        return False
    try:
        _load(text)
    except AnalysisError:
        return False
    return True


def read_json_rows(text: str, notes: Notes) -> tuple[list[str], list[list[str]], list[int]]:
    """Column names, cells by row, and row numbers from 1.

    Takes a list of objects, a list of lists under a first list of names, ``{"columns": …, "rows": …}``, or
    one object a line. An object that lacks a name has a missing value there.
    """
    loaded = _load(text)
    names: list[str] | None = None
    if isinstance(loaded, dict):
        names = [str(name) for name in loaded["columns"]] if isinstance(loaded.get("columns"), list) else None
        loaded = loaded.get("rows", [loaded])
    if not isinstance(loaded, list) or not loaded:
        raise AnalysisError(UNREADABLE, "the JSON dataset holds no rows")
    objects = [row for row in loaded if isinstance(row, dict)]
    if objects:
        names = list(dict.fromkeys(str(key) for row in objects for key in row))
    elif names is None:
        if not isinstance(loaded[0], list):
            raise AnalysisError(UNREADABLE, "rows must be objects, or lists under a first list of column names")
        names = [str(_text(cell)) for cell in loaded[0]]
        loaded = loaded[1:]
    if len(names) * len(loaded) > MAX_CELLS:
        raise AnalysisError(TOO_LARGE, f"the dataset has more than {MAX_CELLS:,} cells")
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, row in enumerate(loaded, start=1):
        if isinstance(row, dict):
            cells = [_text(row.get(name)) for name in names]
        elif isinstance(row, list) and not objects and len(row) == len(names):
            cells = [_text(cell) for cell in row]
        else:
            issue = f"has {len(row)} of {len(names)} fields" if isinstance(row, list) else "is no row"
            notes.problem(number, issue, "row left out")
            continue
        rows.append(cells)
        numbers.append(number)
    return names, rows, numbers


def _load(text: str) -> Any:
    def parse(part: str) -> Any:
        return json.loads(part, parse_float=_Number, parse_int=_Number, parse_constant=lambda _: None)

    try:
        return parse(text)
    except RecursionError:
        raise AnalysisError(UNREADABLE, "the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        try:
            return [parse(line) for line in text.splitlines() if line.strip()]
        except (json.JSONDecodeError, RecursionError):
            raise AnalysisError(UNREADABLE, f"not JSON: {error.msg} at line {error.lineno}") from None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
