"""Every kind of figure is a valid specification that is drawn, and has words for those who cannot see it."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
import vl_convert

from tests.unit.analysis.tables import table_of
from worker.engines.analysis.figures.choice import draw
from worker.engines.analysis.figures.spec import MAX_POINTS, Figure
from worker.engines.analysis.tasks.registry import check_task, run_task

COLUMNS: dict[str, list[object]] = {
    "x.1 [m]": [i / 2 for i in range(40)],
    "y": [round(3 + i * 0.4 + (i * 7 % 5), 2) for i in range(40)],
    "z": [round(math.sin(i) * 5, 3) for i in range(40)],
    "g": [("red", "green", "blue")[i % 3] for i in range(40)],
    "h": [("u", "v")[i * i % 7 % 2] for i in range(40)],
    "d": [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(40)],
}

TASKS: list[dict[str, Any]] = [
    {"kind": "describe", "columns": ["y"]},
    {"kind": "correlation"},
    {"kind": "regression", "formula": "y ~ `x.1 [m]`"},
    {"kind": "regression", "formula": "y ~ `x.1 [m]` * g"},
    {"kind": "curve_fit", "response": "y", "formula": "a+b*`x.1 [m]`**c", "start": {"a": 1, "b": 1, "c": 1}},
    {"kind": "trend", "response": "y", "time": "d"},
    {"kind": "trend", "response": "y", "time": "x.1 [m]"},
    {"kind": "compare_groups", "response": "y", "group": "g"},
    {"kind": "anova", "response": "y", "group": "h"},
    {"kind": "contingency", "row": "g", "column": "h"},
]


def drawn(columns: dict[str, list[object]], task: dict[str, Any]) -> Figure | None:
    table = table_of(columns)
    return draw(table, task["kind"], run_task(table, check_task(task, "task", 0)))


def data_points(spec: Any) -> int:
    if isinstance(spec, dict):
        own = len(spec["data"]["values"]) if "data" in spec else 0
        return max(own, *(data_points(value) for key, value in spec.items() if key != "data"), 0)
    return max([data_points(item) for item in spec], default=0) if isinstance(spec, list) else 0


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task['kind']}-{task.get('formula', task.get('time', ''))}")
def test_each_kind_is_drawn(task: dict[str, Any]) -> None:
    figure = drawn(COLUMNS, task)
    assert figure is not None
    assert figure.title
    assert len(figure.alt) > 30
    assert figure.spec["description"] == figure.alt
    svg = vl_convert.vegalite_to_svg(figure.spec, vl_version="v5.21")
    # Marks were drawn, and no coordinate came out undefined.
    assert 'aria-roledescription="' in svg
    assert "NaN" not in svg
    png = vl_convert.vegalite_to_png(figure.spec, vl_version="v5.21")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 200
    assert height > 100


def test_long_data_are_thinned() -> None:
    n = 3 * MAX_POINTS
    columns: dict[str, list[object]] = {"x": list(range(n)), "y": [i % 97 for i in range(n)]}
    figure = drawn(columns, {"kind": "regression", "formula": "y ~ x"})
    assert figure is not None
    assert data_points(figure.spec) == MAX_POINTS


def test_bins_hold_every_value() -> None:
    figure = drawn({"v": [1, 2, 2, 3, 10, 4, 4, 5]}, {"kind": "describe", "columns": ["v"]})
    assert figure is not None
    assert sum(row["count"] for row in figure.spec["data"]["values"]) == 8


def test_what_cannot_be_shown_has_no_figure() -> None:
    assert drawn({"v": [1, 1, 1]}, {"kind": "describe", "columns": ["v"]}) is None
    assert drawn({"x": [1, 2, 3, 4], "y": [2, 1, 4, 3]}, {"kind": "correlation"}) is None


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task['kind']}-{task.get('formula', task.get('time', ''))}")
def test_layers_that_share_an_axis_give_it_one_title(task: dict[str, Any]) -> None:
    figure = drawn(COLUMNS, task)
    assert figure is not None
    layers = figure.spec.get("layer", [figure.spec])
    for channel in ("x", "y"):
        titles = {layer["encoding"][channel].get("title") for layer in layers if channel in layer["encoding"]}
        assert len(titles) == 1
