"""Curves without starting values: families whose optimum is known, in the form that the formula allows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.expressions.syntax import parse_expression
from worker.engines.analysis.numerics.roles import Role, exchangeable, roles
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.tasks.registry import check_task, run_task


def fitted(result: dict[str, Any]) -> dict[str, float]:
    return {parameter["name"]: parameter["estimate"] for parameter in result["parameters"]}


X = np.linspace(0.5, 20, 30)


@pytest.mark.parametrize(
    ("formula", "y", "expected"),
    [
        ("v*x/(k+x)", 12 * X / (3.3 + X), {"v": 12, "k": 3.3}),
        ("a/(1+exp[b-c*x])", 70 / (1 + np.exp(2.5 - 0.4 * X)), {"a": 70, "b": 2.5, "c": 0.4}),
        ("a*e^(-k*x)+c", 5 * np.exp(-0.3 * X) + 1, {"a": 5, "k": 0.3, "c": 1}),
        ("a-arctan(b/(x+c))/pi", 2 - np.arctan(3 / (X + 1)) / math.pi, {"a": 2, "b": 3, "c": 1}),
        (
            "a*sin(2*pi*x/p)+b*cos(2*pi*x/p)+c*sin(2*pi*x/q)+d*cos(2*pi*x/q)",
            np.sin(2 * np.pi * X / 2.1) + 2 * np.sin(2 * np.pi * X / 7) + np.cos(2 * np.pi * X / 7),
            {"a": 2, "b": 1, "p": 7, "c": 1, "d": 0, "q": 2.1},
        ),
    ],
)
def test_a_family_is_found_without_a_start(formula: str, y: Any, expected: dict[str, float]) -> None:
    result = result_of("curve_fit", {"x": X, "y": y}, response="y", formula=formula)
    assert fitted(result) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert result["start"]["source"] == "searched"


def test_fast_oscillations_are_found() -> None:
    x = np.linspace(0, 40, 90)
    y = 3 * np.sin(5.3 * x + 0.5) + 1
    found = fitted(result_of("curve_fit", {"x": x, "y": y}, response="y", formula="a*sin(w*x)+b*cos(w*x)+c"))
    assert found["w"] == pytest.approx(5.3, rel=1e-9)
    assert math.hypot(found["a"], found["b"]) == pytest.approx(3, rel=1e-9)


def test_long_data_are_searched_by_some_of_their_rows() -> None:
    x = np.linspace(0, 10, 5000)
    columns = {"x": x, "y": 4 * np.exp(-0.8 * x) + 0.1}
    table = Table("t", tuple(Column(n, ColumnType.NUMBER, PackedNumbers(v)) for n, v in columns.items()), len(x), "")
    task = {"kind": "curve_fit", "response": "y", "formula": "a*exp(-k*x)+c"}
    result = run_task(table, check_task(task, "task", 0))
    assert fitted(result) == pytest.approx({"a": 4, "k": 0.8, "c": 0.1}, rel=1e-9)
    assert result["n"] == 5000
    assert any("hardly larger than rounding" in warning for warning in result["warnings"])


def test_e_is_a_parameter_where_it_is_not_only_raised() -> None:
    x = [0, 1, 2, 3, 4]
    found = fitted(result_of("curve_fit", {"x": x, "y": [3 * v + 5 for v in x]}, response="y", formula="d*x+e"))
    assert found == pytest.approx({"d": 3, "e": 5})


def test_terms_that_share_a_period_change_places_together() -> None:
    node = parse_expression("c + a1*cos(x/t1) + b1*sin(x/t1) + a2*cos(x/t2) + b2*sin(x/t2)")
    parameters = ["c", "a1", "t1", "b1", "a2", "t2", "b2"]
    assert exchangeable(node, parameters) == [[["a1", "t1", "b1"], ["a2", "t2", "b2"]]]
    assert roles(node, parameters, ["x"])["t1"] is Role.PERIOD


@pytest.mark.parametrize(("text", "role"), [("sin(w*x)", Role.FREQUENCY), ("exp(w*x)", Role.RATE)])
def test_a_rate_that_turns_is_a_frequency(text: str, role: Role) -> None:
    assert roles(parse_expression(text), ["w"], ["x"]) == {"w": role}


def test_a_slowly_settling_fit_reaches_its_last_digits() -> None:
    """Large residuals make Gauss–Newton steps shrink slowly; where the gradient is nil is known to more digits."""
    x = np.arange(1.0, 61)
    y = np.round(4 + 3 * np.cos(2 * np.pi * x / 11.3) + 2 * np.sin(x * x), 3)
    given = {"response": "y", "formula": "a+b*cos(2*pi*x/p)+c*sin(2*pi*x/p)"}
    starts = ({"a": 4, "b": 3, "c": 0, "p": 11.3}, {"a": 3, "b": 2, "c": 1, "p": 11.2})
    one, other = (fitted(result_of("curve_fit", {"x": x, "y": y}, start=start, **given)) for start in starts)
    assert one == pytest.approx(other, rel=1e-13)
