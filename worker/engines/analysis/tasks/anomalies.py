"""`anomalies`: rows that lie farther from the bulk than chance would bring, and which columns push them there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics import robust
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.numeric_rows import NumericRows, numeric_rows, octile_skewness
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import listed

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MAX_COLUMNS = 30
MOST = 50
ALPHA = 0.05
_LEAST_ROWS = 10
_CODED = 5
_LEAST_FOR_DISTANCE = 20
_ROWS_PER_COLUMN = 5
_SIMULATED_ROWS = 500
_SIMULATED_PER_COLUMN = 60
_SETS = 99
_REACH = 5
_LEAST_FOR_TREND = 15
_PUSHING = 3
_MANY = 0.05
_SMALL = 30
_SKEWED = 0.25


@dataclass(frozen=True, slots=True)
class _Method:
    """One way to look: for each row its p, the p adjusted for all tests of this way, the score, and why."""

    name: str
    tests: int
    p: Matrix
    adjusted: Matrix
    score: Matrix
    expected: Matrix
    """How many rows at least so far out data without any give."""
    why: Callable[[int], list[Result]]


def run(table: Table, task: Task) -> Result:
    """Rows that stand out in one column (median and median absolute deviation), in all together (robust distance, from
    20 rows and five for each column) or, with `time`, from their neighbours in time (median of five on either side).

    `p_adjusted` bounds the probability of so far a row anywhere in data of this size without one, over all values and
    ways of looking; a row stands out at 0.05. `expected_by_chance` is how many rows so far out normal data would give.
    A positive column whose bulk is skewed, but not so on a logarithmic scale, is looked at on that scale. With `share`
    the rows farthest out are listed whether or not they stand out. `row` counts from 1.
    """
    share = _share(task)
    data = numeric_rows(table, task, least_columns=1, most_columns=MAX_COLUMNS, coded=_CODED)
    time = _time(table, task)
    if time is not None and time.name in data.names:
        data = _without(data, time.name)
    n = len(data.rows)
    if n < _LEAST_ROWS:
        raise NotPossible(f"To say what stands out takes at least {_LEAST_ROWS} complete rows; there are {n}.")
    warnings = list(data.warnings)
    logs = [_logarithmic(column) for column in data.values.T]
    scaled = np.column_stack(
        [np.log(column) if log else column for column, log in zip(data.values.T, logs, strict=True)]
    )
    methods = [_by_values(data, scaled, logs, warnings)]
    if len(data.names) > 1 and (found := _by_distance(data, scaled, logs, task.seed, warnings)) is not None:
        methods.append(found)
    if time is not None and (found := _by_time(data, scaled, logs, time, warnings)) is not None:
        methods.append(found)
    methods = [method for method in methods if method.tests]
    if not methods:
        raise NotPossible(
            "More than half of the values of every column are equal, so no distance from them is defined."
        )
    adjusted = np.minimum(1.0, np.min([method.adjusted for method in methods], axis=0) * len(methods))
    raw = np.min([method.p for method in methods], axis=0)
    order = np.lexsort((data.rows, raw, adjusted))
    outstanding = int((adjusted <= ALPHA).sum())
    listed_rows = order[: min(outstanding if share is None else math.ceil(share * n), MOST)]
    if share is None and outstanding > max(3, _MANY * n):
        warnings.append(
            f"{outstanding} rows stand out, which is many: the bulk may not be normal in shape, so that they are its "
            "tail, or a group of its own"
        )
    if n < _SMALL:
        warnings.append(f"only {n} rows: only rows very far out can stand out")
    return {
        "columns": [
            {"name": name, "scale": "logarithmic" if log else "as it is"}
            for name, log in zip(data.names, logs, strict=True)
        ],
        "time": None if time is None else time.name,
        "n": n,
        "alpha": ALPHA,
        "methods": [{"name": method.name, "tests": method.tests} for method in methods],
        "outstanding": outstanding,
        "share": share,
        "shown": len(listed_rows),
        "anomalies": [_entry(int(i), data, methods, float(adjusted[i]), time) for i in listed_rows],
        "seed": task.seed,
        "arithmetic": "double",
        "warnings": warnings,
    }


def _share(task: Task) -> float | None:
    value = task.arguments.get("share")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 0.5:
        raise task.fault("share", "must be a number above 0 and at most 0.5")
    return float(value)


def _time(table: Table, task: Task) -> Column | None:
    if task.arguments.get("time") is None:
        return None
    column = task.column("time", table)
    if not (column.numeric or column.type is ColumnType.DATE):
        raise task.fault("time", f"column {column.name!r} is {column.type}; a date or a number is needed")
    return column


def _without(data: NumericRows, name: str) -> NumericRows:
    kept = [j for j, own in enumerate(data.names) if own != name]
    if not kept:
        raise NotPossible(f"Beside the time, {name}, there is no numeric column to look at.")
    return NumericRows(tuple(data.columns[j] for j in kept), data.rows, data.values[:, kept], data.warnings)


def _logarithmic(values: Matrix) -> bool:
    """Whether the bulk is skewed to the right and much less so in logarithms."""
    if len(values) < _SMALL or float(values.min()) <= 0:
        return False
    plain, logs = octile_skewness(values), octile_skewness(np.log(values))
    return plain > _SKEWED and abs(logs) < plain / 2


def _by_values(data: NumericRows, scaled: Matrix, logs: list[bool], warnings: list[str]) -> _Method:
    found = [robust.deviations(column) for column in scaled.T]
    flat = [name for name, own in zip(data.names, found, strict=True) if own is None]
    if flat:
        warnings.append(f"{listed(flat)}: more than half of the values are equal, so single values are not judged")
    known = [(j, own) for j, own in enumerate(found) if own is not None]
    n = len(scaled)
    tests = n * len(known)
    if not known:
        return _Method("values", 0, np.ones(n), np.ones(n), np.zeros(n), np.ones(n), lambda _: [])
    p = np.array([own.p for _, own in known])
    scores = np.array([own.scores for _, own in known])

    def why(i: int) -> list[Result]:
        order = np.lexsort((np.arange(len(known)), p[:, i]))
        far = [o for o in order.tolist() if p[o, i] * tests <= ALPHA] or order[:1].tolist()
        out = []
        for o in far[:_PUSHING]:
            j, own = known[o]
            out.append(_part(data, i, j, _back(own.centre, log=logs[j]), float(scores[o, i])))
        return out

    smallest = p.min(axis=0)
    score = np.abs(scores)[p.argmin(axis=0), np.arange(n)]
    return _Method("values", tests, smallest, np.minimum(1.0, smallest * tests), score, smallest * tests, why)


def _by_distance(data: NumericRows, scaled: Matrix, logs: list[bool], seed: int, warnings: list[str]) -> _Method | None:
    flat = np.median(np.abs(scaled - np.median(scaled, axis=0)), axis=0) > 0
    kept = np.flatnonzero(flat)
    n, p = len(scaled), len(kept)
    if p < 2:
        return None
    if n < max(_LEAST_FOR_DISTANCE, _ROWS_PER_COLUMN * p):
        warnings.append(f"{n} rows are too few for a robust distance in {p} columns, so only single values are judged")
        return None
    rng = np.random.Generator(np.random.PCG64(seed))
    own = scaled[:, kept]
    try:
        found = robust.distances(own, rng)
    except robust.Singular:
        warnings.append(
            "most rows lie in one plane (a column follows from others, or few values repeat), so no distance in all "
            "columns together is defined"
        )
        return None
    if simulated_null(n, p, float(found.p.min())):
        simulated = robust.smallest_by_chance(n, p, rng, _SETS)
        adjusted = (1 + np.searchsorted(simulated, found.p, side="right")) / (_SETS + 1)
        # So many as give that chance of one at least, if they come independently.
        expected = np.where(adjusted < 1, -np.log1p(-np.minimum(adjusted, 1 - 1e-9)), found.p * n)
    else:
        adjusted, expected = np.minimum(1.0, found.p * n), found.p * n

    def why(i: int) -> list[Result]:
        parts = found.parts(own[i : i + 1])[0]
        order = np.lexsort((kept, -np.round(parts, 9)))[:_PUSHING]
        out = []
        for o in order.tolist():
            j = int(kept[o])
            away = float((own[i, o] - found.centre[o]) / found.scale[o])
            entry = _part(data, i, j, _back(float(found.centre[o]), log=logs[j]), away)
            out.append(entry | {"share": float(parts[o] / parts.sum())})
        return out

    return _Method("distance", n, found.p, adjusted, np.sqrt(found.squared), expected, why)


def simulated_null(n: int, p: int, smallest: float) -> bool:
    """Whether distances of n rows in p columns are held against simulated data: Cerioli's p are too small up to about
    sixty rows for each column. Where even those let no row stand out, beyond 500 rows, that is not needed."""
    return n <= _SIMULATED_ROWS or (n <= _SIMULATED_PER_COLUMN * p and smallest * n <= ALPHA)


def _by_time(data: NumericRows, scaled: Matrix, logs: list[bool], time: Column, warnings: list[str]) -> _Method | None:
    moments = (time.floats() if time.numeric else time.days())[data.rows]
    there = np.flatnonzero(np.isfinite(moments))
    order = there[np.lexsort((data.rows[there], moments[there]))]
    m, n = len(order), len(scaled)
    if m < _LEAST_FOR_TREND:
        warnings.append(f"only {m} rows have a time, too few to compare each with its neighbours")
        return None
    if m < n:
        warnings.append(f"{n - m} rows without {time.name} are not compared with neighbours")
    p, scores, trends = [], [], []
    for column in scaled.T:
        expected = robust.local_trend(column[order], _REACH)
        found = robust.deviations(column[order] - expected)
        full_p, full_score, full_trend = np.ones(n), np.zeros(n), np.zeros(n)
        full_trend[order] = expected
        if found is not None:
            full_p[order], full_score[order] = found.p, found.scores
        p.append(full_p)
        scores.append(full_score)
        trends.append(full_trend)
    all_p, all_scores = np.array(p), np.array(scores)
    tests = m * int((all_p.min(axis=1) < 1).sum())

    def why(i: int) -> list[Result]:
        order = np.lexsort((np.arange(len(all_p)), all_p[:, i]))
        far = [j for j in order.tolist() if all_p[j, i] * tests <= ALPHA] or order[:1].tolist()
        return [
            _part(data, i, j, _back(float(trends[j][i]), log=logs[j]), float(all_scores[j, i])) for j in far[:_PUSHING]
        ]

    smallest = all_p.min(axis=0)
    score = np.abs(all_scores)[all_p.argmin(axis=0), np.arange(n)]
    return _Method("local trend", tests, smallest, np.minimum(1.0, smallest * tests), score, smallest * tests, why)


def _back(value: float, *, log: bool) -> float:
    return math.exp(value) if log else value


def _part(data: NumericRows, i: int, j: int, typical: float, deviation: float) -> Result:
    return {
        "column": data.names[j],
        "value": float(data.values[i, j]),
        "typical": typical,
        "deviation": deviation,
        "share": None,
    }


def _entry(i: int, data: NumericRows, methods: list[_Method], adjusted: float, time: Column | None) -> Result:
    best = min(range(len(methods)), key=lambda m: (float(methods[m].adjusted[i]), float(methods[m].p[i]), m))
    method = methods[best]
    moment = None
    if time is not None:
        at = float((time.floats() if time.numeric else time.days())[data.rows[i]])
        moment = at if math.isfinite(at) else None
    return {
        "row": int(data.rows[i]) + 1,
        "time": moment,
        "values": dict(zip(data.names, data.values[i].tolist(), strict=True)),
        "method": method.name,
        "found_by": [m.name for m in methods if float(m.adjusted[i]) * len(methods) <= ALPHA],
        "score": float(method.score[i]),
        "p": float(method.p[i]),
        "p_adjusted": adjusted,
        "expected_by_chance": float(method.expected[i]),
        "stands_out": adjusted <= ALPHA,
        "pushed_by": method.why(i),
    }
