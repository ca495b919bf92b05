# Reading and comparing: the standard library, numpy and pandas; nothing here belongs to the platform.
from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TOLERANCE = 1e-6  # relative difference up to which two numbers count as the same, unless a line states another
TAIL, TAIL_TOLERANCE = 1e-12, 1e-3  # p-values below the first may differ by the second
LEAST = 1e-294  # times the tolerance of tails: p-values below 1e-297 are zero within what doubles can hold
RESULTS: list[bool] = []
LEFT_OUT: list[str] = []


def check(label: str, here: Any, there: Any, tolerance: float = TOLERANCE, scale: float = 0.0) -> None:
    """Print a number beside the platform's, with their difference relative to the larger of the two.

    `scale` is the size that rounding counts against where a number may be zero: what is no further apart than
    `tolerance` times it is zero within rounding, which is then said.
    """
    a, b = (math.nan if value is None else float(value) for value in (here, there))
    stated = "" if tolerance == TOLERANCE else f" (tolerance {tolerance:.0e})"
    if math.isnan(a) or math.isnan(b):
        same, difference = math.isnan(a) == math.isnan(b), 0.0
    else:
        difference = abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0
        same = difference <= tolerance
        if not same and abs(a - b) <= tolerance * scale:
            same = True
            stated = f" (zero within rounding: {abs(a - b):.0e} apart, of at most {tolerance * scale:.0e})"
    RESULTS.append(same)
    say(
        f"  {label}: here {a!r}, platform {b!r}, relative difference {difference:.1e}{stated}"
        + ("" if same else "   <-- DIFFERS")
    )


def check_p(label: str, here: Any, there: Any, tolerance: float = TOLERANCE) -> None:
    """:func:`check` of a p-value: far out in a tail a rounding of the statistic is a larger share of p."""
    there = math.nan if there is None else float(there)
    check(label, here, there, max(tolerance, TAIL_TOLERANCE) if there < TAIL else tolerance, LEAST)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def section(title: str) -> None:
    say(f"\n{title}")


def left_out(what: str, why: str) -> None:
    LEFT_OUT.append(what)
    say(f"  not repeated: {what} ({why})")


def attempt(task: Callable[[Any], None], data: Any) -> None:
    """Repeat a task, unless it needs a column that could not be read plainly."""
    try:
        task(data)
    except KeyError as column:
        left_out("this task", f"a column is not read here: {column.args[0] if column.args else ''}")
    except (ArithmeticError, TypeError, ValueError) as error:
        RESULTS.append(False)
        say(f"  this task fails here: {error}   <-- DIFFERS")


def finish() -> None:
    """The last line; exits with 1 where a number differs and with 2 where none could be compared."""
    wrong, parts = RESULTS.count(False), f"{len(LEFT_OUT)} part(s) left out"
    if not RESULTS:
        say(f"\nNothing could be compared: {parts}.")
        sys.exit(2)
    say(f"\n{len(RESULTS)} numbers compared, {wrong} differ by more than stated (default {TOLERANCE:.0e}); {parts}.")
    sys.exit(1 if wrong else 0)


# Reading ------------------------------------------------------------------------------------------------------------


def content(path: str, sha256: str) -> bytes:
    """The file's bytes, which must be the very ones that were analysed."""
    found = Path(path).read_bytes()
    if hashlib.sha256(found).hexdigest() != sha256:
        sys.exit(f"{path} is not the file that was analysed: its sha256 is not {sha256}")
    return found


def delimited_rows(
    data: bytes,
    *,
    encoding: str,
    delimiter: str,
    quote: str,
    escape: str,
    comment: str,
    first_line: int,
    width: int,
    skip: Sequence[int] = (),
    most: int | None = None,
) -> list[list[str]]:
    """Rows of `width` fields of a text from `first_line` on (lines count from 1); `skip` lists lines left out."""
    text = data.decode(encoding, errors="replace").removeprefix("\ufeff").replace("\x00", "")
    lines = io.StringIO(text, newline="").readlines()[first_line - 1 :]
    if delimiter == " ":
        lines = [line.strip() + "\n" for line in lines]
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        escapechar=escape or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=delimiter == " ",
    )
    rows: list[list[str]] = []
    number = first_line
    for fields in reader:
        begin, number = number, first_line + reader.line_num
        if begin in skip or (comment and fields and fields[0].startswith(comment)):
            continue
        if not "".join(fields).strip() and width > 1:
            continue
        while len(fields) > width and not fields[-1].strip():
            fields.pop()
        if width == 1 and not fields:
            fields = [""]
        if len(fields) == width:
            rows.append(fields)
        if most is not None and len(rows) >= most:
            break
    while rows and width == 1 and not rows[-1][0].strip():
        rows.pop()
    return rows


def as_text(value: Any) -> str:
    """A typed cell (of a sheet, of parquet, of JSON) as text."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() and abs(float(value)) < 2**53 else repr(float(value))
    if isinstance(value, datetime.datetime):
        return value.isoformat() if value.time() != datetime.time() else value.date().isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def sheet_rows(
    data: bytes, *, sheet: str, first_row: int, left: int, width: int, skip: Sequence[int] = ()
) -> list[list[str]]:
    """Rows of a workbook's sheet from `first_row` on (rows count from 1), `width` columns from the one after `left`."""
    grid = pd.read_excel(
        io.BytesIO(data), sheet_name=sheet, header=None, dtype=object, engine="calamine"
    ).values.tolist()
    rows = [[as_text(cell) for cell in row[left : left + width]] for row in grid[first_row - 1 :]]
    return [row for i, row in enumerate(rows) if any(map(str.strip, row)) and first_row + i not in skip]


def inside(row: Mapping[str, Any], name: str) -> Any:
    """A value of an object; ``a.b`` may be that of ``b`` in the object ``a``."""
    if name in row:
        return row[name]
    outer, _, inner = name.partition(".")
    within = row.get(outer)
    return inside(within, inner) if inner and isinstance(within, dict) else None


def json_rows(data: bytes, *, names: Sequence[str], place: str = "", skip: Sequence[int] = ()) -> list[list[str]]:
    """Rows of a JSON array of objects (or arrays), or of one such value a line; `skip` lists rows (lines where there is
    one value on each, counted from 1) that are left out."""
    text = data.decode("utf-8-sig")
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        # Not at other line breaks that Unicode knows: those may stand in a string.
        lines = list(enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1))
        kept = [line for number, line in lines if line.strip() and number not in skip]
        found = [json.loads(line, parse_float=str, parse_int=str) for line in kept]
        skip = ()
    for key in filter(None, place.split(".")):
        found = found[key]
    return [
        [as_text(inside(row, name) if isinstance(row, dict) else row[i]) for i, name in enumerate(names)]
        for number, row in enumerate(found, start=1)
        if number not in skip
    ]


def parquet_rows(data: bytes, *, most: int | None = None) -> list[list[str]]:
    frame = pd.read_parquet(io.BytesIO(data), dtype_backend="pyarrow")
    frame = frame if most is None else frame.head(most)
    for name, kind in frame.dtypes.items():
        if str(kind).startswith("float["):  # single precision: its shortest text, not that of the double it becomes
            frame[name] = [None if pd.isna(value) else str(np.float32(value)) for value in frame[name]]
    return [[as_text(cell) for cell in row] for row in frame.astype(object).where(frame.notna(), None).values.tolist()]


def numbers(
    cells: Sequence[str],
    *,
    decimal: str = ".",
    thousands: str = "",
    before: str = "",
    after: str = "",
    missing: Sequence[str] = (),
) -> np.ndarray[Any, Any]:
    """Numbers as doubles; what is a missing-value code or no number is NaN."""
    values = []
    for cell in cells:
        text = cell.strip()
        if text.lower() in missing:
            values.append(math.nan)
            continue
        text = text.replace("\u2212", "-").removeprefix(before).removesuffix(after).strip()
        for mark in {" ": " \u00a0\u202f\u2009", "'": "'\u2019"}.get(thousands, thousands):
            text = text.replace(mark, "")
        try:
            values.append(float(text.replace(decimal, ".") if decimal in text else text))
        except ValueError:
            values.append(math.nan)
    found = np.array(values, dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def dates(cells: Sequence[str], *, form: str, missing: Sequence[str] = ()) -> np.ndarray[Any, Any]:
    """Dates as days since 1970-01-01, with the time of day as a fraction."""
    texts = pd.Series([None if cell.strip().lower() in missing else cell.strip() for cell in cells], dtype=object)
    moments = pd.to_datetime(texts, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    days = (moments - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    found: np.ndarray[Any, Any] = days.to_numpy(dtype=np.float64)
    return found


def words(
    cells: Sequence[str], *, missing: Sequence[str] = (), meaning: Mapping[str, str] | None = None
) -> np.ndarray[Any, Any]:
    """Categories as text, None where missing; `meaning` replaces spellings."""
    meaning = meaning or {}
    texts = [cell.strip() for cell in cells]
    return np.array([None if t.lower() in missing else meaning.get(t, t) for t in texts], dtype=object)
