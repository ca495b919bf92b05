"""Stage *synthesise*: which statements the report makes, and in what order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from worker.engines.base import StageContext
from worker.engines.research.coverage import weights_of
from worker.engines.research.model import Candidate, Claim, Json, Outline, Plan, Statement, Theme, to_json
from worker.engines.research.settings import Depth, Settings
from worker.engines.research.themes import by_document, by_phrase, by_question
from worker.engines.text.bm25 import CollectionStatistics
from worker.engines.text.identifiers import content_id
from worker.engines.text.polarity import Stance, opposed, stance
from worker.engines.text.similarity import cosine, near_identical, tfidf
from worker.engines.text.statements import is_dependent
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import count

ANSWER_STRENGTH = 0.42
"""The prompt counts as answered when at least one statement is this strong (coverage of the prompt by the statement and
by its surroundings, averaged)."""
KEY_STRENGTH = (0.8, 0.6)
"""A key finding has at least this part of the best statement's strength; the second where the first leaves fewer than
three to choose from."""
THEME_STRENGTH = 0.55
"""The same for a claim of a theme."""
_REDUNDANCY = 0.3
_NEW_FACET = 0.1
_PER_DOCUMENT = 2
_NEAREST = 3
_FEW = 3


async def run(ctx: StageContext) -> Json:
    """The outline of the report."""
    settings = Settings.of(ctx.job)
    plan = Plan.of(ctx.outputs["plan"]["plan"])
    weights = weights_of(plan, ctx.outputs["gather"]["weights"])
    statements = [Statement.of(data) for data in ctx.outputs["read"]["statements"]]
    held = {stem for data in ctx.outputs["gather"]["candidates"] for stem in Candidate.of(data).stems}
    # A word that only frames the question ("effect", "key messages") is no loss.
    least = min(1.0, max((term.weight for term in plan.terms), default=1.0))
    missing = tuple(term.word for term in plan.terms if term.stem not in held and term.weight >= least)
    if plan.overview:
        titles = {item.document_id: item.record.title for item in map(Candidate.of, ctx.outputs["screen"]["kept"])}
        outline: Outline = await ctx.run(overview_of, statements, plan, titles, settings)
    else:
        outline = await ctx.run(outline_of, statements, plan, weights, missing, settings)
    by_id = {claim.id: claim for claim in outline.claims}
    if outline.answered:
        documents = {by_id[claim_id].statement.document_id for claim_id in outline.key}
        conflicts = sum(len(claim.conflicts) for claim in outline.claims) // 2
        ctx.decide(
            "findings chosen",
            f"{count(len(statements), 'statement')} merged to {count(len(outline.claims), 'claim')}; "
            f"{count(len(outline.key), 'key finding')} from {count(len(documents), 'document')}, chosen "
            + (
                "for how well they represent their documents and against repetition, from every document in turn. "
                if plan.overview
                else f"for how well they meet the prompt and against repetition, at most {_PER_DOCUMENT} a document. "
            )
            + f"Themes: {', '.join(theme.heading for theme in outline.themes) or 'none'}. "
            f"{count(conflicts, 'contradiction')} seen.",
        )
    elif plan.overview:
        ctx.decide("not found", "No document holds a sentence that can be quoted as a statement.")
    else:
        ctx.decide(
            "not found",
            f"No statement meets the prompt to {ANSWER_STRENGTH:.0%} or more"
            + (f"; no source mentions {', '.join(missing)}" if missing else "")
            + ". The report says so instead of quoting what is merely near.",
            alternatives=["report the nearest statements as findings"] if statements else [],
        )
    await ctx.step(1, 1)
    return {"outline": to_json(outline)}


def overview_of(statements: Sequence[Statement], plan: Plan, titles: Mapping[str, str], settings: Settings) -> Outline:
    """Claims by document, and key findings from every document in turn, from statements in that same order."""
    analyzer = Analyzer(settings.language)
    claims = merge(statements, analyzer)
    depth, prompt = settings.depth, plan.facets[0].id
    documents = len({claim.statement.document_id for claim in claims})
    share = -(-depth.key_findings // max(1, documents))
    key = key_findings(claims, analyzer, min(depth.key_findings, documents), prompt, per_document=1)
    if len(key) < depth.key_findings:
        key = key_findings(claims, analyzer, depth.key_findings, prompt, per_document=share, before=key)
    chosen = {claim.id for claim in key}
    # What is a key finding stands in its document's section as well, so it must be among the first there.
    ordered = [claim for claim in claims if claim.id in chosen] + [claim for claim in claims if claim.id not in chosen]
    themes = by_document(ordered, titles, max(depth.statements_per_theme - 2, share))
    used = chosen.union(*(theme.claims for theme in themes))
    told = mark_conflicts([claim for claim in claims if claim.id in used], analyzer)
    return Outline(bool(told), tuple(told), tuple(claim.id for claim in key), tuple(themes), (), (), ())


def outline_of(
    statements: Sequence[Statement],
    plan: Plan,
    weights: Mapping[str, float],
    missing: tuple[str, ...],
    settings: Settings,
) -> Outline:
    """Claims, key findings and themes from statements (best first)."""
    analyzer = Analyzer(settings.language)
    claims = merge(statements, analyzer)
    strongest = max((claim.statement.strength for claim in claims), default=0.0)
    met = {facet for claim in claims for facet in claim.statement.facets}
    open_facets = tuple(facet.label for facet in plan.facets[1:] if facet.id not in met)
    if strongest < ANSWER_STRENGTH:
        nearest = claims[:_NEAREST]
        return Outline(False, tuple(nearest), (), (), tuple(claim.id for claim in nearest), missing, open_facets)
    depth = settings.depth
    strong = _to_the_point(claims, plan, KEY_STRENGTH[0] * strongest)
    if len(strong) < _FEW:
        strong = _to_the_point(claims, plan, KEY_STRENGTH[1] * strongest)
    key = key_findings(strong, analyzer, depth.key_findings, plan.facets[0].id)
    chosen = {claim.id for claim in key}
    rest = [claim for claim in claims if claim.statement.strength >= THEME_STRENGTH * strongest]
    themes = _themes(rest, chosen, plan, weights, analyzer, depth)
    used = chosen.union(*(theme.claims for theme in themes))
    told = mark_conflicts([claim for claim in claims if claim.id in used], analyzer)
    return Outline(True, tuple(told), tuple(claim.id for claim in key), tuple(themes), (), missing, open_facets)


def _to_the_point(claims: Sequence[Claim], plan: Plan, strength: float) -> list[Claim]:
    """Claims that may be key findings: strong enough and, when the prompt names three subjects or more, holding two."""
    subjects = {term.stem for term in plan.terms if term.weight >= 1}
    strong = [claim for claim in claims if claim.statement.strength >= strength]
    if len(subjects) < 3:
        return strong
    return [claim for claim in strong if len(subjects.intersection(claim.statement.stems)) >= 2] or strong


def merge(statements: Sequence[Statement], analyzer: Analyzer) -> list[Claim]:
    """One claim for statements in nearly the same words; the best one speaks, those of other documents echo it."""
    groups: list[list[Statement]] = []
    heads: list[tuple[frozenset[str], Stance]] = []
    for statement in statements:
        stems, side = frozenset(analyzer.terms(statement.text)), stance(statement.text, analyzer)
        for group, (head, head_side) in zip(groups, heads, strict=True):
            # "not" is no stem: two sentences may have all stems in common and say the opposite.
            if near_identical(head, stems) and not opposed(head_side, side):
                if statement.document_id not in {item.document_id for item in group}:
                    group.append(statement)
                break
        else:
            groups.append([statement])
            heads.append((stems, side))
    return [Claim(content_id("claim", group[0].id), group[0], tuple(group[1:])) for group in groups]


def key_findings(
    claims: Sequence[Claim],
    analyzer: Analyzer,
    limit: int,
    prompt_facet: str,
    *,
    per_document: int = 0,
    before: Sequence[Claim] = (),
) -> list[Claim]:
    """Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): at each step the claim with the highest score,
    less its likeness to what is chosen, plus a little for each side of the prompt it is the first to speak to. Claims
    that cannot be read alone are passed over as long as there are others. `before` are taken already; without
    `per_document` it is two, or any number when there are no more than two documents."""
    alone = [claim for claim in claims if not is_dependent(claim.statement.text)] or list(claims)
    terms = {claim.id: analyzer.terms(claim.statement.text) for claim in alone}
    statistics = CollectionStatistics.of(terms.values())
    vectors = {claim_id: tfidf(found, statistics) for claim_id, found in terms.items()}
    top = max((claim.statement.score for claim in alone), default=1.0) or 1.0
    if not per_document:
        per_document = _PER_DOCUMENT if len({claim.statement.document_id for claim in alone}) > 2 else limit
    chosen = list(before)
    spoken = {prompt_facet}
    while len(chosen) < limit:
        best: tuple[float, int] | None = None
        for index, claim in enumerate(alone):
            same = [item for item in chosen if item.statement.document_id == claim.statement.document_id]
            if claim in chosen or len(same) >= per_document:
                continue
            likeness = max((cosine(vectors[claim.id], vectors[item.id]) for item in chosen), default=0.0)
            fresh = len(set(claim.statement.facets) - spoken)
            value = claim.statement.score / top - _REDUNDANCY * likeness + _NEW_FACET * fresh
            if best is None or value > best[0] + 1e-9:
                best = (value, index)
        if best is None:
            break
        chosen.append(alone[best[1]])
        spoken.update(chosen[-1].statement.facets)
    return chosen


def mark_conflicts(claims: Sequence[Claim], analyzer: Analyzer) -> list[Claim]:
    """The claims, each with the ids of those from other documents that state the opposite."""
    against: dict[str, list[str]] = {claim.id: [] for claim in claims}
    stances = {claim.id: stance(claim.statement.text, analyzer) for claim in claims}
    for index, left in enumerate(claims):
        for right in claims[index + 1 :]:
            if opposed(stances[left.id], stances[right.id]) and set(left.documents).isdisjoint(right.documents):
                against[left.id].append(right.id)
                against[right.id].append(left.id)
    return [replace(claim, conflicts=tuple(against[claim.id])) for claim in claims]


def _themes(
    claims: Sequence[Claim],
    key: Collection[str],
    plan: Plan,
    weights: Mapping[str, float],
    analyzer: Analyzer,
    depth: Depth,
) -> list[Theme]:
    """Sections by sub-question, key findings included; or, for a prompt of one question, by what the claims beside the
    key findings have in common."""
    questions = [facet for facet in plan.facets if facet.kind == "question"]
    if questions:
        return by_question(claims, questions, depth.statements_per_theme)
    rest = [claim for claim in claims if claim.id not in key]
    return by_phrase(rest, weights, analyzer, themes=depth.themes, limit=depth.statements_per_theme)
