"""From an engine's result document to what the session service keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from worker.engines.base import JSON

MOST_FINDINGS = 10
MOST_CHARACTERS = 20_000
"""Of a text in the compact form, which stands in the session's row and in every answer about it; all of it is in the
results."""
_MOST_CITATIONS = 100


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
        "title": _short(str(document.get("title", ""))),
        "partial": bool(document.get("partial", False)),
        "summary": _short(document["summary"]),
        "key_findings": [
            {
                "id": str(finding.get("id", "")),
                "text": _short(str(finding.get("text", ""))),
                "citations": [str(citation) for citation in finding.get("citations", [])[:_MOST_CITATIONS]],
                "confidence": float(finding.get("confidence", 0.0)),
            }
            for finding in document.get("key_findings", [])[:MOST_FINDINGS]
        ],
        "confidence_score": float(document.get("confidence_score", 0.0)),
    }


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def cited_documents(document: Mapping[str, Any]) -> list[str]:
    """Ids of the documents that the result cites, in order, without repeats."""
    found = (citation.get("document_id") for citation in document.get("citations", []))
    return list(dict.fromkeys(str(document_id) for document_id in found if document_id))
