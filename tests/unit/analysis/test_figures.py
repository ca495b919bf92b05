"""What a figure shows is what the data say, whatever the data are like."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from tests.support.golden_figures import noise, table_of
from worker.engines.analysis.canonical import strict
from worker.engines.analysis.figures import distributions
from worker.engines.analysis.figures.choice import draw
from worker.engines.analysis.figures.labels import distinct_labels, shortened, titled, width, wrapped
from worker.engines.analysis.figures.points import smooth
from worker.engines.analysis.figures.scales import scale_of
from worker.engines.analysis.figures.spec import MAX_POINTS, MAX_SPEC_BYTES, Figure, Vector
from worker.engines.analysis.tasks.registry import check_task, run_task

COLUMNS: dict[str, Sequence[object]] = {
    "x": [i / 2 for i in range(40)],
    "y": [round(3 + i * 0.4 + (i * 7 % 5), 2) for i in range(40)],
    "arm": [("red", "green", "blue")[i % 3] for i in range(40)],
    "day": [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(40)],
}


def drawn(data: Mapping[str, Sequence[object]], /, **task: Any) -> Sequence[Figure]:
    table = table_of(data)
    result, _ = strict(run_task(table, check_task(task, "task", 0)))
    return draw(table, task["kind"], result)


def layers_of(figure: Figure) -> list[dict[str, Any]]:
    return list(figure.spec.get("layer", [figure.spec]))


def vector(numbers: Sequence[float]) -> Vector:
    import numpy as np

    return np.array(numbers, dtype=np.float64)


@pytest.mark.parametrize(
    "task",
    [
        {"kind": "describe", "columns": ["y"]},
        {"kind": "correlation"},
        {"kind": "regression", "formula": "y ~ x"},
        {"kind": "regression", "formula": "y ~ x * arm"},
        {"kind": "trend", "response": "y", "time": "day"},
        {"kind": "compare_groups", "response": "y", "group": "arm"},
    ],
    ids=lambda task: f"{task['kind']} {task.get('formula', '')}",
)
def test_layers_that_share_an_axis_share_title_and_scale(task: dict[str, Any]) -> None:
    for figure in drawn(COLUMNS, **task):
        for channel in ("x", "y"):
            told = [layer["encoding"][channel] for layer in layers_of(figure) if channel in layer["encoding"]]
            places = [place for place in told if "field" in place]
            assert len({place.get("title") for place in places}) == 1
            assert len({json.dumps(place.get("scale")) for place in places}) == 1


def test_many_points_are_counted_in_fields_that_hold_them_all() -> None:
    n = 3 * MAX_POINTS
    figure = drawn({"x": list(range(n)), "y": [i % 97 for i in range(n)]}, kind="regression", formula="y ~ x")[0]
    fields = layers_of(figure)[0]["data"]["values"]
    assert len(fields) <= MAX_POINTS
    assert sum(field["rows"] for field in fields) == n
    assert "Two-dimensional histogram" in figure.alt


def test_bins_hold_every_value() -> None:
    figure = drawn({"v": [1, 2, 2, 3, 10, 4, 4, 5]}, kind="describe", columns=["v"])[0]
    bars = layers_of(figure)[0]["data"]["values"]
    assert sum(bar["count"] for bar in bars) == 8
    assert all(a["to"] == b["from"] for a, b in pairwise(bars))


@pytest.mark.parametrize(("most", "width"), [(18, 1), (400, 41)])
def test_bins_of_whole_numbers_each_hold_as_many_of_them(most: int, width: int) -> None:
    values = [i * i % (most + 1) for i in range(3 * most)]
    figure = distributions.histogram(table_of({"count": [*values, 0, most]})["count"])
    assert figure is not None
    rows = layers_of(figure)[0]["data"]["values"]
    assert {(row["to"] - row["from"]) % 1 for row in rows} == {0}
    assert {(row["from"] + 0.5) % 1 for row in rows} == {0}
    assert {row["to"] - row["from"] for row in rows} == {width}
    assert sum(row["count"] for row in rows) == len(values) + 2
    low, high = layers_of(figure)[0]["encoding"]["x"]["scale"]["domain"]
    assert low <= rows[0]["from"]
    assert rows[-1]["to"] <= high


def test_the_box_has_the_quartiles_and_the_whiskers_of_tukey() -> None:
    figure = distributions.histogram(table_of({"v": [1, 2, 3, 4, 5, 6, 7, 8, 100]})["v"])
    assert figure is not None
    box = next(layer["data"]["values"][0] for layer in layers_of(figure) if "median" in layer["data"]["values"][0])
    assert (box["low"], box["q1"], box["median"], box["q3"], box["high"]) == (1, 3, 5, 7, 8)


def test_values_over_decades_get_a_logarithmic_axis_and_the_text_says_so() -> None:
    decades = [round(math.exp(2.5 * value), 5) for value in noise(80, 11)]
    figure = drawn({"v": decades}, kind="describe", columns=["v"])[0]
    assert layers_of(figure)[0]["encoding"]["x"]["scale"]["type"] == "log"
    assert "logarithmic" in figure.alt
    plain = drawn({"v": [value - 1 for value in decades]}, kind="describe", columns=["v"])[0]
    assert "type" not in layers_of(plain)[0]["encoding"]["x"]["scale"]


def test_an_even_spread_keeps_its_linear_axis() -> None:
    assert not scale_of("", vector(range(1, 10_001)), log=True).log


def test_years_have_no_separators_and_dates_are_dates() -> None:
    assert scale_of("year", vector([1990, 2020]), whole=True).format == "d"
    assert scale_of("height", vector([1990, 2020])).format is None
    channel = layers_of(drawn(COLUMNS, kind="trend", response="y", time="day")[0])[0]["encoding"]["x"]
    assert channel["type"] == "temporal"
    assert channel["scale"]["type"] == "utc"


def test_equal_values_have_an_axis_with_room() -> None:
    scale = scale_of("", vector([5.0, 5.0]))
    assert scale.low < 5 < scale.high


def test_a_line_has_a_band_that_is_narrowest_in_the_middle() -> None:
    band = layers_of(drawn(COLUMNS, kind="regression", formula="y ~ x")[0])[1]["data"]["values"]
    widths = [row["high"] - row["low"] for row in band]
    assert min(widths) == min(widths[len(widths) // 3 : -len(widths) // 3])
    assert max(widths) in (widths[0], widths[-1])


def test_the_band_of_a_curve_is_that_of_the_line_where_they_are_the_same_model() -> None:
    line = layers_of(drawn(COLUMNS, kind="regression", formula="y ~ x")[0])[1]["data"]["values"]
    curve = layers_of(drawn(COLUMNS, kind="curve_fit", response="y", formula="a + b*x", start={"a": 1, "b": 1})[0])[1][
        "data"
    ]["values"]
    for key in ("y", "low", "high"):
        assert curve[0][key] == pytest.approx(line[0][key], rel=1e-4)
        assert curve[-1][key] == pytest.approx(line[-1][key], rel=1e-4)


def test_a_perfect_fit_has_no_residuals_to_look_at() -> None:
    columns = {"x": list(range(20)), "y": [2 * i + 1 for i in range(20)]}
    assert len(drawn(columns, kind="regression", formula="y ~ x")) == 1


def test_columns_that_go_together_are_next_to_each_other() -> None:
    a, b, e = noise(60, 21), noise(60, 22), noise(60, 23)
    columns = {
        "a": a,
        "b": b,
        "a2": [x + 0.2 * y for x, y in zip(a, e, strict=True)],
        "b2": [x + 0.2 * y for x, y in zip(b, e, strict=True)],
    }
    order = drawn(columns, kind="correlation")[0].spec["layer"][0]["encoding"]["x"]["sort"]
    assert abs(order.index("a") - order.index("a2")) == 1
    assert abs(order.index("b") - order.index("b2")) == 1


def test_rare_levels_are_put_together_and_no_row_is_lost() -> None:
    columns: dict[str, Sequence[object]] = {
        "site": [f"s{min(i % 90, i % 41)}" for i in range(900)],
        "arm": ["u" if i % 3 else "v" for i in range(900)],
    }
    figure = drawn(columns, kind="contingency", row="site", column="arm")[0]
    cells = figure.spec["data"]["values"]
    rows = {cell["row"] for cell in cells}
    assert len(rows) == 20
    assert sum(int(row.rpartition("n = ")[2].replace(",", "")) for row in rows) == 900
    assert any("others" in row for row in rows)


def test_small_groups_left_out_of_a_drawing_are_counted() -> None:
    columns: dict[str, Sequence[object]] = {
        "site": [f"s{i % 40}" for i in range(400)],
        "y": [i * 7 % 31 for i in range(400)],
    }
    figure = drawn(columns, kind="anova", response="y", group="site")[0]
    assert "16 smaller groups not drawn" in figure.alt


def test_what_cannot_be_shown_has_no_figure() -> None:
    assert drawn({"v": [1, 1, 1]}, kind="describe", columns=["v"]) == ()
    assert drawn({"v": [1, 2, 3]}, kind="profile") == ()


NASTY = [
    "a" * 300,
    "受試者的平均反應時間包含所有實驗條件與重複測量之總和的一個名稱" * 3,
    "متوسط درجة الحرارة اليومية في المحطة " * 4,
    "line\nbreak\tand\x00odd",
    "e\u0301" * 80,
]


@pytest.mark.parametrize("name", NASTY, ids=["one word", "ideographs", "right to left", "controls", "combining"])
def test_long_names_stay_within_their_room(name: str) -> None:
    assert width(shortened(name, 28)) <= 28
    lines = wrapped(name, 480, 8.0)
    shown = [lines] if isinstance(lines, str) else lines
    assert len(shown) <= 3
    assert all(width(line) <= 60 for line in shown)
    assert all(unicodedata.category(letter) != "Cc" for line in shown for letter in line)
    columns = {name: COLUMNS["x"], "y": COLUMNS["y"]}
    for figure in drawn(columns, kind="correlation"):
        assert len(json.dumps(figure.spec)) < MAX_SPEC_BYTES


def test_shortened_names_stay_different() -> None:
    names = [f"a very long common beginning of all the names, number {i}" for i in range(30)]
    labels = distinct_labels(names)
    assert len(set(labels)) == 30
    assert all(width(label) <= 34 for label in labels)
    assert distinct_labels(["same", "same"]) == ["same", "same (2)"]
    assert distinct_labels(["  ", "x"]) == ["(blank)", "x"]


def test_a_smoother_follows_a_straight_line_exactly() -> None:
    x = vector([float(i) for i in range(30)])
    followed = smooth(x, 3 * x - 2)
    assert followed is not None
    assert list(followed[1]) == pytest.approx([3 * at - 2 for at in followed[0]])
    assert smooth(vector([1.0] * 20), x[:20]) is None


def test_zeros_and_ones_are_shown_as_shares() -> None:
    data: dict[str, Sequence[object]] = {
        "hit": [int(i % 3 == 0) for i in range(60)],
        "arm": ["ab"[i % 2] for i in range(60)],
    }
    titles = [figure.title for figure in drawn(data, kind="describe")]
    assert titles == ["Levels of arm", "Levels of hit"]
    (shares,) = drawn(data, kind="compare_groups", response="hit", group="arm")
    assert {layer["mark"]["type"] for layer in layers_of(shares)} == {"rule", "point"}
    rows = shares.spec["data"]["values"]
    assert [row["share"] for row in rows] == [round(10 / 30, 6)] * 2
    assert all(0 < row["low"] < row["share"] < row["high"] < 1 for row in rows)


@pytest.mark.parametrize("settings", [(10, 25, 45), (0.5, 1.0, 2.5, 10.0)])
def test_few_values_that_repeat_have_a_bar_each_and_no_curve(settings: Sequence[float]) -> None:
    column = table_of({"heat": [settings[i * i % len(settings)] for i in range(60)] + list(settings)})["heat"]
    figure = distributions.histogram(column)
    assert figure is not None
    assert [layer["mark"]["type"] for layer in layers_of(figure)] == ["bar", "text"]
    rows = figure.spec["data"]["values"]
    assert [float(row["value"]) for row in rows] == sorted(settings) == [float(v) for v in axis_order(figure)]
    assert sum(row["count"] for row in rows) == 60 + len(settings)
    assert f"{rows[0]['value']} ({rows[0]['count']} rows)" in figure.alt
    # As many values as rows are a spread.
    few = distributions.histogram(table_of({"heat": list(settings)})["heat"])
    assert few is not None
    assert any(layer["mark"]["type"] == "line" for layer in layers_of(few))


def axis_order(figure: Figure) -> list[str]:
    return list(layers_of(figure)[0]["encoding"]["x"]["sort"])


def test_an_axis_has_its_unit_once() -> None:
    assert titled("temperature (°C)", "°C") == "temperature (°C)"
    assert titled("height [cm]", "cm") == "height [cm]"
    assert titled("temperature", "°C") == "temperature (°C)"
    assert titled("temperature (°C)", "K") == "temperature (°C) (K)"
    assert titled(f"{'long ' * 20} (kg)", "kg").endswith("… (kg)")


def test_the_axis_of_missing_values_goes_by_steps_that_one_counts_in() -> None:
    data: dict[str, Sequence[object]] = {"a": [None] * 4 + list(range(155)), "b": list(range(159))}
    (missing,) = drawn(data, kind="profile")
    ticks = layers_of(missing)[0]["encoding"]["x"]["axis"]["values"]
    assert ticks == [0.0, 0.005, 0.01, 0.015, 0.02, 0.025]


def test_labels_of_rows_that_stand_out_do_not_overprint_each_other() -> None:
    numbers = noise(80, 3)
    data = {"x": [*numbers, 30.0, 30.01, 30.02], "y": [*noise(80, 4), 30.0, 30.01, 30.02]}
    (figure,) = drawn(data, kind="anomalies")
    marked, named = layers_of(figure)[-3]["data"]["values"], layers_of(figure)[-1]["data"]["values"]
    assert {"81", "82", "83"} <= {row["label"] for row in marked}
    assert len({"81", "82", "83"} & {row["label"] for row in named}) == 1


def test_a_line_over_time_is_that_of_the_test_that_is_read() -> None:
    """Of a season the line's slope is the seasonal one; of neighbours that are alike the band is the wider one."""
    e = noise(96, 61)
    walk = [sum(e[: i + 1]) for i in range(96)]
    wave = [round(0.05 * i + 6 * math.sin(math.pi * i / 6) + v, 3) for i, v in enumerate(e)]
    day = [f"{2010 + i // 12}-{1 + i % 12:02d}-01" for i in range(96)]
    data: dict[str, Sequence[object]] = {"walk": [round(v, 3) for v in walk], "wave": wave, "day": day}
    seen = []
    for response, time in (("wave", "day"), ("walk", None)):
        table = table_of(data)
        task = {"kind": "trend", "response": response, **({} if time is None else {"time": time})}
        result, _ = strict(run_task(table, check_task(task, "task", 0)))
        seen.append(result["preferred"])
        if result["preferred"] == "hamed_rao":
            read, word = {**result, **result["corrected"]}, "corrected for autocorrelation"
        else:
            read, word = result["seasonality"]["found"]["seasonal_mann_kendall"], "seasonal Mann–Kendall"
        shown = draw(table, "trend", result)[0]
        assert word in shown.alt
        line = layers_of(shown)[-1 if not result["change_points"] else -2]["data"]["values"]
        rise = line[-1]["y"] - line[0]["y"]
        assert rise == pytest.approx(read["slope"] * (result["time_last"] - result["time_first"]), rel=1e-3)
    assert seen == ["seasonal_mann_kendall", "hamed_rao"]


def test_differences_between_groups_have_the_intervals_that_the_findings_give() -> None:
    table = table_of(COLUMNS)
    result, _ = strict(run_task(table, check_task({"kind": "compare_groups", "response": "y", "group": "arm"}, "t", 0)))
    forest = next(figure for figure in draw(table, "compare_groups", result) if figure.title.startswith("Differences"))
    low, high = (result["pairs"][0]["post_hoc"][name] for name in ("ci_low", "ci_high"))
    assert f"({low:.3g} to {high:.3g})" in forest.alt.replace("−", "-")
    assert forest.title.endswith("(intervals adjusted for all pairs)")
