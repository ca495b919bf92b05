"""Blocks of a result beside its text: what each side of the prompt came to, what is missing, what each source
contributes, and where sources agree or contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import permutations

from worker.engines.research.citations import Bibliography
from worker.engines.research.coverage import coverage
from worker.engines.research.material import Material
from worker.engines.research.model import Claim, Json, Statement
from worker.engines.research.rank import FACET_MET
from worker.engines.text.effects import acting_stems, speaks_of
from worker.engines.text.relation import relation
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import quoted

_PHRASES = frozenset({"aspect", "intervention", "outcome", "population"})
_OLD_YEARS = 10
"""Years by which the newest source quoted is behind the newest found before that is worth saying."""


def facets_of(material: Material, claims: Sequence[Claim], *, answered: bool) -> list[Json]:
    """Each side of the prompt with the verified claims that speak to it. `status`: `answered` by two documents or more,
    `single_source`, or `open`; when the prompt is not answered no side is."""
    found = []
    for facet in material.plan.facets:
        open_ = not answered or facet.label in material.outline.open_facets
        speaking = [] if open_ else [claim for claim in claims if facet.id in claim.statement.facets]
        if answered and not speaking and facet is material.plan.facets[0]:
            # What answers may say it in other words; the whole prompt is then spoken to by the findings.
            speaking = [claim for claim in claims if claim.id in material.outline.key]
        documents = {document for claim in speaking for document in claim.documents}
        status = "open" if not documents else "single_source" if len(documents) == 1 else "answered"
        found.append(
            {
                "id": facet.id,
                "kind": facet.kind,
                "label": facet.label,
                "status": status,
                "documents": len(documents),
                "claims": [claim.id for claim in speaking],
            }
        )
    return found


def gaps_of(material: Material, claims: Sequence[Claim], facets: Sequence[Json], *, answered: bool) -> list[Json]:
    """What was asked for and is missing or thin: words that no source holds or that stand in no statement
    (`missing_terms`), sides that nobody speaks to (`open_facet`), an answer that rests on one document (`few_sources`),
    and sources much older than the newest that were found (`old_sources`)."""
    found: list[Json] = []
    if material.outline.missing:
        words = list(material.outline.missing)
        found.append(_gap("missing_terms", f"No passage found mentions {quoted(words, 'or')}.", terms=words))
    unsaid = _unsaid(material, claims) if answered else []
    if unsaid:
        found.append(_gap("missing_terms", f"No statement speaks to {quoted(unsaid, 'or')}.", terms=unsaid))
    sides = facets[1:]
    documents = list(dict.fromkeys(document for claim in claims for document in claim.documents))
    told = _told_of(material, documents if answered else [item.document_id for item in material.candidates])
    if not answered:
        found.append(_gap("open_facet", "No statement was found that answers the prompt.", facet=facets[0]["id"]))
    found += [
        _gap("open_facet", f"No statement was found that speaks to “{facet['label']}”.", facet=facet["id"])
        for facet in sides
        if facet["status"] == "open" and facet["id"] not in told
    ]
    if answered and len(documents) == 1 and len(material.candidates) > 1:
        found.append(_gap("few_sources", "All that is quoted comes from one document.", documents=documents))
    elif answered:
        found += [
            _gap("few_sources", f"Only one document speaks to “{facet['label']}”.", facet=facet["id"])
            for facet in sides
            if facet["status"] == "single_source" and facet["kind"] in ("question", "topic", "side")
        ]
    years = {item.document_id: item.record.year for item in material.candidates if item.record.year is not None}
    of_quoted = [year for document in documents if (year := years.get(document)) is not None]
    if answered and of_quoted and max(of_quoted) <= max(years.values()) - _OLD_YEARS:
        newest, latest = max(of_quoted), max(years.values())
        text = f"The newest source quoted is from {newest}; documents as late as {latest} were found and say less."
        found.append(_gap("old_sources", text, newest=newest, latest=latest))
    return found


def _unsaid(material: Material, claims: Sequence[Claim]) -> list[str]:
    """The words for what the prompt says to have an effect, when none of them stands in a statement quoted."""
    analyzer = Analyzer(material.settings.language)
    acting = acting_stems(material.prompt, analyzer)
    statements = [item for claim in claims for item in claim.statements]
    if any(speaks_of(acting, (*item.stems, *analyzer.terms(item.text))) for item in statements):
        return []
    missing = material.outline.missing
    return [item.word for item in material.plan.terms if item.stem in acting and item.word not in missing]


def _told_of(material: Material, documents: Collection[str]) -> set[str]:
    """Facets that are mere phrases of the prompt and of which one of these documents speaks, if in no one sentence."""
    held = [item.stems for item in material.candidates if item.document_id in documents]
    return {
        facet.id
        for facet in material.plan.facets
        if facet.kind in _PHRASES and any(coverage(stems, material.weights, facet.stems) >= FACET_MET for stems in held)
    }


def _gap(kind: str, text: str, **more: object) -> Json:
    return {"kind": kind, "text": text, **more}


def sources_of(
    material: Material,
    claims: Sequence[Claim],
    key: Sequence[Claim],
    bibliography: Bibliography,
    *,
    answered: bool,
) -> list[Json]:
    """The works quoted, each with its citation, in order of first use: a document, or one of those that a bibliography
    lists. Each has the one sentence that says best what it contributes and its role: `key`, `supporting`,
    `contradicting` (all it says is contradicted), or `nearest` when nothing answers."""
    heads = {bibliography.work(item)[0] for claim in key for item in claim.statements}
    own: dict[str, list[tuple[Claim, Statement]]] = {}
    for claim in [*key, *claims]:
        for item in claim.statements:
            own.setdefault(bibliography.work(item)[0], []).append((claim, item))
    found = []
    for citation, stated in own.items():
        first = stated[0][1]
        role = "key" if citation in heads else "supporting"
        if not answered:
            role = "nearest"
        elif citation not in heads and all(claim.conflicts for claim, _ in stated):
            role = "contradicting"
        gist = _gist(material.gists.get(first.document_id))
        if gist and bibliography.citation_at(first.document_id, gist["start"], gist["end"]) != citation:
            # The gist of a bibliography is a sentence of one of its works; what is quoted stands for the others.
            gist = {"text": first.text, "start": first.start, "end": first.end, "page": first.page}
        title = bibliography.work(first)[1]
        found.append(
            {"document_id": first.document_id, "citation": citation, "title": title, "gist": gist, "role": role}
        )
    return found


def _gist(stored: Json | None) -> Json | None:
    """A gist as it was made: storage may have sorted its keys and turned whole numbers into doubles."""
    if stored is None:
        return None
    page = stored["page"]
    return {
        "text": stored["text"],
        "start": int(stored["start"]),
        "end": int(stored["end"]),
        "page": None if page is None else int(page),
    }


def agreements_of(claims: Sequence[Claim], bibliography: Bibliography) -> list[Json]:
    """Claims that two documents or more state in nearly the same words, each with all its passages."""
    return [
        {
            "claim": claim.id,
            "text": claim.statement.text,
            "documents": len(claim.documents),
            "passages": [_passage(claim, place, bibliography) for place in range(len(claim.statements))],
        }
        for claim in claims
        if len(claim.documents) > 1
    ]


def relation_of(claim: Claim, material: Material) -> Json:
    """Whether a claim supports the prompt (a statement, or a question that asks whether it is so), contradicts it, or
    only speaks of the same things."""
    found = relation(material.prompt, claim.statement.text, Analyzer(material.settings.language))
    return {"kind": found.kind, "certainty": found.certainty, "reason": found.reason}


def contradictions_of(
    claims: Sequence[Claim], key: Sequence[Claim], material: Material, bibliography: Bibliography
) -> list[Json]:
    """Pairs of claims of different documents that contradict each other (`about`: `each other`), or of which one
    supports what the prompt says and the other contradicts it (`the prompt`); each with both passages."""
    by_id = {claim.id: claim for claim in claims}
    pairs: dict[tuple[str, str], str] = {}
    for claim in claims:
        for other in claim.conflicts:
            if other in by_id and (other, claim.id) not in pairs:
                pairs[claim.id, other] = "each other"
    if not material.plan.overview:
        kinds = {claim.id: relation_of(claim, material)["kind"] for claim in key}
        for yes, no in permutations(key, 2):
            turned = (kinds[yes.id], kinds[no.id]) == ("supports", "contradicts")
            if turned and set(yes.documents).isdisjoint(no.documents) and (no.id, yes.id) not in pairs:
                pairs.setdefault((yes.id, no.id), "the prompt")
    return [
        {
            "claims": [left, right],
            "about": about,
            "passages": [_passage(by_id[left], 0, bibliography), _passage(by_id[right], 0, bibliography)],
        }
        for (left, right), about in pairs.items()
    ]


def _passage(claim: Claim, place: int, bibliography: Bibliography) -> Json:
    item = claim.statements[place]
    return {
        "document_id": item.document_id,
        "citation": bibliography.cite([item])[0],
        "quote": item.quote,
        "start": item.start,
        "end": item.end,
        "page": item.page,
    }


def told_gaps(gaps: Sequence[Json]) -> str:
    """The gaps as one paragraph; empty without any."""
    return " ".join(str(gap["text"]) for gap in gaps)
