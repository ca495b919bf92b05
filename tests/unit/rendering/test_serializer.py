from __future__ import annotations

import json
from typing import Any

from kit.results_schema import PATH, SCHEMA_VERSION
from services.results.rendering.document import ResultDocument
from services.results.rendering.serializer import export_json, results_json
from tests.unit.rendering.sample import metadata, raw_data, sample


def _reversed(value: Any) -> Any:
    """The same JSON value with the keys of every object the other way round."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def test_members_stand_where_the_api_puts_them() -> None:
    answer = json.loads(results_json(ResultDocument.parse(sample()), metadata(), "sid"))
    assert set(answer) == {
        "session_id",
        "results",
        "summary",
        "citations",
        "confidence_score",
        "execution_metadata",
    }
    source = sample()
    assert answer["session_id"] == "sid"
    assert answer["summary"] == source["summary"]
    assert answer["citations"] == source["citations"]
    assert answer["confidence_score"] == source["confidence_score"]
    assert answer["execution_metadata"] == metadata()
    beside = {"summary", "citations", "confidence_score"}
    assert answer["results"] == {key: value for key, value in source.items() if key not in beside}


def test_members_unknown_here_are_kept() -> None:
    source = sample()
    source["sections"][0]["claims"][0]["strength"] = {"n": 3}
    source["bridges"] = [{"from": "a", "to": "b"}]
    results = json.loads(results_json(ResultDocument.parse(source), None, "sid"))["results"]
    assert results["sections"][0]["claims"][0]["strength"] == {"n": 3}
    assert results["bridges"] == [{"from": "a", "to": "b"}]


def test_documented_members_are_there_when_empty() -> None:
    answer = json.loads(results_json(ResultDocument.parse({"title": "t"}), None, "sid"))
    assert answer["results"] == {
        "title": "t",
        "partial": False,
        "sections": [],
        "key_findings": [],
        "tables": [],
        "figures": [],
    }
    assert answer["summary"] == ""
    assert answer["citations"] == []
    assert answer["confidence_score"] == 0


def test_without_metadata_nothing_of_the_run_is_left() -> None:
    body = results_json(ResultDocument.parse(sample()), None, "sid")
    assert b"execution_metadata" not in body
    assert b"10:31:40" not in body


def test_bytes_do_not_depend_on_the_order_of_keys() -> None:
    one = results_json(ResultDocument.parse(sample()), metadata(), "sid")
    other = results_json(ResultDocument.parse(_reversed(sample())), _reversed(metadata()), "sid")
    assert one == other


def test_numbers_round_trip() -> None:
    source = sample() | {"analysis": [{"p": 0.1 + 0.2, "tiny": 5e-324, "n": 12}]}
    item = json.loads(results_json(ResultDocument.parse(source), None, "sid"))["results"]["analysis"][0]
    assert item == {"p": 0.1 + 0.2, "tiny": 5e-324, "n": 12}


def test_export_is_the_answer_with_version_and_raw_data() -> None:
    document = ResultDocument.parse(sample())
    plain = json.loads(results_json(document, metadata(), "sid"))
    exported = json.loads(export_json(document, metadata(), "sid", raw_data()))
    added = {"$schema": PATH, "schema_version": SCHEMA_VERSION}
    assert exported == plain | added | {"raw_data": raw_data()}
    assert (
        json.loads(export_json(document, None, "sid", schema="results.schema.json"))["$schema"] == "results.schema.json"
    )
    assert "raw_data" not in json.loads(export_json(document, metadata(), "sid"))
