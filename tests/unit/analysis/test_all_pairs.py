"""Correlations of all pairs at once are those of each pair alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from worker.engines.analysis.numerics.all_pairs import kendall_pairs, pearson_matrix
from worker.engines.analysis.numerics.kendall import kendall
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks import correlation
from worker.engines.analysis.tasks.task import Task

Vector = npt.NDArray[np.float64]


def _columns(n: int, *, missing: bool) -> list[Vector]:
    rng = np.random.Generator(np.random.PCG64(11))
    common = rng.normal(size=n)
    made = [
        common + rng.normal(size=n),
        1e9 + 1e-3 * (common + rng.normal(size=n)),
        np.round(-common + rng.normal(size=n)),
        rng.integers(0, 3, n).astype(np.float64),
        np.exp(common),
    ]
    if missing:
        for column in made[1:]:
            column[rng.random(n) < 0.2] = np.nan
    return made


@pytest.mark.parametrize("missing", [False, True])
def test_pearson_of_all_pairs(missing: bool) -> None:
    columns = _columns(20_000, missing=missing)
    found = pearson_matrix(columns)
    for i, x in enumerate(columns):
        for j, y in enumerate(columns[:i]):
            rows = ~np.isnan(x) & ~np.isnan(y)
            # The large values less one of them: exact, so that numpy loses nothing either.
            a, b = x[rows] - x[rows][0], y[rows] - y[rows][0]
            assert found[i, j] == pytest.approx(float(np.corrcoef(a, b)[0, 1]), abs=1e-12)


def test_what_does_not_vary_has_no_correlation() -> None:
    x = np.arange(100.0)
    half = np.where(x < 50, 7.0, x)
    first = np.where(x < 50, x, np.nan)
    found = pearson_matrix([x, np.full(100, 3.0), half, first])
    assert np.isnan(found[0, 1])
    assert np.isnan(found[2, 3])
    assert found[0, 3] == pytest.approx(1.0)


@pytest.mark.parametrize("missing", [False, True])
def test_kendall_of_all_pairs(missing: bool) -> None:
    columns = _columns(300, missing=missing)
    found = kendall_pairs(columns)
    for (i, j), tau in found.items():
        rows = ~np.isnan(columns[i]) & ~np.isnan(columns[j])
        alone = kendall(columns[i][rows], columns[j][rows])
        assert alone is not None
        assert tau is not None
        assert (tau.tau, tau.p) == (alone.tau, alone.p)
        assert (tau.ci_low, tau.ci_high) == pytest.approx((alone.ci_low, alone.ci_high), abs=1e-12)


@pytest.mark.parametrize("missing", [False, True])
def test_many_pairs_of_long_columns_are_as_each_alone(missing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 21_000
    columns = tuple(
        Column(f"x{k}", ColumnType.NUMBER, PackedNumbers(values))
        for k, values in enumerate(_columns(rows, missing=missing))
    )
    table = Table("t", columns, rows, "0" * 64)
    asked = Task("correlation", {}, "tasks[0]", 3)
    together = correlation.run(table, asked)
    monkeypatch.setattr(correlation, "_MANY_PAIRS", 1_000)
    alone = correlation.run(table, asked)
    assert len(together["pairs"]) == len(alone["pairs"]) == 10
    for pair, other in zip(together["pairs"], alone["pairs"], strict=True):
        assert (pair["x"], pair["y"], pair["n"]) == (other["x"], other["y"], other["n"])
        for method in ("pearson", "spearman"):
            for key in ("r", "ci_low", "ci_high"):
                assert pair[method][key] == pytest.approx(other[method][key], abs=1e-10)
            assert pair[method]["p"] == pytest.approx(other[method]["p"], rel=1e-6, abs=1e-300)
        assert pair["kendall"]["r"] == pytest.approx(other["kendall"]["r"], abs=0.06)
    assert any("Kendall" in warning for warning in together["warnings"])


@pytest.mark.parametrize("rows", [500, 21_000])
def test_spearman_alone_is_that_of_the_pair(rows: int) -> None:
    x, _, y, *_ = (
        Column(f"x{k}", ColumnType.NUMBER, PackedNumbers(v)) for k, v in enumerate(_columns(rows, missing=False))
    )
    alone = correlation.spearman(x, y)
    pair = correlation.run(Table("t", (x, y), rows, "0" * 64), Task("correlation", {}, "tasks[0]"))["pairs"][0]
    assert (alone["n"], alone["warnings"]) == (pair["n"], pair["warnings"])
    assert alone["spearman"]["r"] == pytest.approx(pair["spearman"]["r"], abs=1e-14)
    assert alone["spearman"]["p"] == pytest.approx(pair["spearman"]["p"], rel=1e-6, abs=1e-300)
