"""Questions about all columns together, tasks that are the question themselves, and questions that ask two things."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.analysis.answering import Answered, ask
from tests.unit.analysis.tables import table_of
from worker.engines.analysis.compute import compute
from worker.engines.analysis.conclusions import document, find
from worker.engines.analysis.loading import load, planned_tasks
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.table import Table

ROWS = 60


def _wave(i: int, period: float) -> float:
    return math.sin(i * period) + 0.5 * math.sin(i * period * 2.7 + 1)


_KINDS = ("a", "b", "c")
_X = [round(10 + 3 * _wave(i, 1.31), 2) for i in range(ROWS)]
TABLE = table_of(
    {
        "x": _X,
        "y": [round(2 * x + _wave(i, 2.17), 2) for i, x in enumerate(_X)],
        "z": [round(5 + _wave(i, 0.77), 2) for i in range(ROWS)],
        "kind": [_KINDS[(i * 7 // 3) % 3] for i in range(ROWS)],
    }
)
NOTHING = table_of({f"n{j}": [round(_wave(i, 0.31 + 1.7 * j), 3) for i in range(ROWS)] for j in range(3)})
_MONTHS = [f"{2015 + i // 12}-{i % 12 + 1:02d}-01" for i in range(72)]
VISITS = table_of(
    {
        "day": _MONTHS,
        "visits": [
            round(200 + i + 30 * math.cos(2 * math.pi * (i - 3) / 12) + 4 * _wave(i, 2.2), 1) for i in range(72)
        ],
    }
)


def whole(table: Table, prompt: str, **options: Any) -> dict[str, Any]:
    """The result document, with every task done."""
    loaded = load([ReadResult(table, (), ())], prompt, parse_options(options), 0)
    computed = [compute(table, planned) for planned in planned_tasks(loaded)]
    return dict(document(loaded, computed, find(computed, loaded), prompt, seed=0, partial=False))


RELATIONS = [
    "Describe this data set: which variables are related, how strongly, and what stands out?",
    "Which variables are related?",
    "Which variables are related, and how strongly?",
    "Which columns correlate with each other?",
    "What are the strongest relationships?",
]


@pytest.mark.parametrize("prompt", RELATIONS)
def test_which_columns_go_together_is_answered_by_the_strongest(prompt: str) -> None:
    answered = ask(TABLE, prompt)
    assert answered.answer["status"] == "answered"
    assert answered.findings[0]["kind"] == "relations"
    assert answered.answer["text"].startswith(
        "Of 6 pairs of columns 1 shows a clear relation: x and y (Pearson r = 0.9"
    )
    assert answered.findings[0]["numbers"]["strongest"]["columns"] == ["x", "y"]


def test_that_nothing_goes_together_is_an_answer() -> None:
    answered = ask(NOTHING, RELATIONS[1])
    assert answered.answer["status"] == "answered"
    assert answered.answer["text"].startswith(
        "Of 3 pairs of columns none shows a clear relation; the closest to one is"
    )


def test_things_that_are_no_columns_are_not_taken_for_all_columns() -> None:
    answer = ask(TABLE, "Is income related to happiness?").answer
    assert answer["status"] == "not_answerable"
    assert "income" in answer["text"]


def test_an_overview_tells_what_goes_together_and_what_stands_out() -> None:
    far = [*_X[:-1], 60.5]
    table = table_of({"x": far, "y": [2 * x + _wave(i, 2.17) for i, x in enumerate(_X)], "z": _X[::-1]})
    for prompt, status in ((RELATIONS[0], "answered"), ("Summarise the data", "overview")):
        found = whole(table, prompt)
        answer, (first, second) = found["answer"], found["key_findings"][:2]
        assert answer["status"] == status
        assert (first["kind"], first["id"]) == ("relations", answer["finding"])
        assert (second["kind"], [second["id"]]) == ("anomalies", answer["also"])
        assert "row 60" in answer["text"]
        assert found["sections"][0]["heading"] == "Answer"


def test_an_overview_of_one_series_is_its_trend_and_season() -> None:
    answered = ask(VISITS, RELATIONS[0])
    assert answered.answer["status"] == "answered"
    assert answered.answer["text"].startswith("visits is rising over day")
    assert "repeats every 12 months" in answered.answer["text"]


def test_a_trend_and_a_season_are_both_answered() -> None:
    answered = ask(VISITS, "Is there a trend and seasonality in visits?")
    assert answered.answer["text"].startswith("visits is rising over day")
    assert "repeats every 12 months" in answered.answer["text"]
    assert [finding["answers"] for finding in answered.findings[:2]] == [True, True]


def test_the_season_goes_first_and_tells_the_month() -> None:
    answer = ask(VISITS, "Are visits seasonal? Which month has the most visits?").answer
    assert answer["text"].startswith("visits repeats every 12 months")
    assert "highest in April" in answer["text"]
    assert "lowest in October" in answer["text"]


@pytest.mark.parametrize("prompt", ["Did visits grow?", "Have visits risen?", "Did visits fall?"])
def test_a_move_is_answered_by_the_trend(prompt: str) -> None:
    assert ask(VISITS, prompt).answer["text"].startswith("visits is rising over day")


def test_unusual_rows_are_those_that_stand_out_as_a_whole() -> None:
    for table in (TABLE, VISITS):
        found = whole(table, "Which rows are unusual?")
        assert (found["answer"]["status"], found["key_findings"][0]["kind"]) == ("answered", "anomalies")


@pytest.mark.parametrize("prompt", ["Are there unusual days?", "Which days are odd?"])
def test_what_the_rows_are_called_stands_for_the_rows(prompt: str) -> None:
    assert whole(VISITS, prompt)["key_findings"][0]["kind"] == "anomalies"


def test_a_prompt_that_only_names_what_the_rows_are_is_an_overview() -> None:
    table = table_of({"plant": [f"p{i}" for i in range(ROWS)], "x": _X, "z": _X[::-1]})
    assert ask(table, "Please look into the health of our plants").answer["status"] == "overview"


def curve(prompt: str) -> Answered:
    return ask(TABLE, prompt, tasks=[{"kind": "curve_fit", "response": "y", "formula": "Vmax*x/(Km+x)"}, "describe"])


def test_tasks_are_the_question() -> None:
    answered = curve("Fit Michaelis-Menten")
    assert answered.answer["status"] == "answered"
    assert answered.answer["text"] == answered.findings[0]["text"]
    assert answered.findings[0]["kind"] == "curve_fit"


def test_what_the_prompt_asks_beyond_the_tasks_is_told_after_them() -> None:
    answer = curve("Does z differ between kinds?").answer
    assert answer["status"] == "qualified"
    assert answer["text"].endswith("The tasks asked for do not compute what the prompt asks of z and kind.")
    assert answer["text"].startswith("The curve ")


def test_a_profile_that_is_asked_for_is_a_finding() -> None:
    table = table_of({"a": [1.5, None, 3.25, 4.5] * 10, "b": ["u", "v", "u", "w"] * 10})
    found = whole(table, "x", tasks=["profile"])
    text = found["answer"]["text"]
    assert (found["answer"]["status"], found["key_findings"][0]["kind"]) == ("answered", "profile")
    assert text.startswith("The data have 40 rows and 2 columns (1 number and 1 category). 10 values (12.5 %")
    assert "36 rows" in text
    assert found["confidence_score"] > 0.5


def test_a_bare_kind_takes_what_it_can_use() -> None:
    tasks = ["describe", "regression", "compare_groups", "correlation"]
    loaded = load([ReadResult(TABLE, (), ())], "Model y", parse_options(
        {"target": "y", "features": ["x", "kind"], "tasks": tasks}), 0)  # fmt: skip
    assert loaded["tasks"][3]["arguments"] == {"columns": ["y", "x"]}
    assert any(d["alternatives"] == ["kind"] for d in loaded["plan_decisions"])


def test_a_bare_kind_without_what_it_needs_does_not_end_the_session() -> None:
    tasks = ["one_sample", "curve_fit", "correlation", "describe"]
    found = whole(TABLE, "x", target="y", features=["kind"], tasks=tasks)
    reasons = [entry["result"].get("not_possible", "") for entry in found["analysis"]]
    assert ["needs" in reason for reason in reasons] == [True, True, True, False]
    assert (found["answer"]["status"], found["key_findings"][0]["kind"]) == ("answered", "describe")
