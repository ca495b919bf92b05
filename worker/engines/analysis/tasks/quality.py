"""What looks out of order in a table: the remarks of `profile`, each with a code and in words."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.task import Result
from worker.engines.analysis.wording import listed, number, plural

CODES = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0, -1.0)
"""Numbers that are often written for a missing value."""
_NEARLY_ALL = 0.98
_LEAST_FOR_SHARE = 50
_FEW_CODED = 0.5
_FAR = 2.0
_MOST_LEVELS = 2_000
_SOME_NUMBERS = 0.3


def remarks(table: Table, columns: Sequence[Column], repeated: int) -> list[Result]:
    """Remarks of the whole table first, then of its columns in their order."""
    found = [*_whole(table, columns, repeated)]
    for column in columns:
        found += _of_column(column)
    found += _copies(columns)
    return found


def _remark(code: str, text: str, *names: str) -> Result:
    return {"code": code, "text": text, "columns": list(names)}


def _whole(table: Table, columns: Sequence[Column], repeated: int) -> Iterator[Result]:
    if repeated:
        verb = "repeats" if repeated == 1 else "repeat"
        yield _remark("repeated_rows", f"{plural(repeated, 'row')} {verb} an earlier row in every column")
    gaps = [column for column in columns if column.missing]
    if not gaps:
        return
    cells = table.rows * len(columns)
    missing = sum(column.missing for column in gaps)
    worst = sorted(gaps, key=lambda c: -c.missing)
    parts = [f"{c.name} {c.missing:,} ({number(100 * c.missing / table.rows, 2)} %)" for c in worst]
    complete = np.ones(table.rows, dtype=np.bool_)
    for column in gaps:
        complete &= column.present()
    share = f"{number(100 * missing / cells, 2)} % of the values are missing"
    rows = f"{int(complete.sum()):,} of {table.rows:,} rows are complete"
    yield _remark("missing", f"{share}: {listed(parts, 10)}; {rows}", *(c.name for c in worst))
    together: dict[bytes, list[str]] = defaultdict(list)
    for column in gaps:
        if column.missing < table.rows:
            together[np.packbits(column.present()).tobytes()].append(column.name)
    for names in together.values():
        if len(names) > 1:
            rows = plural(table.rows - int(table[names[0]].present().sum()), "row")
            yield _remark("missing_together", f"{listed(names)} are missing in the same {rows}", *names)


def _of_column(column: Column) -> Iterator[Result]:
    name, distinct = column.name, column.distinct
    n = len(column.cells) - column.missing
    if not distinct:
        yield _remark("empty", f"{name} is empty", name)
        return
    if distinct == 1 and n > 1:
        yield _remark("constant", f"{name} is the same in all rows that have it", name)
        return
    if column.names_rows:
        yield _remark("identifier", f"{name} names or numbers the rows, so nothing is modelled from it", name)
        return
    if column.numeric:
        yield from _coded(column, n)
    elif column.type in (ColumnType.CATEGORY, ColumnType.TEXT) and distinct <= _MOST_LEVELS:
        yield from _words(column)
    if distinct <= _MOST_LEVELS and n >= _LEAST_FOR_SHARE:
        codes, levels = column.codes()
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        top = int(counts.argmax())
        if counts[top] >= _NEARLY_ALL * n:
            share = f"{name} is {levels[top]} in {number(100 * int(counts[top]) / n, 4)} % of its rows"
            yield _remark("nearly_constant", f"{share}, so it hardly varies", name)


def _coded(column: Column, n: int) -> Iterator[Result]:
    """A customary code for *missing* that stands far outside of the other values and more than once."""
    values = column.floats()[column.present()]
    for code in CODES:
        hits = int(np.count_nonzero(values == code))
        if not 2 <= hits <= _FEW_CODED * n:
            continue
        others = values[values != code]
        low, high = float(others.min()), float(others.max())
        q1, q3 = np.quantile(others, [0.25, 0.75]).tolist()
        reach = _FAR * max(q3 - q1, (high - low) / 4)
        alone = code == -1.0 and low >= 0.0 and float(np.floor(others).sum()) != float(others.sum())
        if code < low - reach or code > high + reach or alone:
            text = f"{column.name} has {code:g} in {plural(hits, 'row')}, far from its other values ({number(low)} to "
            text += f"{number(high)}): if it means missing, say so in read.missing"
            yield _remark("suspicious_code", text, column.name)


def _words(column: Column) -> Iterator[Result]:
    codes, levels = column.codes()
    counts = np.bincount(codes[codes >= 0], minlength=len(levels))
    numeric = sum(int(count) for level, count in zip(levels, counts, strict=True) if _is_number(level))
    share = numeric / int(counts.sum())
    if _SOME_NUMBERS <= share < 1:
        text = f"{column.name} holds numbers ({number(100 * share, 3)} %) and words, so it is taken as words"
        yield _remark("mixed_types", f"{text}; read.types changes it", column.name)
    forms: dict[str, list[str]] = defaultdict(list)
    for level in levels:
        forms[" ".join(level.casefold().split())].append(level)
    alike = [names for names in forms.values() if len(names) > 1]
    if alike:
        shown = listed([" and ".join(repr(name) for name in names) for names in alike], 4)
        yield _remark("spellings", f"{column.name} has values that differ in case or spaces only: {shown}", column.name)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _copies(columns: Sequence[Column]) -> Iterator[Result]:
    """Columns that say in every row what an earlier one says."""
    keyed: dict[tuple[str, bytes], list[Column]] = defaultdict(list)
    for column in columns:
        if column.distinct > 1:
            values = column.floats() + 0.0 if column.numeric else column.codes()[0]
            kind = "number" if column.numeric else "levels"
            keyed[kind, hashlib.sha256(np.ascontiguousarray(values).data).digest()].append(column)
    for same in keyed.values():
        first = same[0]
        for column in same[1:]:
            if column.numeric or column.levels() == first.levels():
                text = f"{column.name} repeats {first.name} in every row"
                yield _remark("copy", text, first.name, column.name)
