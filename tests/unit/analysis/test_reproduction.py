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
    left_out = [line for line in run.stdout.splitlines() if "not repeated" in line]
    assert not left_out


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
