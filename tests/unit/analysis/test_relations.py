"""Kendall, partial correlations, post-hoc tests, pairs and ordered tables, beside scipy and statsmodels."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import AnovaRM
from statsmodels.stats.proportion import confint_proportions_2indep

from tests.unit.analysis.tables import result_of, table_of
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.findings.comparisons import from_compare_groups, from_contingency, from_correlation
from worker.engines.analysis.numerics.kendall import kendall
from worker.engines.analysis.numerics.paired import friedman, paired_t, repeated_measures, signed_ranks
from worker.engines.analysis.numerics.post_hoc import games_howell, tukey_hsd
from worker.engines.analysis.numerics.studentized_range import range_quantile, range_upper
from worker.engines.analysis.numerics.tables import goodman_kruskal
from worker.engines.analysis.numerics.two_groups import welch_t
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.table import Column, ColumnType
from worker.engines.analysis.tasks.registry import check_task, run_task


@pytest.mark.parametrize(
    ("n", "tied", "method"), [(9, False, "exact"), (9, True, "asymptotic"), (60, True, "asymptotic")]
)
def test_kendall_agrees_with_scipy(n: int, tied: bool, method: Any) -> None:
    rng = np.random.default_rng(n)
    x = rng.integers(0, 5, n).astype(float) if tied else rng.normal(size=n)
    y = x + (rng.integers(0, 5, n) if tied else rng.normal(size=n))
    found = kendall(x, y)
    assert found is not None
    assert (found.tau, found.p) == pytest.approx(tuple(stats.kendalltau(x, y, method=method)), rel=1e-9)


def test_a_partial_correlation_is_that_of_residuals() -> None:
    rng = np.random.default_rng(3)
    c = rng.normal(size=50).round(3)
    x, y = (c + rng.normal(size=50)).round(3), (c + rng.normal(size=50)).round(3)
    result = result_of("correlation", {"x": x, "y": y, "c": c}, columns=["x", "y"], control=["c"])
    left = [values - np.polyval(np.polyfit(c, values, 1), c) for values in (x, y)]
    found = result["pairs"][0]["partial"]["pearson"]
    assert found["r"] == pytest.approx(stats.pearsonr(*left).statistic, rel=1e-9)
    first, second = from_correlation(result, 50)
    assert first.text.startswith("With c held fixed, ")
    assert first.numbers["r"] == found["r"]
    assert "With c held fixed r = " in second.text


def test_few_tied_values_are_tested_by_permutation() -> None:
    rng = np.random.default_rng(4)
    columns = {"x": rng.integers(0, 3, 20), "y": rng.integers(0, 3, 20)}
    found = result_of("correlation", columns)["pairs"][0]["spearman"]
    assert found["p_method"] == "sampled_permutation"
    assert found["p"] == pytest.approx(stats.spearmanr(columns["x"], columns["y"]).pvalue, abs=0.03)
    assert found == result_of("correlation", columns)["pairs"][0]["spearman"]


@pytest.mark.parametrize(("q", "groups", "df"), [(3.5, 3, 10), (1.0, 5, 4.3), (12.0, 3, 15), (4.0, 4, 1e5)])
def test_the_studentised_range_agrees_with_scipy(q: float, groups: int, df: float) -> None:
    assert range_upper(q, groups, df) == pytest.approx(stats.studentized_range.sf(q, groups, df), rel=1e-7)
    assert range_upper(range_quantile(0.95, groups, df), groups, df) == pytest.approx(0.05, rel=1e-7)


@pytest.mark.parametrize(("test", "equal"), [(tukey_hsd, True), (games_howell, False)])
def test_post_hoc_tests_agree_with_scipy(test: Any, equal: bool) -> None:
    rng = np.random.default_rng(5)
    groups = {"a": rng.normal(0, 1, 12), "b": rng.normal(1, 1, 9), "c": rng.normal(0, 3, 15)}
    found = test(groups)
    assert found["b", "c"].p == pytest.approx(stats.tukey_hsd(*groups.values(), equal_var=equal).pvalue[1, 2], rel=1e-7)
    # A group moved by a limit of the difference differs from the other at 5 % exactly.
    for limit in (found["a", "b"].ci_low, found["a", "b"].ci_high):
        assert test(groups | {"a": groups["a"] - limit})["a", "b"].p == pytest.approx(0.05, rel=1e-6)


def test_a_comparison_says_which_test_and_why() -> None:
    columns = {"y": [1, 2, 3, 4, 2, 3, 4, 5, 7, 8, 9, 10], "g": list("aaaabbbbcccc")}
    result = result_of("compare_groups", columns, response="y", group="g")
    assert (result["decision"]["test"], result["post_hoc"]) == ("welch_anova", "games_howell")
    assert "Shapiro–Wilk p = " in result["decision"]["why"]
    assert "Brown–Forsythe p = " in result["decision"]["why"]
    assert result["overall"]["anova"]["f"] == pytest.approx(
        stats.f_oneway([1, 2, 3, 4], [2, 3, 4, 5], [7, 8, 9, 10])[0]
    )
    low, high = result["overall"]["eta_squared_ci_low"], result["overall"]["eta_squared_ci_high"]
    assert low < result["overall"]["eta_squared"] < high
    assert "Games–Howell" in next(from_compare_groups(result, 12)).text


def test_paired_tests_agree_with_scipy_and_statsmodels() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(size=(15, 4)).round(1)
    a, b = values[:, 0], values[:, 1] + 0.05
    t, ranks = paired_t(a, b), signed_ranks(a, b)
    assert t is not None
    assert ranks is not None
    theirs = stats.ttest_rel(a, b)
    assert (t.t, t.p, t.ci_low) == pytest.approx((*theirs, theirs.confidence_interval().low), rel=1e-9)
    many = rng.normal(0.2, 1, 80).round(1)
    beyond = signed_ranks(many)
    assert beyond is not None
    assert beyond.p == pytest.approx(stats.wilcoxon(many, correction=True, method="asymptotic").pvalue, rel=1e-9)
    # Up to 50 differences every choice of signs counts, ties or not.
    assert ranks.method == "exact"
    moves = (a - b)[:10].round(2)
    assert len(np.unique(np.abs(moves))) < len(moves)
    few = signed_ranks(moves)
    assert few is not None
    assert few.method == "exact"
    signs = stats.wilcoxon(moves, method=stats.PermutationMethod(n_resamples=2**10 + 1))
    assert few.p == pytest.approx(signs.pvalue, rel=1e-9)
    plain = signed_ranks(rng.normal(size=12), np.zeros(12))
    assert plain is not None
    assert plain.method == "exact"
    chi2 = friedman(values)
    assert chi2 is not None
    assert (chi2.chi2, chi2.p) == pytest.approx(tuple(stats.friedmanchisquare(*values.T)), rel=1e-9)
    long = pd.DataFrame([{"s": i, "c": j, "y": values[i, j]} for i in range(15) for j in range(4)])
    repeated = repeated_measures(values)
    assert repeated is not None
    assert repeated.f == pytest.approx(AnovaRM(long, "y", "s", within=["c"]).fit().anova_table["F Value"].iloc[0])


def test_a_perfect_gamma_has_no_interval() -> None:
    found = goodman_kruskal(np.diag([5.0, 6.0, 7.0]))
    assert found is not None
    assert (found.gamma, found.ci_low, found.ci_high) == (1.0, None, None)
    assert found.p < 0.001


def test_exact_signed_ranks_by_hand() -> None:
    # All three differences positive: 2 of the 8 signs are as extreme.
    found = signed_ranks(np.array([1.0, 2.0, 3.5]), np.zeros(3))
    assert found is not None
    assert (found.p, found.rank_biserial) == (0.25, 1.0)


def test_differences_that_are_equal_in_decimals_are_ties() -> None:
    a, b = np.array([0.3, 0.2, 0.9, 0.7, 1.1]), np.array([0.2, 0.1, 1.2, 0.4, 1.1])
    assert len(set((a - b)[:2].tolist())) == 2
    found, tenfold = signed_ranks(a, b), signed_ranks(np.rint(10 * a), np.rint(10 * b))
    assert found is not None
    assert tenfold is not None
    assert (found.w, found.p, found.n) == (tenfold.w, tenfold.p, tenfold.n) == (3.5, 0.75, 4)


@given(
    pairs=st.lists(st.tuples(st.integers(-60, 60), st.integers(-60, 60)), min_size=1, max_size=60),
    digits=st.integers(1, 9),
    offset=st.sampled_from([0, 10**4, -(10**6)]),
)
@settings(max_examples=40, deadline=None)
def test_ranks_of_decimals_are_those_of_whole_numbers(pairs: Any, digits: int, offset: int) -> None:
    whole = np.array(pairs, dtype=np.float64) + offset
    tenths = np.array([[float(Decimal(x + offset).scaleb(-digits)) for x in pair] for pair in pairs])
    first, second = signed_ranks(*whole.T), signed_ranks(*tenths.T)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert (first.w, first.p, first.rank_biserial, first.n) == (second.w, second.p, second.rank_biserial, second.n)


@pytest.mark.parametrize("packed", [False, True])
def test_means_that_are_equal_in_decimals_are_ties(packed: bool) -> None:
    """Several values of a subject at a level: 0.1 and 0.2 have the mean of 0.15 and 0.15, but not as doubles."""
    values = np.random.default_rng(8).integers(1, 5, size=(12, 3, 4))
    cells = [("abc"[j], f"s{i}", v) for i, of in enumerate(values.tolist()) for j, at in enumerate(of) for v in at]
    results = []
    for scale in (0, 1, 3):
        y = [str(Decimal(v).scaleb(-scale)) for _, _, v in cells]
        table = table_of({"at": [at for at, _, _ in cells], "who": [who for _, who, _ in cells], "y": y})
        assert table.columns[2].exact
        if packed:
            numbers = Column("y", ColumnType.NUMBER, PackedNumbers(table.columns[2].floats()))
            table = replace(table, columns=(*table.columns[:2], numbers))
        task = check_task({"kind": "compare_groups", "response": "y", "group": "at", "pair": "who"}, "task", 0)
        found = run_task(table, task)
        tests = [pair["wilcoxon"] for pair in found["pairs"]]
        results.append(([(t["w"], t["p"], t["n"], t["rank_biserial"]) for t in tests], found["overall"]["friedman"]))
    assert results[1:] == results[:1] * 2


def test_digits_that_doubles_do_not_hold_make_a_difference() -> None:
    """Ranks are of the decimals of a file, not of what doubles keep of them."""
    first = [f"{10**15 + i}.{(i * i) % 7}" for i in range(1, 9)]
    second = [f"{10**15}.0" for _ in first]
    columns = {"who": list("abcdefgh") * 2, "at": ["x"] * 8 + ["y"] * 8, "y": first + second}
    found = result_of("compare_groups", columns, response="y", group="at", pair="who")["pairs"][0]["wilcoxon"]
    assert (found["n"], found["w"]) == (8, 0.0)


def test_subjects_are_compared_with_themselves() -> None:
    before, after = [10, 20, 30, 40, 50, 60], [12, 21, 33, 41, 54, None]
    columns = {"who": list("abcdef") * 2, "when": ["before"] * 6 + ["later"] * 6, "y": [*before, *after]}
    result = result_of("compare_groups", columns, response="y", group="when", pair="who")
    assert (result["design"], result["subjects"]) == ("paired", 5)
    test = result["pairs"][0]["paired_t"]
    assert test["difference"] == pytest.approx(-2.2)
    assert test["p"] == pytest.approx(stats.ttest_rel(before[:5], after[:5]).pvalue, rel=1e-9)
    assert any("2 of 12 rows are left out" in warning for warning in result["warnings"])
    assert "Within the same who" in next(from_compare_groups(result, 12)).text
    with pytest.raises(NotPossible):
        result_of("compare_groups", columns | {"who": list("abcdefghijkl")}, response="y", group="when", pair="who")


def table(counts: list[list[int]], rows: list[Any], columns: list[str]) -> dict[str, list[Any]]:
    cells = [(rows[i], columns[j]) for i, line in enumerate(counts) for j, n in enumerate(line) for _ in range(n)]
    return {"r": [a for a, _ in cells], "c": [b for _, b in cells]}


def test_two_by_two_ratios_agree_with_scipy_and_statsmodels() -> None:
    result = result_of("contingency", table([[20, 10], [5, 15]], ["a", "b"], ["u", "v"]), row="r", column="c")
    theirs = stats.contingency.relative_risk(20, 30, 5, 20)
    limits = theirs.confidence_interval()
    assert list(result["risk_ratio"].values()) == pytest.approx([theirs.relative_risk, limits.low, limits.high])
    newcombe = confint_proportions_2indep(20, 30, 5, 20, method="newcomb")
    found = result["risk_difference"]
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(newcombe, rel=1e-9)
    residuals = sm.stats.Table(np.array(result["counts"])).standardized_resids
    assert np.array(result["residuals"]) == pytest.approx(residuals, rel=1e-9)


def test_thin_tables_are_tested_over_random_ones() -> None:
    counts = [[4, 1, 0], [1, 5, 1], [0, 1, 4]]
    result = result_of("contingency", table(counts, ["a", "b", "c"], ["u", "v", "w"]), row="r", column="c")
    assert (result["preferred"], result["fisher_method"]) == ("fisher", "sampled")
    assert result["fisher_p"] == pytest.approx(exact_p(np.array(counts)), abs=0.004)
    assert "Most of all, r " in next(from_contingency(result, 17)).text


def exact_p(observed: Any) -> float:
    """Fisher's p of a 3 × 3 table, over all tables with its margins."""
    rows, columns = observed.sum(axis=1), observed.sum(axis=0)
    margins = stats.random_table(rows, columns)
    seen, total = margins.pmf(observed), 0.0
    for a in range(rows[0] + 1):
        for b in range(rows[0] - a + 1):
            for c in range(rows[1] + 1):
                for d in range(rows[1] - c + 1):
                    top = [[a, b, rows[0] - a - b], [c, d, rows[1] - c - d]]
                    last = columns - np.array(top).sum(axis=0)
                    if last.min() >= 0 and (p := margins.pmf(np.array([*top, last]))) <= seen * (1 + 1e-9):
                        total += p
    return float(total)


def test_an_ordered_table_has_a_trend() -> None:
    counts = [[18, 2], [14, 6], [9, 11], [4, 16]]
    result = result_of("contingency", table(counts, [0, 1, 2, 3], ["alive", "dead"]), row="r", column="c")
    theirs = sm.stats.Table(np.array(counts)).test_ordinal_association(row_scores=np.arange(4))
    # statsmodels' variance has n - 1.
    assert abs(result["trend"]["z"]) == pytest.approx(abs(theirs.zscore) * (80 / 79) ** 0.5, rel=1e-9)
    assert result["trend"]["slope"] > 0
    assert result["gamma"]["ci_low"] > 0
    words = result_of(
        "contingency", table([[5, 1, 1], [1, 5, 1], [1, 1, 5]], ["low", "high", "medium"], ["good", "poor", "fair"]),
        row="r", column="c",
    )  # fmt: skip
    # In order: low goes with good, medium with fair, high with poor.
    assert words["gamma"]["gamma"] < 0


def test_values_whose_squares_overflow_are_compared() -> None:
    large = welch_t(["1e200", "2e200", "4e200"], ["7e200", "8e200", "9e200"])
    small = welch_t(["1", "2", "4"], ["7", "8", "9"])
    assert large is not None
    assert small is not None
    assert (large.p, large.hedges_g) == pytest.approx((small.p, small.hedges_g), rel=1e-12)
