from __future__ import annotations

from typing import Any

import pytest

from services.results.rendering.composing.blocks import MAX_ROWS, lay_out, table
from services.results.rendering.composing.labels import labels
from services.results.rendering.composing.report import Bullets, Pairs, Paragraph, Subheading, TableBlock, Text, plain
from services.results.rendering.composing.values import number, score, words

_EN = labels("en")


def test_a_record_is_names_and_values_with_those_of_its_records() -> None:
    record = {"seed": 0, "exact": True, "confidence": {"parts": {"strength": 0.5}}, "none": None}
    assert lay_out(record, _EN) == [Pairs((("Seed", "0"), ("Exact", "yes"), ("Confidence parts strength", "0.5")))]


def test_members_that_only_hold_others_are_not_in_a_name() -> None:
    assert lay_out({"result": {"column_count": 3}}, _EN) == [Pairs((("Column count", "3"),))]
    assert lay_out({"result": 3}, _EN) == [Pairs((("Result", "3"),))]


def test_no_probability_is_shown_as_nothing() -> None:
    made = table(["pair", "adjusted p", "p (Holm)", "p", "q"], [["a – b", 0.0, 0, 0, 0], ["a – c", 0.5, 1, 1, 1]], _EN)
    assert made.rows == (("a – b", "< 0.001", "< 0.001", "0", "0"), ("a – c", "0.5", "1", "1", "1"))
    assert [column.numeric for column in made.columns] == [False, True, True, True, True]


def test_like_records_are_a_table() -> None:
    rows = [{"term": "x", "estimate": 1.5, "tags": ["a", "b"]}, {"term": "y", "estimate": None, "tags": []}]
    (table,) = lay_out(rows, _EN)
    assert isinstance(table, TableBlock)
    assert [(column.header, column.numeric) for column in table.columns] == [
        ("Term", False),
        ("Estimate", True),
        ("Tags", False),
    ]
    assert table.rows == (("x", "1.5", "a, b"), ("y", "–", ""))


def test_records_with_much_in_them_are_run_in() -> None:
    records = [{"name": f"column {index}", **{f"q{place}": place for place in range(12)}} for index in range(2)]
    blocks = lay_out(records, _EN)
    assert [type(block) for block in blocks] == [Paragraph, Paragraph]
    assert isinstance(blocks[0], Paragraph)
    assert plain(blocks[0].parts).startswith("column 0. Q0 0; Q1 1; ")


def test_lists_within_records_come_under_headings_that_skip_no_level() -> None:
    value = [{"kind": "std_fit", "n": 3, "terms": [{"name": "x", "p": 0.5}]}, {"kind": "other", "n": 4}]
    blocks = lay_out(value, _EN)
    assert [(block.text, block.level) for block in blocks if isinstance(block, Subheading)] == [
        ("Std fit", 2),
        ("Terms", 3),
    ]


def test_scalars_are_bullets() -> None:
    (bullets,) = lay_out(["one", 2, None], _EN)
    assert isinstance(bullets, Bullets)
    assert [plain(item.parts) for item in bullets.items] == ["one", "2", "–"]


@pytest.mark.parametrize(
    "value", [[{"a": 1}] * (MAX_ROWS + 3), ["x"] * (MAX_ROWS + 3), [{"a": [[1]]}] * (MAX_ROWS + 3)]
)
def test_what_is_cut_is_counted(value: list[Any]) -> None:
    last = lay_out(value, _EN)[-1]
    note = last.note if isinstance(last, TableBlock) else plain(last.parts) if isinstance(last, Paragraph) else None
    assert note is not None
    assert note.startswith("3 further rows")


def test_depth_is_bounded() -> None:
    value: Any = "deep"
    for _ in range(500):
        value = {"k": [value, [value]]} if _ == 0 else {"k": value}
    lay_out(value, _EN)


@pytest.mark.parametrize("value", [None, [], {}, "", [[]]])
def test_nothing_takes_no_room(value: Any) -> None:
    assert lay_out(value, _EN) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (-3, "−3"),
        (12.0, "12"),
        (0.1 + 0.2, "0.3"),
        (101.325, "101.325"),
        (1234567.891, "1234568"),
        (0.000123456789, "0.000123457"),
        (9.9999999, "10"),
        (1e300, "1 × 10³⁰⁰"),
        (-1.5e-60, "−1.5 × 10⁻⁶⁰"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (2**70, str(2**70)),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_scores_and_names() -> None:
    assert score(0.8125) == "0.81"
    assert score(None) is None
    assert words("column_count") == "Column count"
    assert words("std_error") == "Standard error"
    assert words("autocorrelation_lag1") == "Autocorrelation at lag 1"
    assert words("r_squared_adjusted") == "Adjusted R²"
    assert words("hedges_g_ci_low") == "Hedges’ g, lower limit"
    assert words("p") == "p"
    assert words(" ") == "–"


def test_long_lists_of_numbers_are_counted_and_left_to_programs() -> None:
    blocks = lay_out({"labels": [i % 3 for i in range(180)]}, _EN)
    assert [block for block in blocks if not isinstance(block, Subheading)] == [
        Paragraph((Text("180 values, in the JSON export."),))
    ]
