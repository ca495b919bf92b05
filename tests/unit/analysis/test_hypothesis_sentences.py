"""Hypotheses said in plain sentences."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.analysis.tables import result_of, table_of
from worker.engines.analysis.tasks.hypothesis_sentences import Unreadable, read_statement

N = 24
DATA: dict[str, Any] = {
    "light": [10 + i * 7 % 13 for i in range(N)],
    "growth": [3 + i * 5 % 11 for i in range(N)],
    "soil_depth": [20 + i * 11 % 17 for i in range(N)],
    "before": [5 + i * 3 % 7 for i in range(N)],
    "after": [6 + i * 4 % 9 for i in range(N)],
    "site": [("north", "south", "west")[i % 3] for i in range(N)],
    "variety": [("dwarf", "giant")[i * 5 % 7 % 2] for i in range(N)],
    "day": [f"2024-05-{i + 1:02d}" for i in range(N)],
}
TABLE = table_of(DATA)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("light raises growth", {"kind": "correlation", "x": "light", "y": "growth", "direction": "greater"}),
        ("more light lowers growth", {"kind": "correlation", "x": "light", "y": "growth", "direction": "less"}),
        ("growth is related to light", {"kind": "correlation", "x": "light", "y": "growth"}),
        (
            "light raises growth, adjusted for soil depth",
            {
                "kind": "regression",
                "response": "growth",
                "predictor": "light",
                "covariates": ["soil_depth"],
                "direction": "greater",
            },
        ),
        (
            "growth is higher in the north than in the south",
            {
                "kind": "difference",
                "response": "growth",
                "group": "site",
                "level": "north",
                "than": "south",
                "direction": "greater",
            },
        ),
        ("growth differs by site", {"kind": "difference", "response": "growth", "group": "site"}),
        ("site and variety go together", {"kind": "association", "row": "site", "column": "variety"}),
        ("growth falls over time", {"kind": "trend", "response": "growth", "time": "day", "direction": "less"}),
        (
            "before is lower than after",
            {"kind": "paired", "first": "before", "second": "after", "direction": "less"},
        ),
        (
            "the mean of light is above 12.5",
            {"kind": "mean", "column": "light", "value": 12.5, "direction": "greater"},
        ),
        (
            "more than 40 % are of the giant variety",
            {"kind": "proportion", "column": "variety", "level": "giant", "value": 0.4, "direction": "greater"},
        ),
    ],
)
def test_sentences_are_read_as_tests(sentence: str, expected: dict[str, Any]) -> None:
    assert read_statement(sentence, TABLE)[0] == expected


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        ("bananas are yellow", "names no column"),
        ("light has no effect on growth", "cannot show that there is nothing"),
        ("light matters", "names light alone"),
        ("light, growth and soil_depth are related", "relates two columns"),
    ],
)
def test_what_no_test_can_show_is_refused_with_the_reason(sentence: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read_statement(sentence, TABLE)


def test_sentences_stand_beside_other_hypotheses_and_are_not_adjusted_for_when_untestable() -> None:
    given = [{"statement": "bananas are yellow"}, {"statement": "light raises  growth"}]
    refused, read = result_of("hypotheses", DATA, hypotheses=given)["hypotheses"]
    assert (refused["kind"], refused["supported"], refused["p"]) == ("statement", None, None)
    assert refused["verdict"].startswith("“bananas are yellow” cannot be tested: it names no column")
    assert (read["said"], read["statement"]) == ("light raises growth", "growth rises as light rises")
    assert read["p_adjusted"] == read["p"]


def test_a_direction_that_no_level_carries_is_said_to_be_left_out() -> None:
    (item,) = result_of("hypotheses", DATA, hypotheses=[{"statement": "variety raises growth"}])["hypotheses"]
    assert "direction" not in item
    assert any("any difference counts" in warning for warning in item["warnings"])
