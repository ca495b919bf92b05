"""Each kind of hypothesis against the same test by another hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.numerics.detectable import cramers_v, eta_squared
from worker.engines.analysis.numerics.distributions import benjamini_hochberg
from worker.engines.analysis.numerics.paired import signed_ranks

RNG = np.random.default_rng(8)
N = 48
X = RNG.normal(10, 2, N).round(3)
Y = (X * 0.6 + RNG.normal(0, 1, N)).round(3)
Z = RNG.exponential(1, N).round(3)
DATA: dict[str, Any] = {
    "x": X,
    "y": Y,
    "z": Z,
    "site": [("north", "south", "west")[i % 3] for i in range(N)],
    "kind": [("old", "new")[i % 2] for i in range(N)],
}
NORTH, SOUTH = X[0::3], X[1::3]


def of_each(*given: dict[str, Any], data: dict[str, Any] = DATA, adjustment: str = "none") -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = result_of("hypotheses", data, hypotheses=list(given), adjustment=adjustment)[
        "hypotheses"
    ]
    return listed


def test_a_mean_against_a_value_is_students_t_and_one_sided_where_a_direction_is_given() -> None:
    two, one = of_each(
        {"kind": "mean", "column": "x", "value": 9.5},
        {"kind": "mean", "column": "x", "value": 9.5, "direction": "greater"},
    )
    expected = stats.ttest_1samp(X, 9.5)
    assert two["p"] == pytest.approx(expected.pvalue, rel=1e-9)
    low, high = expected.confidence_interval()
    assert (two["effect"]["ci_low"], two["effect"]["ci_high"]) == pytest.approx((low, high), rel=1e-9)
    assert one["p"] == pytest.approx(stats.ttest_1samp(X, 9.5, alternative="greater").pvalue, rel=1e-9)
    assert two["null"] == "the mean of x is 9.5"
    assert one["null"] == "the mean of x is 9.5 or below"


def test_a_share_is_tested_exactly() -> None:
    two, above = of_each(
        {"kind": "proportion", "column": "site", "level": "west", "value": 0.2},
        {"kind": "proportion", "column": "site", "level": "west", "value": 0.2, "direction": "greater"},
    )
    law = stats.binomtest(16, N, 0.2)
    assert (two["effect"]["ci_low"], two["effect"]["ci_high"]) == pytest.approx(law.proportion_ci(), rel=1e-9)
    expected = stats.binomtest(16, N, 0.2, alternative="greater").pvalue
    assert (above["p"], two["p"]) == pytest.approx((expected, 2 * expected), rel=1e-9)


def test_pairs_by_t_or_where_few_and_skewed_by_signed_ranks() -> None:
    (pair,) = of_each({"kind": "paired", "first": "x", "second": "y", "direction": "greater"})
    assert pair["test"] == "paired_t_test"
    assert pair["p"] == pytest.approx(stats.ttest_rel(X, Y, alternative="greater").pvalue, rel=1e-9)
    few = {"a": (Z[:14] ** 3).round(4), "b": np.zeros(14)}
    (skewed,) = of_each({"kind": "paired", "first": "a", "second": "b"}, data=few)
    assert skewed["test"] == "signed_rank"
    assert skewed["p"] == pytest.approx(stats.wilcoxon(few["a"], method="exact").pvalue, rel=1e-9)


def test_signed_ranks_with_ties_count_every_choice_of_signs() -> None:
    found = signed_ranks(np.array([1.0, 1.0, -2.0, 3.0, 0.0, 3.0]))
    assert found is not None
    # Ranks 1.5, 1.5, 3, 4.5, 4.5: of 32 choices of signs three give at most the 3 of the negative one, and (1.5, 1.5).
    assert found.p == pytest.approx(2 * 5 / 32)
    assert found.median == pytest.approx(1.0)


def test_equivalence_is_the_greater_of_two_one_sided_ps() -> None:
    margin = 4.0
    groups, value = of_each(
        {"kind": "equivalence", "response": "x", "group": "site", "level": "north", "than": "south", "margin": margin},
        {"kind": "equivalence", "column": "x", "value": 10, "margin": 0.1},
    )
    below = stats.ttest_ind(NORTH - margin, SOUTH, equal_var=False, alternative="less").pvalue
    above = stats.ttest_ind(NORTH + margin, SOUTH, equal_var=False, alternative="greater").pvalue
    assert groups["p"] == pytest.approx(max(below, above), rel=1e-8)
    assert -margin < groups["effect"]["ci90_low"] < groups["effect"]["ci90_high"] < margin
    assert groups["supported"]
    assert not value["supported"]
    assert "a difference of up to" in value["verdict"]


def test_levels_are_compared_with_another_or_with_all_others() -> None:
    given = {"kind": "difference", "response": "x", "group": "site", "level": "south"}
    against, north, reverse = of_each(given, {**given, "than": "north"}, {**given, "level": "north", "than": "south"})
    rest = np.concatenate([X[0::3], X[2::3]])
    assert against["p"] == pytest.approx(stats.ttest_ind(SOUTH, rest, equal_var=False).pvalue, rel=1e-9)
    assert against["effect"]["value"] * (SOUTH.mean() - rest.mean()) > 0
    assert north["n"] == 32
    assert north["effect"]["value"] == pytest.approx(-reverse["effect"]["value"])
    assert north["effect"]["ci_low"] == pytest.approx(-reverse["effect"]["ci_high"])


def test_opposite_directions_share_the_whole_chance() -> None:
    kinds = (
        {"kind": "correlation", "x": "x", "y": "z"},
        {"kind": "difference", "response": "z", "group": "kind", "level": "new"},
        {"kind": "trend", "response": "x", "time": "z"},
        {"kind": "regression", "response": "y", "predictor": "z", "covariates": ["x"]},
    )
    for kind in kinds:
        both, up, down = of_each(kind, {**kind, "direction": "greater"}, {**kind, "direction": "less"})
        assert up["p"] + down["p"] == pytest.approx(1)
        assert 2 * min(up["p"], down["p"]) == pytest.approx(both["p"])


def test_a_regression_is_adjusted_and_keeps_to_uneven_scatter() -> None:
    x = np.linspace(-2, 2, 40).round(3)
    uneven = (np.exp(x) * np.random.default_rng(2).normal(size=40)).round(4)
    (even,) = of_each({"kind": "regression", "response": "y", "predictor": "x", "covariates": ["z", "kind"]})
    (robust,) = of_each({"kind": "regression", "response": "y", "predictor": "x"}, data={"x": x, "y": uneven})
    fitted = result_of("regression", DATA, formula="y ~ x + z + kind")
    assert even["p"] == next(term["p"] for term in fitted["terms"] if term["name"] == "x")
    assert "held fixed" in even["statement"]
    assert robust["test"] == "t_test_hc3"
    # HC3 by its definition: (X'X)⁻¹ X' diag(e²/(1 − h)²) X (X'X)⁻¹.
    design = np.column_stack([np.ones(40), x])
    inverse = np.linalg.inv(design.T @ design)
    hat = (design @ inverse * design).sum(axis=1)
    residuals = uneven - design @ inverse @ design.T @ uneven
    middle = design.T @ np.diag((residuals / (1 - hat)) ** 2) @ design
    error = np.sqrt((inverse @ middle @ inverse)[1, 1])
    half = stats.t.ppf(0.975, 38) * error
    assert robust["effect"]["ci_high"] - robust["effect"]["value"] == pytest.approx(half, rel=1e-8)


def test_adjustments_say_what_they_control() -> None:
    given = [{"kind": "correlation", "x": a, "y": b} for a, b in (("x", "y"), ("x", "z"), ("y", "z"))]
    plain = of_each(*given)
    for name in ("bh", "holm"):
        found = result_of("hypotheses", DATA, hypotheses=given, adjustment=name)
        assert all(a["p_adjusted"] >= b["p"] for a, b in zip(found["hypotheses"], plain, strict=True))
        assert "5 %" in found["controls"]
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert "unadjusted" in plain[0]["verdict"]


def test_what_is_not_shown_comes_with_the_effect_that_would_have_been() -> None:
    (missed,) = of_each({"kind": "difference", "response": "x", "group": "kind"})
    assert missed["supported"] is False
    assert missed["detectable"]["effect"] == pytest.approx(2.8016 * np.sqrt(2 / 24), rel=1e-4)
    assert "in four of five cases" in missed["verdict"]
    # The power of a test at the effect said: 0.8 by the noncentral distributions.
    share = eta_squared(2, 45, 48, 0.05)
    assert stats.ncf.sf(stats.f.isf(0.05, 2, 45), 2, 45, 48 * share / (1 - share)) == pytest.approx(0.8, abs=1e-6)
    v = cramers_v(2, 48, 1, 0.05)
    assert stats.ncx2.sf(stats.chi2.isf(0.05, 2), 2, 48 * v * v) == pytest.approx(0.8, abs=1e-6)


def test_generated_hypotheses_may_be_tested_on_rows_that_did_not_suggest_them() -> None:
    big = {name: list(values) * 3 for name, values in DATA.items()}
    offered = result_of("hypotheses", big)
    assert (offered["holdout"]["used"], offered["holdout"]["offered"]) == (False, True)
    assert all(item["exploratory"] for item in offered["hypotheses"])
    assert "the same data suggested it" in next(i["verdict"] for i in offered["hypotheses"] if i["supported"])
    held = result_of("hypotheses", big, holdout=True)
    assert (held["holdout"]["rows_screened"], held["holdout"]["rows_tested"]) == (72, 72)
    assert len(held["hypotheses"]) < held["holdout"]["screened"]
    assert all(item["n"] <= 72 and item["screening"]["n"] <= 72 for item in held["hypotheses"])
    assert not any(item["exploratory"] for item in held["hypotheses"])
    assert held == result_of("hypotheses", big, holdout=True)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "mean", "column": "x"}, r"hypotheses\[0\]: mean takes column and value; and may have direction"),
        ({"kind": "mean", "column": "x", "value": "9"}, r"\[0\]\.value: must be a number"),
        ({"kind": "mean", "column": "x", "value": 9, "direction": "up"}, r"\[0\]\.direction: must be one of greater"),
        ({"kind": "proportion", "column": "site", "level": "west", "value": 20}, r"\.value: must be a share"),
        ({"kind": "proportion", "column": "site", "level": "east", "value": 0.2}, r"\.level: site has no value 'east'"),
        ({"kind": "equivalence", "column": "x", "value": 1, "margin": 0}, r"\.margin: must be above 0"),
        ({"kind": "equivalence", "column": "x", "margin": 1}, r"\[0\]: equivalence takes margin and response"),
        ({"kind": "equivalence", "response": "x", "group": "site", "margin": 1}, r"compares two levels"),
        (
            {"kind": "difference", "response": "x", "group": "kind", "direction": "less"},
            r"\.level: must name the level",
        ),
        ({"kind": "difference", "response": "x", "group": "kind", "level": "red"}, r"\.level: kind has no level 'red'"),
        ({"kind": "regression", "response": "x", "predictor": "x"}, r"\.response: must be another column"),
        ({"statement": ""}, r"\.statement: must be a sentence"),
    ],
)
def test_faulty_fields_are_named(given: dict[str, Any], says: str) -> None:
    with pytest.raises(AnalysisError, match=says):
        of_each(given)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"adjustment": "bonferroni"}, r"adjustment: must be one of holm, bh, none"),
        ({"holdout": True}, r"holdout: needs 100 rows; there are 48"),
        ({"holdout": True, "hypotheses": [{"statement": "x raises y"}]}, r"holdout: is for generated"),
        ({"holdout": "yes"}, r"holdout: must be true or false"),
    ],
)
def test_faulty_options_are_named(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(AnalysisError, match=says):
        result_of("hypotheses", DATA, **arguments)


def test_a_category_of_three_levels_has_no_single_effect() -> None:
    (item,) = of_each({"kind": "regression", "response": "y", "predictor": "site"})
    assert item["p"] is None
    assert "no single effect" in item["verdict"]


def test_ranks_of_groups_that_scatter_differently_are_doubted() -> None:
    few = (np.random.default_rng(4).exponential(size=60) - 1) * np.repeat([1.0, 6.0, 36.0], 20)
    data = {"y": few.round(4), "g": np.repeat(list("abc"), 20)}
    (tested,) = of_each({"kind": "difference", "response": "y", "group": "g"}, data=data)
    assert tested["test"] == "kruskal_wallis"
    assert any("ranks answer to different spreads" in warning for warning in tested["warnings"])
