from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.numerics.distributions import holm, noncentral_f_interval

DATA = {
    "x": [i + (i * 7 % 5) / 10 for i in range(30)],
    "y": [2 * i + (i * 11 % 7) for i in range(30)],
    "z": [(i * 17 % 13) / 10 for i in range(30)],
    "g": [("low", "high")[i > 14] for i in range(30)],
    "k": [("a", "b", "c")[i % 3] for i in range(30)],
}


def test_generated_hypotheses_are_adjusted_together_and_said_to_be_generated() -> None:
    result = result_of("hypotheses", DATA)
    listed = result["hypotheses"]
    # Three pairs of measures, three measures in each of two categories, one pair of categories.
    assert [item["kind"] for item in listed] == ["correlation"] * 3 + ["difference"] * 6 + ["association"]
    assert [item["p_adjusted"] for item in listed] == holm([item["p"] for item in listed])
    assert (result["origin"], len({item["id"] for item in listed})) == ("generated", 10)
    assert "confirm them on other data" in result["warnings"][0]


def test_given_hypotheses_keep_their_order_and_get_verdicts() -> None:
    given = [
        {"kind": "trend", "response": "y", "time": "x"},
        {"kind": "difference", "response": "z", "group": "k"},
        {"kind": "difference", "response": "y", "group": "g"},
        {"kind": "correlation", "x": "x", "y": "y"},
    ]
    listed = result_of("hypotheses", DATA, hypotheses=given)["hypotheses"]
    assert [item["kind"] for item in listed] == [item["kind"] for item in given]
    assert [item["supported"] for item in listed] == [True, False, True, True]
    assert listed[1]["effect"]["name"] == "η²"
    assert listed[1]["verdict"].startswith("The data do not show that z differs between the levels of k")
    assert listed[3]["verdict"].startswith("The data support that x and y go together")
    assert "does not show why" in listed[3]["verdict"]
    for item in listed:
        assert item["effect"]["ci_low"] <= item["effect"]["value"] <= item["effect"]["ci_high"]


def test_f_interval_inverts_the_distribution() -> None:
    low, high = noncentral_f_interval(6.0, 3, 40)
    for limit in (low, high):
        # The chance of a statistic whose root is nearer to that of the limit than 18, which is 3 · 6.
        reach = abs(math.sqrt(18.0) - math.sqrt(limit))
        near, far = max(0.0, math.sqrt(limit) - reach) ** 2 / 3, (math.sqrt(limit) + reach) ** 2 / 3
        law = stats.ncf(3, 40, limit)
        assert law.cdf(far) - law.cdf(near) == pytest.approx(0.95, rel=1e-6)
    assert low < 18 < high


def test_f_interval_holds_zero_just_where_the_test_does_not_reject() -> None:
    critical = stats.f.isf(0.05, 3, 40)
    assert noncentral_f_interval(critical * 0.999, 3, 40)[0] == 0.0
    assert noncentral_f_interval(critical * 1.001, 3, 40)[0] > 0.0
    assert noncentral_f_interval(0.0, 3, 40)[1] > 1.0


def test_false_positives_stay_rare_over_the_whole_block() -> None:
    rng = np.random.default_rng(12)
    rounds, n = 120, 25
    alarms = 0
    for _ in range(rounds):
        data = {name: rng.normal(size=n).round(4) for name in ("a", "b", "c")}
        alarms += any(item["supported"] for item in result_of("hypotheses", data)["hypotheses"])
    # At most 5 % of blocks: more than 14 of 120 would happen by chance once in a thousand.
    assert alarms <= stats.binom.ppf(0.999, rounds, 0.05)


def test_what_cannot_be_answered_is_said_and_not_adjusted_for() -> None:
    data = {"x": [1, 2, 3, 4, 5], "y": [2, 1, 4, 3, 5], "k": [7, 7, 7, 7, 7]}
    given = [{"kind": "correlation", "x": "x", "y": "k"}, {"kind": "correlation", "x": "x", "y": "y"}]
    listed = result_of("hypotheses", data, hypotheses=given)["hypotheses"]
    assert (listed[0]["p"], listed[0]["supported"]) == (None, None)
    assert listed[0]["verdict"].startswith("The data cannot answer whether x and k go together")
    assert listed[1]["p_adjusted"] == listed[1]["p"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], r"task\.hypotheses: must be a list of 1 to"),
        ([{"kind": "hunch"}], r"task\.hypotheses\[0\]\.kind: must be one of"),
        ([{"kind": "trend", "response": "x"}], r"task\.hypotheses\[0\]: trend takes response and time"),
        ([{"kind": "correlation", "x": "x", "y": "nope"}], r"task\.hypotheses\[0\]\.y: no column 'nope'"),
        ([{"kind": "correlation", "x": "x", "y": "x"}], r"task\.hypotheses\[0\]\.y: must be another"),
    ],
)
def test_faulty_hypotheses_name_their_field(given: object, says: str) -> None:
    with pytest.raises(AnalysisError, match=says):
        result_of("hypotheses", DATA, hypotheses=given)


def test_data_without_anything_to_relate() -> None:
    with pytest.raises(NotPossible):
        result_of("hypotheses", {"x": [1, 2, 3]})
