from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.unit.analysis.tables import result_of, table_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.expressions.coding import build_design
from worker.engines.analysis.expressions.formula import parse_formula
from worker.engines.analysis.numerics import linear


def terms(result: dict[str, object]) -> dict[str, dict[str, float]]:
    listed = result["terms"]
    assert isinstance(listed, list)
    return {term["name"]: term for term in listed}


def test_a_line_by_hand() -> None:
    # x = 1, 2, 3 and y = 1, 3, 2: slope 1/2, intercept 1, residual sum 3/2 on one degree of freedom.
    result = result_of("regression", {"x": [1, 2, 3], "y": [1, 3, 2]}, formula="y ~ x")
    found = terms(result)
    assert (found["Intercept"]["estimate"], found["x"]["estimate"]) == (1.0, 0.5)
    assert found["x"]["std_error"] == math.sqrt(0.75)
    assert found["Intercept"]["std_error"] == math.sqrt(3.5)
    assert result["residual_sd"] == math.sqrt(1.5)
    assert (result["r_squared"], result["f"], result["df_model"], result["df_residual"]) == (0.25, 1 / 3, 1, 1)
    # One degree of freedom is the Cauchy distribution: p = 1 - 2 atan(t)/pi.
    assert found["x"]["p"] == pytest.approx(1 - 2 * math.atan(1 / math.sqrt(3)) / math.pi, rel=1e-14)
    assert found["x"]["ci_high"] - found["x"]["estimate"] == pytest.approx(
        math.tan(0.475 * math.pi) * math.sqrt(0.75), rel=1e-12
    )


def test_without_intercept_sums_are_about_zero() -> None:
    result = result_of("regression", {"x": [1, 2, 3], "y": [2, 3, 7]}, formula="y ~ 0 + x")
    assert terms(result)["x"]["estimate"] == float(Fraction(29, 14))
    assert result["r_squared"] == float(Fraction(29 * 29, 14 * 62))
    assert (result["df_model"], result["df_residual"]) == (1, 2)


def test_a_perfect_polynomial_is_exact_and_said_to_be_perfect() -> None:
    x = list(range(1, 21))
    y = [3 - 2 * v + 7 * v**3 + v**6 for v in x]
    result = result_of("regression", {"x": x, "y": y}, formula="y ~ x + I(x**3) + I(x**6)")
    assert [term["estimate"] for term in result["terms"]] == [3.0, -2.0, 7.0, 1.0]
    assert all(term["std_error"] == 0.0 for term in result["terms"])
    assert (result["f"], result["r_squared"], result["residual_sd"]) == (None, 1.0, 0.0)
    assert any("perfect" in warning for warning in result["warnings"])


def test_digits_beyond_doubles_are_used() -> None:
    # The response differs from a constant in its 18th digit only.
    y = [f"1.00000000000000000{d}" for d in (1, 3, 5, 7)]
    result = result_of("regression", {"x": [1, 2, 3, 4], "y": y}, formula="y ~ x")
    assert terms(result)["x"]["estimate"] == 2e-18


@pytest.mark.parametrize("formula", ["y ~ x + z", "y ~ x * g", "y ~ 0 + g + x", "y ~ log(z) + I(x**2)"])
def test_agrees_with_statsmodels(formula: str) -> None:
    import pandas as pd
    import statsmodels.formula.api as smf
    from statsmodels.stats.diagnostic import het_breuschpagan
    from statsmodels.stats.stattools import durbin_watson

    rng = np.random.default_rng(2)
    n = 60
    data: dict[str, Any] = {
        "x": rng.normal(10, 2, n).round(3),
        "z": rng.uniform(1, 9, n).round(3),
        "g": [("a", "b", "c")[i % 3] for i in range(n)],
    }
    data["y"] = (2 + 0.5 * data["x"] - data["z"] + rng.normal(0, 1, n)).round(3)
    result = result_of("regression", data, formula=formula)
    model = smf.ols(formula.replace("log", "np.log"), pd.DataFrame(data)).fit()
    if "0 +" not in formula:  # statsmodels calls a full set of dummies a constant, R and formulaic do not
        assert result["r_squared"] == pytest.approx(model.rsquared, rel=1e-10)
        assert result["f"] == pytest.approx(model.fvalue, rel=1e-9)
        assert result["diagnostics"]["breusch_pagan_p"] == pytest.approx(
            het_breuschpagan(model.resid, model.model.exog)[1], rel=1e-8
        )
    assert sorted(t["estimate"] for t in result["terms"]) == pytest.approx(sorted(model.params), rel=1e-9)
    assert sorted(t["std_error"] for t in result["terms"]) == pytest.approx(sorted(model.bse), rel=1e-9)
    assert sorted(t["p"] for t in result["terms"]) == pytest.approx(sorted(model.pvalues), rel=1e-7)
    assert sorted(t["ci_low"] for t in result["terms"]) == pytest.approx(sorted(model.conf_int()[0]), rel=1e-8)
    assert result["diagnostics"]["durbin_watson"] == pytest.approx(durbin_watson(model.resid), rel=1e-9)


def test_both_arithmetics_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(50, 60, 80).round(4)
    table = table_of({"x": x, "y": (x**3 / 1000 + rng.normal(0, 1, 80)).round(4)})
    formula = parse_formula("y ~ x + I(x**2) + I(x**3)", table.names())
    exact = linear.fit_linear(build_design(formula, table, exact=True))
    double = linear.fit_linear(build_design(formula, table, exact=False))
    assert (exact.arithmetic, double.arithmetic) == ("exact", "double")
    assert double.estimates == pytest.approx(exact.estimates, rel=1e-6)
    assert double.std_errors == pytest.approx(exact.std_errors, rel=1e-6)
    assert double.r_squared == pytest.approx(exact.r_squared, rel=1e-12)
    assert double.residuals == pytest.approx(exact.residuals, abs=1e-9)


def test_an_aliased_term_has_no_estimate_and_is_named() -> None:
    result = result_of(
        "regression", {"x": [1, 2, 3, 4, 5], "z": [2, 4, 6, 8, 10], "y": [1, 3, 2, 5, 4]}, formula="y ~ x + z"
    )
    assert terms(result)["z"]["estimate"] is None
    assert any("z" in warning and "determined" in warning for warning in result["warnings"])


def test_missing_rows_are_counted() -> None:
    result = result_of("regression", {"x": [1, 2, None, 4, 5, 6], "y": [1, 3, 2, 5, None, 6]}, formula="y ~ x")
    assert result["n"] == 4
    assert "2 of 6 rows are left out" in result["warnings"][0]


def test_as_many_terms_as_rows() -> None:
    result = result_of("regression", {"x": [1, 2], "y": [3, 5]}, formula="y ~ x")
    assert [t["estimate"] for t in result["terms"]] == [1.0, 2.0]
    assert result["residual_sd"] is None
    assert all(t["std_error"] is None for t in result["terms"])


def test_ill_conditioning_is_reported() -> None:
    x = [1000000 + i for i in range(20)]
    result = result_of("regression", {"x": x, "y": [(v * 7) % 11 for v in x]}, formula="y ~ x + I(x**2)")
    assert result["condition_number"] > 1e8
    assert any("ill conditioned" in warning for warning in result["warnings"])


@pytest.mark.parametrize(
    ("formula", "says"),
    [("y ~ q", "no column 'q'"), ("y ~ poly(x, x)", "poly"), ("y", "response ~ terms"), ("h ~ x", "not numeric")],
)
def test_a_faulty_formula_names_its_field(formula: str, says: str) -> None:
    with pytest.raises(AnalysisError, match=says) as caught:
        result_of("regression", {"x": [1, 2, 3], "y": [1, 2, 4], "h": ["a", "b", "c"]}, formula=formula)
    assert str(caught.value).startswith("task.formula: ")


def test_a_family_that_is_not_offered_is_refused() -> None:
    with pytest.raises(AnalysisError, match=r"task\.family: must be one of gaussian"):
        result_of("regression", {"x": [1, 2, 3], "y": [1, 2, 4]}, formula="y ~ x", family="tweedie")


def test_no_complete_row_is_not_possible() -> None:
    with pytest.raises(NotPossible):
        result_of("regression", {"x": [1, None, 3], "y": [None, 2, None]}, formula="y ~ x")
