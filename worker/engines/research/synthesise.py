"""Stage *synthesise*: which statements the report makes, and in what order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from worker.engines.base import StageContext
from worker.engines.research.answering import answering_of
from worker.engines.research.calibration import ANSWER_PROBABILITY
from worker.engines.research.coverage import weights_of
from worker.engines.research.model import Candidate, Claim, Exclusion, Json, Outline, Plan, Statement, Theme, to_json
from worker.engines.research.screen import without_copies
from worker.engines.research.settings import Depth, Settings
from worker.engines.research.themes import by_document, by_phrase, by_question
from worker.engines.text.bm25 import CollectionStatistics
from worker.engines.text.effects import Effect, effect_of, opposite
from worker.engines.text.identifiers import content_id
from worker.engines.text.particulars import Particulars, particulars, same_particulars
from worker.engines.text.polarity import Stance, opposed, stance
from worker.engines.text.similarity import cosine, near_identical, tfidf
from worker.engines.text.statements import is_dependent
from worker.engines.text.terms import Analyzer
from worker.engines.text.wide import told
from worker.engines.text.wording import capitalised, count

KEY_SCORE, LEAST_KEY = 0.2, 2
"""A key finding has at least this part of the best statement's score, which says how likely it is to be evidence; the
best two are key findings whatever their score."""
KEY_PASSAGE = 0.7
"""The best passage of a key finding's document holds at least this part of what that of the first finding's holds."""
THEME_STRENGTH = 0.55
"""A claim of a theme has at least this part of the strength of the strongest."""
_REDUNDANCY = 0.3
_NEW_FACET = 0.1
_PER_DOCUMENT = 2
_NEAREST = 3


async def run(ctx: StageContext) -> Json:
    """The outline of the report."""
    settings = Settings.of(ctx.job)
    plan = Plan.of(ctx.outputs["plan"]["plan"])
    weights = weights_of(plan, ctx.outputs["gather"]["weights"])
    statements = [Statement.of(data) for data in ctx.outputs["read"]["statements"]]
    # Passages are not needed here, and would make the way to a computing process long.
    candidates = [replace(Candidate.of(data), passages=()) for data in ctx.outputs["gather"]["candidates"]]
    held = {stem for candidate in candidates for stem in candidate.stems}
    # A word that only frames the question ("effect", "key messages") is no loss.
    least = min(1.0, max((term.weight for term in plan.terms), default=1.0))
    missing = tuple(
        told(
            ctx.job.prompt,
            [term.word for term in plan.terms if term.stem not in held and term.weight >= least],
            [term.word for term in plan.terms if term.stem in held],
        )
    )
    if plan.overview:
        titles = {item.document_id: item.record.title for item in map(Candidate.of, ctx.outputs["screen"]["kept"])}
        outline: Outline = await ctx.run(overview_of, statements, plan, titles, settings)
    else:
        outputs = [ctx.outputs["screen"], ctx.outputs["read"]]
        excluded = [Exclusion.of(data) for output in outputs for data in output["excluded"]]
        rivals = without_copies(candidates, excluded)
        outline = await ctx.run(outline_of, statements, plan, weights, missing, settings, rivals)
    by_id = {claim.id: claim for claim in outline.claims}
    if outline.answered:
        documents = {by_id[claim_id].statement.document_id for claim_id in outline.key}
        conflicts = sum(len(claim.conflicts) for claim in outline.claims) // 2
        ctx.decide(
            "findings chosen",
            f"{capitalised(count(len(statements), 'statement was', 'statements were'))} weighed, and "
            f"{count(len(outline.claims), 'claim is', 'claims are')} made of them; "
            f"{count(len(outline.key), 'key finding')} from {count(len(documents), 'document')}, chosen "
            + (
                "for how well they represent their documents and against repetition, from every document in turn. "
                if plan.overview
                else f"for how well they meet the prompt and against repetition, at most {_PER_DOCUMENT} a document. "
            )
            + f"Themes: {', '.join(theme.heading for theme in outline.themes) or 'none'}. "
            f"{capitalised(count(conflicts, 'contradiction'))} seen.",
        )
    elif plan.overview:
        ctx.decide("not found", "No document holds a sentence that can be quoted as a statement.")
    else:
        ctx.decide(
            "not found",
            f"No statement is likely enough to answer the prompt (the nearest {outline.likely:.0%}, "
            f"an answer from {ANSWER_PROBABILITY:.0%})"
            + (f"; no passage found mentions {', '.join(missing)}" if missing else "")
            + ". The report says so instead of quoting what is merely near.",
            alternatives=["report the nearest statements as findings"] if statements else [],
        )
    await ctx.step(1, 1)
    return {"outline": to_json(outline)}


def overview_of(statements: Sequence[Statement], plan: Plan, titles: Mapping[str, str], settings: Settings) -> Outline:
    """Claims by document, and key findings from every document in turn, from statements in that same order. A claim
    that cannot be read alone is no key finding as long as there are others."""
    analyzer = Analyzer(settings.language)
    claims = merge(statements, analyzer)
    depth, prompt = settings.depth, plan.facets[0].id
    documents = len({claim.statement.document_id for claim in claims})
    share = -(-depth.key_findings // max(1, documents))
    readable = [claim for claim in claims if not is_dependent(claim.statement.text)] or claims
    key = key_findings(readable, analyzer, min(depth.key_findings, documents), prompt, per_document=1)
    if len(key) < depth.key_findings:
        key = key_findings(readable, analyzer, depth.key_findings, prompt, per_document=share, before=key)
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
    candidates: Sequence[Candidate],
) -> Outline:
    """Claims, key findings and themes from statements (best first), where the first key finding, or the best claim to
    one of several questions, is likely to answer; the nearest claims otherwise."""
    analyzer = Analyzer(settings.language)
    claims = merge(statements, analyzer)
    depth = settings.depth
    best = max((claim.statement.score for claim in claims), default=0.0)
    enough = [claim for claim in claims if claim.statement.score >= KEY_SCORE * best]
    strong = enough if len(enough) >= LEAST_KEY else claims[:LEAST_KEY]
    key = key_findings(strong, analyzer, depth.key_findings, plan.facets[0].id)
    judged = answering_of(plan, key, claims, statements, candidates, weights)
    met = {facet for claim in claims for facet in claim.statement.facets if _answered(facet, judged.questions)}
    open_facets = tuple(facet.label for facet in plan.facets[1:] if facet.id not in met)
    about = judged.signals.as_json(), judged.likely, dict(judged.questions)
    if not judged.answered:
        nearest = [*key[:1], *(claim for claim in claims if claim not in key[:1])][:_NEAREST]
        ids = tuple(claim.id for claim in nearest)
        return Outline(False, tuple(nearest), (), (), ids, missing, open_facets, *about)
    if judged.questions:
        key = [claim for claim in key if _to_an_answered(claim, judged.questions)]
        key = key or [claim for claim in claims if _to_an_answered(claim, judged.questions)][:LEAST_KEY]
    else:
        key = _of_documents_to_the_point(key, candidates)
    chosen = {claim.id for claim in key}
    strongest = max(claim.statement.strength for claim in claims)
    others = [claim for claim in claims if claim.id not in chosen]
    rest = [*key, *(claim for claim in others if claim.statement.strength >= THEME_STRENGTH * strongest)]
    themes = _themes(rest, chosen, plan, weights, analyzer, depth)
    themes = [Theme(theme.heading, () if theme.heading in open_facets else theme.claims) for theme in themes]
    used = chosen.union(*(theme.claims for theme in themes))
    told = mark_conflicts([claim for claim in claims if claim.id in used], analyzer)
    ids = tuple(claim.id for claim in key)
    return Outline(True, tuple(told), ids, tuple(themes), (), missing, open_facets, *about)


def _answered(facet: str, questions: Mapping[str, float]) -> bool:
    return questions.get(facet, 1.0) >= ANSWER_PROBABILITY


def _to_an_answered(claim: Claim, questions: Mapping[str, float]) -> bool:
    """Whether a claim speaks to a question that is answered."""
    return any(facet in questions and _answered(facet, questions) for facet in claim.statement.facets)


def _of_documents_to_the_point(key: Sequence[Claim], candidates: Sequence[Candidate]) -> list[Claim]:
    """Without the findings of documents that hold much less of the prompt than that of the first: no filler."""
    holds = {item.document_id: item.coverage for item in candidates}
    least = KEY_PASSAGE * holds.get(key[0].statement.document_id, 0.0)
    return [claim for claim in key if holds.get(claim.statement.document_id, 0.0) >= least]


def merge(statements: Sequence[Statement], analyzer: Analyzer) -> list[Claim]:
    """One claim for statements in nearly the same words and with the same numbers and names; the best one speaks, those
    of other documents echo it."""
    groups: list[list[Statement]] = []
    heads: list[tuple[frozenset[str], Particulars, Stance, Effect | None]] = []
    for statement in statements:
        stems, side = frozenset(analyzer.terms(statement.text)), stance(statement.text, analyzer)
        effect, own = effect_of(statement.text, analyzer), particulars(statement.text, analyzer)
        for group, (head, head_own, head_side, head_effect) in zip(groups, heads, strict=True):
            # "not" is no stem: two sentences may have all stems in common and say the opposite.
            if (
                near_identical(head, stems)
                and same_particulars(head_own, own)
                and not (opposed(head_side, side) or opposite(head_effect, effect))
            ):
                if statement.document_id not in {item.document_id for item in group}:
                    group.append(statement)
                break
        else:
            groups.append([statement])
            heads.append((stems, own, side, effect))
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
    less its likeness to what is chosen, plus a little for each side of the prompt it is the first to speak to. `before`
    are taken already; without `per_document` it is two, or any number when there are no more than two documents."""
    terms = {claim.id: analyzer.terms(claim.statement.text) for claim in claims}
    statistics = CollectionStatistics.of(terms.values())
    vectors = {claim_id: tfidf(found, statistics) for claim_id, found in terms.items()}
    top = max((claim.statement.score for claim in claims), default=1.0) or 1.0
    if not per_document:
        per_document = _PER_DOCUMENT if len({claim.statement.document_id for claim in claims}) > 2 else limit
    chosen = list(before)
    spoken = {prompt_facet}
    while len(chosen) < limit:
        best: tuple[float, int] | None = None
        for index, claim in enumerate(claims):
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
        chosen.append(claims[best[1]])
        spoken.update(chosen[-1].statement.facets)
    return chosen


def mark_conflicts(claims: Sequence[Claim], analyzer: Analyzer) -> list[Claim]:
    """The claims, each with the ids of those from other documents that state the opposite."""
    against: dict[str, list[str]] = {claim.id: [] for claim in claims}
    stances = {claim.id: stance(claim.statement.text, analyzer) for claim in claims}
    effects = {claim.id: effect_of(claim.statement.text, analyzer) for claim in claims}
    for index, left in enumerate(claims):
        for right in claims[index + 1 :]:
            against_it = opposed(stances[left.id], stances[right.id]) or opposite(effects[left.id], effects[right.id])
            if against_it and set(left.documents).isdisjoint(right.documents):
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
    """Sections by sub-question, by topic or by side of a comparison, key findings included; or, for a prompt of one
    question, by what the claims beside the key findings have in common."""
    questions = [facet for facet in plan.facets if facet.kind in ("question", "topic", "side")]
    if questions:
        return by_question(claims, questions, depth.statements_per_theme)
    rest = [claim for claim in claims if claim.id not in key]
    return by_phrase(rest, weights, analyzer, themes=depth.themes, limit=depth.statements_per_theme)
