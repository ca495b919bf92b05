from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import Any

import pytest

from tests.support.datasets import DatasetFiles
from tests.unit.analysis.fakes import context, run_session
from worker.engines.analysis.engine import AnalysisEngine, analyse_dataset
from worker.engines.analysis.errors import AnalysisError
from worker.engines.base import EngineError

PLANTS = "height,light,water,soil\n" + "".join(
    f"{10 + 3 * (i % 12) + (i * 7 % 5) + 4 * (i % 2)},{i % 12},{5 + (i * 13 % 17) / 4},{('sand', 'clay')[i % 2]}\n"
    for i in range(48)
)
PROMPT = "Does light affect height, and does it differ by soil?"


async def plants(**preferences: Any) -> dict[str, Any]:
    return await run_session(context(("plants.csv", PLANTS), prompt=PROMPT, **preferences))


async def test_a_session_without_tasks_answers_the_prompt_first() -> None:
    document = await plants()
    assert [entry["kind"] for entry in document["analysis"]] == [
        "profile", "describe", "correlation", "regression", "compare_groups",
    ]  # fmt: skip
    assert document["analysis"][3]["request"] == {"formula": "height ~ light + soil"}
    texts = [finding["text"] for finding in document["key_findings"]]
    assert all("height" in text and ("light" in text or "soil" in text) for text in texts[:5])
    assert any(text.startswith("height and light rise together (Pearson r = 0.9") for text in texts[:5])
    assert all("95 % interval" in text or "of the variance" in text for text in texts)
    assert any("does not show a cause" in text for text in texts)
    assert document["partial"] is False
    assert 0 < document["confidence_score"] <= 1


async def test_the_document_has_its_shape_and_is_strict_json() -> None:
    document = await plants()
    json.dumps(document, allow_nan=False)
    assert set(document) >= {
        "title", "partial", "summary", "confidence_score", "sections", "key_findings", "tables", "figures", "analysis",
        "citations", "methods",
    }  # fmt: skip
    ids = {item["id"] for part in ("sections", "key_findings", "tables", "figures") for item in document[part]}
    assert len(ids) == sum(len(document[part]) for part in ("sections", "key_findings", "tables", "figures"))
    for finding in document["key_findings"]:
        assert finding["citations"] == []
        assert 0 <= finding["confidence"] <= 1
        assert finding["numbers"]
        assert {finding[key] for key in ("table", "figure") if key in finding} <= ids
    for section in document["sections"]:
        assert {"id", "heading", "body", "claims"} <= set(section)
        for claim in section["claims"]:
            assert {"id", "text", "citations", "support"} <= set(claim)
    for table in document["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert document["methods"]["seed"] == 0
    assert document["question"] == PROMPT
    assert set(document["methods"]["versions"]) == {"python", "numpy", "scipy", "formulaic"}


async def test_the_same_input_gives_the_same_bytes() -> None:
    tasks = [{"kind": "curve_fit", "response": "height", "formula": "a*light**b+c"}, {"kind": "describe"}]
    for analysis in ({}, {"tasks": tasks}):
        first, second = [json.dumps(await plants(analysis=analysis, seed=7)) for _ in range(2)]
        assert first == second


async def test_a_stage_begun_again_comes_to_the_same_output() -> None:
    ctx = context(("plants.csv", PLANTS), prompt=PROMPT)
    await run_session(ctx)
    for stage in ("load", "profile", "model", "findings", "write"):
        again = await AnalysisEngine().run_stage(stage, ctx)
        assert json.dumps(again) == json.dumps(json.loads(json.dumps(ctx.outputs[stage])))


async def test_asked_tasks_come_in_the_order_asked() -> None:
    tasks = [
        {"kind": "anova", "response": "height", "group": "soil"},
        {"kind": "describe", "columns": ["water"]},
        {"kind": "regression", "formula": "height ~ light"},
    ]
    document = await plants(analysis={"tasks": tasks})
    assert [entry["kind"] for entry in document["analysis"]] == ["anova", "describe", "regression"]
    assert all(entry["dataset"] == "plants.csv" and entry["asked"] for entry in document["analysis"])
    described = document["analysis"][1]["result"]["columns"]
    assert set(described[0]) >= {
        "name", "n", "missing", "mean", "sd", "min", "q1", "median", "q3", "max", "autocorrelation_lag1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        (
            {"tasks": [{"kind": "describe"}, {"kind": "astrology"}]},
            "preferences.analysis.tasks[1].kind: 'astrology' is not offered",
        ),
        ({"tasks": [{"kind": "corelation"}]}, "did you mean 'correlation'?"),
        ({"tasks": ["describe", "clusters"]}, "preferences.analysis.tasks[1]: 'clusters' is not offered"),
        ({"tasks": [{}]}, "preferences.analysis.tasks[0].kind: must be given"),
        ({"tasks": [["describe"]]}, "preferences.analysis.tasks[0]: must be the name of a kind or an object"),
        ({"tasks": [{"kind": "anova", "response": "height"}]}, "preferences.analysis.tasks[0].group: anova needs it"),
        ({"tasks": [{"kind": "describe", "colums": []}]}, "preferences.analysis.tasks[0].colums: unknown field"),
        (
            {"tasks": [{"kind": "describe", "columns": ["x"]}]},
            "preferences.analysis.tasks[0].columns[0]: no column 'x'",
        ),
        ({"tasks": [{"kind": "describe", "dataset": "z"}]}, "preferences.analysis.tasks[0].dataset: no dataset 'z'"),
        ({"target": "nope"}, "preferences.analysis.target: no column 'nope'"),
        ({"target": "heigth"}, "did you mean 'height'?"),
        ({"features": ["light", "q"]}, "preferences.analysis.features[1]: no column 'q'"),
        ({"group_by": "q"}, "preferences.analysis.group_by: no column 'q'"),
        ({"time": "soil"}, "preferences.analysis.time: column 'soil'"),
        ({"formula": "height ~ nothing"}, "preferences.analysis.formula: no column 'nothing'"),
        ({"colour": "red"}, "preferences.analysis.colour: unknown field"),
        ({"read": {"decimal": ";"}}, "preferences.analysis.read.decimal"),
        ({"read": {"delimiter": "::"}}, "preferences.analysis.read.delimiter"),
        ({"read": {"types": {"height": "float"}}}, "preferences.analysis.read.types"),
        ("describe", "preferences.analysis: must be an object"),
    ],
)
async def test_a_faulty_request_is_an_error_that_names_the_field(analysis: object, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        await plants(analysis=analysis)
    assert message in str(caught.value)
    assert caught.value.code == "analysis_invalid"


async def test_no_dataset_is_an_error() -> None:
    with pytest.raises(EngineError) as caught:
        await AnalysisEngine().run_stage("load", context())
    assert caught.value.code == "dataset_missing"


def test_errors_survive_the_way_from_a_child_process() -> None:
    error = pickle.loads(pickle.dumps(AnalysisError("dataset_unreadable", "why")))
    assert (type(error), error.code, str(error)) == (AnalysisError, "dataset_unreadable", "why")


async def test_usage_decisions_and_progress_are_reported() -> None:
    ctx = context(("a.csv", PLANTS), ("b.csv", "x,y\n1,2\n2,4\n3\n4,9\n"), prompt=PROMPT)
    await run_session(ctx)
    assert ctx.usage == {"row_read": 48 + 3}
    assert any("height is the response" in decision["decision"] for decision in ctx.decisions)
    left_out = next(decision for decision in ctx.decisions if "left out" in decision["decision"])
    assert left_out["excluded"][0]["line"] == 4
    assert all(0 < done <= total for done, total in ctx.steps)


async def test_what_the_data_cannot_answer_is_said() -> None:
    tasks = [{"kind": "trend", "response": "x"}, {"kind": "describe"}]
    document = await run_session(context(("t.csv", "x,y\n1,2\n2,3\n"), analysis={"tasks": tasks}))
    assert "A trend needs 4 values" in document["analysis"][0]["result"]["not_possible"]
    limits = next(section for section in document["sections"] if section["heading"] == "Limits")
    assert "The data cannot answer this (trend)" in limits["body"]


async def test_a_prompt_without_columns_is_said_to_have_no_direct_answer() -> None:
    document = await run_session(context(("plants.csv", PLANTS), prompt="What is the meaning of it all?"))
    assert "names no column of the data" in document["sections"][0]["body"]
    assert document["answer"]["status"] == "not_answerable"
    assert document["summary"].startswith("The data cannot answer this: ")
    assert document["key_findings"][0]["text"] == document["answer"]["text"]
    assert document["confidence_score"] <= 0.1
    limits = next(section for section in document["sections"] if section["heading"] == "Limits")
    assert any("exploratory" in claim["text"] for claim in limits["claims"])


async def test_writing_up_early_skips_what_is_left() -> None:
    ctx = context(("plants.csv", PLANTS), prompt=PROMPT, write_up_after=4)
    document = await run_session(ctx)
    assert document["partial"] is True
    done = [entry["kind"] for entry in document["analysis"] if "skipped" not in entry["result"]]
    assert done == ["profile", "describe"]
    assert "partial" in document["summary"]
    json.dumps(document, allow_nan=False)


async def test_two_datasets_of_one_name_stay_apart() -> None:
    tasks = [{"kind": "describe", "columns": ["v"]}, {"kind": "describe", "dataset": "d.csv (2)"}]
    document = await run_session(context(("d.csv", "x\n1\n2\n"), ("d.csv", "v\n3\n5\n"), analysis={"tasks": tasks}))
    assert [entry["dataset"] for entry in document["analysis"]] == ["d.csv (2)", "d.csv (2)"]
    assert document["analysis"][0]["result"]["columns"][0]["mean"] == 4.0


async def test_malformed_rows_are_named_in_the_document() -> None:
    document = await run_session(context(("t.csv", "x,y\n1,2\n2\n3,4\n"), prompt="x and y"))
    quality = next(section for section in document["sections"] if section["heading"] == "Data quality")
    assert "line 3: has 1 field where the header has 2 (row left out)" in quality["body"]
    told = "1 of 3 rows was left out of t.csv: line 3: has 1 field where the header has 2."
    assert told in document["summary"]


async def test_rows_left_out_and_open_quotes_are_told_in_the_summary() -> None:
    document = await run_session(context(("t.csv", 'x,y\n1,2\n2\n3,4,5\n"6,7\n'), prompt="x and y"))
    assert (
        "2 of 4 rows were left out of t.csv: line 3: has 1 field where the header has 2; line 4: has"
        in (document["summary"])
    )
    assert "In t.csv, line 5: a quote is opened and never closed" in document["summary"]


def test_the_helper_does_what_the_engine_does() -> None:
    files = DatasetFiles()
    found = analyse_dataset("plants.csv", files.put("plants", PLANTS.encode()), PROMPT, {}, seed=0)
    assert set(found) == {"tables", "figures", "analysis", "key_findings", "sections", "decisions", "left_out"}
    json.dumps(found, allow_nan=False)


async def test_the_helper_agrees_with_the_engine() -> None:
    files = DatasetFiles()
    found = analyse_dataset("plants.csv", files.put("plants", PLANTS.encode()), PROMPT, {}, seed=0)
    document = await plants()
    for part in ("tables", "figures", "analysis", "key_findings", "sections"):
        assert found[part] == document[part]


@pytest.mark.parametrize("content", ["x\n1\n", "a,b\nx,y\n", "x,y\n1,\n,2\n", "x,g\n1,a\n1,a\n1,b\n1,b\n", "x\nnan\n"])
async def test_poor_data_still_make_a_document(content: str) -> None:
    document = await run_session(context(("t.csv", content), prompt="x and y by g"))
    json.dumps(document, allow_nan=False)


def test_importing_the_engine_is_cheap() -> None:
    heavy = "{'numpy', 'scipy', 'pandas', 'formulaic', 'statsmodels'}"
    code = f"import sys; import worker.engines.analysis.engine; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
