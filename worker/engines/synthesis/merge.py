"""Stage *merge*: findings that say the same become one, and those that contradict each other are set side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from worker.engines.base import StageContext
from worker.engines.synthesis.citations import WorkIndex
from worker.engines.synthesis.meaning import CONFLICTS, Reading, Relation, likeness, readings, relation, signature
from worker.engines.synthesis.model import Conflict, Finding, Json, Merged, Session, to_json
from worker.engines.text import directions
from worker.engines.text.identifiers import content_id
from worker.engines.text.stopwords import QUESTION_WORDS, WEAK_WORDS, word_set
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import count

CEILING = 0.95
"""No agreement makes a finding surer than this."""

_WORD = re.compile(r"[^\W\d_][\w-]*")
_OUTCOME = word_set(
    """
    a an and are clear differ differs direction directions do does fall falls found go is it move moves no not of
    opposite rise rises that the they together was
    """
)


async def run(ctx: StageContext) -> Json:
    """Merged findings: those of most sessions first, then by confidence."""
    sessions = [Session.of(data) for data in ctx.outputs["collect"]["sessions"]]
    language = str(ctx.job.preferences.get("language") or "en")
    findings = [finding for session in sessions for finding in session.findings]
    merged: list[Merged] = await ctx.run(merge, sessions, ctx.job.prompt, language)
    ctx.use("finding_merged", len(findings))
    shared = [item for item in merged if item.shared]
    opposite = sum(len(item.conflicts) for item in merged) // 2
    ctx.decide(
        "findings merged",
        f"{count(len(findings), 'finding')} became {count(len(merged), 'statement')}: those about the same thing that "
        "point the same way and give the same amounts were joined. "
        f"{count(len(shared), 'is', 'are')} made by two sessions or more, "
        f"{sum(item.agreed for item in shared)} of them from different sources; "
        f"{count(opposite, 'pair contradicts', 'pairs contradict')} each other and were kept apart.",
    )
    await ctx.step(1, 1)
    return {"merged": [to_json(item) for item in merged]}


def merge(sessions: Sequence[Session], prompt: str, language: str) -> list[Merged]:
    """Groups of findings that mean the same. The surest finding leads its group, and every member says the same as each
    of the others (complete linkage). The order of the sessions, and of the findings in them, does not count.

    Order: groups of more sessions first, then by confidence · (0.7 + 0.3 · share of the prompt's terms held).
    """
    analyzer = Analyzer(language)
    works = WorkIndex(sessions)
    findings = sorted((f for session in sessions for f in session.findings), key=lambda finding: finding.order)
    read = readings([finding.text for finding in findings], analyzer)
    relations = _relations(read, findings, works)
    groups = _groups(read, relations)
    merged = []
    for group in groups:
        members = tuple(findings[place] for place in group)
        identifier = content_id("merged", *sorted(f"{item.session_id}:{item.id}" for item in members))
        merged.append(Merged(identifier, members, *_sure(members, works)))
    told = [
        item.against(conflicts) for item, conflicts in zip(merged, _conflicts(merged, groups, relations), strict=True)
    ]
    asked = {stem for stem, folded, _ in analyzer.surfaces(prompt) if folded not in QUESTION_WORDS | WEAK_WORDS}

    def worth(item: Merged) -> float:
        share = len(asked.intersection(analyzer.terms(item.head.text))) / max(1, len(asked))
        return round(item.confidence * (0.7 + 0.3 * share), 6)

    # Counted by who found it out: a synthesis of a session is not another voice.
    return sorted(told, key=lambda item: (-len(item.roots), -worth(item), item.head.order))


Relations = Mapping[tuple[int, int], Relation]
"""What findings are to each other, by their places, the lower one first; those that differ are left out."""


def _relations(
    read: Sequence[Reading], findings: Sequence[Finding], works: WorkIndex
) -> dict[tuple[int, int], Relation]:
    holders: dict[str, list[int]] = {}
    for place, reading in enumerate(read):
        for stem in reading.weights or (reading.text,):
            holders.setdefault(stem, []).append(place)
    # What has none of another's weightiest stems leaves it too much of its own.
    pairs = {
        (min(place, other), max(place, other))
        for place, reading in enumerate(read)
        for stem in signature(reading)
        for other in holders[stem]
        if other != place
    }
    # What acts on the same thing the opposite way may be told in a much longer sentence.
    acting: dict[tuple[frozenset[str], str], list[int]] = {}
    for place, reading in enumerate(read):
        if reading.effect is not None:
            acting.setdefault((reading.effect.actor, reading.effect.head), []).append(place)
    pairs.update(pair for places in acting.values() for pair in combinations(places, 2))
    found: dict[tuple[int, int], Relation] = {}
    for pair in sorted(pairs):
        if _computed_apart(findings[pair[0]], findings[pair[1]]):
            continue
        what = relation(read[pair[0]], read[pair[1]])
        if what is Relation.QUANTITY and not set(works.works(findings[pair[0]])).isdisjoint(
            works.works(findings[pair[1]])
        ):
            # One source that gives two amounts speaks of two cases.
            continue
        if what is not Relation.DIFFERENT:
            found[pair] = what
    return found


def _computed_apart(left: Finding, right: Finding) -> bool:
    """Whether two findings that were computed from data are of two things. Sentences about data are made alike and
    differ in the one word that counts, a column's or a level's name: so they are apart where each has a word of its
    own, and always where one session computed both."""
    if left.dataset is None or right.dataset is None or left.text == right.text:
        return False
    mine, other = _named(left.text), _named(right.text)
    return left.session_id == right.session_id or bool(mine - other and other - mine)


def _named(text: str) -> set[str]:
    """The words of a computed finding that say of what it is, without those that say what it found."""
    return {word for word in _WORD.findall(text.casefold()) if word not in directions.SIGNS | _OUTCOME}


def _groups(read: Sequence[Reading], relations: Relations) -> list[list[int]]:
    """Join what is most alike first; a group takes in another when each says the same as each."""
    group_of = {place: [place] for place in range(len(read))}
    same = [pair for pair, what in relations.items() if what is Relation.SAME]
    for first, second in sorted(same, key=lambda pair: (-likeness(read[pair[0]], read[pair[1]]), pair)):
        left, right = group_of[first], group_of[second]
        if left is right or any(
            relations.get((min(one, other), max(one, other))) is not Relation.SAME for one in left for other in right
        ):
            continue
        joined = sorted(left + right)
        for place in joined:
            group_of[place] = joined
    return [group for place, group in sorted(group_of.items()) if group[0] == place]


def _sure(group: Sequence[Finding], works: WorkIndex) -> tuple[float, int]:
    """Confidence of a merged finding, and on how many sources it rests. It is that of its surest member, and half of
    what is missing to the ceiling for the first further independent source (document or dataset), a quarter for the
    second, and so on."""
    best = min(CEILING, max(item.confidence for item in group))
    sources = {source for item in group for source in works.sources(item)}
    further = max(0, len(sources) - max(1, len(works.sources(group[0]))))
    sure = best + 0.5 * (CEILING - best) * (1 - 0.5**further)
    return round(sure / 2 if any(item.contradicted for item in group) else sure, 4), len(sources)


def _conflicts(
    merged: Sequence[Merged], groups: Sequence[Sequence[int]], relations: Relations
) -> list[tuple[Conflict, ...]]:
    """Of each group, the groups that any of its members contradicts."""
    group_of = {place: number for number, group in enumerate(groups) for place in group}
    against: list[dict[str, Conflict]] = [{} for _ in groups]
    for (first, second), what in sorted(relations.items()):
        left, right = group_of[first], group_of[second]
        if what in CONFLICTS and left != right:
            against[left].setdefault(merged[right].id, Conflict(merged[right].id, what.value))
            against[right].setdefault(merged[left].id, Conflict(merged[left].id, what.value))
    return [tuple(found[identifier] for identifier in sorted(found)) for found in against]
