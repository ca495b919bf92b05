"""Diagnostics of least-squares models, beside statsmodels and by what they must find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import acorr_ljungbox, linear_reset, normal_ad
from statsmodels.stats.outliers_influence import variance_inflation_factor

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.numerics import diagnostics
from worker.engines.analysis.numerics.normality import anderson_darling, ljung_box, shape
from worker.engines.analysis.tasks.modelling import expand_polynomials


def test_numbers_agree_with_statsmodels() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(50), rng.normal(size=50), rng.normal(size=50)])
    x[:, 2] += x[:, 1]
    y = x[:, 1] + rng.normal(size=50) * (1 + np.abs(x[:, 1]))
    fit = sm.OLS(y, x).fit()
    influence = diagnostics.influence(x, fit.resid)
    assert influence is not None
    assert influence.cooks_distance == pytest.approx(fit.get_influence().cooks_distance[0], rel=1e-8)
    assert influence.studentised == pytest.approx(fit.get_influence().resid_studentized_internal, rel=1e-9)
    assert diagnostics.hc3_errors(x, fit.resid) == pytest.approx(fit.HC3_se, rel=1e-9)
    assert diagnostics.variance_inflation(x, {"a": [1], "b": [2]})["a"] == pytest.approx(
        variance_inflation_factor(x, 1)
    )
    bent = linear_reset(fit, power=3, use_f=True)
    assert diagnostics.reset(x, y, fit.fittedvalues) == pytest.approx((bent.fvalue, bent.pvalue), rel=1e-7)
    theirs = acorr_ljungbox(fit.resid, 5).iloc[-1]
    assert ljung_box(fit.resid, 5) == pytest.approx(tuple(theirs), rel=1e-9)
    mine = anderson_darling(y)
    assert mine is not None
    assert (mine.statistic, mine.p) == pytest.approx(normal_ad(y), rel=1e-9)


def test_shape_agrees_with_scipy() -> None:
    from scipy import stats

    values = np.random.default_rng(3).gamma(2, size=60)
    found = shape(values)
    assert (found.skewness, found.excess_kurtosis) == pytest.approx(
        (stats.skew(values, bias=False), stats.kurtosis(values, bias=False))
    )
    assert (found.skewness_p, found.kurtosis_p) == pytest.approx(
        (stats.skewtest(values).pvalue, stats.kurtosistest(values).pvalue), rel=1e-9
    )


def fitted(**columns: Any) -> dict[str, Any]:
    return result_of("regression", columns, formula="y ~ x")


def test_a_bend_is_seen_and_named() -> None:
    x = np.arange(40)
    noise = np.random.default_rng(4).normal(0, 5, 40)
    result = fitted(x=x, y=((x - 20) ** 2 + noise).round(3))
    assert result["diagnostics"]["bends"]["x"] < 1e-6
    assert any("relation to x seems bent" in warning and "poly(x, 2)" in warning for warning in result["warnings"])


def test_uneven_scatter_gets_errors_that_allow_for_it() -> None:
    x = np.linspace(1, 10, 80).round(3)
    y = (x + x**1.5 * np.random.default_rng(5).normal(size=80)).round(4)
    result = fitted(x=x, y=y)
    theirs = sm.OLS(y, sm.add_constant(x)).fit()
    assert result["terms"][1]["hc3_std_error"] == pytest.approx(theirs.HC3_se[1], rel=1e-8)


def test_a_row_that_moves_everything_is_named() -> None:
    x = [*range(20), 100]
    y = [i + (i * 7) % 5 for i in range(20)] + [0]
    result = result_of("regression", {"name": [f"s{i}" for i in range(21)], "x": x, "y": y}, formula="y ~ x")
    assert result["diagnostics"]["influential"][0]["row"] == 21
    assert any("row 21" in warning for warning in result["warnings"])


def test_residuals_alike_in_time_are_seen_whatever_the_order_of_rows() -> None:
    rng = np.random.default_rng(6)
    level = np.cumsum(rng.normal(size=60))
    order = rng.permutation(60)
    columns = {"year": 1950 + order, "x": rng.normal(size=60).round(3), "y": level[order].round(3)}
    result = result_of("regression", columns, formula="y ~ x")
    assert result["diagnostics"]["autocorrelation"]["time"] == "year"
    assert result["diagnostics"]["autocorrelation"]["p"] < 1e-6


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("y ~ poly(x, 2)", "y ~ x + I(x**2)"),
        ("y ~ z + poly(`a b`, 3)", "y ~ z + `a b` + I(`a b`**2) + I(`a b`**3)"),
        ("y ~ poly(x, degree=1)", "y ~ x"),
        ("y ~ g:poly(x, 2)", "y ~ g:(x + I(x**2))"),
    ],
)
def test_polynomials_are_written_out(text: str, written: str) -> None:
    assert " ".join(expand_polynomials(text).split()) == written


def test_a_polynomial_is_the_same_as_its_powers() -> None:
    columns = {"x": list(range(12)), "y": [(i * 5) % 7 for i in range(12)]}
    short, long = (result_of("regression", columns, formula=f"y ~ {f}") for f in ("poly(x, 2)", "x + I(x**2)"))
    assert [term["estimate"] for term in short["terms"]] == [term["estimate"] for term in long["terms"]]
