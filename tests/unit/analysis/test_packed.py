"""Packed columns say the same as exact ones, and tasks on them come to the same results."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from worker.engines.analysis.numerics.large_sums import deviations, product_sum, total
from worker.engines.analysis.numerics.many_pairs import SortedColumns, correlation_of
from worker.engines.analysis.numerics.ranks import mid_ranks
from worker.engines.analysis.packed import PackedDays, PackedLevels, PackedNumbers
from worker.engines.analysis.reading.reader import read_table
from worker.engines.analysis.table import Column, ColumnType, Table, complete_rows
from worker.engines.analysis.tasks.profile import repeated_rows
from worker.engines.analysis.tasks.registry import run_task
from worker.engines.analysis.tasks.task import Task


def packed(column: Column) -> Column:
    """The same column as arrays."""
    if column.numeric:
        return replace(column, cells=PackedNumbers(column.floats().copy()))
    if column.type is ColumnType.DATE:
        return replace(column, cells=PackedDays(column.days().copy()))
    codes, levels = column.codes()
    return replace(column, cells=PackedLevels(codes.copy(), levels))


def tables() -> tuple[Table, Table]:
    rng = np.random.default_rng(3)
    rows = ["y,x,n,g,h,d"]
    for k in range(120):
        x = "" if k % 11 == 0 else repr(round(rng.normal(), 3))
        y = "" if k % 13 == 0 else repr(round(rng.normal() + k / 60, 3))
        rows.append(f"{y},{x},{k % 7},{'abc'[k % 3]},{'uv'[k % 2]},2020-01-{k % 28 + 1:02d}")
    rows.append(rows[3])
    exact = read_table("t", "\n".join(rows).encode()).table
    return exact, replace(exact, columns=tuple(packed(column) for column in exact.columns))


def test_columns_say_the_same() -> None:
    exact, large = tables()
    for a, b in zip(exact.columns, large.columns, strict=True):
        assert (a.exact, b.exact) == (True, False)
        assert (a.missing, a.distinct) == (b.missing, b.distinct)
        assert np.array_equal(a.present(), b.present())
        assert np.array_equal(a.codes()[0], b.codes()[0])
        assert b.cells[:3] == [b.cells[0], b.cells[1], b.cells[2]]
        assert [c is None for c in b.cells] == [c is None for c in a.cells]
    assert [c.name for c in large.measures()] == [c.name for c in exact.measures()]
    assert [c.name for c in large.groupings()] == [c.name for c in exact.groupings()]
    assert np.array_equal(complete_rows(large.columns), complete_rows(exact.columns))
    assert repeated_rows(large.columns) == repeated_rows(exact.columns) == 1


def test_levels_that_do_not_occur_are_no_levels() -> None:
    column = Column("g", ColumnType.CATEGORY, PackedLevels(np.array([2, -1, 0, 2], dtype=np.int32), ("a", "b", "c")))
    codes, levels = column.codes()
    assert (codes.tolist(), levels) == ([1, -1, 0, 1], ("a", "c"))
    assert column.distinct == 2


def test_days_are_written_as_dates() -> None:
    column = Column("d", ColumnType.DATE, PackedDays(np.array([0.0, math.nan, 19_000.0])))
    assert list(column.cells) == ["1970-01-01", None, "2022-01-08"]
    timed = Column("d", ColumnType.DATE, PackedDays(np.array([0.5, 1.0])))
    assert list(timed.cells) == ["1970-01-01T12:00:00", "1970-01-02T00:00:00"]


KEYS = frozenset(
    [
        "n",
        "missing",
        "distinct",
        "mean",
        "sd",
        "q1",
        "median",
        "q3",
        "skewness",
        "count",
        "outliers",
        "r",
        "p",
        "estimate",
        "std_error",
        "r_squared",
        "f",
        "ss_between",
        "ss_within",
        "difference",
        "hedges_g",
        "u",
        "chi2",
        "cramers_v",
        "slope",
        "s",
        "repeated_rows",
    ]
)


def _numbers(value: Any) -> Any:
    """The numbers under those keys, in order."""
    if isinstance(value, dict):
        own = [float(value[key]) for key in sorted(KEYS & value.keys()) if isinstance(value[key], int | float)]
        return own + [n for key in sorted(value) for n in _numbers(value[key])]
    return [n for item in value for n in _numbers(item)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("profile", {}),
        ("describe", {}),
        ("correlation", {}),
        ("regression", {"formula": "y ~ x + g"}),
        ("anova", {"response": "y", "group": "g"}),
        ("compare_groups", {"response": "y", "group": "h"}),
        ("contingency", {"row": "g", "column": "h"}),
        ("trend", {"response": "y", "time": "d"}),
    ],
)
def test_results_are_the_same(kind: str, arguments: dict[str, Any]) -> None:
    exact, large = tables()
    a, b = (run_task(table, Task(kind, arguments, kind, 1)) for table in (exact, large))
    assert len(_numbers(a)) > 3
    assert _numbers(b) == pytest.approx(_numbers(a), rel=1e-9, abs=1e-9)


def test_sums_keep_what_rounding_loses() -> None:
    values = np.concatenate([[1e16], np.ones(100_001), [-1e16]])
    assert total(values) == 100_001.0
    assert product_sum(values, np.ones(len(values))) == 100_001.0


@pytest.mark.parametrize("seed", range(5))
def test_a_mean_is_rounded_once(seed: int) -> None:
    x = 1e9 + np.random.default_rng(seed).normal(size=40_000)
    mean, d = deviations(x)
    # Not `math.fsum(x) / n`: that rounds the sum and then the quotient, and is often one unit off.
    assert mean == float(sum(map(Fraction, x.tolist())) / len(x))
    assert abs(math.fsum(d.tolist())) < 1e-9


def test_ranks_and_correlations_of_long_columns() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 50, 40_000) / 3, rng.normal(size=40_000)
    columns = SortedColumns()
    rows = np.flatnonzero(rng.random(40_000) < 0.7)
    for chosen in (np.arange(40_000), rows, np.arange(40_000)):
        assert np.array_equal(columns.ranks("x", x, chosen), mid_ranks(x[chosen]))
    assert correlation_of(x, y) == pytest.approx(float(np.corrcoef(x, y)[0, 1]), abs=1e-14)
    assert correlation_of(x, np.ones(40_000)) is None
