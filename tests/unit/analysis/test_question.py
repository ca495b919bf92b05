from __future__ import annotations

import pytest

from tests.unit.analysis.tables import table_of
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.planning import make_plan
from worker.engines.analysis.question import read_question

TABLE = table_of(
    {
        "petal_width": [1.5, 2.5, 3.5, 4.25, 5.125, 6.5],
        "petal_length": [2.5, 1.5, 4.5, 3.5, 6.5, 5.5],
        "totalCost": [9.5, 8.5, 7.5, 6.5, 5.5, 4.25],
        "a": [1.5, 2.5, 1.5, 2.5, 1.5, 2.5],
        "species": ["u", "v", "u", "v", "u", "v"],
    }
)


@pytest.mark.parametrize(
    ("prompt", "mentioned", "response"),
    [
        ("Does petal width affect petal length?", ("petal_width", "petal_length"), "petal_length"),
        ("How does petal_length depend on petal_width?", ("petal_length", "petal_width"), "petal_length"),
        ("effect of petal width on total cost", ("petal_width", "totalCost"), "totalCost"),
        ("predict the total costs from Petal-Length", ("totalCost", "petal_length"), "totalCost"),
        ("petal width by species", ("petal_width", "species"), "petal_width"),
        ("Does totalCost differ between the species?", ("totalCost", "species"), "totalCost"),
        ("a look at the whole", (), None),
        ("the role of `a`", ("a",), "a"),
        ("petal widths", ("petal_width",), "petal_width"),
        ("relation between petal width and the length of petals", ("petal_width", "petal_length"), "petal_width"),
        ("compare species", ("species",), None),
        ("petals", (), None),
    ],
)
def test_columns_named_in_a_prompt(prompt: str, mentioned: tuple[str, ...], response: str | None) -> None:
    question = read_question(prompt, TABLE)
    assert (question.mentioned, question.response) == (mentioned, response)


def kinds(prompt: str, **options: object) -> list[tuple[str, dict[str, object]]]:
    plan = make_plan([TABLE], prompt, parse_options(options), 0)
    return [(p.task.kind, dict(p.task.arguments)) for p in plan.tasks if p.task.kind not in ("profile", "describe")]


def test_options_shape_the_plan() -> None:
    plan = dict(kinds("overview", target="totalCost", features=["a", "species"], group_by="species"))
    assert plan["regression"] == {"formula": "totalCost ~ a + species"}
    assert plan["compare_groups"] == {"response": "totalCost", "group": "species"}


def test_a_formula_replaces_the_chosen_model() -> None:
    assert dict(kinds("overview", formula="a ~ petal_width"))["regression"] == {"formula": "a ~ petal_width"}


def test_a_response_picked_from_the_data_is_exploratory_and_told() -> None:
    plan = make_plan([TABLE], "overview", parse_options({}), 0)
    assert plan.exploratory
    assert any("is the response" in decision.decision for decision in plan.decisions)


def test_the_dataset_that_the_prompt_speaks_of_is_modelled() -> None:
    other = table_of({"pressure": [1, 2, 3, 4, 5], "depth": [2, 4, 5, 8, 11]})
    plan = make_plan([TABLE, other], "How does pressure depend on depth?", parse_options({}), 0)
    modelled = [planned for planned in plan.tasks if planned.task.kind == "regression"]
    assert [(planned.dataset, planned.task.arguments["formula"]) for planned in modelled] == [(1, "pressure ~ depth")]


def test_categories_named_together_are_cross_tabulated() -> None:
    table = table_of({"sex": list("mfmfmfmf"), "smoker": ["yes", "no"] * 4, "age": range(20, 28)})
    plan = make_plan([table], "Do sex and smoker go together?", parse_options({}), 0)
    assert {"row": "sex", "column": "smoker"} in [dict(planned.task.arguments) for planned in plan.tasks]


def test_a_time_column_gives_a_trend() -> None:
    table = table_of({"year": range(2000, 2012), "sales": [5, 6, 5, 7, 8, 8, 9, 9, 11, 10, 12, 13]})
    plan = make_plan([table], "How did sales change over time?", parse_options({}), 0)
    assert {"response": "sales", "time": "year"} in [dict(planned.task.arguments) for planned in plan.tasks]
    assert plan.question.mentioned == ("sales", "year")
