"""The quality report of `profile`, direct figures and means against a value."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.analysis.fakes import context, run_session
from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible


def remarks(data: dict[str, list[Any]]) -> dict[str, str]:
    return {remark["code"]: remark["text"] for remark in result_of("profile", data)["quality"]}


def test_clean_data_have_no_remark() -> None:
    assert remarks({"x": [1.5, 2.5, 4.25, 3.5], "g": ["a", "b", "a", "b"]}) == {}


def test_what_looks_out_of_order_is_told() -> None:
    n = 60
    values = [round(math.sin(i) * 3 + 20, 3) for i in range(n)]
    found = remarks(
        {
            "x": [None if i in (4, 9) else v for i, v in enumerate(values)],
            "y": [None if i in (4, 9) else round(v * 2 + i, 3) for i, v in enumerate(values)],
            "coded": [999 if i in (7, 8) else 10 + i % 5 for i in range(n)],
            "flat": [3] * n,
            "rare": ["on" if i == 30 else "off" for i in range(n)],
            "place": [["North", "north", "South"][i % 3] for i in range(n)],
            "again": ["ABC"[i % 3] for i in range(n)],
        }
    )
    assert found["missing"].endswith("58 of 60 rows are complete")
    assert found["missing_together"] == "x and y are missing in the same 2 rows"
    assert "coded has 999 in 2 rows, far from its other values (10 to 14)" in found["suspicious_code"]
    assert found["constant"] == "flat is the same in all rows that have it"
    assert found["nearly_constant"].startswith("rare is false in 98.33 %")
    assert "'North' and 'north'" in found["spellings"]


def test_repeated_rows_and_columns() -> None:
    found = remarks({"x": [1.5, 2.5, 1.5], "z": [1.5, 2.5, 1.5], "g": ["a", "b", "a"]})
    assert found["repeated_rows"] == "1 row repeats an earlier row in every column"
    assert found["copy"] == "z repeats x in every row"


DATA: dict[str, list[Any]] = {
    "y": [1.0, 2.0, 3.0, 4.0, None, 10.0],
    "g": ["a", "a", "b", "b", "b", "c"],
    "ok": ["yes", "no", "yes", "yes", "no", "yes"],
}


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({"statistic": "count"}, 6),
        ({"statistic": "distinct", "column": "g"}, 3),
        ({"statistic": "mean", "column": "y"}, 4.0),
        ({"statistic": "median", "column": "y"}, 3.0),
        ({"statistic": "sum", "column": "y"}, 20.0),
        ({"statistic": "sd", "column": "y"}, math.sqrt(50 / 4)),
        ({"statistic": "share", "column": "ok"}, 4 / 6),
        ({"statistic": "share", "column": "g", "level": "b"}, 0.5),
        ({"statistic": "share", "where": [{"column": "y", "sign": ">=", "value": 3}]}, 0.5),
        ({"statistic": "count", "where": [{"column": "g", "level": "a"}, {"column": "g", "level": "c"}]}, 3),
        ({"statistic": "max", "column": "y", "where": [{"column": "g", "level": "b"}]}, 4.0),
    ],
)
def test_one_figure(arguments: dict[str, Any], value: float) -> None:
    assert result_of("aggregate", DATA, **arguments)["value"] == pytest.approx(value, rel=1e-15)


def test_groups_come_by_value_and_extremes_name_their_row() -> None:
    result = result_of("aggregate", DATA, statistic="mean", column="y", by="g")
    assert [(group["level"], group["value"]) for group in result["groups"]] == [("c", 10.0), ("b", 3.5), ("a", 1.5)]
    assert result_of("aggregate", DATA, statistic="max", column="y")["at"]["row"] == 6


def test_a_share_has_wilsons_interval() -> None:
    result = result_of("aggregate", {"ok": ["yes"] * 2 + ["no"] * 8}, statistic="share", column="ok")
    assert (result["ci_low"], result["ci_high"]) == pytest.approx((0.05668, 0.50984), abs=1e-5)
    none = result_of(
        "aggregate", {"x": [0] * 9 + [1]}, statistic="share", where=[{"column": "x", "sign": ">", "value": 5}]
    )
    assert (none["value"], none["ci_low"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"statistic": "mean"},
        {"statistic": "mode", "column": "y"},
        {"statistic": "mean", "column": "g"},
        {"statistic": "count", "where": [{"column": "g", "level": "z"}]},
        {"statistic": "count", "where": [{"column": "y", "sign": "!=", "value": 3}]},
        {"statistic": "share", "column": "g", "level": "z"},
    ],
)
def test_a_faulty_aggregate_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(AnalysisError, match="task"):
        result_of("aggregate", DATA, **arguments)


def test_a_mean_against_a_value() -> None:
    result = result_of("one_sample", {"x": [2.0, 4.0, 6.0, 8.0]}, column="x", value=3.0)
    assert result["mean"] == 5.0
    assert result["t"] == pytest.approx(2 / (math.sqrt(20 / 3) / 2), rel=1e-14)
    # With 3 degrees of freedom p has a closed form.
    u = result["t"] / math.sqrt(3)
    assert result["p"] == pytest.approx(1 - 2 / math.pi * (u / (1 + u * u) + math.atan(u)), rel=1e-12)
    with pytest.raises(NotPossible, match="cannot be tested"):
        result_of("one_sample", {"x": [2, 2], "y": [1, 3]}, column="x", value=1)


async def test_the_report_tells_quality_and_figures_of_what_it_answers() -> None:
    rows = "\n".join(f"{i % 7 + i / 10},{'ab'[i % 2]},{-999 if i in (3, 5) else i}" for i in range(40))
    document = await run_session(context(("t.csv", "y,g,z\n" + rows), prompt="What is the mean of y by g?"))
    sections = {section["heading"]: section["body"] for section in document["sections"]}
    assert list(sections) == ["Answer", "Findings", "The data", "Data quality", "Limits", "Methods"]
    assert document["summary"].startswith(document["answer"]["text"])
    figures = {figure["id"] for figure in document["figures"]}
    tables = {table["id"] for table in document["tables"]}
    first = document["key_findings"][0]
    assert first["figure"] in figures
    assert first["table"] in tables
    assert "read.delimiter changes it" in sections["Data quality"]
