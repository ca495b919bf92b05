"""Questions and what comes of them: the tasks, whether they are answered, by what, and in which words."""

from __future__ import annotations

import math

import pytest

from tests.unit.analysis.answering import ask
from tests.unit.analysis.tables import table_of
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.planning import make_plan

ROWS = 72


def _wave(i: int, period: float) -> float:
    return math.sin(i * period) + 0.5 * math.sin(i * period * 2.7 + 1)


_SOILS = ("loam", "sand", "clay")
_LIGHT = [round(5 + 3 * _wave(i, 1.31), 2) for i in range(ROWS)]
_SOIL = [_SOILS[(i * 7 // 3) % 3] for i in range(ROWS)]
_GROWTH = [
    round(10 + 1.5 * light + {"loam": 4, "sand": -3, "clay": 0}[soil] + 1.1 * _wave(i, 2.17), 2)
    for i, (light, soil) in enumerate(zip(_LIGHT, _SOIL, strict=True))
]
PLANTS = table_of(
    {
        "plant": [f"p{i}" for i in range(ROWS)],
        "growth": _GROWTH,
        "light": _LIGHT,
        "soil": _SOIL,
        "group": ["A" if _wave(i, 0.9) > 0 else "B" for i in range(ROWS)],
        "temp": [round(15 + 4 * _wave(i, 0.77), 1) for i in range(ROWS)],
        "leafMass_g": [round(2 + 0.4 * g + 0.7 * _wave(i, 3.3), 2) for i, g in enumerate(_GROWTH)],
        "survived": ["yes" if g + 2 * _wave(i, 4.1) > 16 else "no" for i, g in enumerate(_GROWTH)],
        "year": [1950 + i for i in range(ROWS)],
        "rain": [round(600 + 2.2 * i + 25 * _wave(i, 5.7), 1) for i in range(ROWS)],
        "batch": [7] * ROWS,
    }
)

ANSWERED = [
    # Who acts on whom does not hang on the order of the words.
    ("Does growth depend on light?", "correlation", "growth and light rise together"),
    ("Does light affect growth?", "correlation", "growth and light rise together"),
    ("What is the effect of light on growth?", "correlation", "growth and light rise together"),
    ("Is growth influenced by light?", "correlation", "growth and light rise together"),
    ("How does `growth` vary with `light`?", "correlation", "growth and light rise together"),
    ("How much does growth change per unit of light?", "regression", "One more unit of light goes with a change of"),
    ("How strongly are leaf mass and growth correlated?", "regression", "leafMass_g"),
    ("Is growth related to leaf mass?", "correlation", "growth and leafMass_g rise together"),
    ("Does temperature influence growth?", "correlation", "No clear association of growth and temp"),
    ("Does teh growht depend on light?", "correlation", "growth and light rise together"),
    ("Can we predict growth from light and temperature?", "regression", "light and temp together account for"),
    # Groups, and levels that are named.
    ("Does growth differ between soils?", "compare_groups", "growth differs between the 3 levels of soil"),
    ("Is growth higher on loam than on sand?", "compare_groups", "loam"),
    ("Compare sand and clay in terms of growth", "compare_groups", "sand"),
    ("growth by soil", "compare_groups", "growth differs between the 3 levels of soil"),
    ("Is growth higher in group A than in group B?", "compare_groups", "group"),
    ("Compare A and B", "drivers", "between the levels of group"),
    ("Are soil and survival independent?", "contingency", "soil and survived"),
    ("Does soil affect survival?", "contingency", "survived and soil"),
    ("Does light affect survival?", "regression", "light helps to predict survived"),
    # One figure, or one for each group.
    ("How many rows are there?", "aggregate", "The number of rows is 72."),
    ("How many different soils are there?", "aggregate", "soil has 3 different values, in 72 rows."),
    ("How many plants grew on sand?", "aggregate", "The number of rows where soil is sand is 24."),
    ("How many rows have light above 5?", "aggregate", "The number of rows where light > 5 is "),
    ("What is the average growth?", "aggregate", "The mean of growth is "),
    ("What is the mean growth by soil?", "aggregate", "By soil: loam "),
    ("What is the median of light on clay?", "aggregate", "The median of light where soil is clay is "),
    ("Which soil has the highest mean growth?", "aggregate", "soil loam has the highest mean of growth"),
    ("Which soil has the lowest growth?", "aggregate", "soil sand has the lowest mean of growth"),
    ("What is the maximum of growth?", "aggregate", f"The highest value of growth is {max(_GROWTH):g}"),
    ("What share of plants survived?", "aggregate", "The share of rows with survived true is "),
    ("What is the total rain?", "aggregate", "The total of rain is "),
    ("Is the mean of light different from 5?", "one_sample", "the mean of light"),
    ("Is average growth above 10?", "one_sample", "The mean of growth, "),
    # Time, causes, what matters.
    ("Is there a trend in rain?", "trend", "rain is rising over year"),
    ("How did rain change over time?", "trend", "rain is rising over year"),
    ("Which factors matter for growth?", "drivers", "leafMass_g (Pearson r = 0.9"),
    ("What drives growth?", "drivers", "For "),
    ("Which features distinguish the soils?", "drivers", "growth"),
    ("Which soil is the warmest?", "aggregate", "mean of temp"),
    ("Tell me about rain", "describe", "rain has a mean of"),
]


@pytest.mark.parametrize(("prompt", "kind", "words"), ANSWERED)
def test_the_question_is_answered_first(prompt: str, kind: str, words: str) -> None:
    answered = ask(PLANTS, prompt)
    assert answered.answer["status"] == "answered", answered.answer
    first = answered.findings[0]
    assert (first["kind"], first["answers"]) == (kind, True), first["text"]
    assert words in first["text"]
    assert answered.answer["text"] == first["text"]
    assert answered.answer["finding"] == first["id"]
    assert not any(finding["answers"] for finding in answered.findings[1:])


CANNOT = [
    ("Does fertiliser affect growth?", "no column of data.csv is about “fertiliser”"),
    ("Which soil has the highest profit?", "is about “profit”"),
    ("Is growth correlated with humidity?", "“humidity”"),
    ("Does growth depend on batch?", "batch has the same value (7) in every row"),
    ("What is the capital of France?", "names no column of the data (its words: capital, france)"),
    ("Does plant affect growth?", "plant"),
    ("Which soil has the highest group?", "group holds no numbers, which a mean needs"),
]


@pytest.mark.parametrize(("prompt", "why"), CANNOT)
def test_what_the_data_cannot_answer_is_said_with_why(prompt: str, why: str) -> None:
    answer = ask(PLANTS, prompt).answer
    assert answer["status"] == "not_answerable"
    assert answer["text"].startswith("The data cannot answer this: ")
    assert why in answer["text"]


QUALIFIED = [
    ("Does light cause growth?", "cannot show what causes what"),
    ("Why is growth high?", "cannot show what causes what"),
    ("Will rain rise next year?", "The data end at year 2021"),
    (
        "Does light predict growth in the general population?",
        "“general population” depends on how the rows were chosen",
    ),
]


@pytest.mark.parametrize(("prompt", "limit"), QUALIFIED)
def test_what_goes_beyond_the_data_is_qualified(prompt: str, limit: str) -> None:
    answered = ask(PLANTS, prompt)
    assert answered.answer["status"] == "qualified"
    assert limit in answered.answer["text"]
    assert answered.findings[0]["text"] in answered.answer["text"]


PLANS = [
    ("Is growth normally distributed?", "distribution"),
    ("What does the distribution of light look like?", "distribution"),
    ("Are there outliers in growth?", "outliers"),
    ("Which rows are unusual?", "anomalies"),
    ("Are there clusters in the data?", "cluster"),
    ("Do the plants fall into natural groups?", "cluster"),
    ("Which model predicts growth best?", "compare_models"),
    ("How many dimensions do the data have? Use principal components.", "pca"),
    ("Test the hypothesis that growth depends on light", "hypotheses"),
    ("Is there seasonality in rain?", "trend"),
    ("Summarise the data", "correlation"),
]


@pytest.mark.parametrize(("prompt", "kind"), PLANS)
def test_the_plan_has_what_the_question_needs(prompt: str, kind: str) -> None:
    assert kind in ask(PLANTS, prompt).kinds


def test_a_future_without_a_time_cannot_be_answered() -> None:
    table = table_of({"sales": [3.5, 4.5, 5.25, 6.5, 4.75, 5.5], "price": [1.5, 2.5, 2.25, 3.5, 1.75, 2.75]})
    answer = ask(table, "What will sales be tomorrow?").answer
    assert answer["status"] == "not_answerable"
    assert "no column holds a time" in answer["text"]


def test_too_few_rows_are_the_reason() -> None:
    answer = ask(table_of({"x": [1.5, 2.5], "y": [2.5, 3.5]}), "Does y depend on x?").answer
    assert answer["status"] == "not_answerable"


def test_asked_tasks_that_do_not_bear_on_the_question() -> None:
    answered = ask(PLANTS, "Does growth depend on light?", tasks=["describe"])
    assert answered.answer["status"] == "qualified"
    assert "do not compute what the prompt asks of growth and light" in answered.answer["text"]
    assert answered.findings[0]["kind"] == "describe"


def test_nothing_found_comes_after_what_was_found() -> None:
    findings = ask(PLANTS, "Does growth depend on temperature?").findings
    assert "No clear association of growth and temp" in findings[0]["text"]
    nulls = ["No clear" in finding["text"] for finding in findings[1:]]
    assert nulls == sorted(nulls)
    assert len({finding["text"] for finding in findings}) == len(findings)


SHARES = [
    ("What share of plants on loam survived?", "survived true among rows where soil is loam"),
    ("What share of loam plants survived?", "survived true among rows where soil is loam"),
    ("What percentage survived in group A?", "survived true among rows where group is A"),
    ("What share of plants in group A is on loam?", "soil loam among rows where group is A"),
    ("What share of the plants that survived are on loam?", "soil loam among rows where survived is true"),
    ("What share of plants did not survive?", "The share of rows with survived false"),
    ("What share of plants on loam has not survived?", "survived false among rows where soil is loam"),
]


@pytest.mark.parametrize(("prompt", "text"), SHARES)
def test_a_share_is_of_what_is_said_of_the_rows_and_among_those_named(prompt: str, text: str) -> None:
    answer = ask(PLANTS, prompt).answer
    assert answer["status"] == "answered"
    assert text in answer["text"]


def test_a_question_for_a_cause_of_two_levels_is_answered_by_these_two() -> None:
    found = ask(PLANTS, "Does loam cause higher growth than sand?")
    assert found.answer["status"] == "qualified"
    assert {found.findings[0]["numbers"].get(side) for side in "ab"} == {"loam", "sand"}


def test_two_levels_of_a_category_are_answered_by_the_shares_in_them() -> None:
    text = ask(PLANTS, "Is survival more common on loam than on sand?").answer["text"]
    rows = [i for i in range(ROWS) if _SOIL[i] == "loam"]
    share = sum(_GROWTH[i] + 2 * _wave(i, 4.1) > 16 for i in rows) / len(rows)
    assert f"loam {100 * share:.3g} %" in text
    assert "sand " in text


def test_what_was_asked_for_in_fields_answers_where_it_speaks_of_the_columns_of_the_prompt() -> None:
    task = {"kind": "curve_fit", "response": "growth", "formula": "a + b * light"}
    assert ask(PLANTS, "Fit growth", tasks=[task]).answer["status"] == "answered"
    assert ask(PLANTS, "Describe leaf mass", tasks=[task]).answer["status"] == "qualified"


def test_a_category_that_matters_is_in_the_model_of_what_matters() -> None:
    noise_columns = {f"n{j}": [round(_wave(i, 0.31 + 1.7 * j), 3) for i in range(ROWS)] for j in range(6)}
    table = table_of({"growth": _GROWTH, "soil": _SOIL, "light": _LIGHT, **noise_columns})
    plan = make_plan([table], "Which factors matter for growth?", parse_options(None), 0)
    formula = next(planned.task.arguments["formula"] for planned in plan.tasks if planned.task.kind == "regression")
    assert "soil" in formula
    assert "light" in formula
