"""What a language model is given to write from: verified claims as numbered quotes, and where they are to be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from worker.engines.research.guard import gives_orders
from worker.engines.research.material import Material
from worker.engines.research.model import Json, Statement

TOLD = frozenset({"supported", "contradicted"})
"""Of the ways in which a claim may be supported, those that are verified."""
_LONGEST_HEADING = 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verified claim: its name in the question, and its verified statements."""

    name: str
    claim: str
    statements: tuple[Statement, ...]

    @property
    def quote(self) -> str:
        return self.statements[0].text


@dataclass(frozen=True, slots=True)
class Brief:
    """What the model is given: evidence by claim id, the claims of the summary, and those of each section by its id."""

    evidence: Mapping[str, Evidence]
    summary: tuple[str, ...]
    sections: Mapping[str, tuple[str, ...]]
    withheld: int


def brief_of(material: Material, document: Json, room: int) -> Brief:
    """As much evidence as there is room for, in bytes; a section comes whole or not at all."""
    verified = {
        claim.id: tuple(item for item in claim.statements if item.id not in material.failed)
        for claim in material.outline.claims
    }
    orders = {claim_id for claim_id, found in verified.items() if any(gives_orders(item.text) for item in found)}
    evidence: dict[str, Evidence] = {}
    sections: dict[str, tuple[str, ...]] = {}
    room -= len(json.dumps(material.prompt, ensure_ascii=False).encode()) + 200
    for section in document["sections"]:
        claims = [claim["id"] for claim in section["claims"] if claim["support"] in TOLD]
        wanted = tuple(claim_id for claim_id in claims if verified.get(claim_id) and claim_id not in orders)
        if not wanted:
            continue
        fresh = [
            Evidence(f"e{len(evidence) + number + 1}", claim_id, verified[claim_id])
            for number, claim_id in enumerate(claim_id for claim_id in wanted if claim_id not in evidence)
        ]
        size = sum(len(json.dumps(item.quote, ensure_ascii=False).encode()) + 60 for item in fresh)
        size += len(wanted) * 10 + _LONGEST_HEADING * 4 + 60
        if size > room:
            continue
        room -= size
        evidence.update((item.claim, item) for item in fresh)
        sections[section["id"]] = wanted
    told = {finding["text"] for finding in document["key_findings"]}
    key = tuple(claim_id for claim_id, item in evidence.items() if item.quote in told)
    return Brief(evidence, key or tuple(evidence), sections, len(orders))


def data_of(prompt: str, document: Json, brief: Brief) -> Json:
    """The question as data: all of it was written by others."""
    headings = {section["id"]: section["heading"] for section in document["sections"]}
    names = {section_id: f"s{number}" for number, section_id in enumerate(brief.sections, 1)}
    return {
        "question": prompt,
        "evidence": [{"id": item.name, "quote": item.quote} for item in brief.evidence.values()],
        "summary": [brief.evidence[claim_id].name for claim_id in brief.summary],
        "sections": [
            {
                "section": names[section_id],
                "heading": headings[section_id][:_LONGEST_HEADING],
                "evidence": [brief.evidence[claim_id].name for claim_id in claims],
            }
            for section_id, claims in brief.sections.items()
        ],
    }
