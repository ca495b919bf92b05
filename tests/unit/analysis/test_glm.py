"""Generalised linear models: beside statsmodels, by hand where a hand suffices, and where the data separate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from scipy import optimize

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.findings.models import from_regression
from worker.engines.analysis.numerics.glm import fit_glm
from worker.engines.analysis.numerics.glm_inference import auc, calibration, profile_interval, term_tests

Vector = npt.NDArray[np.float64]


def data(n: int = 80) -> tuple[Vector, Vector, Vector]:
    """A matrix whose columns differ much in size, an outcome and a count."""
    rng = np.random.default_rng(11)
    x = np.column_stack([np.ones(n), rng.normal(1e4, 5, n), rng.normal(0, 1e-3, n)])
    eta = (x[:, 1] - 1e4) / 5 + 500 * x[:, 2]
    outcome = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.float64)
    return x, outcome, rng.poisson(np.exp(0.3 + 0.4 * eta)).astype(np.float64)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_fits_agree_with_statsmodels(family: str) -> None:
    x, outcome, counts = data()
    offset = np.linspace(-0.5, 0.5, len(x))
    y = outcome if family == "binomial" else counts
    theirs = sm.GLM(y, x, family=getattr(sm.families, family.capitalize())(), offset=offset).fit(tol=1e-14)
    mine = fit_glm(x, y, family, offset)
    assert mine.converged
    assert mine.estimates == pytest.approx(theirs.params, rel=1e-8)
    assert mine.std_errors == pytest.approx(theirs.bse, rel=1e-7)
    assert (mine.deviance, mine.pearson_chi2) == pytest.approx((theirs.deviance, theirs.pearson_chi2), rel=1e-9)
    assert mine.leverage == pytest.approx(theirs.get_influence().hat_matrix_diag, rel=1e-7)
    assert mine.predict(x[:3], offset[:3]) == pytest.approx(theirs.fittedvalues[:3], rel=1e-9)


def test_an_aliased_column_has_no_estimate_and_does_not_disturb() -> None:
    x, outcome, _ = data()
    more = np.column_stack([x[:, :2], 2 * x[:, 1] - x[:, 0], x[:, 2]])
    mine = fit_glm(more, outcome, "binomial")
    assert (mine.aliased, math.isnan(mine.estimates[2])) == ([2], True)
    assert mine.predict(more) == pytest.approx(fit_glm(x, outcome, "binomial").fitted, rel=1e-9)


def test_separated_outcomes_get_firths_estimate() -> None:
    # One of ten against none of ten: with a saturated model Firth's estimate adds a half to every count.
    group = np.repeat([0.0, 1.0], 10)
    y = np.zeros(20)
    y[0] = 1
    fit = fit_glm(np.column_stack([np.ones(20), group]), y, "binomial")
    assert (fit.method, fit.converged) == ("firth", True)
    assert fit.estimates == pytest.approx([math.log(1.5 / 9.5), math.log(0.5 / 10.5) - math.log(1.5 / 9.5)], rel=1e-6)
    counts = fit_glm(np.column_stack([np.ones(20), group]), 3 * (1 - group), "poisson")
    assert (counts.method, counts.separated) == ("firth", [1])
    assert np.exp(counts.estimates.sum()) == pytest.approx(0.05, rel=1e-6)


def test_firths_estimate_is_the_maximum_of_the_penalised_likelihood() -> None:
    x = np.column_stack([np.ones(12), np.arange(12.0)])
    y = (np.arange(12) > 4).astype(np.float64)

    def penalised(beta: Vector) -> float:
        eta = x @ beta
        mu = 1 / (1 + np.exp(-eta))
        information = (x * (mu * (1 - mu))[:, None]).T @ x
        return -float(np.sum(y * eta - np.logaddexp(0, eta)) + 0.5 * np.linalg.slogdet(information)[1])

    best = optimize.minimize(penalised, [-3.0, 0.7], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13})
    assert fit_glm(x, y, "binomial").estimates == pytest.approx(best.x, rel=1e-5)


def test_a_steep_curve_is_no_separation() -> None:
    x = np.column_stack([np.ones(40), np.arange(40.0)])
    y = (np.arange(40) > 19).astype(np.float64)
    y[[19, 20]] = y[[20, 19]]
    fit = fit_glm(x, y, "binomial")
    assert (fit.method, fit.converged) == ("maximum_likelihood", True)


def test_profile_limits_lie_where_the_likelihood_has_dropped_enough() -> None:
    x, outcome, _ = data(50)
    fit = fit_glm(x, outcome, "binomial")
    low, high = profile_interval(fit, x, outcome, 2, np.zeros(50))
    for limit in (low, high):
        assert limit is not None
        held = sm.GLM(outcome, x[:, :2], family=sm.families.Binomial(), offset=limit * x[:, 2]).fit(tol=1e-13)
        assert 2 * (fit.log_likelihood - held.llf) == pytest.approx(3.841458820694124, rel=1e-6)


def test_terms_within_an_interaction_are_tested_without_it() -> None:
    x, _, counts = data()
    a, b = (x[:, 1] - 1e4) / 5, 1e3 * x[:, 2]
    matrix = np.column_stack([np.ones(len(a)), a, b, a * b])
    fit = fit_glm(matrix, counts, "poisson")
    tests = {t.term: t for t in term_tests(fit, matrix, counts, {"a": [1], "b": [2], "a × b": [3]}, np.zeros(len(a)))}
    deviance = [fit_glm(matrix[:, c], counts, "poisson").deviance for c in ([0, 2], [0, 1, 2], [0, 1, 2, 3])]
    assert tests["a"].deviance == pytest.approx(deviance[0] - deviance[1], rel=1e-8)
    assert tests["a × b"].deviance == pytest.approx(deviance[1] - deviance[2], rel=1e-6)


def test_rows_that_are_alike_are_ties_of_the_auc() -> None:
    """What is fitted to them may differ in its last digits by their place among the rows."""
    rng = np.random.default_rng(26)
    fitted = rng.integers(1, 6, 60) / 7
    y = (rng.random(60) < fitted).astype(float)
    shaken = fitted * (1 + rng.integers(-3, 4, 60) * 2.0**-52)
    assert len(np.unique(shaken)) > 20
    assert auc(y, shaken) == auc(y, fitted)


def test_auc_and_calibration_by_hand() -> None:
    y, fitted = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.6, 0.9])
    found = auc(y, fitted)
    assert found is not None
    assert found.value == 3.5 / 4
    assert [group[0] for group in calibration(y, fitted, groups=2).groups] == [3, 1]


def outcomes() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    x = rng.normal(50, 10, 90).round(2)
    group = [("a", "b", "c")[i % 3] for i in range(90)]
    chance = 1 / (1 + np.exp(-(0.1 * (x - 50) + np.array([g == "b" for g in group]))))
    return {
        "x": x,
        "g": group,
        "ill": ["sick" if u < c else "fit" for u, c in zip(rng.random(90), chance, strict=True)],
    }


def test_a_response_with_two_levels_makes_a_logistic_model() -> None:
    columns = outcomes()
    result = result_of("regression", columns, formula="ill ~ x + g")
    assert (result["family"], result["event"], result["other"]) == ("binomial", "sick", "fit")
    assert (result["interval"], result["references"]["g[T.b]"]) == ("profile_likelihood", "a")
    dummies = np.column_stack([np.ones(90), columns["x"], *([g == level for g in columns["g"]] for level in "bc")])
    theirs = sm.Logit([v == "sick" for v in columns["ill"]], dummies.astype(float)).fit(disp=0, tol=1e-12)
    assert [term["estimate"] for term in result["terms"]] == pytest.approx(list(theirs.params), rel=1e-7)
    assert result["pseudo_r_squared"]["mcfadden"] == pytest.approx(theirs.prsquared, rel=1e-9)
    assert result["terms"][1]["ratio"] == pytest.approx(math.exp(theirs.params[1]), rel=1e-7)
    other = result_of("regression", columns, formula="ill ~ x + g", event="fit")
    assert other["terms"][1]["estimate"] == pytest.approx(-theirs.params[1], rel=1e-7)
    text = next(draft.text for draft in from_regression(result, 90))
    assert text.startswith("x and g help to predict ill being sick in a logistic model")


def test_separation_is_said_and_no_huge_estimate_is_given() -> None:
    result = result_of("regression", {"x": list(range(30)), "y": [int(i > 14) for i in range(30)]}, formula="y ~ x",
                       family="binomial")  # fmt: skip
    assert result["method"] == "firth"
    assert result["terms"][1]["ci_low"] > 0
    assert any("separate: x can predict" in warning for warning in result["warnings"])


def test_scatter_beyond_poisson_widens_the_errors() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 3, 200).round(3)
    y = rng.negative_binomial(1, 1 / (1 + np.exp(1 + 0.3 * x)))
    result = result_of("regression", {"x": x, "n": y}, formula="n ~ x", family="poisson")
    design = sm.add_constant(x)
    theirs = sm.GLM(y, design, family=sm.families.Poisson()).fit(scale="X2", tol=1e-13)
    assert (result["scatter"], result["interval"]) == ("quasi", "wald")
    assert result["dispersion"] == pytest.approx(theirs.scale, rel=1e-8)
    assert result["terms"][1]["std_error"] == pytest.approx(theirs.bse[1], rel=1e-7)
    assert any("overdispersed" in warning for warning in result["warnings"])


def test_an_offset_makes_rates_of_counts() -> None:
    columns = {"n": [3, 8, 5, 20], "people": [100, 200, 50, 100], "town": [0, 0, 1, 1]}
    result = result_of("regression", columns, formula="n ~ town", family="poisson", offset="log(people)")
    assert result["terms"][1]["ratio"] == pytest.approx((25 / 150) / (11 / 300), rel=1e-9)


def test_counts_too_large_for_a_likelihood_have_intervals_by_wald() -> None:
    columns = {"n": [10**15 + k for k in (7, 5, 4)], "x": [0.64, 0.105, -0.536]}
    result = result_of("regression", columns, formula="n ~ x", family="poisson")
    assert result["interval"] == "wald"
    for term in result["terms"]:
        assert term["ci_low"] < term["estimate"] < term["ci_high"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"formula": "g ~ x", "family": "binomial"}, "has 3"),
        ({"formula": "x ~ g", "family": "poisson"}, "counts"),
        ({"formula": "ill ~ x", "event": "maybe"}, r"task\.event"),
        ({"formula": "x ~ g", "offset": "x"}, r"task\.offset"),
        ({"formula": "ill ~ x", "offset": "log(nope)"}, r"task\.offset"),
    ],
)
def test_a_response_that_does_not_suit_is_refused(arguments: dict[str, str], says: str) -> None:
    with pytest.raises(AnalysisError, match=says):
        result_of("regression", outcomes(), **arguments)


def test_one_outcome_only_is_not_possible() -> None:
    columns = {"x": [1, 2, None, 4], "y": ["no", "no", "yes", "no"]}
    with pytest.raises(NotPossible):
        result_of("regression", columns, formula="y ~ x")
