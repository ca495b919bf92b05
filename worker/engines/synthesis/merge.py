"""Stage *merge*: findings that say the same become one, and those that contradict each other are set side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.engines.base import StageContext
from worker.engines.synthesis.citations import WorkIndex
from worker.engines.synthesis.model import Finding, Json, Merged, Session, to_json
from worker.engines.text.bm25 import CollectionStatistics
from worker.engines.text.identifiers import content_id
from worker.engines.text.polarity import Stance, opposed, stance
from worker.engines.text.similarity import Vector, cosine, near_identical, tfidf
from worker.engines.text.stopwords import QUESTION_WORDS, WEAK_WORDS
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import count

SAME_MEANING = 0.6
"""Cosine of tf-idf vectors over stems from which two findings count as saying the same."""
CEILING = 0.95
"""No agreement makes a finding surer than this."""


async def run(ctx: StageContext) -> Json:
    """Merged findings: those of most sessions first, then by confidence."""
    sessions = [Session.of(data) for data in ctx.outputs["collect"]["sessions"]]
    language = str(ctx.job.preferences.get("language") or "en")
    findings = [finding for session in sessions for finding in session.findings]
    merged: list[Merged] = await ctx.run(merge, sessions, ctx.job.prompt, language)
    ctx.use("finding_merged", len(findings))
    shared = [item for item in merged if len(item.sessions) > 1]
    opposite = sum(len(item.conflicts) for item in merged) // 2
    ctx.decide(
        "findings merged",
        f"{count(len(findings), 'finding')} became {count(len(merged), 'statement')}: those in the same words or with "
        f"a likeness of {SAME_MEANING:.0%} or more were joined. "
        f"{count(len(shared), 'is', 'are')} made by two sessions or more; "
        f"{count(opposite, 'pair contradicts', 'pairs contradict')} each other and were kept apart.",
    )
    await ctx.step(1, 1)
    return {"merged": [to_json(item) for item in merged]}


def merge(sessions: Sequence[Session], prompt: str, language: str) -> list[Merged]:
    """Groups of findings that mean the same. The surest finding leads its group; findings that point opposite ways are
    never put together, however alike their words.

    Order: groups of more sessions first, then by confidence · (0.7 + 0.3 · share of the prompt's terms held).
    """
    analyzer = Analyzer(language)
    works = WorkIndex(sessions)
    order = {session.session_id: index for index, session in enumerate(sessions)}
    findings = sorted(
        (finding for session in sessions for finding in session.findings),
        key=lambda item: (-item.confidence, not item.key, order[item.session_id], item.rank),
    )
    terms = [analyzer.terms(finding.text) for finding in findings]
    statistics = CollectionStatistics.of(terms)
    groups: list[list[Finding]] = []
    heads: list[tuple[frozenset[str], Vector, Stance]] = []
    for finding, found in zip(findings, terms, strict=True):
        stems, vector, side = frozenset(found), tfidf(found, statistics), stance(finding.text, analyzer)
        for group, (head, head_vector, head_side) in zip(groups, heads, strict=True):
            alike = near_identical(head, stems) or cosine(head_vector, vector) >= SAME_MEANING
            if alike and not opposed(head_side, side):
                group.append(finding)
                break
        else:
            groups.append([finding])
            heads.append((stems, vector, side))
    merged = [
        Merged(
            content_id("merged", *(f"{item.session_id}:{item.id}" for item in group)), tuple(group), _sure(group, works)
        )
        for group in groups
    ]
    against = _conflicts(merged, analyzer)
    told = [item.against(tuple(against[item.id])) for item in merged]
    asked = {stem for stem, folded, _ in analyzer.surfaces(prompt) if folded not in QUESTION_WORDS | WEAK_WORDS}

    def worth(item: Merged) -> float:
        share = len(asked.intersection(analyzer.terms(item.head.text))) / max(1, len(asked))
        return round(item.confidence * (0.7 + 0.3 * share), 6)

    return sorted(told, key=lambda item: (-len(item.sessions), -worth(item)))  # stable: as above among equals


def _sure(group: Sequence[Finding], works: WorkIndex) -> float:
    """Confidence of a merged finding: that of its surest member, and half of what is missing to the ceiling for the
    first further independent source (document or dataset), a quarter for the second, and so on."""
    best = min(CEILING, max(item.confidence for item in group))
    sources = {source for item in group for source in works.sources(item)}
    further = max(0, len(sources) - max(1, len(works.sources(group[0]))))
    sure = best + 0.5 * (CEILING - best) * (1 - 0.5**further)
    return round(sure / 2 if any(item.contradicted for item in group) else sure, 4)


def _conflicts(merged: Sequence[Merged], analyzer: Analyzer) -> Mapping[str, list[str]]:
    against: dict[str, list[str]] = {item.id: [] for item in merged}
    stances = {item.id: stance(item.head.text, analyzer) for item in merged}
    for index, left in enumerate(merged):
        for right in merged[index + 1 :]:
            if opposed(stances[left.id], stances[right.id]):
                against[left.id].append(right.id)
                against[right.id].append(left.id)
    return against
