"""Correlations, groups, contingency tables, trends: by hand where a hand suffices, else beside scipy."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.numerics.distributions import holm, noncentral_chi2_interval, t_two_sided
from worker.engines.analysis.numerics.groups import brown_forsythe, kruskal_wallis, one_way, welch_anova
from worker.engines.analysis.numerics.two_groups import mann_whitney, welch_t

samples = st.lists(st.integers(-20, 20), min_size=3, max_size=12).filter(lambda values: len(set(values)) > 1)


def texts(values: list[int] | list[float]) -> list[str]:
    return [str(value) for value in values]


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_p_values_far_out_keep_their_digits() -> None:
    # With two degrees of freedom p = 1 - t / sqrt(2 + t**2), about 1 / t**2 far out.
    assert t_two_sided(1e6, 2) == pytest.approx(1e-12, rel=1e-9)
    assert t_two_sided(math.inf, 3) == sys.float_info.min


def test_noncentral_interval_inverts_the_distribution() -> None:
    low, high = noncentral_chi2_interval(25.0, 4)
    for limit in (low, high):
        reach = abs(5.0 - math.sqrt(limit))
        near, far = max(0.0, math.sqrt(limit) - reach) ** 2, (math.sqrt(limit) + reach) ** 2
        assert stats.ncx2.cdf(far, 4, limit) - stats.ncx2.cdf(near, 4, limit) == pytest.approx(0.95, rel=1e-6)
    assert noncentral_chi2_interval(1.0, 4)[0] == 0.0
    assert noncentral_chi2_interval(0.0, 4)[1] > 1.0


@settings(max_examples=60, deadline=None)
@given(samples, samples)
def test_welch_agrees_with_scipy(a: list[int], b: list[int]) -> None:
    mine = welch_t(texts(a), texts(b))
    theirs = stats.ttest_ind(a, b, equal_var=False)
    assert mine is not None
    assert (mine.t, mine.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9, abs=1e-12)
    interval = theirs.confidence_interval()
    assert (mine.ci_low, mine.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(samples, samples)
def test_mann_whitney_agrees_with_scipy(a: list[int], b: list[int]) -> None:
    mine = mann_whitney(texts(a), texts(b))
    assert mine is not None
    tied = len(set(a + b)) < len(a + b)
    theirs = stats.mannwhitneyu(a, b, method="asymptotic" if tied else "exact")
    assert mine.method == ("normal" if tied else "exact")
    assert (mine.u, mine.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert mine.ci_low <= mine.superiority <= mine.ci_high


def test_exact_mann_whitney_by_hand() -> None:
    # Of the six orders of two and two values, the lowest U has one: p = 2/6.
    found = mann_whitney(["1", "2"], ["3", "4"])
    assert found is not None
    assert (found.u, found.superiority) == (0.0, 0.0)
    assert found.p == pytest.approx(1 / 3)


@settings(max_examples=40, deadline=None)
@given(samples, samples, samples)
def test_tests_of_several_groups_agree_with_scipy(a: list[int], b: list[int], c: list[int]) -> None:
    groups = {"a": texts(a), "b": texts(b), "c": texts(c)}
    table = one_way(groups)
    assert table.f == pytest.approx(stats.f_oneway(a, b, c).statistic, rel=1e-8, abs=1e-12)
    kruskal = kruskal_wallis(groups)
    theirs = stats.kruskal(a, b, c)
    assert kruskal is not None
    assert kruskal[:2] == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-8, abs=1e-10)
    spread = brown_forsythe(groups)
    wanted = stats.levene(a, b, c, center="median")
    if spread is not None:
        assert spread == pytest.approx((wanted.statistic, wanted.pvalue), rel=1e-8, abs=1e-10)


def test_welch_anova_agrees_with_statsmodels() -> None:
    from statsmodels.stats.oneway import anova_oneway

    rng = np.random.default_rng(4)
    data = [rng.normal(i, 1 + i, 8 + 3 * i).round(3).tolist() for i in range(4)]
    theirs = anova_oneway([np.array(d) for d in data], use_var="unequal", welch_correction=True)
    mine = welch_anova({str(i): texts(d) for i, d in enumerate(data)})
    assert mine == pytest.approx((theirs.statistic, *theirs.df, theirs.pvalue), rel=1e-9)


def test_anova_by_hand() -> None:
    # Group means 2 and 5, grand mean 3.5: between 2 * 3 * 1.5**2 = 13.5, within 2 + 2 = 4.
    result = result_of("anova", {"y": [1, 2, 3, 4, 5, 6], "g": list("aaabbb")}, response="y", group="g")
    assert (result["ss_between"], result["ss_within"], result["f"]) == (13.5, 4.0, 13.5)
    assert (result["df_between"], result["df_within"], result["residual_sd"]) == (1, 4, 1.0)
    assert result["r_squared"] == result["eta_squared"] == 13.5 / 17.5
    assert result["omega_squared"] == 12.5 / 18.5


def test_anova_on_large_values_with_small_differences_is_exact() -> None:
    y = [f"1000000000000.{d}" for d in (1, 2, 3, 4, 5, 6)]
    result = result_of("anova", {"y": y, "g": [1, 1, 1, 2, 2, 2]}, response="y", group="g")
    assert (result["ss_between"], result["ss_within"], result["f"]) == (0.135, 0.04, 13.5)


def test_anova_advises_welch_where_spreads_differ() -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate(
        [stats.norm.ppf((np.arange(40) + 0.5) / 40), 2 + 1.8 * stats.norm.ppf((np.arange(40) + 0.5) / 40)]
    )
    y = (y + rng.uniform(-0.001, 0.001, 80)).round(5)
    result = result_of("anova", {"y": y, "g": ["a"] * 40 + ["b"] * 40}, response="y", group="g")
    assert result["advice"].startswith("welch")


def test_anova_where_nothing_varies_within_groups() -> None:
    result = result_of("anova", {"y": [1, 1, 2, 2], "g": list("aabb")}, response="y", group="g")
    assert (result["f"], result["ss_within"]) == (None, 0.0)


@pytest.mark.parametrize("g", [["a", "a", "a"], ["a", "b", "c"], [None, None, None]])
def test_groups_that_cannot_be_compared(g: list[str | None]) -> None:
    with pytest.raises(NotPossible):
        result_of("anova", {"y": [1, 2, 3], "g": g}, response="y", group="g")


def test_compare_groups_prefers_ranks_for_small_groups_far_from_normal() -> None:
    y = [1, 1.1, 1.2, 1.3, 1.25, 60, 2, 2.2, 2.1, 2.4, 2.3, 90]
    result = result_of("compare_groups", {"y": y, "g": ["a"] * 6 + ["b"] * 6}, response="y", group="g")
    assert result["preferred"] == "mann_whitney"
    assert result["assumptions"]["normal_residuals"]["p"] < 0.05
    assert result["pairs"][0]["mann_whitney"]["superiority"] < 0.5


def test_compare_groups_adjusts_over_the_pairs() -> None:
    y = [1, 2, 3, 4, 2, 3, 4, 5, 7, 8, 9, 10]
    result = result_of("compare_groups", {"y": y, "g": list("aaaabbbbcccc")}, response="y", group="g")
    raw = [pair["welch"]["p"] for pair in result["pairs"]]
    assert [pair["welch"]["p_adjusted"] for pair in result["pairs"]] == holm(raw)
    assert [(pair["a"], pair["b"]) for pair in result["pairs"]] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert result["overall"]["welch"]["p"] < 0.01


def test_hedges_g_by_hand() -> None:
    # Means 2 and 4, both standard deviations 1, four degrees of freedom: d = -2, factor 1 - 3/15.
    found = welch_t(["1", "2", "3"], ["3", "4", "5"])
    assert found is not None
    assert found.hedges_g == pytest.approx(-1.6)


def test_correlation_by_hand() -> None:
    # Deviations (-1.5, -0.5, 0.5, 1.5) and (-1, -2, 2, 1): 5 / sqrt(5 * 10).
    result = result_of("correlation", {"x": [1, 2, 3, 4], "y": [2, 1, 5, 4]})
    pair = result["pairs"][0]
    assert pair["pearson"]["r"] == pytest.approx(5 / math.sqrt(50), rel=1e-15)
    assert pair["spearman"]["r"] == pytest.approx(0.6, rel=1e-15)


def test_correlation_agrees_with_scipy() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=40).round(2)
    y = (x + rng.normal(size=40)).round(1)
    z = rng.integers(0, 5, 40)
    result = result_of("correlation", {"x": x, "y": y, "z": z}, columns=["x", "y", "z"])
    data = {"x": x, "y": y, "z": z}
    for pair in result["pairs"]:
        pearson = stats.pearsonr(data[pair["x"]], data[pair["y"]])
        spearman = stats.spearmanr(data[pair["x"]], data[pair["y"]])
        interval = pearson.confidence_interval()
        assert (pair["pearson"]["r"], pair["pearson"]["p"]) == pytest.approx(tuple(pearson), rel=1e-9)
        assert (pair["pearson"]["ci_low"], pair["pearson"]["ci_high"]) == pytest.approx(tuple(interval), rel=1e-9)
        assert (pair["spearman"]["r"], pair["spearman"]["p"]) == pytest.approx(tuple(spearman), rel=1e-9)
    assert [p["pearson"]["p_adjusted"] for p in result["pairs"]] == holm([p["pearson"]["p"] for p in result["pairs"]])


def test_perfect_correlation_and_constant_columns() -> None:
    result = result_of(
        "correlation", {"x": [1, 2, 3, 4], "y": [3, 5, 7, 9], "k": [1, 1, 1, 1]}, columns=["x", "y", "k"]
    )
    assert result["pairs"][0]["pearson"]["r"] == 1.0
    assert result["pairs"][1]["pearson"]["r"] is None
    assert "constant" in result["pairs"][1]["warnings"][-1]


def test_contingency_by_hand_and_beside_scipy() -> None:
    rows = ["a"] * 30 + ["b"] * 20
    columns = ["u"] * 20 + ["v"] * 10 + ["u"] * 5 + ["v"] * 15
    result = result_of("contingency", {"r": rows, "c": columns}, row="r", column="c")
    assert result["counts"] == [[20, 10], [5, 15]]
    assert result["chi2"] == pytest.approx(50 * (20 * 15 - 10 * 5) ** 2 / (30 * 20 * 25 * 25))
    assert result["cramers_v"] == pytest.approx(math.sqrt(result["chi2"] / 50))
    assert result["odds_ratio"] == 6.0
    theirs = stats.chi2_contingency([[20, 10], [5, 15]], correction=False)
    assert result["p"] == pytest.approx(theirs.pvalue)
    assert result["cramers_v_ci_low"] < result["cramers_v"] < result["cramers_v_ci_high"]
    assert result["preferred"] == "chi2"


def test_a_thin_two_by_two_table_prefers_fisher() -> None:
    result = result_of("contingency", {"r": list("aaaabbbb"), "c": list("uuuvvvvu")}, row="r", column="c")
    assert result["preferred"] == "fisher"
    assert result["fisher_p"] == pytest.approx(stats.fisher_exact([[3, 1], [1, 3]]).pvalue)


def test_trend_by_hand() -> None:
    # All six pairs rise: S = 6, variance 4 * 3 * 13 / 18; slopes 1, 2, 1, 3, 1.5, 4/3.
    result = result_of("trend", {"t": [1, 2, 3, 4], "y": [1, 2, 5, 6]}, response="y", time="t")
    slopes = [1, 2, 5 / 3, 3, 2, 1]
    assert (result["s"], result["tau"]) == (6.0, 1.0)
    assert result["z"] == pytest.approx(5 / math.sqrt(4 * 3 * 13 / 18))
    assert result["slope"] == pytest.approx(float(np.median(slopes)))
    assert result["direction"] == "rising"


def test_trend_agrees_with_scipy() -> None:
    rng = np.random.default_rng(8)
    t = np.arange(40)
    y = (0.2 * t + rng.normal(0, 2, 40)).round(1)
    result = result_of("trend", {"t": t, "y": y}, response="y", time="t")
    slope = stats.theilslopes(y, t)
    assert (result["slope"], result["intercept"]) == pytest.approx((slope.slope, np.median(y - slope.slope * t)))
    assert result["ci_low"] == pytest.approx(slope.low_slope, abs=0.01)
    assert result["ci_high"] == pytest.approx(slope.high_slope, abs=0.01)


def test_trend_over_dates_is_per_day_whatever_the_order_of_rows() -> None:
    dates = ["2024-01-05", "2024-01-01", "2024-01-03", "2024-01-02", "2024-01-04"]
    result = result_of("trend", {"d": dates, "y": [50, 10, 30, 20, 40]}, response="y", time="d")
    assert (result["slope"], result["time_unit"]) == (10.0, "day")


@pytest.mark.parametrize(
    ("kind", "arguments", "says"),
    [
        ("correlation", {"columns": ["x", "nope"]}, r"task\.columns\[1\]: no column 'nope'"),
        ("correlation", {"columns": ["x", "g"]}, r"task\.columns\[1\]: column 'g' is category"),
        ("correlation", {"columns": "x"}, r"task\.columns: must be a list"),
        ("anova", {"response": "g", "group": "x"}, r"task\.response: column 'g' is category"),
        ("compare_groups", {"response": "x", "group": "x"}, r"task\.group: must be another"),
        ("contingency", {"row": "g", "column": "g"}, r"task\.column: must be another"),
        ("trend", {"response": "x", "time": "g"}, r"task\.time: column 'g' is category"),
        ("trend", {"response": 3}, r"task\.response: must be given as text"),
    ],
)
def test_faulty_arguments_name_their_field(kind: str, arguments: dict[str, object], says: str) -> None:
    with pytest.raises(AnalysisError, match=says):
        result_of(kind, {"x": [1, 2, 3, 4], "g": list("abab")}, **arguments)
