"""Which rows a question is about, and what becomes of words that fit nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.analysis.answering import ask
from tests.unit.analysis.tables import table_of
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.planning import make_plan
from worker.engines.analysis.question import read_question, stated
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.registry import run_task
from worker.engines.analysis.tasks.task import Task

MONTHS = [f"{2015 + i // 12}-{i % 12 + 1:02d}-01" for i in range(48)]
SALES = table_of({"when": MONTHS, "sales": [float(100 + i + (i * 7) % 5) for i in range(48)]})
ROWS = 60


def _cows() -> Table:
    numbers: dict[str, list[Any]] = {
        "milk": [round(20 + i % 7 + 0.1 * (i % 13) + 2 * (i % 3 == 0), 1) for i in range(ROWS)],
        "age": [round(2 + (i * 5) % 17 / 2, 1) for i in range(ROWS)],
        "feed": [round(3 + (i * 11) % 19 / 4 + 0.1 * i, 2) for i in range(ROWS)],
        "vaccinated": [int(i % 2 == 0) for i in range(ROWS)],
        "ill": [int((i * 7) % 10 < (2, 5, 8)[i % 3]) for i in range(ROWS)],
        "barn": [("north", "south", "west")[i % 3] for i in range(ROWS)],
    }
    made = table_of(numbers)
    names = Column("cow", ColumnType.TEXT, tuple(f"C{i:03d}" for i in range(ROWS)))
    columns = tuple(Column(c.name, c.type, c.cells, "years") if c.name == "age" else c for c in (names, *made.columns))
    return Table(made.name, columns, ROWS, made.sha256)


COWS = _cows()


def _mean(of: str, keep: Any) -> float:
    values = [v for i, v in enumerate(COWS[of].floats().tolist()) if keep(i)]
    return float(sum(values) / len(values))


@pytest.mark.parametrize(
    ("prompt", "where", "rows"),
    [
        ("What were the total sales in 2016?", "when is in 2016", 12),
        ("mean sales in May 2017", "when is in 2017-05", 1),
        ("mean sales in 2015 and 2018", "when is in 2015 or 2018", 24),
        ("How many sales before 2017?", "when is before 2017", 24),
        ("Total sales since 2017", "when is 2017 or later", 24),
        ("Mean of sales after 2017", "when is after 2017", 12),
        ("total sales between 2016 and 2017", "when is 2016 or later and when is 2017 or earlier", 24),
    ],
)
def test_dates_limit_the_rows(prompt: str, where: str, rows: int) -> None:
    answered = ask(SALES, prompt)
    assert answered.answer["status"] == "answered"
    assert f"where {where} is" in answered.answer["text"]
    assert answered.findings[0]["numbers"]["n"] == rows


def test_a_trend_since_a_year_is_of_the_rows_since_then() -> None:
    answered = ask(SALES, "How did sales change since 2017?")
    assert answered.answer["text"].startswith("Among the 24 rows where when is 2017 or later: sales is rising")


@pytest.mark.parametrize(("word", "levels"), [("year", 4), ("quarter", 16), ("month", 48)])
def test_one_figure_for_each_period(word: str, levels: int) -> None:
    question = read_question(f"Total sales per {word}", SALES)
    assert (question.period, question.statistic) == (("when", word), "sum")
    arguments = {"statistic": "sum", "column": "sales", "by": "when", "period": word}
    groups = run_task(SALES, Task("aggregate", arguments, "task"))["groups"]
    assert len(groups) == levels
    assert [group["level"] for group in groups] == sorted(group["level"] for group in groups)
    assert sum(group["value"] for group in groups) == pytest.approx(float(SALES["sales"].floats().sum()))


def test_which_period_has_most() -> None:
    answered = ask(SALES, "Which year had the highest sales?")
    assert answered.answer["text"].startswith("year of when 2018 has the highest mean of sales")


@pytest.mark.parametrize(
    ("prompt", "where", "keep"),
    [
        ("mean milk of vaccinated cows", "vaccinated is 1", lambda i: i % 2 == 0),
        ("mean milk of unvaccinated cows", "vaccinated is 0", lambda i: i % 2),
        ("mean milk of cows over 5 years", "age > 5", lambda i: COWS["age"].floats()[i] > 5),
        ("mean milk of cows older than 5", "age > 5", lambda i: COWS["age"].floats()[i] > 5),
        ("mean milk of cows with age of at least 5", "age >= 5", lambda i: COWS["age"].floats()[i] >= 5),
        ("mean milk of cows with feed below 6", "feed < 6", lambda i: COWS["feed"].floats()[i] < 6),
        ("mean milk of cows without vaccinated", "vaccinated is 0", lambda i: i % 2),
        ("mean milk of cows in the west barn", "barn is west", lambda i: i % 3 == 2),
    ],
)
def test_rows_are_limited_by_numbers_adjectives_and_levels(prompt: str, where: str, keep: Any) -> None:
    answered = ask(COWS, prompt)
    assert answered.answer["status"] == "answered"
    assert f"The mean of milk where {where} is" in answered.answer["text"]
    assert answered.findings[0]["numbers"]["value"] == pytest.approx(_mean("milk", keep))


def test_a_relation_is_tested_among_the_rows_that_are_meant() -> None:
    answered = ask(COWS, "Does feed affect milk in vaccinated cows?")
    assert answered.answer["text"].startswith("Among the 30 rows where vaccinated is 1: ")
    assert "milk" in answered.answer["text"]


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("mean milk of bulls", "“bulls” is in no column"),
        ("mean milk in 2019", "“in 2019” is in no column"),
        ("Does milk differ between barns for heifers?", "“heifers” is in no column"),
    ],
)
def test_what_limits_the_rows_and_fits_nothing_is_said(prompt: str, said: str) -> None:
    plain, answered = ask(COWS, prompt.split(" in 2019")[0].split(" of bulls")[0]), ask(COWS, prompt)
    assert answered.answer["status"] == "qualified"
    assert said in answered.answer["text"]
    assert "this is for all rows" in answered.answer["text"]
    if "differ" not in prompt:
        assert answered.findings[0]["confidence"] < plain.findings[0]["confidence"]


def test_the_noun_for_the_rows_is_no_column_that_is_compared() -> None:
    answered = ask(COWS, "Is milk related to feed in cows?")
    assert answered.answer["status"] == "answered"
    assert "cow" not in read_question("Is milk related to feed in cows?", COWS).mentioned
    alone = ask(COWS, "Does cow affect milk?")
    assert (alone.answer["status"], "cow names the rows" in alone.answer["text"]) == ("not_answerable", True)
    profile = run_task(COWS, Task("profile", {}, "task"))
    assert next(c for c in profile["columns"] if c["name"] == "cow")["remarks"] == ["identifier"]
    assert "treatment" not in read_question("effect of treatment on milk", COWS).mentioned


def test_a_noun_of_the_verb_names_its_column() -> None:
    table = table_of({"treated": [0, 1] * 10, "milk": [float(i % 7) + 0.5 for i in range(20)]})
    assert read_question("effect of the treatment on milk", table).predictors == ("treated",)


@pytest.mark.parametrize(
    ("prompt", "statements"),
    [
        ("Test the hypothesis that milk rises with age.", ("milk rises with age",)),
        ("Hypothesis: feed raises milk, adjusted for age", ("feed raises milk, adjusted for age",)),
        ("Test the hypotheses that a rises with b; c falls with d", ("a rises with b", "c falls with d")),
        ("Test some hypotheses on milk", ()),
    ],
)
def test_hypotheses_that_a_prompt_states(prompt: str, statements: tuple[str, ...]) -> None:
    assert stated(prompt) == statements


def test_the_stated_hypothesis_alone_is_tested_and_answers() -> None:
    prompt = "Test the hypothesis that feed raises ill, adjusted for age"
    plan = make_plan([COWS], prompt, parse_options(None), 0)
    task = next(planned.task for planned in plan.tasks if planned.task.kind == "hypotheses")
    assert task.arguments == {"hypotheses": [{"statement": "feed raises ill, adjusted for age"}]}
    (tested,) = run_task(COWS, task)["hypotheses"]
    assert (tested["test"], tested["direction"]) == ("logistic_regression", "greater")
    logistic = run_task(COWS, Task("regression", {"formula": "ill ~ feed + age", "family": "binomial"}, "task"))
    term = next(term for term in logistic["terms"] if term["name"] == "feed")
    assert tested["effect"]["value"] == pytest.approx(term["estimate"])
    assert ask(COWS, prompt).findings[0]["kind"] == "hypotheses"


def test_an_outcome_of_0_and_1_is_counted() -> None:
    answered = ask(COWS, "Are barn and ill independent?")
    assert answered.findings[0]["kind"] == "contingency"
    assert "compare_groups" not in answered.kinds
    two = ask(COWS, "Is ill more common in west than in north?")
    assert two.findings[0]["text"].startswith("Among the 40 rows where barn is")
    assert "odds ratio" in two.findings[0]["text"]


def test_two_levels_that_are_named_are_compared_by_themselves() -> None:
    answered = ask(COWS, "Compare north and south")
    assert answered.answer["text"].startswith("Among the 40 rows where barn is north or south: milk")


def test_a_correlation_with_another_column_held_fixed() -> None:
    answered = ask(COWS, "How strongly are milk and feed related, controlling for age?")
    assert "With age held fixed, " in answered.answer["text"]
    partial = run_task(COWS, Task("correlation", {"columns": ["milk", "feed"], "control": ["age"]}, "task"))
    expected = partial["pairs"][0]["partial"]["pearson"]["r"]
    assert answered.findings[0]["numbers"]["r"] == pytest.approx(expected)


def test_two_values_have_no_shape() -> None:
    plan = make_plan([COWS], "How are the variables distributed?", parse_options(None), 0)
    task = next(planned.task for planned in plan.tasks if planned.task.kind == "distribution")
    assert task.arguments["columns"] == ["milk", "age", "feed"]


def test_a_bare_kind_takes_the_statement_and_the_rows_of_the_prompt() -> None:
    options = parse_options({"tasks": ["hypotheses"]})
    (stated_one,) = make_plan([COWS], "Test the hypothesis that milk rises with feed", options, 0).tasks
    assert stated_one.task.arguments == {"hypotheses": [{"statement": "milk rises with feed"}]}
    limited = make_plan([COWS], "mean milk of vaccinated cows", parse_options({"tasks": ["describe", "profile"]}), 0)
    assert [planned.task.arguments.get("where") for planned in limited.tasks] == [
        [{"column": "vaccinated", "level": "1"}],
        None,
    ]
