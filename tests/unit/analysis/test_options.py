"""`preferences.analysis`: the rules that need no data, and what bare kinds are fed with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kit import analysis_formulas, analysis_hypotheses, analysis_requests
from kit.analysis_reading import ReadOptions
from kit.analysis_requests import FIELDS, READ_FIELDS, TASKS, VALUES, faults, near
from tests.unit.analysis.tables import table_of
from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.expressions import syntax
from worker.engines.analysis.findings.models import from_describe
from worker.engines.analysis.numerics import glm
from worker.engines.analysis.options import AnalysisOptions, parse_options
from worker.engines.analysis.planning import Planned, make_plan
from worker.engines.analysis.table import Column, ColumnType
from worker.engines.analysis.tasks import (
    aggregate,
    anomalies,
    candidates,
    cluster,
    compare_models,
    conditions,
    correlation,
    distribution,
    hypothesis_forms,
    outliers,
    pca,
)
from worker.engines.analysis.tasks.registry import KINDS, check_task, run_task
from worker.engines.analysis.tasks.task import Task

DATA = table_of(
    {
        "yield": [4.5, 5.25, 6.5, 5.75, 7.5, 8.25, 6.75, 9.5],
        "rain": [1.5, 2.5, 3.25, 2.75, 4.5, 5.25, 3.75, 6.5],
        "sun": [9.5, 7.25, 8.5, 6.75, 7.5, 5.25, 6.25, 4.5],
        "field": ["north", "south"] * 4,
        "crop": ["oat", "oat", "rye", "rye"] * 2,
        "year": list(range(2001, 2009)),
    }
)


def test_what_is_refused_at_creation_is_what_workers_refuse() -> None:
    assert {kind: (known.required, known.optional) for kind, known in KINDS.items()} == dict(TASKS)
    assert {kind: set(known.fields) for kind, known in KINDS.items()} == {k: set(v) for k, v in VALUES.items()}
    assert set(READ_FIELDS) == set(ReadOptions.__dataclass_fields__) - {"header_lines", "missing_in"}
    assert set(FIELDS) == set(AnalysisOptions.__dataclass_fields__)


def test_words_and_limits_at_creation_are_those_of_the_tasks() -> None:
    assert set(analysis_formulas.FUNCTIONS) == set(syntax.FUNCTIONS)
    assert analysis_formulas.MOST_CHARACTERS == syntax.MAX_LENGTH
    forms = {kind: (form.required, form.optional) for kind, form in hypothesis_forms.FORMS.items()}
    assert dict(analysis_hypotheses.HYPOTHESES) == forms
    assert (analysis_hypotheses.DIRECTIONS, analysis_hypotheses.MOST_HYPOTHESES) == (
        hypothesis_forms.DIRECTIONS,
        hypothesis_forms.MOST,
    )
    assert (analysis_requests.STATISTICS, analysis_requests.PERIODS) == (aggregate.STATISTICS, aggregate.PERIODS)
    assert (analysis_requests.SIGNS, analysis_requests.FAMILIES) == (conditions.SIGNS, glm.FAMILIES)
    most = {
        "distribution": distribution.MAX_COLUMNS, "outliers": outliers.MAX_COLUMNS, "pca": pca.MAX_COLUMNS,
        "correlation": correlation.MAX_COLUMNS, "cluster": cluster.MAX_COLUMNS, "anomalies": anomalies.MAX_COLUMNS,
    }  # fmt: skip
    for kind, limit in most.items():
        names = [f"c{i}" for i in range(limit + 1)]
        assert not [*VALUES[kind]["columns"](names[1:], "")]
        assert [fault.issue for fault in VALUES[kind]["columns"](names, "")] == [f"at most {limit} columns"]
    numbers = {
        ("cluster", "k"): cluster._MOST_ASKED,
        ("compare_models", "folds"): compare_models._MOST_FOLDS,
    }
    for (kind, field), limit in numbers.items():
        assert not [*VALUES[kind][field](float(limit), "")]
        assert [*VALUES[kind][field](limit + 1, "")]
    texts = [f"x{i}" for i in range(candidates._MOST_FORMULAS + 1)]
    assert [*VALUES["compare_models"]["formulas"](texts, "")]
    assert not [*VALUES["compare_models"]["formulas"](texts[1:], "")]


@pytest.mark.parametrize(
    ("task", "field", "cure"),
    [
        ({"kind": "cluster", "k": "three"}, "k", "whole number from 1 to 20"),
        ({"kind": "cluster", "k": 2.5}, "k", "whole number from 1 to 20"),
        ({"kind": "cluster", "standardise": "no"}, "standardise", "true or false"),
        ({"kind": "cluster", "method": "k-means"}, "method", "did you mean 'kmeans'?"),
        ({"kind": "aggregate", "statistic": "average", "column": "y"}, "statistic", "did you mean 'mean'?"),
        ({"kind": "aggregate", "statistic": "medain", "column": "y"}, "statistic", "did you mean 'median'"),
        ({"kind": "aggregate"}, "column", "mean needs it"),
        ({"kind": "aggregate", "statistic": "count", "where": [{"column": "y", "sign": "!="}]}, "where[0].sign", ">="),
        ({"kind": "aggregate", "statistic": "count", "where": [{"levle": "a", "column": "y"}]}, "where[0].levle", ""),
        ({"kind": "regression", "formula": "y ~ x", "family": "poissonn"}, "family", "did you mean 'poisson'?"),
        ({"kind": "regression", "formula": "y ~ x", "family": "logistic"}, "family", "did you mean 'binomial'?"),
        ({"kind": "regression", "formula": "y ~ x +"}, "formula", "a term is missing after '+', at the end"),
        ({"kind": "regression", "formula": "y ~ (x"}, "formula", "'(' is never closed"),
        ({"kind": "regression", "formula": "y + x"}, "formula", "response ~ terms"),
        ({"kind": "regression", "formula": "y ~ sqr(x)"}, "formula", "did you mean 'sqrt'"),
        ({"kind": "curve_fit", "response": "y", "formula": "__import__('os')"}, "formula", "is not offered"),
        ({"kind": "curve_fit", "response": "y", "formula": "a * / x"}, "formula", "between '*' and '/'"),
        ({"kind": "curve_fit", "response": "y", "formula": "y ~ a*x"}, "formula", "right side alone"),
        ({"kind": "curve_fit", "response": "y", "formula": "a*x", "start": {"a": "1"}}, "start.a", "must be a number"),
        ({"kind": "hypotheses", "hypotheses": [{"kind": "corelation", "x": "x", "y": "y"}]}, "hypotheses[0].kind",
         "did you mean 'correlation'?"),
        ({"kind": "hypotheses", "hypotheses": [{"kind": "trend", "response": "y"}]}, "hypotheses[0].time", "needs it"),
        ({"kind": "hypotheses", "hypotheses": [{"kind": "proportion", "column": "x", "level": "a", "value": 50}]},
         "hypotheses[0].value", "above 0 and below 1"),
        ({"kind": "hypotheses", "hypotheses": []}, "hypotheses", "1 to 100"),
        ({"kind": "one_sample", "column": "y"}, "value", "one_sample needs it"),
        ({"kind": "one_sample", "column": "y", "value": "70"}, "value", "must be a number"),
        ({"kind": "anomalies", "share": 5}, "share", "above 0 and at most 0.5"),
        ({"kind": "trend", "response": ["y"]}, "response", "the name of a column"),
        ({"kind": "describe", "columns": "y"}, "columns", "list of column names"),
        ({"kind": "describe", "dataset": 1}, "dataset", "the name of a dataset"),
    ],
)  # fmt: skip
def test_values_that_need_no_data_are_refused_at_creation(task: dict[str, Any], field: str, cure: str) -> None:
    found = list(faults({"tasks": [task]}))
    assert found[0].field == f"preferences.analysis.tasks[0].{field}"
    assert cure in found[0].issue
    with pytest.raises(AnalysisError, match="preferences"):
        parse_options({"tasks": [task]})


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x", "y ~ 0 + x", "y ~ -1 + x*g", "log(y) ~ I(x**2) + C(g):poly(x, 2)", "y ~ .", "y ~ (a + b)^2 - a:b",
        "`my col ~` ~ `a (b)` + class", "y ~ np.log(x) + exp[-x]", "y ~ x + {x/2}", "größe ~ weite", "y ~ 1e-3*x",
        "y ~ a %in% b",
    ],
)  # fmt: skip
def test_formulas_that_may_be_right_are_not_refused(formula: str) -> None:
    assert analysis_formulas.formula_fault(formula, model=True) is None


@pytest.mark.parametrize(
    ("read", "field", "cure"),
    [
        ({"decimal": "x"}, "decimal", "must be one of '.', ','"),
        ({"encoding": "utf9"}, "encoding", "unknown encoding"),
        ({"types": {"a": "nmber"}}, "types.a", "did you mean 'number'?"),
        ({"dates": "day-moth-year"}, "dates", "did you mean 'day-month-year'?"),
        ({"skip_lines": -1}, "skip_lines", "whole number from 0 on"),
        ({"range": "B3"}, "range", "B3:F40"),
        ({"delimiter": "semicolons"}, "delimiter", "did you mean 'semicolon'"),
        ({"header": "yes"}, "header", "true, false"),
        ({"missing": [-9]}, "missing", "list of texts"),
    ],
)
def test_reading_fields_are_refused_at_creation(read: dict[str, Any], field: str, cure: str) -> None:
    found = list(faults({"read": read}))
    assert [fault.field for fault in found] == [f"preferences.analysis.read.{field}"]
    assert cure in found[0].issue
    with pytest.raises(AnalysisError, match="preferences"):
        parse_options({"read": read})


@pytest.mark.parametrize(
    ("options", "field", "cure"),
    [
        ({"taks": []}, "preferences.analysis.taks", "did you mean 'tasks'?"),
        ({"tasks": "describe"}, "preferences.analysis.tasks", "must be a list"),
        ({"tasks": ["descirbe"]}, "preferences.analysis.tasks[0]", "did you mean 'describe'?"),
        (
            {"tasks": [{"kind": "anova", "response": "y", "groups": "g"}]},
            "preferences.analysis.tasks[0].groups",
            "'group'",
        ),
        ({"tasks": [{"kind": "trend"}]}, "preferences.analysis.tasks[0].response", "trend needs it"),
        ({"tasks": [3]}, "preferences.analysis.tasks[0]", "name of a kind or an object"),
        ({"tasks": ["profile"] * 51}, "preferences.analysis.tasks", "at most 50"),
        ({"target": " "}, "preferences.analysis.target", "not blank"),
        ({"features": "rain"}, "preferences.analysis.features", "list of texts"),
        ({"read": {"delimeter": ";"}}, "preferences.analysis.read.delimeter", "did you mean 'delimiter'?"),
        ({"read": "comma"}, "preferences.analysis.read", "must be an object"),
    ],
)
def test_faults_name_the_field_and_the_cure(options: Any, field: str, cure: str) -> None:
    found = list(faults(options))
    assert found[0].field == field
    assert cure in found[0].issue
    with pytest.raises(AnalysisError, match="preferences"):
        parse_options(options)


def test_all_faults_are_named() -> None:
    options = {"target": 3, "colour": 1, "tasks": ["x", {"kind": "pca", "column": "y"}]}
    assert [fault.field.removeprefix("preferences.analysis.") for fault in faults(options)] == [
        "colour", "target", "tasks[0]", "tasks[1].column",
    ]  # fmt: skip
    assert list(faults(None)) == []


def test_near_names() -> None:
    assert near("Hieght", ["height", "width"]) == "; did you mean 'height'?"
    assert near("lenght", ["length", "lengthy"]) == "; did you mean 'length' or 'lengthy'?"
    assert near("zzz", ["height"]) == ""


def planned(kind: str, prompt: str = "Look at the data", **options: Any) -> Planned:
    plan = make_plan([DATA], prompt, parse_options({"tasks": [kind], **options}), 0)
    return plan.tasks[0]


@pytest.mark.parametrize(
    ("kind", "options", "arguments"),
    [
        ("profile", {}, {}),
        ("describe", {"features": ["rain"]}, {"columns": ["rain"]}),
        ("correlation", {"target": "yield", "features": ["rain", "sun"]}, {"columns": ["yield", "rain", "sun"]}),
        ("regression", {"formula": "yield ~ rain"}, {"formula": "yield ~ rain"}),
        ("regression", {"target": "yield", "features": ["rain", "field"]}, {"formula": "yield ~ rain + field"}),
        ("compare_groups", {"target": "yield", "group_by": "crop"}, {"response": "yield", "group": "crop"}),
        ("anova", {"target": "yield", "features": ["crop"]}, {"response": "yield", "group": "crop"}),
        ("contingency", {}, {"row": "field", "column": "crop"}),
        ("trend", {"target": "yield"}, {"response": "yield", "time": "year"}),
        ("trend", {"target": "yield", "time": "rain"}, {"response": "yield", "time": "rain"}),
        ("curve_fit", {"target": "yield", "formula": "a+b*rain"}, {"response": "yield", "formula": "a+b*rain"}),
        ("compare_models", {"target": "yield", "features": ["sun"]}, {"response": "yield", "features": ["sun"]}),
        ("cluster", {"features": ["rain", "sun"]}, {"columns": ["rain", "sun"]}),
        ("aggregate", {"target": "yield", "group_by": "crop"}, {"statistic": "mean", "column": "yield", "by": "crop"}),
    ],
)
def test_bare_kinds_take_the_other_fields(kind: str, options: dict[str, Any], arguments: dict[str, Any]) -> None:
    task = planned(kind, **options)
    assert (task.task.kind, dict(task.task.arguments), task.unfit, task.asked) == (kind, arguments, "", True)


def test_bare_kinds_take_what_the_prompt_names() -> None:
    task = planned("regression", "Does yield depend on rain?").task
    assert task.arguments["formula"] == "yield ~ rain"
    assert planned("one_sample", "Is mean rain different from 3?").task.arguments == {"column": "rain", "value": 3.0}


def test_a_bare_kind_that_the_data_cannot_feed_says_so() -> None:
    table = table_of({"x": [1.5, 2.5, 3.5], "y": [2.5, 3.25, 1.5]})
    plan = make_plan([table], "?", parse_options({"tasks": ["compare_groups", "describe"]}), 0)
    assert plan.tasks[0].unfit == "The data have no category whose values repeat, which compare_groups needs."
    assert plan.tasks[1].unfit == ""
    assert planned("one_sample").unfit.startswith("one_sample needs a value")
    assert planned("curve_fit", target="yield").unfit.startswith("curve_fit needs a formula")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("trend", {"target": "yeild"}, "preferences.analysis.target: no column 'yeild'"),
        ("trend", {"target": "field", "time": "crop"}, "preferences.analysis.time: column 'crop' is category"),
    ],
)
def test_what_the_request_has_to_say_is_told(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        planned(kind, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"kind": "regression", "formula": "yield ~ rainn"}, "no column 'rainn'; there are .*did you mean 'rain'"),
        ({"kind": "curve_fit", "response": "yeild", "formula": "a*rain"}, "did you mean 'yield'"),
        ({"kind": "compare_models", "response": "yield", "formulas": ["yield ~ rian"]}, "did you mean 'rain'"),
        ({"kind": "aggregate", "statistic": "share", "column": "crop", "level": "wheat"},
         "crop has no value 'wheat'; there are oat, rye"),
        ({"kind": "aggregate", "statistic": "count", "where": [{"column": "field", "level": "nort"}]},
         "did you mean 'north'"),
        ({"kind": "regression", "formula": "yield ~ rain %in% sun %in%"}, "is no formula: terms are joined by"),
    ],
)  # fmt: skip
def test_what_only_the_data_can_tell_lists_what_there_is(task: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        run_task(DATA, check_task(task, "tasks[0]", 0))


def test_a_field_of_null_is_one_left_out() -> None:
    task = {"kind": "aggregate", "statistic": None, "column": "yield", "level": None}
    assert not [*faults({"tasks": [task]})]
    assert run_task(DATA, check_task(task, "tasks[0]", 0))["statistic"] == "mean"


def test_what_numbers_the_rows_is_no_measure_in_the_findings() -> None:
    numbered = Column("Plot Nr", ColumnType.INTEGER, tuple(str(i) for i in range(1, 9)), identifier=True)
    table = replace(DATA, columns=(numbered, *DATA.columns))
    drafts = list(from_describe(run_task(table, Task("describe", {}, "tasks[0]")), table.rows))
    assert drafts[0].columns == ("yield",)
    assert drafts[-1].text == (
        "Plot Nr names or numbers the rows (8 different values in 8 rows), so it is not taken for a measure."
    )
