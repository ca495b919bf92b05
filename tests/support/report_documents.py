"""Result documents for the golden reports: one of each session type, and ones that came to little or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.report_analysis import analysis
from tests.unit.rendering.sample import BOILS, KELVIN, LOWERS, metadata, sample

WARM = "Above the snow line kettles never boil below ninety degrees."
COOL = "On the highest summits water boils near seventy degrees."
METHODS: dict[str, Any] = {
    "engine": "research",
    "settings": {"depth": "standard"},
    "searches": 4,
    "documents_read": 3,
    "quotes_checked": 6,
    "quotes_failed": 0,
    "confidence": {"parts": {"probability": 0.81}},
}


def _evidence(*places: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"citation": citation, "passage": passage} for citation, passage in places]


def research() -> dict[str, Any]:
    """An answered question with a finding in its source's words, one in others, a disagreement and its screening."""
    document = sample()
    first = {"id": "f0", "text": BOILS, "quote": BOILS, "citations": ["k1"], "confidence": 0.93,
             "evidence": _evidence(("k1", 0))}  # fmt: skip
    document["key_findings"] = [first, *document["key_findings"]]
    how = "The prompt was searched from four sides. Six quotes were looked up again; all stood at their offsets."
    document["sections"] = [
        {"id": "s0", "heading": "Main findings", "body": f"{BOILS} [1]",
         "claims": [{"id": "c0", "text": BOILS, "citations": ["k1"], "evidence": _evidence(("k1", 0))}]},
        *document["sections"],
        {"id": "s9", "heading": "How this was made", "body": how, "claims": []},
    ]  # fmt: skip
    document["sections"][1]["claims"] = document["sections"][1]["claims"][1:]
    document["sections"][1]["claims"][0]["evidence"] = _evidence(("k1", 1), ("k2", 0), ("k3", 0), ("k1", 2))
    passage = {"start": 0, "end": 1, "page": 17, "document_id": "d"}
    return document | {
        "question": "How does pressure change the boiling point of water?",
        "answered": True,
        "facets": [
            {"label": "pressure", "status": "answered"},
            {"label": "boiling point", "status": "single_source"},
            {"label": "salt", "status": "open"},
        ],
        "gaps": [{"text": "No source found mentions “salt lakes”."}],
        "agreements": [
            {"text": LOWERS, "passages": [
                passage | {"citation": "k1", "quote": LOWERS, "page": 3}, passage | {"citation": "k2", "quote": KELVIN},
            ]},
        ],
        "contradictions": [
            {"about": "each other", "claims": [], "passages": [
                passage | {"citation": "k2", "quote": WARM}, passage | {"citation": "k3", "quote": COOL, "page": 2},
            ]},
        ],
        "sources": [
            {"document_id": "d-vapour", "title": "Vapour pressure and boiling", "role": "key",
             "gist": {"text": BOILS, "page": 3}},
            {"document_id": "d-forbes", "title": "Notes on the hypsometer & its errors", "role": "nearest"},
        ],
        "screening": {
            "identified": 15, "identified_by": {"given": 3, "library": 12}, "duplicates_removed": 1, "not_listed": 0,
            "screened": 14, "excluded_at_screening": 10, "sought": 4, "not_retrieved": 1, "assessed": 3,
            "excluded_after_reading": 0, "included": 3,
            "reasons": [
                {"stage": "screening", "reason": "too little of what was asked", "documents": 10},
                {"stage": "retrieval", "reason": "no text could be read", "documents": 1},
            ],
            "excluded": [{"document_id": "d-07", "title": "Freezing of sea water", "stage": "screening",
                          "reason": "too little of what was asked: only “water”"}],
        },
        "methods": METHODS,
    }  # fmt: skip


def partial() -> dict[str, Any]:
    """A session whose time ran out: one claim of a source, no figure, and the notice."""
    document = sample()
    return {
        "title": "Pressure and the boiling point of water",
        "partial": True,
        "answered": True,
        "summary": f"{KELVIN} [1]",
        "confidence_score": 0.31,
        "key_findings": [],
        "sections": [
            {"id": "s1", "heading": "What was found until then", "body": f"{KELVIN} [1]",
             "claims": [{"id": "c1", "text": KELVIN, "citations": ["k2"]}]},
            {"id": "s2", "heading": "Limits", "body": "Time was nearly spent.\n\nOne source was read.", "claims": []},
        ],
        "citations": [item for item in document["citations"] if item["id"] == "k2"],
    }  # fmt: skip


def not_found() -> dict[str, Any]:
    """A question that no source answers."""
    return {
        "title": "What do the moons of Mars weigh?",
        "question": "What do the moons of Mars weigh?",
        "partial": False,
        "answered": False,
        "summary": "Not found in these sources.",
        "confidence_score": 0.0,
        "key_findings": [],
        "sections": [{"id": "s", "heading": "How this was made", "body": "No document matched.", "claims": []}],
        "facets": [{"label": "moons of Mars", "status": "open"}],
        "gaps": [{"text": "No source found mentions “Mars”."}],
        "screening": {"identified": 0, "duplicates_removed": 0, "screened": 0, "excluded_at_screening": 0,
                      "sought": 0, "included": 0},
        "methods": METHODS | {"documents_read": 0, "quotes_checked": 0},
        "citations": [],
    }  # fmt: skip


def empty() -> dict[str, Any]:
    """Nothing but a title."""
    return {"title": "Nothing"}


def synthesis() -> dict[str, Any]:
    """Two sessions brought together: what both state, a contradiction, a connection, and a statement from data."""
    document = sample()
    passage = {"quote": LOWERS, "page": 3, "start": 91, "end": 178}
    origin = {"session_id": "one", "text": LOWERS, "citation": "k1", "passage": passage}
    computed = "Pressure falls by 11.4 kPa for each kilometre (95 % interval 10.9 to 11.9)."
    sides = [
        {"text": WARM, "citations": ["k2"], "provenance": [origin | {"citation": "k2", "passage": None}]},
        {"text": COOL, "citations": ["k1"], "provenance": [origin]},
    ]
    return {
        "title": "What is known of boiling at altitude?",
        "question": "What do these sessions say of boiling at altitude?",
        "partial": False,
        "summary": f"{LOWERS} [1] This brings together two sessions.",
        "confidence_score": 0.74,
        "key_findings": [
            {"id": "finding-a", "text": LOWERS, "quote": LOWERS, "citations": ["k1"], "confidence": 0.8,
             "evidence": _evidence(("k1", 1))},
            {"id": "finding-b", "text": computed, "citations": [], "confidence": 0.9, "table": "t1", "figure": "g1"},
        ],
        "sections": [
            {"id": "s1", "heading": "What several sessions state", "body": f"{LOWERS} [1]",
             "claims": [{"id": "merged-a", "text": LOWERS, "citations": ["k1"], "evidence": _evidence(("k1", 1))}]},
            {"id": "s2", "heading": "From “Summits”", "body": f"Its confidence is 0.66.\n\n{KELVIN} [2]",
             "claims": [{"id": "merged-b", "text": KELVIN, "citations": ["k2"], "evidence": _evidence(("k2", 0))}]},
            {"id": "s3", "heading": "How this was made", "body": "Findings were compared by words.", "claims": []},
            {"id": "s4", "heading": "Limits", "body": "The same in other words stays apart.\n\nData show no causes.",
             "claims": []},
        ],
        "tables": document["tables"][:1],
        "figures": document["figures"],
        "conflicts": [{"id": "x", "sides": sides}],
        "bridges": [{"title": "“altitude” links both", "kind": "implicit", "path": [origin, {"text": KELVIN}]}],
        "themes": [{"label": "Altitude", "claims": ["merged-a", "merged-b"]}],
        "methods": METHODS | {"engine": "synthesis", "sessions": [{}, {}], "confidence": {"parts": {}}},
        "citations": document["citations"][:2],
    }  # fmt: skip


def facts(kind: str) -> dict[str, Any]:
    """Execution metadata of a session of that type, without the prompt: the documents have their question."""
    return {key: value for key, value in metadata().items() if key != "prompt"} | {
        "session_type": kind,
        "engine": kind,
        "cost": {"held": "2.00", "charged": "1.284", "released": "0.716", "currency": "FTNS"},
        "resource_usage": {"worker_seconds": 92.5, "documents_read": 3, "bytes_stored": 48211},
    }


DOCUMENTS: dict[str, tuple[str, Callable[[], dict[str, Any]], str, str]] = {
    "research": ("research", research, "apa", "en"),
    "research-nature-german": ("research", research, "nature", "de"),
    "analysis": ("analysis", analysis, "apa", "en"),
    "synthesis": ("synthesis", synthesis, "ieee", "en"),
    "partial": ("research", partial, "vancouver", "fr"),
    "not-found": ("research", not_found, "apa", "es"),
    "empty": ("research", empty, "apa", "en"),
}
"""Session type, document, citation style and language of each golden report."""
