"""Themes: what several claims have in common beyond the prompt's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from worker.engines.research.model import Claim, Facet, Theme
from worker.engines.text.phrases import phrases
from worker.engines.text.terms import Analyzer

_MAX_SHARE = 0.7
"""A phrase that more than this share of the claims has in common tells nothing apart."""


@dataclass(frozen=True, slots=True)
class _Label:
    heading: str
    stems: frozenset[str]
    claims: tuple[str, ...]
    weight: float


def by_question(claims: Sequence[Claim], questions: Sequence[Facet], limit: int) -> list[Theme]:
    """One theme for each sub-question, with the claims that meet it best; also for a question that nothing meets."""
    assigned: dict[str, list[str]] = {facet.id: [] for facet in questions}
    for claim in claims:
        met = next((facet for facet in claim.statement.facets if facet in assigned), None)
        if met is not None and len(assigned[met]) < limit:
            assigned[met].append(claim.id)
    return [Theme(facet.label, tuple(assigned[facet.id])) for facet in questions]


def by_document(claims: Sequence[Claim], titles: Mapping[str, str], limit: int) -> list[Theme]:
    """One theme for each document, with the claims it speaks for; documents in the order of their first claims."""
    own: dict[str, list[str]] = {}
    for claim in claims:
        own.setdefault(claim.statement.document_id, []).append(claim.id)
    return [Theme(titles[document_id], tuple(ids[:limit])) for document_id, ids in own.items()]


def by_phrase(
    claims: Sequence[Claim], asked: Collection[str], analyzer: Analyzer, *, themes: int, limit: int
) -> list[Theme]:
    """Themes by greedy choice of the phrase whose claims together score highest; the rest follows as further evidence.

    A phrase must be shared by two claims of two documents, and not consist of the prompt's terms alone.
    """
    labels = _labels(claims, asked, analyzer)
    score = {claim.id: claim.statement.score for claim in claims}
    document = {claim.id: claim.statement.document_id for claim in claims}
    left = [claim.id for claim in claims]
    found: list[Theme] = []
    while labels and len(found) < themes:
        best: tuple[float, _Label, list[str]] | None = None
        for label in labels:
            members = [claim_id for claim_id in label.claims if claim_id in left]
            if len(members) < 2 or len({document[claim_id] for claim_id in members}) < 2:
                continue
            # A phrase that fits many more claims than a section holds is too broad to be its heading.
            fit = min(1.0, 1.5 * limit / len(members))
            gain = round(fit * label.weight * sum(score[claim_id] for claim_id in members[:limit]), 6)
            if best is None or (-gain, label.heading) < (-best[0], best[1].heading):
                best = (gain, label, members)
        if best is None:
            break
        chosen, members = best[1], best[2][:limit]
        found.append(Theme(chosen.heading, tuple(members)))
        left = [claim_id for claim_id in left if claim_id not in members]
        # "Carbon" after "added carbon" would be the same theme again.
        labels = [item for item in labels if not (item.stems <= chosen.stems or chosen.stems <= item.stems)]
    if left:
        found.append(Theme("Further evidence" if found else "Evidence", tuple(left[:limit])))
    return found


def _labels(claims: Sequence[Claim], asked: Collection[str], analyzer: Analyzer) -> list[_Label]:
    surfaces: dict[tuple[str, ...], Counter[str]] = {}
    holders: dict[tuple[str, ...], dict[str, None]] = {}
    for claim in claims:
        for stems, surface in phrases(claim.statement.text, analyzer):
            if all(_akin(stem, asked) for stem in stems):
                continue
            surfaces.setdefault(stems, Counter())[surface] += 1
            holders.setdefault(stems, {})[claim.id] = None
    labels = []
    for stems, ids in holders.items():
        if 2 <= len(ids) <= max(2, _MAX_SHARE * len(claims)):
            # Among equally common forms the shortest reads best as a heading.
            form = min(surfaces[stems].items(), key=lambda item: (-item[1], len(item[0]), item[0]))[0]
            labels.append(_Label(form[0].upper() + form[1:], frozenset(stems), tuple(ids), 1 + 0.5 * (len(stems) - 1)))
    return sorted(labels, key=lambda label: label.heading)


def _akin(stem: str, asked: Collection[str]) -> bool:
    """Whether a stem is one of the prompt's or of the same family ("scientif", "scientist")."""
    return stem in asked or any(len(stem) >= 5 and stem[:5] == other[:5] for other in asked)
