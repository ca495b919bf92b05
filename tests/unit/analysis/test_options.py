"""`preferences.analysis`: the rules that need no data, and what bare kinds are fed with."""

from __future__ import annotations

from typing import Any

import pytest

from kit.analysis_requests import FIELDS, READ_FIELDS, TASKS, faults, near
from tests.unit.analysis.tables import table_of
from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.options import AnalysisOptions, parse_options
from worker.engines.analysis.planning import Planned, make_plan
from worker.engines.analysis.reading import overrides
from worker.engines.analysis.tasks.registry import KINDS

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
    assert set(READ_FIELDS) == set(overrides._KEYS)
    assert set(FIELDS) == set(AnalysisOptions.__dataclass_fields__)


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


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("curve_fit", {"target": "yield"}, "preferences.analysis.formula: curve_fit in preferences.analysis.tasks"),
        ("one_sample", {}, "needs a value"),
        ("trend", {"target": "yeild"}, "preferences.analysis.target: no column 'yeild'"),
        ("trend", {"target": "field", "time": "crop"}, "preferences.analysis.time: column 'crop' is category"),
    ],
)
def test_what_the_request_has_to_say_is_told(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        planned(kind, **options)
    assert message in str(caught.value)
