"""From an engine's result document to what the session service keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from worker.engines.base import JSON

MOST_FINDINGS = 10


class NotAResult(Exception):
    """The last stage did not return a result document."""


def canonical(value: JSON) -> bytes:
    """JSON with sorted keys: equal values have equal bytes, and so equal hashes. Raises TypeError, ValueError."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def compact(document: JSON) -> Mapping[str, Any]:
    """Title, summary, confidence and the first findings. Raises NotAResult."""
    if not isinstance(document, dict) or not isinstance(document.get("summary"), str):
        raise NotAResult("the last stage must return an object with a summary")
    return {
        "title": str(document.get("title", "")),
        "partial": bool(document.get("partial", False)),
        "summary": document["summary"],
        "key_findings": [
            {
                "id": str(finding.get("id", "")),
                "text": str(finding.get("text", "")),
                "citations": [str(citation) for citation in finding.get("citations", [])],
                "confidence": float(finding.get("confidence", 0.0)),
            }
            for finding in document.get("key_findings", [])[:MOST_FINDINGS]
        ],
        "confidence_score": float(document.get("confidence_score", 0.0)),
    }


def cited_documents(document: Mapping[str, Any]) -> list[str]:
    """Ids of the documents that the result cites, in order, without repeats."""
    found = (citation.get("document_id") for citation in document.get("citations", []))
    return list(dict.fromkeys(str(document_id) for document_id in found if document_id))
