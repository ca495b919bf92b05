# What the script below needs: the standard library, numpy, pandas and scipy; nothing here belongs to the platform.
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
from scipy import optimize, special, stats

TOLERANCE = 1e-6  # relative difference up to which two numbers count as the same, unless a line states another
RESULTS: list[bool] = []


def check(label: str, here: Any, there: Any, tolerance: float = TOLERANCE, scale: float = 0.0) -> None:
    """Print a number beside the platform's. Differences count against the larger of its size and `scale`."""
    a, b = (math.nan if value is None else float(value) for value in (here, there))
    if math.isnan(a) or math.isnan(b):
        same, difference = math.isnan(a) == math.isnan(b), 0.0
    else:
        difference = abs(a - b) / max(abs(b), scale, 1e-300) if a != b else 0.0
        same = difference <= tolerance
    RESULTS.append(same)
    stated = "" if tolerance == TOLERANCE else f" (tolerance {tolerance:.0e})"
    say(
        f"  {label}: here {a!r}, platform {b!r}, relative difference {difference:.1e}{stated}"
        + ("" if same else "   <-- DIFFERS")
    )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def section(title: str) -> None:
    say(f"\n{title}")


def left_out(what: str, why: str) -> None:
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
    wrong = RESULTS.count(False)
    say(f"\n{len(RESULTS)} numbers compared, {wrong} differ by more than stated (default {TOLERANCE:.0e}).")
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


def json_rows(data: bytes, *, names: Sequence[str], place: str = "") -> list[list[str]]:
    """Rows of a JSON array of objects (or arrays), or of one such value a line."""
    text = data.decode("utf-8-sig")
    try:
        found = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        found = [json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines() if line.strip()]
    for key in filter(None, place.split(".")):
        found = found[key]
    return [
        [as_text(row.get(name) if isinstance(row, dict) else row[i]) for i, name in enumerate(names)] for row in found
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


# Statistics that scipy has no single function for ------------------------------------------------------------------


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def fisher_interval(r: float, n: int, factor: float = 1.0) -> tuple[float, float]:
    """95 % interval of a correlation by Fisher's z; `factor` widens it for ranks (Bonett and Wright 2000)."""
    half = stats.norm.ppf(0.975) * math.sqrt(factor / (n - 3))
    r = max(-1 + 2.0**-53, min(1 - 2.0**-53, r))  # doubles may round to 1 what is not
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def least_squares(columns: Sequence[Any], response: Any) -> tuple[Any, Any, float]:
    """Estimates, standard errors, residual sum of squares: QR of columns scaled to unit length, one refinement."""
    design, y = np.column_stack(columns), np.asarray(response, dtype=np.float64)
    lengths = np.linalg.norm(design, axis=0)
    q, r = np.linalg.qr(design / lengths)
    estimates = np.linalg.solve(r, q.T @ y)
    estimates = estimates + np.linalg.solve(r, q.T @ (y - design / lengths @ estimates))
    residuals = y - design / lengths @ estimates
    rss = math.fsum((residuals**2).tolist())
    df = len(y) - design.shape[1]
    inverse = np.linalg.inv(r)
    errors = np.sqrt(np.sum(inverse**2, axis=1) * (rss / df if df > 0 else math.nan))
    return estimates / lengths, errors / lengths, rss


def fit_curve(model: Callable[[Any], Any], response: Any, starts: Sequence[Sequence[float]]) -> Any:
    """scipy's best least-squares fit from any of the starting values."""
    fits = []
    for start in starts:
        try:
            fits.append(
                optimize.least_squares(
                    lambda b: model(b) - response,
                    start,
                    x_scale="jac",
                    xtol=1e-15,
                    ftol=1e-15,
                    gtol=1e-15,
                    max_nfev=5000,
                )
            )
        except ValueError as error:
            say(f"  from {start} the search fails: {error}")
    return min(fits, key=lambda fit: fit.cost)


def glm(columns: Sequence[Any], response: Any, family: str) -> tuple[Any, Any, float]:
    """Estimates, standard errors, log-likelihood of a logistic or Poisson model, by reweighted least squares."""
    design, y = np.column_stack(columns), np.asarray(response, dtype=np.float64)
    beta = np.zeros(design.shape[1])
    if family == "poisson":
        beta = np.linalg.lstsq(design, np.log(y + 0.5), rcond=None)[0]
    for _ in range(100):
        eta = design @ beta
        mean = special.expit(eta) if family == "binomial" else np.exp(eta)
        weight = mean * (1 - mean) if family == "binomial" else mean
        root = np.sqrt(weight)[:, None]
        step = np.linalg.lstsq(design * root, (y - mean) / root[:, 0], rcond=None)[0]
        beta = beta + step
        if np.max(np.abs(step)) <= 1e-12 * (1 + np.max(np.abs(beta))):
            break
    covariance = np.linalg.inv((design * weight[:, None]).T @ design)
    if family == "binomial":
        likelihood = float(np.sum(y * eta - np.logaddexp(0, eta)))
    else:
        likelihood = float(np.sum(special.xlogy(y, mean) - mean - special.gammaln(y + 1)))
    return beta, np.sqrt(np.diag(covariance)), likelihood


def mann_kendall(t: Any, y: Any) -> dict[str, float]:
    """S, z and normal p of Mann and Kendall's test with ties in both, and Theil and Sen's slope and intercept."""
    order = np.argsort(t, kind="stable")
    t, y = np.asarray(t, dtype=np.float64)[order], np.asarray(y, dtype=np.float64)[order]
    n, s, slopes = len(y), 0.0, []
    for i in range(n - 1):
        dt, dy = t[i + 1 :] - t[i], y[i + 1 :] - y[i]
        s += float(np.sign(dy[dt > 0]).sum())
        slopes.append(dy[dt > 0] / dt[dt > 0])
    u, v = (np.unique(values, return_counts=True)[1].astype(float) for values in (t, y))
    variance = (n * (n - 1) * (2 * n + 5) - sum(float((k * (k - 1) * (2 * k + 5)).sum()) for k in (u, v))) / 18
    if n > 2:
        variance += float((u * (u - 1) * (u - 2)).sum() * (v * (v - 1) * (v - 2)).sum()) / (9 * n * (n - 1) * (n - 2))
    variance += float((u * (u - 1)).sum() * (v * (v - 1)).sum()) / (2 * n * (n - 1))
    z = (s - math.copysign(1, s)) / math.sqrt(variance) if s and variance > 0 else 0.0
    slope = float(np.median(np.concatenate(slopes)))
    return {
        "s": s,
        "z": z,
        "p": float(2 * stats.norm.sf(abs(z))),
        "slope": slope,
        "intercept": float(np.median(y - slope * t)),
    }


def welch_anova(groups: Sequence[Any]) -> float:
    """p of Welch's (1951) test of equal means."""
    k = len(groups)
    weights = np.array([len(g) / g.var(ddof=1) for g in groups])
    means = np.array([g.mean() for g in groups])
    centre = float((weights * means).sum() / weights.sum())
    uneven = sum((1 - w / weights.sum()) ** 2 / (len(g) - 1) for w, g in zip(weights, groups, strict=True))
    f = float((weights * (means - centre) ** 2).sum()) / (k - 1) / (1 + 2 * (k - 2) * uneven / (k * k - 1))
    return float(stats.f.sf(f, k - 1, (k * k - 1) / (3 * uneven)))
