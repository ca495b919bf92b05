"""The steps are all there, and the script comes to the platform's numbers without the platform."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.golden_figures import noise
from tests.unit.analysis.fakes import context, run_session
from worker.engines.analysis.options import ReadOptions
from worker.engines.analysis.reading.reader import read_table
from worker.engines.analysis.reproduction import plain
from worker.engines.analysis.reproduction.code import literal
from worker.engines.analysis.reproduction.recipe import recipe_of

_ROWS = 84
TASKS: list[dict[str, Any]] = [
    {"kind": "profile"},
    {"kind": "describe"},
    {"kind": "correlation"},
    {"kind": "regression", "formula": "yield ~ rain"},
    {"kind": "regression", "formula": "yield ~ rain * soil + I(rain**2) + log(depth)"},
    {"kind": "regression", "formula": "seeds ~ rain", "family": "poisson"},
    {"kind": "regression", "formula": "farm ~ rain", "family": "binomial"},
    {"kind": "anova", "response": "yield", "group": "soil"},
    {"kind": "compare_groups", "response": "yield", "group": "soil"},
    {"kind": "compare_groups", "response": "rain", "group": "farm"},
    {"kind": "contingency", "row": "soil", "column": "farm"},
    {"kind": "trend", "response": "yield", "time": "day"},
    {"kind": "trend", "response": "rain"},
    {"kind": "curve_fit", "response": "yield", "formula": "a * rain**c", "start": {"a": 1, "c": 0.8}},
    {"kind": "hypotheses"},
    {"kind": "pca"},
    {"kind": "outliers"},
    {"kind": "distribution", "columns": ["rain"]},
    {"kind": "aggregate", "statistic": "mean", "column": "yield", "by": "soil", "extreme": "max"},
    {
        "kind": "aggregate",
        "statistic": "share",
        "column": "farm",
        "level": "Nord",
        "by": "soil",
        "where": [{"column": "rain", "sign": ">", "value": 20}],
    },
    {"kind": "aggregate", "statistic": "share", "where": [{"column": "soil", "level": "clay"}]},
    {"kind": "aggregate", "statistic": "count", "where": [{"column": "soil", "level": "clay"}]},
    {"kind": "aggregate", "statistic": "median", "column": "rain", "by": "farm"},
    {"kind": "aggregate", "statistic": "missing", "column": "rain", "by": "farm"},
    {"kind": "one_sample", "column": "rain", "value": 20},
    {"kind": "cluster", "columns": ["rain", "depth"], "k": 3},
    {"kind": "cluster", "columns": ["rain", "depth"], "k": 3, "method": "hierarchical", "standardise": False},
    {"kind": "compare_models", "response": "yield", "features": ["rain", "depth"], "folds": 5},
]
_NOT_REPEATED = [
    "the pairs by Games and Howell or by Dunn",
    "which seasons and changes there are",
    "which seasons and changes there are",
    "the number of clusters and how stable they are",
    "the number of clusters and how stable they are",
    "robust, log response",
]


def semicolons() -> str:
    """A file of another country: decimal commas, day before month, words for missing, a title, a broken row."""
    a, b, c = (noise(_ROWS, seed) for seed in (41, 42, 43))
    lines = ["rain;yield;depth;seeds;soil;farm;day"]
    for i in range(_ROWS):
        rain = round(20 + 4 * a[i], 2)
        harvest = "k.A." if i % 19 == 4 else f"{2 + 0.5 * rain + b[i]:.3f}".replace(".", ",")
        soil = ("sand", "clay", "loam")[(i * i) % 7 % 3]
        farm = ("Nord", "Süd")[(i * 5 + i // 7) % 2]
        row = [
            str(rain).replace(".", ","),
            harvest,
            f"{3 + abs(c[i]):.2f}".replace(".", ","),
            str(int(4 + abs(2 * c[i]))),
        ]
        lines.append(";".join([*row, soil, farm, f"{1 + i % 28:02d}.{1 + i // 28:02d}.2023"]))
    lines.insert(30, "1;2;3")
    return "\n".join(lines) + "\n"


async def analysed() -> dict[str, Any]:
    return await run_session(context(("farms.csv", semicolons()), prompt="Repeat", analysis={"tasks": TASKS}, seed=7))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncio.run(analysed())


def repeated(text: str, content: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int | str:
    """Run a script here on a file with that content; gives what it exits with."""
    script, data = folder / "analysis.py", folder / "data.csv"
    script.write_text(text, encoding="utf-8")
    data.write_text(content, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(script), str(data)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code is not None
    return end.value.code


def test_the_script_comes_to_the_same_numbers(document: dict[str, Any], tmp_path: Path) -> None:
    """In a process of its own, away from the repository."""
    text = document["reproduction"]["script"]["text"]
    assert "worker." not in text
    script, data = tmp_path / document["reproduction"]["script"]["filename"], tmp_path / "farms.csv"
    script.write_text(text, encoding="utf-8")
    data.write_text(semicolons(), encoding="utf-8")
    run = subprocess.run([sys.executable, script, data], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert " 0 differ" in run.stdout
    assert int(run.stdout.rpartition("\n\n")[2].split()[0]) > 200
    left_out = [line.strip() for line in run.stdout.splitlines() if "not repeated" in line]
    assert [sorted(line.removeprefix("not repeated: ").partition(" (")[0].split(", ")) for line in left_out] == [
        sorted(what.split(", ")) for what in _NOT_REPEATED
    ]


async def _script_of(name: str, content: str, *tasks: dict[str, Any]) -> str:
    done = await run_session(context((name, content), prompt="Repeat", analysis={"tasks": list(tasks)}, seed=3))
    text: str = done["reproduction"]["script"]["text"]
    return text


def _pots() -> str:
    """Three levels that differ, a skewed number, a short scale and a month of which some return."""
    a, b, c = noise(36, 44), noise(36, 45), noise(36, 47)
    lines = ["place,size,other,marks,month,sown,left"]
    for i in range(36):
        size = 10 + a[i] + 1.5 * (i % 3)
        lines.append(
            f"{('Süd', 'Nord', 'West')[i % 3]},{size:.2f},{size + b[i] ** 3:.2f},{i * i % 4},{i % 6},"
            f"20{18 + i // 12}-{1 + i % 12:02d}-01,{c[i]:.3f}"
        )
    return "\n".join(lines) + "\n"


_GROUPED = {"response": "size", "group": "place", "level": "Süd", "than": "Nord"}
HYPOTHESES: list[dict[str, Any]] = [
    {"kind": "difference", **_GROUPED},
    {"kind": "difference", **_GROUPED, "direction": "greater"},
    {"kind": "difference", "response": "size", "group": "place", "level": "West", "direction": "less"},
    {"kind": "difference", "response": "other", "group": "place"},
    {"kind": "difference", "response": "size", "group": "marks", "level": "1", "than": "0"},
    {"kind": "correlation", "x": "size", "y": "other", "direction": "less"},
    {"kind": "correlation", "x": "marks", "y": "month"},
    {"kind": "mean", "column": "size", "value": 10, "direction": "greater"},
    {"kind": "proportion", "column": "place", "level": "Süd", "value": 0.4, "direction": "less"},
    {"kind": "proportion", "column": "marks", "level": "1", "value": 0.4},
    {"kind": "paired", "first": "size", "second": "other", "direction": "less"},
    {"kind": "equivalence", **_GROUPED, "margin": 3},
    {"kind": "equivalence", "first": "size", "second": "other", "margin": 0.5},
    {"kind": "equivalence", "column": "size", "value": 11, "margin": 2},
    {"kind": "regression", "response": "other", "predictor": "size", "covariates": ["place"], "direction": "greater"},
    {"kind": "trend", "response": "left", "time": "sown", "direction": "less"},
    {"kind": "association", "row": "place", "column": "month"},
    {"statement": "size is higher where place is West than where it is Nord"},
]


@pytest.mark.parametrize("adjustment", ["holm", "bh", "none"])
async def test_every_hypothesis_is_tested_as_it_was_asked(
    adjustment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The association expects less than five in a cell, so its p is sampled and every adjusted one without ground."""
    asked = {"kind": "hypotheses", "adjustment": adjustment}
    text = await _script_of(
        "pots.csv", _pots(), *({**asked, "hypotheses": some} for some in (HYPOTHESES[:-2], HYPOTHESES))
    )
    assert repeated(text, _pots(), tmp_path, monkeypatch) == 0
    printed = capsys.readouterr().out
    assert [line.split(": ")[1].partition(" (")[0] for line in printed.splitlines() if "not repeated" in line] == [
        "place and month are associated",
        "adjusted p-values",
    ]
    assert printed.count(": adjusted p:") == len(HYPOTHESES) - 2
    assert printed.count(": p:") == 2 * len(HYPOTHESES) - 3


async def test_pairs_of_values_are_compared_within_their_subjects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = noise(30, 46)
    lines = [
        f"{i},{when},{v + (when == 'b'):.1f}"
        for i in range(10)
        for when, v in zip("abc", values[3 * i :], strict=False)
    ]
    content = "\n".join(["who,when,y", *lines[:-1]]) + "\n"
    task = {"kind": "compare_groups", "response": "y", "group": "when", "pair": "who"}
    assert repeated(await _script_of("pairs.csv", content, task), content, tmp_path, monkeypatch) == 0
    assert "a and b: Wilcoxon p" in capsys.readouterr().out


async def test_means_and_differences_of_decimals_have_the_same_ties_in_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moves = [1, -2, 1, 3, -1, 2, 1, 1, -3, 2, 1, 30] * 2
    lines = [
        f"{i // 6},{'abc'[i % 3]},{(i * i + i // 5) % 7 / 10},{5 * i % 9 / 10},{(5 * i % 9 + move) / 10}"
        for i, move in enumerate(moves)
    ]
    content = "\n".join(["who,when,y,first,second", *lines]) + "\n"
    tasks: list[dict[str, Any]] = [
        {"kind": "compare_groups", "response": "y", "group": "when", "pair": "who"},
        {"kind": "hypotheses", "hypotheses": [{"kind": "paired", "first": "first", "second": "second"}]},
    ]
    script = await _script_of("ties.csv", content, *tasks)
    assert "rounding(a) + rounding(b)" in script
    assert repeated(script, content, tmp_path, monkeypatch) == 0
    printed = capsys.readouterr().out
    assert "Friedman p" in printed
    assert "b and c: Wilcoxon p" in printed


async def test_conditions_on_numbers_and_dates_are_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wheres: list[list[dict[str, Any]]] = [
        [{"column": "marks", "sign": "=", "value": 1}, {"column": "marks", "sign": "=", "value": 0}],
        [{"column": "sown", "sign": "=", "value": "2019"}, {"column": "place", "level": "Nord"}],
        [{"column": "sown", "sign": "<=", "value": "2019-05"}, {"column": "size", "sign": ">", "value": 9}],
    ]
    tasks = [{"kind": "aggregate", "statistic": "mean", "column": "size", "where": where} for where in wheres]
    assert repeated(await _script_of("pots.csv", _pots(), *tasks), _pots(), tmp_path, monkeypatch) == 0
    assert "not repeated" not in capsys.readouterr().out


async def test_lines_that_were_left_out_are_left_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [json.dumps({"a": i, "b": {"c": i * i % 7}}) for i in range(20)]
    content = "\n".join([*rows[:5], '{"a": 1, "b"', *rows[5:], "7"]) + "\n"
    text = await _script_of("rows.jsonl", content, {"kind": "describe"})
    assert "reading of this file" not in text.rpartition("section(")[0].rpartition("Reading ")[2]
    assert repeated(text, content, tmp_path, monkeypatch) == 0


async def test_a_script_that_compares_nothing_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.dumps({"a": list(range(12)), "b": [i * i % 5 for i in range(12)]})
    assert (
        repeated(await _script_of("columns.json", content, {"kind": "describe"}), content, tmp_path, monkeypatch) == 2
    )
    assert capsys.readouterr().out.splitlines()[-1].startswith("Nothing could be compared")


@pytest.mark.parametrize(
    ("here", "there", "scale", "printed", "same"),
    [
        (5.57746705510319e-23, 5.57746705510324e-23, 0.0, "8.9e-15", True),
        (1e-20, 2e-20, 0.0, "5.0e-01", False),
        (1e-20, 2e-20, 1.0, "5.0e-01", True),
        (3.0, 3.1, 1.0, "3.2e-02", False),
        (0.0, 0.0, 0.0, "0.0e+00", True),
    ],
)
def test_a_difference_is_relative_to_the_larger_number(
    here: float, there: float, scale: float, printed: str, same: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    plain.check("x", here, there, scale=scale)
    line = capsys.readouterr().out
    assert f"relative difference {printed}" in line
    assert ("DIFFERS" not in line) is same
    assert ("zero within rounding" in line) is (scale == 1.0 and here == 1e-20)
    plain.RESULTS.clear()


def test_other_data_are_not_taken_for_the_same(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = semicolons().replace("2,", "3,", 1)
    end = repeated(document["reproduction"]["script"]["text"], changed, tmp_path, monkeypatch)
    assert "is not the file that was analysed" in str(end)


def test_a_number_that_is_not_the_platforms_is_found(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mean = next(c["mean"] for c in document["analysis"][1]["result"]["columns"] if c["name"] == "rain")
    wrong = document["reproduction"]["script"]["text"].replace(repr(mean), repr(mean * 1.001))
    assert repeated(wrong, semicolons(), tmp_path, monkeypatch) == 1
    assert "<-- DIFFERS" in capsys.readouterr().out


def test_the_steps_say_what_went_in_and_came_out(document: dict[str, Any]) -> None:
    reproduction = document["reproduction"]
    steps = reproduction["steps"]
    assert [step["n"] for step in steps] == list(range(1, len(TASKS) + 2))
    assert steps[0]["what"] == "read"
    assert (steps[0]["rows_in"], steps[0]["rows_out"]) == (_ROWS + 1, _ROWS)
    assert steps[0]["parameters"]["decisions"]
    assert [step["what"].split()[0] for step in steps[1:]] == [task["kind"] for task in TASKS]
    assert steps[4]["parameters"] == {"formula": "yield ~ rain"}
    assert steps[4]["rows_out"] == document["analysis"][3]["result"]["n"]
    assert reproduction["seed"] == 7
    assert reproduction["versions"] == document["methods"]["versions"]
    sha256 = hashlib.sha256(semicolons().encode()).hexdigest()
    assert reproduction["data"] == [{"name": "farms.csv", "sha256": sha256, "rows": _ROWS, "columns": 7}]


def test_another_process_comes_to_the_same_bytes(document: dict[str, Any]) -> None:
    """Whatever the order of sets, and however many threads the linear algebra has."""
    code = (
        "import asyncio, hashlib, json\n"
        "from tests.unit.analysis.test_reproduction import analysed\n"
        "document = asyncio.run(analysed())\n"
        "print(hashlib.sha256(json.dumps(document, allow_nan=False).encode()).hexdigest())\n"
    )
    threads = "1" if os.environ.get("OPENBLAS_NUM_THREADS") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": "2024", "OPENBLAS_NUM_THREADS": threads}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    here = hashlib.sha256(json.dumps(document, allow_nan=False).encode()).hexdigest()
    assert other.stdout.strip() == here


@pytest.mark.parametrize(
    ("data", "reader"),
    [
        (b"a,b\n1,x\n2,y\n", "delimited_rows"),
        ("größe\tort\n1.234,5\tKöln\n2.000,25\tKiel\n".encode("cp1252"), "delimited_rows"),
        (b'[{"a": 1.5, "b": "x"}, {"a": null, "b": "y"}]', "json_rows"),
        (b'{"a": 1.5, "b": "x"}\n{"a": 2, "b": "y"}\n', "json_rows"),
    ],
)
def test_a_recipe_is_found_for_every_column(data: bytes, reader: str) -> None:
    recipe = recipe_of(data, read_table("data", data), ReadOptions())
    assert recipe["reader"] == reader
    assert all(column["converter"] is not None for column in recipe["columns"])
    json.dumps(recipe, allow_nan=False)


def test_a_file_that_nothing_plain_reads_has_no_recipe() -> None:
    data = b"a,b\n1,x\n2,y\n"
    other = read_table("data", b"a,b\n5,u\n6,v\n7,w\n")
    recipe = recipe_of(data, other, ReadOptions())
    assert recipe["reader"] is None
    assert {column["converter"] for column in recipe["columns"]} == {None}


@pytest.mark.parametrize("text", ['"); import os #', "'''", "\\", "new\nline", "\u2028", "\u202e", "{x!r}", "ä"])
def test_names_of_the_data_are_only_ever_text_in_the_script(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert len(literal(text).splitlines()) == 1


def test_a_script_with_hostile_names_is_still_the_same_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quoted = '"' + 'x"); raise SystemExit(99) #'.replace('"', '""') + '"'
    content = f"{quoted},y\n" + "".join(f"{i % 7},{i}\n" for i in range(20))
    asked = context(("a\nb'''.csv", content), prompt="Describe", analysis={"tasks": [{"kind": "describe"}]})
    document = asyncio.run(run_session(asked))
    assert repeated(document["reproduction"]["script"]["text"], content, tmp_path, monkeypatch) == 0
    assert " 0 differ" in capsys.readouterr().out


def test_bytes_that_a_parser_chokes_on_cost_no_more_than_the_recipe() -> None:
    read = read_table("data", b"a,b\n1,x\n2,y\n")
    for data in (b"PAR1 but no more", b"PK\x03\x04 nor a workbook", b"[[[[", b"\xff\xfe\x00"):
        recipe = recipe_of(data, read, ReadOptions())
        assert recipe["reader"] is None
        assert recipe["reason"]
