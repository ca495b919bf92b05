"""Figures against rationals, and what is said of digits where arithmetic is in doubles."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from tests.unit.analysis.tables import result_of, table_of
from worker.engines.analysis.expressions.coding import build_design
from worker.engines.analysis.expressions.decimal_functions import FUNCTIONS, PI
from worker.engines.analysis.expressions.formula import parse_formula
from worker.engines.analysis.numerics.linear import fit_linear
from worker.engines.analysis.numerics.sums import median_rank, summarise
from worker.engines.analysis.numerics.trust import digits
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.registry import check_task, run_task

POWERS = " + ".join(["x", *(f"I(x**{k})" for k in range(2, 11))])


def right_digits(value: float, true: Fraction) -> float:
    error = abs(Fraction(value) - true)
    return 17.0 if not error else -math.log10(error / abs(true))


def packed(values: list[float]) -> Column:
    return Column("y", ColumnType.NUMBER, PackedNumbers(np.array(values)))


def test_a_polynomial_of_degree_ten_is_found_exactly() -> None:
    x = list(range(-4, 21))
    y = [sum((k + 1) * v**k for k in range(11)) for v in x]
    result = result_of("regression", {"x": x, "y": y}, formula=f"y ~ {POWERS}")
    assert [term["estimate"] for term in result["terms"]] == [float(k + 1) for k in range(11)]
    assert (result["ss_residual"], result["arithmetic"], result["digits"]) == (0.0, "exact", 15)


@pytest.mark.parametrize(("degree", "at_least"), [(1, 11), (3, 7), (6, 2)])
def test_a_fit_in_doubles_has_the_digits_that_it_says(degree: int, at_least: int) -> None:
    x = [f"{3 + k / 10:.1f}" for k in range(40)]
    y = [f"{math.sin(k) + 7:.3f}" for k in range(40)]
    formula = parse_formula("y ~ x" + "".join(f" + I(x**{k})" for k in range(2, degree + 1)), ["x", "y"])
    table = table_of({"x": x, "y": y})
    exact, double = (fit_linear(build_design(formula, table, exact=flag)) for flag in (True, False))
    assert at_least <= double.digits < exact.digits == 15
    for found, true in zip(double.estimates + double.std_errors, exact.estimates + exact.std_errors, strict=True):
        assert found is not None
        assert true is not None
        assert right_digits(found, Fraction(true)) >= double.digits


@pytest.mark.parametrize(("base", "least", "most"), [(10, 12, 15), (10**7, 6, 9), (10**12, 1, 4)])
def test_moments_in_doubles_have_the_digits_that_they_say(base: int, least: int, most: int) -> None:
    cells = [f"{base}.{(3 * k) % 7}" for k in range(400)]
    exact, double = summarise(cells), summarise(PackedNumbers(np.array([float(cell) for cell in cells])))
    assert least <= double.digits <= most
    assert exact.sd is not None
    assert double.sd is not None
    assert right_digits(double.mean, Fraction(exact.mean)) >= double.digits
    assert right_digits(double.sd, Fraction(exact.sd)) >= double.digits


def test_whole_numbers_lose_nothing_in_doubles() -> None:
    assert summarise(PackedNumbers(np.arange(1000.0))).digits >= 14


def test_lost_digits_are_warned_about() -> None:
    values = [1e13 + 0.1 * (k % 5) for k in range(60)]
    table = Table("t", (packed(values), Column("g", ColumnType.CATEGORY, tuple("ab" * 30))), 60, "")
    for task in ({"kind": "describe", "columns": ["y"]}, {"kind": "anova", "response": "y", "group": "g"}):
        result = run_task(table, check_task(task, "task", 0))
        result = result["columns"][0] if "columns" in result else result
        assert result["digits"] < 6
        assert any("digits" in warning and "trusted" in warning for warning in result["warnings"])


def test_an_analysis_of_variance_loses_nothing_to_a_large_constant() -> None:
    data = {
        "g": list("aaabbbccc"),
        "y": [f"100000000000{d}" for d in (".4", ".3", ".5", ".7", ".6", ".8", ".1", "", ".2")],
    }
    result = result_of("anova", data, response="y", group="g")
    assert (result["f"], result["ss_within"], result["digits"]) == (pytest.approx(27.0, rel=1e-15), 0.06, 15)


@pytest.mark.parametrize(("error", "value", "beside", "expected"), [
    (0.0, 2.0, 0.0, 15), (1e-3, 1.0, 0.0, 3), (2e-3, 1.0, 0.0, 2), (1e-20, 0.0, 1.0, 15), (1.0, 0.0, 0.0, 0),
    (math.inf, 1.0, 0.0, 0),
])  # fmt: skip
def test_digits(error: float, value: float, beside: float, expected: int) -> None:
    assert digits(error, value, beside) == expected


def test_shape_by_rationals_and_by_doubles() -> None:
    values = [1, 2, 2, 3, 5, 8, 13, 21, 34, 55]
    expected = (float(stats.skew(values, bias=False)), float(stats.kurtosis(values, bias=False)))
    for cells in ([str(v) for v in values], PackedNumbers(np.array(values, dtype=np.float64))):
        summary = summarise(cells)
        assert (summary.skewness, summary.kurtosis) == pytest.approx(expected, rel=1e-12)
        assert summary.median_interval == (2.0, 34.0)


@pytest.mark.parametrize(("n", "rank"), [(1, None), (5, None), (6, 1), (10, 2), (20, 6), (100, 40)])
def test_ranks_that_bound_the_median(n: int, rank: int | None) -> None:
    assert median_rank(n) == rank
    if rank:
        assert stats.binom.cdf(rank - 1, n, 0.5) <= 0.025 < stats.binom.cdf(rank, n, 0.5)


def test_the_interval_of_the_standard_deviation() -> None:
    column = result_of("describe", {"y": [2, 4, 4, 5, 7, 9]})["columns"][0]
    ss = column["sd"] ** 2 * 5
    expected = [math.sqrt(ss / stats.chi2.ppf(q, 5)) for q in (0.975, 0.025)]
    assert [column["sd_ci_low"], column["sd_ci_high"]] == pytest.approx(expected, rel=1e-10)
    assert "type 7" in column["quantile_method"]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_of_decimals_agree_with_those_of_doubles(name: str) -> None:
    double = getattr(math, {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}.get(name, name))
    for x in (-1.0, -0.75, -(2.0**-40), 0.0, 0.5, 1.0, *(() if name in ("arcsin", "arccos") else (6.5, -20.25))):
        with localcontext() as context:
            context.prec = 60
            found = FUNCTIONS[name](Decimal(x))
        assert float(found) == pytest.approx(double(x), rel=1e-14, abs=1e-300)


def test_functions_of_decimals_have_sixty_digits() -> None:
    x = Decimal("1.234567")
    with localcontext() as context:
        context.prec = 60
        assert abs(FUNCTIONS["sin"](x) ** 2 + FUNCTIONS["cos"](x) ** 2 - 1) < Decimal("1e-58")
        assert abs(FUNCTIONS["tan"](FUNCTIONS["arctan"](x)) - x) < Decimal("1e-57")
        assert abs(FUNCTIONS["sin"](PI * 10**9)) < Decimal("1e-50")
        assert abs(6 * FUNCTIONS["arcsin"](Decimal("0.5")) - PI) < Decimal("1e-57")
        # The tail by its own expansion (Abramowitz and Stegun 7.1.23) at a point where it is short of 60 digits.
        missing = 1 - FUNCTIONS["erf"](Decimal(6))
        assert float(missing) == pytest.approx(math.erfc(6.0), rel=1e-13)
        assert FUNCTIONS["sin"](Decimal("1e31")).is_nan()
        assert FUNCTIONS["arcsin"](Decimal(2)).is_nan()
