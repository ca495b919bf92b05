"""Stage *write*: the result document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from worker.engines.base import StageContext
from worker.engines.research import blocks, calibration, confidence, prose
from worker.engines.research.citations import Bibliography
from worker.engines.research.compose import compose
from worker.engines.research.data_blocks import add_datasets
from worker.engines.research.flow import screening_of
from worker.engines.research.intent import answer_form
from worker.engines.research.material import Material
from worker.engines.research.model import Claim, Json, Statement
from worker.engines.research.sections import sections_of, support
from worker.engines.research.signals import Signals
from worker.engines.text.identifiers import content_id
from worker.engines.text.wording import title_of

_SUMMARY_FINDINGS = 3
_OVERVIEW_FINDINGS = 5
_SUMMARY_NEAREST = 2
_SUMMARY_GAPS = 2
_SUMMARY_CHARACTERS = 900
_SUMMARY_COVERAGE = 0.7
"""A finding follows the first one into the summary when its sentence holds this part of what the first one's holds."""


async def run(ctx: StageContext) -> Json:
    """The result document of a research session."""
    material = Material.of(ctx)
    document = result_of(material)
    await compose(ctx, material, document)
    datasets = ctx.outputs.get("analyse", {}).get("datasets", [])
    if datasets:
        asked = bool(material.candidates)
        language, unasked = material.settings.language, material.unasked
        add_datasets(document, datasets, material.prompt, language, documents_asked=asked, unasked=unasked)
    ctx.decide(
        "written",
        f"Confidence {document['confidence_score']}: "
        + ", ".join(f"{name} {value}" for name, value in document["methods"]["confidence"]["parts"].items())
        + (". Partial: time or budget was nearly spent." if document["partial"] else "."),
    )
    await ctx.step(1, 1)
    return document


def so_far(ctx: StageContext) -> Json:
    """The result document over the documents alone, as it stands after *verify*."""
    return result_of(replace(Material.of(ctx), partial=True))


def result_of(material: Material) -> Json:
    """The result document over the documents alone."""
    outline = material.outline
    verified, unverified = _checked(outline.claims, material.failed)
    by_id = {claim.id: claim for claim in verified}
    records = {candidate.document_id: candidate.record for candidate in material.candidates}
    bibliography = Bibliography(records, material.digests)
    key = [by_id[claim_id] for claim_id in outline.key if claim_id in by_id]
    answered = outline.answered and bool(key)
    sure = _confidence(material, verified, key, answered=answered)
    screening = screening_of(material.candidates, material.excluded, named=material.named, held=material.held)
    facets = blocks.facets_of(material, verified, answered=answered)
    gaps = blocks.gaps_of(material, verified, facets, answered=answered)
    quoted = list(dict.fromkeys(document for claim in verified for document in claim.documents))
    if answered:
        quotes = sum(len(claim.statements) for claim in verified)
        if material.plan.overview:
            lead = _told(key[:_OVERVIEW_FINDINGS], bibliography)
            basis = prose.overview_basis(quotes, len(quoted), material.read, material.held, sure)
        else:
            lead = _lead(key, material, bibliography)
            basis = prose.basis(quotes, len(quoted), material.read, screening["identified"], sure)
        summary = lead + "\n\n" + basis + _caveats(verified, material, gaps)
    else:
        summary = _no_answer(material, by_id, screening["identified"], bibliography)
    findings = [_finding(claim, material, bibliography) for claim in key]
    sections = sections_of(material, by_id, unverified, answered, bibliography, screening, blocks.told_gaps(gaps))
    agreements = blocks.agreements_of(verified, bibliography)
    contradictions = blocks.contradictions_of(verified, key, material, bibliography)
    _rest(findings, [claim.statements for claim in key], bibliography)
    for section in sections:
        stated = [item for item in section["claims"] if item["citations"]]
        _rest(stated, [by_id[item["id"]].statements for item in stated], bibliography)
    return {
        "title": (
            prose.overview_title([records[document].title for document in quoted])
            if material.plan.overview and answered
            else title_of(material.prompt)
        ),
        "question": " ".join(material.prompt.split()),
        "partial": material.partial,
        "summary": summary,
        "confidence_score": sure.score,
        "answered": answered,
        "sections": sections,
        "key_findings": findings,
        "tables": [],
        "figures": [],
        "facets": facets,
        "gaps": gaps,
        "agreements": agreements,
        "contradictions": contradictions,
        "sources": blocks.sources_of(material, verified, key, bibliography, answered=answered),
        "screening": screening,
        "citations": bibliography.as_json(),
        "methods": _methods(material, sure),
    }


def _checked(claims: Sequence[Claim], failed: frozenset[str]) -> tuple[list[Claim], list[Claim]]:
    """Claims with a verified quote, reduced to their verified statements, and claims without."""
    verified, unverified = [], []
    for claim in claims:
        sound = [statement for statement in claim.statements if statement.id not in failed]
        if sound:
            verified.append(replace(claim, statement=sound[0], echoes=tuple(sound[1:])))
        else:
            unverified.append(claim)
    known = {claim.id for claim in verified}
    kept = [replace(claim, conflicts=tuple(other for other in claim.conflicts if other in known)) for claim in verified]
    return kept, unverified


def _lead(key: Sequence[Claim], material: Material, bibliography: Bibliography) -> str:
    """The first finding, and after it those whose sentences hold nearly as much of the prompt, at least one more where
    there is one. What by itself would not count as an answer stays out, but for what is contradicted."""
    enough = _SUMMARY_COVERAGE * key[0].statement.coverage
    likely = calibration.ANSWER_PROBABILITY
    sure = [claim for claim in key[1:] if claim.conflicts or _sure_of(claim, material) >= likely]
    close = [claim for claim in sure if claim.statement.coverage >= enough]
    close = close or sorted(sure, key=lambda claim: -claim.statement.coverage)[:1]
    return _told([key[0], *close][:_SUMMARY_FINDINGS], bibliography)


def _told(claims: Sequence[Claim], bibliography: Bibliography) -> str:
    """Statements with their markers, the first one and as many more as a summary holds."""
    parts: list[str] = []
    length = 0
    for claim in claims:
        length += len(claim.statement.text)
        if not parts or length <= _SUMMARY_CHARACTERS:
            parts.append(f"{claim.statement.text} {bibliography.marker(claim.statements)}")
    return " ".join(parts)


def _no_answer(material: Material, by_id: Mapping[str, Claim], identified: int, bibliography: Bibliography) -> str:
    if material.plan.overview:
        return prose.no_overview(material.held, material.read) + _caveats([], material, [])
    text = prose.not_found(material.prompt, material.outline, identified, material.read) + _caveats([], material, [])
    near = [by_id[claim_id] for claim_id in material.outline.nearest if claim_id in by_id][:_SUMMARY_NEAREST]
    told = [f"“{claim.statement.text}” {bibliography.marker(claim.statements)}" for claim in near]
    return text + ("\n\n" + prose.nearest(told) if told else "")


def _confidence(
    material: Material, verified: Sequence[Claim], key: Sequence[Claim], *, answered: bool
) -> confidence.Confidence:
    failed = len(material.failed)
    if material.plan.overview:
        copies = sum(item.stage == "identification" for item in material.excluded)
        return confidence.of_overview(
            verified, held=material.held - copies, checked=material.checked, failed=failed, partial=material.partial
        )
    form = answer_form(material.prompt)
    return confidence.of_answer(
        verified,
        _likely(material, verified, key),
        Signals.of(material.outline.signals),
        answered=answered,
        checked=material.checked,
        failed=failed,
        partial=material.partial,
        form_required=form is not None and form.required,
    )


def _likely(material: Material, verified: Sequence[Claim], key: Sequence[Claim]) -> float:
    """The probability that what is left after verification answers the prompt."""
    outline = material.outline
    head = next(iter([*key, *verified]), None)
    if head is None or head.id in (*outline.key, *outline.nearest)[:1]:
        return outline.likely
    return min(outline.likely, calibration.probability(material.signals(head)))


def _caveats(claims: Sequence[Claim], material: Material, gaps: Sequence[Json]) -> str:
    text = ""
    if any(claim.conflicts for claim in claims):
        text += " The sources disagree in places, see “Where the sources disagree”."
    if claims and gaps:
        text += " " + blocks.told_gaps(gaps[:_SUMMARY_GAPS])
    if material.unasked:
        text += " " + material.unasked
    if material.partial:
        text += (
            " Partial: time or budget was nearly spent, so not everything that was planned could be searched or read."
        )
    return text


def _finding(claim: Claim, material: Material, bibliography: Bibliography) -> Json:
    overview = material.plan.overview
    return {
        "id": content_id("finding", claim.id),
        "text": claim.statement.text,
        "quote": claim.statement.quote,
        "citations": bibliography.cite(claim.statements),
        "confidence": confidence.of_told(claim) if overview else _sure_of(claim, material),
        "support": support(claim),
        "relation": None if overview else blocks.relation_of(claim, material),
    }


def _rest(items: Sequence[Json], statements: Sequence[Sequence[Statement]], bibliography: Bibliography) -> None:
    """Say of each claim or finding which passages it rests on."""
    for item, cited in zip(items, statements, strict=True):
        item["evidence"] = bibliography.evidence(cited)


def _sure_of(claim: Claim, material: Material) -> float:
    return confidence.of_finding(claim, material.signals(claim), material.outline.questions)


def _methods(material: Material, sure: confidence.Confidence) -> Json:
    return {
        "engine": "research",
        "kind": "extractive: every statement is a sentence of a source, word for word",
        "settings": material.settings.as_json(),
        "facets": [{"kind": item.kind, "label": item.label, "query": item.query} for item in material.plan.facets],
        "terms": [{"term": item.word, "weight": material.weights[item.stem]} for item in material.plan.terms],
        "searches": material.searches,
        "documents_read": material.read,
        "quotes_checked": material.checked,
        "quotes_failed": len(material.failed),
        "missing_terms": list(material.outline.missing),
        "markers": "[n] is the n-th citation, counted from 1",
        "confidence": {
            "formula": confidence.OVERVIEW_FORMULA if material.plan.overview else confidence.FORMULA,
            "parts": dict(sure.parts),
            **(
                {}
                if material.plan.overview
                else {
                    "intercept": calibration.INTERCEPT,
                    "weights": calibration.WEIGHTS.as_json(),
                    "answered_from": calibration.ANSWER_PROBABILITY,
                }
            ),
        },
    }
