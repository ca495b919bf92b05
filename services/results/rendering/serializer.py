"""The one serialiser of results as JSON: the REST answer, its gRPC twin and the JSON export all come from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from kit.results_schema import PATH, SCHEMA_VERSION
from services.results.rendering.composing.metadata import ExecutionMetadata
from services.results.rendering.document import ResultDocument
from services.results.rendering.reading import JSON

__all__ = ["SCHEMA_VERSION", "dump", "export_json", "results_json", "results_object"]

_BESIDE_RESULTS = ("summary", "citations", "confidence_score")
_BLOCKS = ("sections", "key_findings", "tables", "figures")


def results_object(document: ResultDocument, metadata: ExecutionMetadata | None, session_id: str) -> dict[str, Any]:
    """The answer as an object: every member an engine wrote, in the places the REST page gives them."""
    source = document.source
    results: dict[str, JSON] = {key: value for key, value in source.items() if key not in _BESIDE_RESULTS}
    results["title"] = document.title
    results["partial"] = document.partial
    for block in _BLOCKS:
        if results.get(block) is None:
            results[block] = []
    answer: dict[str, Any] = {
        "session_id": session_id,
        "results": results,
        "summary": document.summary,
        "citations": source.get("citations") or [],
        "confidence_score": document.confidence_score if document.confidence_score is not None else 0.0,
    }
    if metadata is not None:
        answer["execution_metadata"] = metadata
    return answer


def results_json(document: ResultDocument, metadata: ExecutionMetadata | None, session_id: str) -> bytes:
    """The JSON of `GET /sessions/{id}/results`.

    Equal content gives equal bytes: keys are sorted, numbers have their shortest form. `metadata` of None leaves
    `execution_metadata` out, and then nothing in the bytes depends on when or how the session ran.

    :raises TypeError: the document holds a value that JSON has no form for.
    """
    return dump(results_object(document, metadata, session_id))


def export_json(
    document: ResultDocument,
    metadata: ExecutionMetadata | None,
    session_id: str,
    raw_data: Mapping[str, JSON] | None = None,
    *,
    schema: str = PATH,
) -> bytes:
    """The JSON export: the answer of `results_json` with its schema and version, and `raw_data` if it is given.

    :param schema: where its JSON Schema is, relative to where the export will be.
    """
    answer = results_object(document, metadata, session_id)
    answer["$schema"] = schema
    answer["schema_version"] = SCHEMA_VERSION
    if raw_data is not None:
        answer["raw_data"] = raw_data
    return dump(answer)


def dump(value: Mapping[str, Any]) -> bytes:
    """Canonical bytes of a JSON object: sorted keys, UTF-8, no white space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
