"""Stage *bridge*: what connects findings that the sessions made apart from each other.

Three kinds. A *term* that findings of several sessions share. A *source* that different findings of several sessions
cite. And what neither session says, in the manner of Swanson ("Fish oil, Raynaud's syndrome, and undiscovered public
knowledge", Perspectives in Biology and Medicine, 1986): A with B in a finding of one session, B with C in a finding of
another, where no session of the two names both A and C. It is a lead to follow, and said to be no more.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from worker.engines.base import StageContext
from worker.engines.synthesis.citations import WorkIndex
from worker.engines.synthesis.model import CONTRADICTED, Bridge, Finding, Json, Merged, Session, Step, to_json
from worker.engines.synthesis.naming import names_a_thing
from worker.engines.text.identifiers import content_id
from worker.engines.text.phrases import phrases
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import count

MAX_BRIDGES = 10
MAX_OF_KIND = 5
"""Bridges of implicit links, and of shared sources; the rest are of terms."""
_TOO_COMMON = 0.5
"""A term in more than this share of all findings connects everything and so nothing."""
_MIN_SINGLE = 3
"""A single word that is no name must occur this often; two words together, or a name, twice."""
_MOST_TERMS = 40
"""Over how many of the strongest terms implicit links are looked for; bridges of terms are fewer."""
_MOST_FINDINGS = 3
"""How many findings of each session are tried for a term."""
_SINGLE_END = 0.5
"""How much a single word counts at the end of an implicit link, beside a phrase or a name."""

Stems = tuple[str, ...]


async def run(ctx: StageContext) -> Json:
    """Bridges, strongest first."""
    sessions = [Session.of(data) for data in ctx.outputs["collect"]["sessions"]]
    merged = [Merged.of(data) for data in ctx.outputs["merge"]["merged"]]
    language = str(ctx.job.preferences.get("language") or "en")
    found: list[Bridge] = await ctx.run(bridges, sessions, merged, language)
    named = ", ".join(dict.fromkeys(item.term for item in found if item.kind != "source"))
    ctx.decide(
        "bridges",
        f"{count(len(found), 'bridge leads', 'bridges lead')} from findings of one session to those of another"
        + (f", over {named}." if named else ".")
        if found
        else "Nothing connects findings of different sessions.",
    )
    await ctx.step(1, 1)
    return {"bridges": [to_json(item) for item in found]}


def bridges(sessions: Sequence[Session], merged: Sequence[Merged], language: str) -> list[Bridge]:
    """The strongest bridges of each kind, strongest first. Those that rest on contradicted findings are none.

    Strength of a term = (1 + ½ for each further word) · ln(1 + N / n) · sessions connected / sessions, for N findings
    of which n hold the term; half of that for a term that the prompts of all these sessions name themselves. An
    implicit link has its term's strength times the mean of its ends' (1 for a phrase or a name, ½ for a single word); a
    source has ln(1 + N / n) · sessions connected / sessions, for n findings that cite it.
    """
    sound = [item for item in merged if item.support != CONTRADICTED]
    vocabulary = _Vocabulary.of(sessions, sound, language)
    terms = _distinct([found for stems in vocabulary.shared() if (found := vocabulary.bridge(stems)) is not None])
    implicit = _first(_implicit(vocabulary, terms), MAX_OF_KIND)
    sources = _first(_sources(sessions, sound), MAX_OF_KIND)
    room = max(1, MAX_BRIDGES - len(implicit) - len(sources))
    # A link says all that its term's bridge between the same sessions says.
    told = {(bridge.term, bridge.sessions) for bridge in implicit}
    named = [bridge for _, bridge in terms if (bridge.term, bridge.sessions) not in told]
    return sorted(named[:room] + implicit + sources, key=_order)


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Which terms occur in which findings. A term is one to three words, by their stems."""

    sessions: Sequence[Session]
    findings: list[tuple[Finding, str]] = field(default_factory=list)
    """With the ids of the merged findings that they belong to."""
    terms_of: list[dict[Stems, None]] = field(default_factory=list)
    holders: dict[Stems, list[int]] = field(default_factory=dict)
    sessions_of: dict[Stems, set[str]] = field(default_factory=dict)
    forms: dict[Stems, Counter[str]] = field(default_factory=dict)
    asked: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sessions: Sequence[Session], merged: Sequence[Merged], language: str) -> _Vocabulary:
        analyzer = Analyzer(language)
        made = cls(sessions)
        made.asked.update({one.session_id: frozenset(analyzer.terms(one.prompt)) for one in sessions})
        for item in merged:
            for member in item.members:
                # Of a statement in an engine's own words, the words of its evidence count as well.
                quote = f"\n{member.quote}" if member.quote and member.quote != member.text else ""
                held: dict[Stems, None] = {}
                for stems, surface in phrases(member.text + quote, analyzer):
                    if not names_a_thing(surface, computed=member.dataset is not None):
                        continue
                    made.forms.setdefault(stems, Counter())[surface] += 1
                    held[stems] = None
                for stems in held:
                    made.holders.setdefault(stems, []).append(len(made.findings))
                    made.sessions_of.setdefault(stems, set()).add(member.session_id)
                made.findings.append((member, item.id))
                made.terms_of.append(held)
        return made

    def surface(self, stems: Stems) -> str:
        return min(self.forms[stems].items(), key=lambda entry: (-entry[1], len(entry[0]), entry[0]))[0]

    def is_name(self, stems: Stems) -> bool:
        return any(not surface.islower() for surface in self.forms[stems])

    def places(self, stems: Stems) -> dict[str, list[int]]:
        """The findings that hold a term, by session, in the sessions' order."""
        found: dict[str, list[int]] = {}
        for place in self.holders[stems]:
            found.setdefault(self.findings[place][0].session_id, []).append(place)
        return {one.session_id: found[one.session_id] for one in self.sessions if one.session_id in found}

    def shared(self) -> Iterator[Stems]:
        """Terms of two sessions or more that are neither too rare nor too common."""
        total = len(self.findings)
        for stems in sorted(self.holders):
            number = len(self.holders[stems])
            least = _MIN_SINGLE if len(stems) == 1 and not self.is_name(stems) else 2
            if least <= number <= max(least, _TOO_COMMON * total) and len(self.sessions_of[stems]) > 1:
                yield stems

    def strength(self, stems: Stems, connected: Sequence[str]) -> float:
        rare = math.log1p(len(self.findings) / len(self.holders[stems]))
        value = (1 + 0.5 * (len(stems) - 1)) * rare * len(connected) / len(self.sessions)
        return value / 2 if all(self.asked[session_id].issuperset(stems) for session_id in connected) else value

    def bridge(self, stems: Stems) -> tuple[Stems, Bridge] | None:
        """From one session to the next through one finding of each. None where that would be the same one: that is
        agreement."""
        path: list[Step] = []
        for session_id, places in self.places(stems).items():
            taken = {step.merged_id for step in path}
            own = [self.findings[place] for place in places]
            member, merged_id = next((one for one in own if one[1] not in taken), own[0])
            path.append(Step(session_id, merged_id, member.id, ""))
        if len({step.merged_id for step in path}) < 2:
            return None
        connected = tuple(step.session_id for step in path)
        strength = round(self.strength(stems, connected), 4)
        identifier = content_id("bridge", *stems, *connected)
        return stems, Bridge(identifier, "term", self.surface(stems), connected, tuple(path), strength)


def _distinct(found: Sequence[tuple[Stems, Bridge]]) -> list[tuple[Stems, Bridge]]:
    """Strongest first, without those whose words are part of a stronger one's; no more than are looked at."""
    kept: list[tuple[Stems, Bridge]] = []
    for stems, bridge in sorted(found, key=lambda entry: _order(entry[1])):
        if not any(set(stems) <= set(other) or set(other) <= set(stems) for other, _ in kept):
            kept.append((stems, bridge))
            if len(kept) == _MOST_TERMS:
                break
    return kept


def _implicit(vocabulary: _Vocabulary, terms: Sequence[tuple[Stems, Bridge]]) -> list[Bridge]:
    """For each term the strongest pair of ends, one for each pair of sessions."""
    found = []
    for stems, _ in terms[:_MOST_TERMS]:
        places = {session_id: found[:_MOST_FINDINGS] for session_id, found in vocabulary.places(stems).items()}
        for left, right in combinations(places, 2):
            best: tuple[float, str, Bridge] | None = None
            for first in places[left]:
                for second in places[right]:
                    link = _link(vocabulary, stems, first, second)
                    if link is not None and (best is None or (-link.strength, link.id) < (best[0], best[1])):
                        best = (-link.strength, link.id, link)
            if best is not None:
                found.append(best[2])
    return found


def _link(vocabulary: _Vocabulary, stems: Stems, first: int, second: int) -> Bridge | None:
    (one, one_id), (other, other_id) = vocabulary.findings[first], vocabulary.findings[second]
    if one_id == other_id:
        return None
    pair = (one.session_id, other.session_id)
    start = _end(vocabulary, stems, first, apart_from=other.session_id)
    end = _end(vocabulary, stems, second, apart_from=one.session_id)
    if start is None or end is None:
        return None
    ends = (_weight(vocabulary, start) + _weight(vocabulary, end)) / 2
    strength = round(vocabulary.strength(stems, pair) * ends, 4)
    path = (
        Step(one.session_id, one_id, one.id, vocabulary.surface(start)),
        Step(other.session_id, other_id, other.id, vocabulary.surface(end)),
    )
    identifier = content_id("bridge", "implicit", *start, "|", *stems, "|", *end, *pair)
    return Bridge(identifier, "implicit", vocabulary.surface(stems), pair, path, strength)


def _end(vocabulary: _Vocabulary, stems: Stems, place: int, *, apart_from: str) -> Stems | None:
    """The most telling term of a finding that has no word of the bridge's and is nowhere named by the other session."""
    own = [
        term
        for term in vocabulary.terms_of[place]
        if not set(term) & set(stems)
        and apart_from not in vocabulary.sessions_of[term]
        and not any(stem in vocabulary.asked[apart_from] for stem in term)
    ]
    return min(
        own,
        # Two words name a thing; of three, one is often a verb. Among equals the first in the sentence.
        key=lambda term: (-_weight(vocabulary, term), -len(vocabulary.holders[term]), abs(len(term) - 2)),
        default=None,
    )


def _weight(vocabulary: _Vocabulary, term: Stems) -> float:
    return 1.0 if len(term) > 1 or vocabulary.is_name(term) else _SINGLE_END


def _sources(sessions: Sequence[Session], merged: Sequence[Merged]) -> list[Bridge]:
    """Works that different findings of several sessions cite."""
    works = WorkIndex(sessions)
    citing: dict[int, dict[str, list[tuple[Finding, str]]]] = {}
    total = 0
    for item in merged:
        for member in item.members:
            total += 1
            for work in works.works(member):
                citing.setdefault(work, {}).setdefault(member.session_id, []).append((member, item.id))
    found = []
    for work, by_session in sorted(citing.items()):
        path: list[Step] = []
        for session_id in sorted(by_session):
            taken = {step.merged_id for step in path}
            own = by_session[session_id]
            member, merged_id = next((one for one in own if one[1] not in taken), own[0])
            path.append(Step(session_id, merged_id, member.id, ""))
        if len({step.merged_id for step in path}) < 2:
            continue
        number = sum(map(len, by_session.values()))
        strength = round(math.log1p(total / number) * len(path) / len(sessions), 4)
        citation = works.citation_id(work)
        identifier = content_id("bridge", "source", citation, *sorted(by_session))
        title = works.title(work) or citation
        found.append(Bridge(identifier, "source", title, tuple(sorted(by_session)), tuple(path), strength))
    return found


def _first(found: Sequence[Bridge], most: int) -> list[Bridge]:
    return sorted(found, key=_order)[:most]


def _order(bridge: Bridge) -> tuple[float, str, str]:
    return -bridge.strength, bridge.term, bridge.id
