"""The engine: terms that a text defines, each with the sentence that defines it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

_NAME = r"[A-Za-z][\w-]*(?: [\w-]+){0,3}"
_LONG_AND_SHORT = re.compile(rf"({_NAME}(?: [\w-]+){{0,2}}) \(([A-Z][A-Za-z]*[A-Z]\w{{0,4}}s?)\)")
_IS_A = re.compile(rf"(?:^|(?<=[.!?] )|(?<=\n))(?:An? |The )?({_NAME}) (?:is|are) (?:an?|the) [^.!?\n]{{10,300}}[.!?]")
_VAGUE = frozenset({"it", "this", "that", "there", "these", "those", "he", "she", "we", "they", "one", "here", "which"})


def definitions_of(text: str) -> list[dict[str, Any]]:
    """Terms with the quote that defines them: `text[start:end]`, in code points. In order of place."""
    found = []
    for match in _LONG_AND_SHORT.finditer(text):
        words, short = match.group(1).split(), match.group(2)
        letters = [letter.lower() for letter in short.rstrip("s") if letter.isalpha()]
        meant = words[-len(letters) :]
        # "sea surface temperature (SST)": each letter begins a word.
        if [word[0].lower() for word in meant] == letters:
            start = match.end(1) - len(" ".join(meant))
            found.append(_definition(short, text, start, match.end()))
    for match in _IS_A.finditer(text):
        term = match.group(1)
        if term.split()[0].lower() not in _VAGUE:
            found.append(_definition(term, text, match.start(), match.end()))
    return sorted(found, key=lambda item: (item["start"], item["end"]))


def _definition(term: str, text: str, start: int, end: int) -> dict[str, Any]:
    return {"term": term, "start": start, "end": end, "quote": text[start:end]}


def document_of(prompt: str, read: list[dict[str, Any]], *, partial: bool) -> dict[str, Any]:
    """The result document of what was read: a function of its arguments alone."""
    by_term: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for entry in read:
        for found in entry["definitions"]:
            by_term.setdefault(found["term"].lower(), []).append((entry, found))
    claims: list[dict[str, Any]] = [
        {
            "id": _id("claim", term),
            "text": " ".join(places[0][1]["quote"].split()),
            "citations": list(dict.fromkeys(_id("citation", entry["document_id"]) for entry, _ in places)),
            "support": "supported",
            "confidence": round(1 - 0.5 ** (1 + len({entry["document_id"] for entry, _ in places})), 4),
        }
        for term, places in sorted(by_term.items())
    ]
    best = sorted(claims, key=lambda claim: (-claim["confidence"], claim["id"]))[:10]
    return {
        "title": "Glossary",
        "question": prompt,
        "partial": partial,
        "answered": bool(claims),
        "summary": f"{len(claims)} terms are defined in {len(read)} documents.",
        "confidence_score": round(sum(c["confidence"] for c in best) / len(best), 4) if best else 0.0,
        "key_findings": [dict(claim, id=_id("finding", claim["id"])) for claim in best],
        "sections": [
            {"id": _id("section", "terms"), "heading": "Terms", "body": "\n\n".join(_cited(claims)), "claims": claims}
        ],
        "tables": [],
        "figures": [],
        "citations": [_citation(entry) for entry in read if entry["definitions"]],
        "methods": {"engine": "glossary", "documents": len(read)},
    }


def _cited(claims: list[dict[str, Any]]) -> list[str]:
    return [claim["text"] for claim in claims]


def _citation(entry: dict[str, Any]) -> dict[str, Any]:
    identifier = _id("citation", entry["document_id"])
    passages = [
        {"quote": d["quote"], "page": None, "start": d["start"], "end": d["end"], "sha256": entry["sha256"]}
        for d in entry["definitions"]
    ]
    return {
        "id": identifier,
        "document_id": entry["document_id"],
        "title": entry["title"],
        "authors": [],
        "year": None,
        "doi": None,
        "url": None,
        "passages": passages,
        "csl": {"id": identifier, "type": "document", "title": entry["title"]},
    }


def _id(prefix: str, text: str) -> str:
    return f"{prefix}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
