"""Rows given as JSON: numbers keep the digits they were written with, nested objects become columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.engines.analysis.errors import TOO_LARGE, UNREADABLE, AnalysisError, invalid
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.overrides import PATH, ReadOptions
from worker.engines.analysis.reading.raw import Written
from worker.engines.analysis.reading.records import MAX_CELLS
from worker.engines.analysis.wording import listed

_DEEPEST = 8
_MOST_NAMES = 2_000
_LINES_TRIED = 20
_ROW_KEYS = ("rows", "data", "records", "items", "results", "features", "value", "values")


@dataclass(frozen=True, slots=True)
class _Fault:
    """A line that is no JSON."""

    issue: str


def load_json(text: str, *, only_json: bool) -> tuple[list[Any] | Any, bool] | None:
    """The value, and whether there is one on every line. None for what is no JSON but may be delimited text.

    Raises :class:`AnalysisError` for text that can only be meant as JSON, or must be as `only_json` says.
    """
    try:
        return _parse(text), False
    except RecursionError:
        raise AnalysisError(UNREADABLE, "the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        # Not at other line breaks that Unicode knows: those may stand in a string.
        lines = re.split(r"\r\n|\n|\r", text)
        values = [_line(line) for line in lines]
        told = [value for value in values if value is not None]
        whole = [value for value in told if not isinstance(value, _Fault)]
        rows = [value for value in whole if isinstance(value, dict | list)]
        if rows and len(rows) >= 0.5 * len(told) and isinstance(rows[0], type(whole[0])):
            return values, True
        if only_json or _meant_as_json(text):
            raise AnalysisError(UNREADABLE, f"not JSON: {error.msg} at line {error.lineno}") from None
        return None


def _meant_as_json(text: str) -> bool:
    return re.match(r'\s*(?:\[\s*)?(?:\{\s*"(?:[^"\\]|\\.)*"\s*:|\[\s*[\["0-9-])', text) is not None


def _line(line: str) -> Any:
    if not line.strip():
        return None
    try:
        return _parse(line)
    except json.JSONDecodeError as error:
        return _Fault(f"not JSON: {error.msg} at character {error.colno}")
    except RecursionError:
        return _Fault("the JSON is nested too deeply")


def _parse(text: str) -> Any:
    return json.loads(
        text, parse_float=Written, parse_int=Written, parse_constant=Written, object_pairs_hook=_every_pair
    )


def _every_pair(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; a name that comes again gets _2, _3 and so on, so that no value is lost."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        unique, number = name, 2
        while unique in found:
            unique, number = f"{name}_{number}", number + 1
        found[unique] = value
    return found


def read_json_rows(
    loaded: Any, by_line: bool, options: ReadOptions, notes: Notes
) -> tuple[list[str], list[list[str]], list[int]]:
    """Column names, cells by row, and row numbers from 1 (the lines where there is one value on each).

    Takes a list of objects, a list of lists under a first list of names, an object that holds such a list, columns
    (``{"a": [1, 2], "b": [3, 4]}``), or one object a line. Objects in an object become columns ``outer.inner``; lists
    in one stay JSON. An object that lacks a name has a missing value there. Raises :class:`AnalysisError` for
    anything else.
    """
    names: list[str] | None = None
    if not by_line:
        loaded, names = _find_rows(loaded, options, notes)
    if not isinstance(loaded, list) or not loaded:
        raise AnalysisError(UNREADABLE, "the JSON dataset holds no rows")
    rows = [(number, row) for number, row in enumerate(loaded, start=1) if not (by_line and row is None)]
    objects = any(isinstance(row, dict) for _, row in rows)
    if objects:
        rows, names = _flattened(rows, notes)
    elif names is None:
        first = rows[0][1]
        if not isinstance(first, list):
            raise AnalysisError(UNREADABLE, "rows must be objects, or lists under a first list of column names")
        if options.header is False or not all(isinstance(c, str) and not isinstance(c, Written) for c in first):
            names = [f"column_{i + 1}" for i in range(len(first))]
            notes.decide("no header: columns are named column_1, column_2, …", "the first row holds values")
        else:
            names, rows = [str(cell) for cell in first], rows[1:]
            rows = rows if by_line else [(number - 1, row) for number, row in rows]
    if len(names) * len(rows) > MAX_CELLS:
        raise AnalysisError(TOO_LARGE, f"the dataset has more than {MAX_CELLS:,} cells")
    cells: list[list[str]] = []
    numbers: list[int] = []
    for number, row in rows:
        if isinstance(row, dict):
            cells.append([cell_text(row.get(name)) for name in names])
        elif isinstance(row, list) and not objects and len(row) == len(names):
            cells.append([cell_text(cell) for cell in row])
        else:
            issue = f"has {len(row)} of {len(names)} fields" if isinstance(row, list) else "is no row"
            notes.problem(number, row.issue if isinstance(row, _Fault) else issue, "row left out")
            continue
        numbers.append(number)
    return names, cells, numbers


def _find_rows(loaded: Any, options: ReadOptions, notes: Notes) -> tuple[Any, list[str] | None]:
    """The list of rows in a document, and the columns' names where the document has them apart."""
    if options.records is not None:
        for key in options.records.split("."):
            if not isinstance(loaded, dict) or key not in loaded:
                raise invalid(f"{PATH}.records", f"the JSON document has no {key!r} there")
            loaded = loaded[key]
    if not isinstance(loaded, dict):
        return loaded, None
    if isinstance(loaded.get("columns"), list) and not isinstance(loaded.get("rows", loaded.get("data")), dict):
        rows = loaded.get("rows", loaded.get("data"))
        if isinstance(rows, list):
            return rows, [str(cell_text(name)) for name in loaded["columns"]]
    lists = [key for key, value in loaded.items() if isinstance(value, list)]
    tables = [key for key in lists if loaded[key] and all(isinstance(row, dict | list) for row in loaded[key])]
    if len(tables) > 1:
        named = [key for key in _ROW_KEYS if key in tables]
        if not named:
            raise AnalysisError(
                UNREADABLE, f"the JSON document holds several lists of rows ({listed(tables)}): read.records says which"
            )
        tables = [named[0], *(key for key in tables if key != named[0])]
    if tables:
        others = [f"rows of {key}" for key in tables[1:]]
        notes.decide(f"rows are those of {tables[0]!r}", "the document keeps them there", *others, override="records")
        return loaded[tables[0]], None
    if lists and len(lists) == len(loaded) and len({len(loaded[key]) for key in lists}) == 1:
        notes.decide("the document gives columns, not rows", "all its lists are equally long", override="records")
        return [list(row) for row in zip(*loaded.values(), strict=True)], [str(key) for key in loaded]
    return _nested(loaded, notes)


def _nested(loaded: dict[str, Any], notes: Notes) -> tuple[Any, list[str] | None]:
    """Objects by row or by column, and documents whose rows are deeper inside."""
    inner = list(loaded.values())
    if len(inner) > 1 and all(isinstance(value, dict) and value for value in inner):
        if all(list(value) == list(inner[0]) for value in inner) and all(key.isdigit() for key in inner[0]):
            notes.decide("the document gives columns, not rows", "each has the same row numbers", override="records")
            return [list(row) for row in zip(*(v.values() for v in inner), strict=True)], [str(key) for key in loaded]
        if sum(len(value.keys() & inner[0].keys()) > 0 for value in inner) == len(inner):
            notes.decide("each entry of the document is a row", "their names go in the column row", override="records")
            return [{"row": key, **value} for key, value in loaded.items()], None
    deeper = [key for key, value in loaded.items() if isinstance(value, dict) and _holds_rows(value)]
    if len(deeper) == 1:
        return _find_rows(loaded[deeper[0]], ReadOptions(), notes)
    return [loaded], None


def _holds_rows(value: Mapping[str, Any]) -> bool:
    return any(isinstance(each, list) and each and isinstance(each[0], dict | list) for each in value.values())


def _flattened(rows: Sequence[tuple[int, Any]], notes: Notes) -> tuple[list[tuple[int, Any]], list[str]]:
    """The rows with objects in objects brought to one level, and all names in the order they are met."""
    names: dict[str, None] = {}
    nested: dict[str, None] = {}
    kept: dict[str, None] = {}
    flat: list[tuple[int, Any]] = []
    for number, row in rows:
        if not isinstance(row, dict):
            flat.append((number, row))
            continue
        found: dict[str, Any] = {}
        _flatten(row, "", found, nested, kept, 0)
        names.update(dict.fromkeys(found))
        if len(names) > _MOST_NAMES:
            raise AnalysisError(UNREADABLE, f"the objects have more than {_MOST_NAMES:,} different names")
        flat.append((number, found))
    if nested:
        inner = listed([repr(name) for name in nested])
        notes.decide(f"objects in {inner} become columns outer.inner", "a table's cells hold one value each")
    if kept:
        inner = listed([repr(name) for name in kept])
        notes.decide(f"lists in {inner} are kept as JSON text", "a table's cells hold one value each")
    return flat, list(names)


def _flatten(
    row: Mapping[str, Any],
    prefix: str,
    found: dict[str, Any],
    nested: dict[str, None],
    kept: dict[str, None],
    depth: int,
) -> None:
    if depth > _DEEPEST:
        raise AnalysisError(UNREADABLE, f"objects are nested deeper than {_DEEPEST} levels in {prefix!r}")
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            nested[name] = None
            _flatten(value, f"{name}.", found, nested, kept, depth + 1)
            continue
        if isinstance(value, list):
            kept[name] = None
        while name in found:
            name += "_2"
        found[name] = value


def cell_text(value: Any) -> str:
    """A value as a cell: nothing for null, numbers as they were written, lists and objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json_text(value)


def json_text(value: Any) -> str:
    """JSON text in which numbers have the digits they came with."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, dict):
        return object_text(sorted(value.items()))
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def object_text(items: Iterable[tuple[str, Any]]) -> str:
    """JSON text of an object with these fields, in their order."""
    return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {json_text(each)}" for key, each in items) + "}"
