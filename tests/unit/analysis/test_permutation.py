"""p-values by permutation, and that no p is ever 0."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.numerics.distributions import chi2_upper, f_upper, normal_two_sided, t_two_sided
from worker.engines.analysis.numerics.permutation import correlation_p, kendall_p, perfect_p

RISING = list(range(1, 9))


def test_a_perfect_rank_correlation_of_eight_rows_has_the_permutation_p_and_no_interval() -> None:
    curved = [round(math.exp(value), 4) for value in RISING]
    (pair,) = result_of("correlation", {"x": RISING, "y": curved})["pairs"]
    spearman = pair["spearman"]
    assert spearman["p"] == pytest.approx(2 / math.factorial(8))
    assert spearman["p_method"] == "permutation"
    assert (spearman["r"], spearman["ci_low"], spearman["ci_high"]) == (1.0, None, None)
    assert pair["pearson"]["p_method"] == "t"
    assert any("no scatter" in warning for warning in pair["warnings"])


def test_a_perfect_correlation_of_many_rows_has_a_bound() -> None:
    (pair,) = result_of("correlation", {"x": list(range(300)), "y": [-3 * i for i in range(300)]})["pairs"]
    for method in ("pearson", "spearman"):
        assert pair[method]["r"] == -1.0
        assert pair[method]["p_method"] == "permutation_bound"
        assert 0 < pair[method]["p"] < 1e-300
        assert pair[method]["ci_low"] is None


def test_ties_leave_fewer_orders() -> None:
    assert perfect_p([1, 2, 3, 4]) == pytest.approx(2 / 24)
    assert perfect_p([1, 1, 2, 2]) == pytest.approx(2 * 4 / 24)


def test_the_exact_p_agrees_with_scipy() -> None:
    x, y = [1.0, 2, 3, 4, 5, 6], [2.0, 1, 4, 3, 6, 5]
    theirs = stats.permutation_test(
        (x,), lambda order: stats.pearsonr(order, y).statistic, permutation_type="pairings", n_resamples=math.inf
    )
    assert correlation_p(x, y) == pytest.approx(theirs.pvalue)


def test_the_exact_kendall_p_agrees_with_scipy() -> None:
    y = [3, 1, 2, 5, 4, 6, 8, 7]
    result = result_of("trend", {"t": RISING, "y": y}, response="y", time="t")
    theirs = stats.kendalltau(RISING, y, method="exact")
    assert (result["p"], result["p_method"]) == (pytest.approx(theirs.pvalue), "exact")
    assert result["tau"] == pytest.approx(theirs.statistic)
    assert kendall_p(28, 8) == pytest.approx(2 / math.factorial(8))


def test_a_trend_with_ties_or_of_many_values_is_by_the_normal_distribution() -> None:
    tied = result_of("trend", {"t": RISING, "y": [1, 1, 2, 3, 4, 5, 6, 7]}, response="y", time="t")
    long = result_of("trend", {"t": list(range(2000)), "y": list(range(2000))}, response="y", time="t")
    assert tied["p_method"] == long["p_method"] == "normal"
    assert long["p"] > 0


def test_no_tail_is_empty() -> None:
    found = [t_two_sided(1e300, 50), f_upper(1e300, 2, 500), chi2_upper(1e6, 1), normal_two_sided(60)]
    assert all(0 < p < 1e-300 for p in found)
