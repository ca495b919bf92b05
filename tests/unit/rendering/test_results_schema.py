"""The published schema: what the engines write and the exporter exports is valid by it, what is broken is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from kit.results_schema import PATH, SCHEMA_VERSION, schema, written
from services.results.rendering.document import ResultDocument
from services.results.rendering.serializer import export_json, results_json
from tests.unit.analysis.fakes import context, run_session
from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.sample import library
from tests.unit.rendering.sample import metadata, raw_data, sample
from tools.results_schema import main, problems
from worker.engines.base import Job
from worker.engines.research.engine import ResearchEngine
from worker.engines.synthesis.engine import SynthesisEngine

ROOT = Path(__file__).parents[3]
PROMPT = "How does spaced practice affect long-term retention?"
POINTS = "dose,growth,soil,region\n" + "".join(
    f"{i},{2 * i + (i * 7 % 5) / 3:.3f},{('sand', 'clay')[i % 2]},{('north', 'south')[i % 3 % 2]}\n"
    for i in range(1, 31)
)
TASKS: list[Any] = [
    "profile", "describe", "correlation", "hypotheses", {"kind": "regression", "formula": "growth ~ dose"},
    {"kind": "anova", "response": "growth", "group": "soil"},
    {"kind": "compare_groups", "response": "growth", "group": "soil"},
    {"kind": "curve_fit", "response": "growth", "formula": "a*dose + b"},
    {"kind": "one_sample", "column": "growth", "value": 1}, {"kind": "trend", "time": "dose", "response": "growth"},
    {"kind": "aggregate", "statistic": "mean", "column": "growth", "by": "soil"}, "outliers", "pca", "anomalies",
    {"kind": "contingency", "row": "soil", "column": "region"}, {"kind": "compare_models", "response": "growth"},
]  # fmt: skip


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema(), validate_formats=True)


def faults(export: Any) -> list[str]:
    found = validator().iter_errors(export)
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in found]


def exported(source: dict[str, Any], raw: dict[str, Any] | None = None) -> Any:
    document = ResultDocument.parse(json.loads(json.dumps(source)))
    return json.loads(export_json(document, metadata(), "sid", raw))


async def researched(**datasets: str) -> dict[str, Any]:
    sources = library()
    sources.datasets = {name: (f"{name}.csv", text.encode()) for name, text in datasets.items()}
    job = Job("s", "research", PROMPT, datasets=tuple(datasets))
    return await run_engine(ResearchEngine(), Context(job, sources), doubles=True)


async def analysed(prompt: str, **preferences: Any) -> dict[str, Any]:
    return await run_session(context(("points.csv", POINTS), prompt=prompt, **preferences))


async def test_results_of_every_engine_are_valid() -> None:
    first = await researched()
    second = await researched(points=POINTS)
    data = await analysed("Test everything.", analysis={"tasks": TASKS})
    assert [entry["kind"] for entry in data["analysis"]] == [
        task if isinstance(task, str) else task["kind"] for task in TASKS
    ]
    unanswered = await analysed("How many whales are there?")
    found = {"s1": {**first, "prompt": "a"}, "s2": {**second, "prompt": "b"}, "s3": {**data, "prompt": "c"}}
    job = Job("y", "synthesis", "What do these say?", sessions=tuple(found))
    merged = await run_engine(SynthesisEngine(), Context(job, Library(results=found)))
    again = {"s4": {**merged, "prompt": "d"}, "s1": found["s1"]}
    job = Job("z", "synthesis", "And these?", sessions=tuple(again))
    nested = await run_engine(SynthesisEngine(), Context(job, Library(results=again)))
    assert first["agreements"]
    assert second["analysis"]
    assert merged["bridges"]
    for source in (first, second, data, unanswered, merged, nested):
        assert faults(exported(source)) == []


def test_the_sample_is_valid_with_and_without_what_is_optional() -> None:
    document = ResultDocument.parse(sample())
    assert faults(exported(sample(), raw_data())) == []
    assert faults(json.loads(results_json(document, None, "sid"))) == []
    assert faults(json.loads(results_json(ResultDocument.parse({"title": "t"}), None, "sid"))) == []


def test_an_export_names_its_schema() -> None:
    export = exported(sample())
    assert export["$schema"] == PATH == "/api/v1/schemas/results-1.json"
    assert export["schema_version"] == SCHEMA_VERSION == "1.1"


def _at(path: str, value: Any) -> Callable[[Any], None]:
    """Sets what stands at a path, or takes it away."""

    def change(export: Any) -> None:
        *parents, last = (int(step) if step.isdigit() else step for step in path.split("/"))
        for step in parents:
            export = export[step]
        if value is ...:
            del export[last]
        else:
            export[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _at("session_id", ...),
        _at("results", []),
        _at("results/title", None),
        _at("results/partial", "no"),
        _at("results/sections/0/id", ...),
        _at("results/sections/0/claims/0/text", 1),
        _at("results/sections/0/claims/0/citations", "k1"),
        _at("results/sections/0/claims/0/evidence", [{"citation": "k1", "passage": -1}]),
        _at("results/key_findings/0/confidence", "high"),
        _at("results/tables/0/rows/0/0", {"v": 1}),
        _at("results/figures/0/spec", "chart"),
        _at("results/screening/included", -1),
        _at("results/screening/excluded/0/reason", ...),
        _at("results/methods", "by hand"),
        _at("results/analysis", [{"kind": "regression", "result": {"terms": [{"name": "x", "estimate": "2"}]}}]),
        _at("results/analysis", [{"dataset": "d"}]),
        _at("results/bridges", [{"id": "b"}]),
        _at("results/reproduction", {"script": {"filename": "a.py"}}),
        _at("citations/0/passages/0/quote", ...),
        _at("citations/0/passages/0/start", 1.5),
        _at("citations/0/csl/author", ["Ash"]),
        _at("confidence_score", "0.8"),
        _at("execution_metadata/created_at", 5),
        _at("schema_version", "2.0"),
        _at("raw_data/passages", ...),
        _at("raw_data/decisions/0/reason", ...),
        _at("raw_data/usage/0/unit_price", 0.02),
    ],
)
def test_a_broken_export_is_not_valid(change: Callable[[Any], None]) -> None:
    export = exported(sample(), raw_data())
    change(export)
    assert faults(export)


def test_engines_may_add_members_everywhere() -> None:
    def objects(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            yield value
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from objects(item)

    export = exported(sample(), raw_data())
    for number, found in enumerate(list(objects(export))):
        found[f"added-{number}"] = {"more": [number]}
    for named in (export["execution_metadata"]["cost"], export["results"]["screening"]):
        named["a-new-one"] = "of another engine"
    assert faults(export) == []


def test_every_member_is_described() -> None:
    def members(value: Any, path: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            for name, member in (value.get("properties") or {}).items():
                yield f"{path}/{name}", member
            for name, item in value.items():
                if name not in ("if", "then", "const"):
                    yield from members(item, f"{path}/{name}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from members(item, f"{path}/{index}")

    whole = schema()
    found = dict(members(whole, ""))
    assert len(found) > 250
    assert [path for path, member in found.items() if not member.get("description")] == []
    assert [name for name, made in whole["$defs"].items() if not made.get("description")] == []
    jsonschema_rs.meta.validate(whole)


def test_the_file_in_the_documentation_is_the_schema_that_is_served(tmp_path: Path) -> None:
    assert (ROOT / "docs" / "api" / "results.schema.json").read_bytes() == written()
    export = tmp_path / "results.json"
    export.write_text(json.dumps(exported(sample())))
    assert problems([export]) == []
    export.write_text("{}")
    assert problems([export])[0].startswith(f"{export}: $: 'session_id' is a required property")


def test_without_the_validator_the_check_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    monkeypatch.setattr(sys, "argv", ["results_schema", "check", "export.json"])
    assert main() == 2
    assert capsys.readouterr().err == "check needs the package jsonschema, which `make dev` installs\n"
