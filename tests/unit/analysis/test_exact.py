from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.engines.analysis.numerics import exact, orthogonal
from worker.engines.analysis.numerics.double_double import dot, two_product, two_sum
from worker.engines.analysis.numerics.sums import _double, summarise

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=4)


@given(st.fractions(min_value=0))
def test_root_is_right_to_the_last_digit(value: Fraction) -> None:
    root = exact.root(value)
    below, above = Fraction(math.nextafter(root, -math.inf)), Fraction(math.nextafter(root, math.inf))
    assert below < 0 or below**2 <= value
    assert value <= above**2


@given(st.lists(decimals, min_size=2, max_size=30))
def test_moments_are_those_of_rationals(values: list[Decimal]) -> None:
    exactly = [Fraction(value) for value in values]
    mean = sum(exactly) / len(exactly)
    moments = exact.moments(values)
    assert moments.mean == mean
    assert moments.ss == sum((value - mean) ** 2 for value in exactly)


def test_values_too_far_apart_are_refused() -> None:
    with pytest.raises(exact.TooWide):
        exact.scale([Decimal("1e400"), Decimal("1e-400")])


@settings(max_examples=60)
@given(st.data())
def test_least_squares_solves_the_normal_equations_exactly(data: st.DataObject) -> None:
    n, p = data.draw(st.integers(3, 8)), data.draw(st.integers(1, 3))
    columns = [data.draw(st.lists(decimals, min_size=n, max_size=n)) for _ in range(p)]
    response = data.draw(st.lists(decimals, min_size=n, max_size=n))
    fit = exact.least_squares(columns, response)
    rest = [
        Fraction(y) - sum(b * Fraction(columns[k][i]) for b, k in zip(fit.estimates, fit.kept, strict=True))
        for i, y in enumerate(response)
    ]
    # At the least-squares solution the residuals are at right angles to every column, aliased ones included.
    for column in columns:
        assert sum(r * Fraction(v) for r, v in zip(rest, column, strict=True)) == 0
    assert fit.residual_ss == sum(r * r for r in rest)


def test_a_dependent_column_is_aliased() -> None:
    one, x = [Decimal(1)] * 4, [Decimal(v) for v in (1, 2, 3, 5)]
    fit = exact.least_squares([one, x, [v * 3 - 2 for v in x]], [Decimal(v) for v in (2, 4, 6, 10)])
    assert (fit.kept, fit.aliased) == ([0, 1], [2])
    assert [int(estimate) for estimate in fit.estimates] == [0, 2]


def test_inverse_diagonal_of_a_hand_computed_case() -> None:
    # X'X = [[3, 6], [6, 14]], determinant 6: the inverse's diagonal is 14/6 and 3/6.
    fit = exact.least_squares([[Decimal(1)] * 3, [Decimal(v) for v in (1, 2, 3)]], [Decimal(v) for v in (1, 3, 2)])
    assert fit.inverse_diagonal == [Fraction(14, 6), Fraction(1, 2)]
    assert fit.estimates == [1, Fraction(1, 2)]
    assert fit.residual_ss == Fraction(3, 2)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_error_free_transformations_lose_nothing(values: list[float]) -> None:
    a = np.array(values)
    b = np.array(values[::-1]) * 1e-7
    total, error = two_sum(a, b)
    product, lost = two_product(a, b)
    for i in range(len(values)):
        assert Fraction(float(total[i])) + Fraction(float(error[i])) == Fraction(float(a[i])) + Fraction(float(b[i]))
        if abs(product[i]) > 1e-250:
            assert Fraction(float(product[i])) + Fraction(float(lost[i])) == Fraction(float(a[i])) * Fraction(
                float(b[i])
            )


def test_dot_survives_cancellation() -> None:
    assert dot(np.array([1e16, 1.0, -1e16]), np.array([1.0, 1e-3, 1.0])) == 1e-3


def test_orthogonal_fit_keeps_its_digits_where_cross_products_would_not() -> None:
    x = np.arange(1.0, 13.0)
    matrix = np.column_stack([x**k for k in range(7)])
    truth = np.array([3.0, -2.0, 0.5, 7.0, -1.0, 0.25, 2.0])
    fit = orthogonal.least_squares(matrix, matrix @ truth)
    assert fit.converged
    assert np.max(np.abs(fit.estimates - truth) / np.abs(truth)) < 1e-9
    normal = np.linalg.solve(matrix.T @ matrix, matrix.T @ (matrix @ truth))
    assert np.max(np.abs(normal - truth) / np.abs(truth)) > 1e-6


def test_orthogonal_and_exact_agree_with_residuals() -> None:
    rng = np.random.default_rng(5)
    x = rng.uniform(1000, 1001, 40)
    matrix = np.column_stack([np.ones(40), x, x * x])
    y = rng.normal(size=40)
    found = orthogonal.least_squares(matrix, y)
    truth = exact.least_squares(
        [[Decimal(v) for v in column] for column in matrix.T.tolist()], [Decimal(v) for v in y.tolist()]
    )
    for estimate, wanted in zip(found.estimates, truth.estimates, strict=True):
        assert float(estimate) == pytest.approx(float(wanted), rel=1e-12)
    assert found.residual_ss == pytest.approx(float(truth.residual_ss), rel=1e-13)
    for got, diagonal in zip(found.inverse_diagonal, truth.inverse_diagonal, strict=True):
        assert float(got) == pytest.approx(float(diagonal), rel=1e-6)


def test_orthogonal_fit_finds_dependent_columns() -> None:
    x = np.arange(10.0)
    fit = orthogonal.least_squares(np.column_stack([np.ones(10), x, 2 * x + 1]), x)
    assert (fit.kept, fit.aliased) == ([0, 1], [2])


@given(
    st.lists(st.one_of(st.none(), decimals), min_size=3, max_size=40).filter(lambda v: any(c is not None for c in v))
)
def test_the_double_path_agrees_with_the_exact_one(values: list[Decimal | None]) -> None:
    cells = [None if value is None else str(value + 10**9) for value in values]
    one, other = summarise(cells), _double(cells)
    assert other.mean == pytest.approx(one.mean, rel=1e-15)
    assert other.ss == pytest.approx(one.ss, rel=1e-9, abs=1e-12)
    assert other.quantiles == pytest.approx(one.quantiles, rel=1e-15)
    if one.ss > 1e-6:
        assert other.autocorrelation_lag1 == pytest.approx(one.autocorrelation_lag1, rel=1e-6, abs=1e-9)


def test_statistics_by_hand() -> None:
    # 2, 4, 4, 10: mean 5, deviations -3, -1, -1, 5, squares 36, neighbours' products 3 + 1 - 5 = -1.
    summary = summarise(["2", "4", "4", "10"])
    assert (summary.n, summary.mean, summary.ss) == (4, 5.0, 36.0)
    assert summary.sd == math.sqrt(12)
    assert summary.autocorrelation_lag1 == -1 / 36
    assert summary.quantiles == (2.0, 3.5, 4.0, 5.5, 10.0)


def test_a_missing_value_parts_its_neighbours() -> None:
    # Of 1, 2, -, 6 only the pair (1, 2) is next to each other: (-2)(-1) over 4 + 1 + 9.
    assert summarise(["1", "2", None, "6"]).autocorrelation_lag1 == 2 / 14


def test_digits_that_doubles_would_lose() -> None:
    # A standard deviation of exactly 1 on top of 10^15: doubles have one digit left there.
    assert summarise(["1000000000000000.1", "1000000000000001.1", "1000000000000002.1"]).sd == 1.0
