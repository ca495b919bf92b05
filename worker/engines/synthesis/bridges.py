"""Stage *bridge*: terms that connect what the sessions found apart from each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from worker.engines.base import StageContext
from worker.engines.synthesis.model import Bridge, Json, Merged, Session, to_json
from worker.engines.text.identifiers import content_id
from worker.engines.text.phrases import phrases
from worker.engines.text.terms import Analyzer
from worker.engines.text.wording import count

MAX_BRIDGES = 10
_TOO_COMMON = 0.5
"""A term in more than this share of all findings connects everything and so nothing."""

_MIN_SINGLE = 3
"""A single word that is no name must occur this often; two words together, or a name, twice."""


async def run(ctx: StageContext) -> Json:
    """Bridges, strongest first."""
    sessions = [Session.of(data) for data in ctx.outputs["collect"]["sessions"]]
    merged = [Merged.of(data) for data in ctx.outputs["merge"]["merged"]]
    language = str(ctx.job.preferences.get("language") or "en")
    found: list[Bridge] = await ctx.run(bridges, sessions, merged, language)
    ctx.decide(
        "bridges",
        f"{count(len(found), 'term connects', 'terms connect')} findings of different sessions: "
        f"{', '.join(item.term for item in found)}."
        if found
        else "No term connects findings of different sessions.",
    )
    await ctx.step(1, 1)
    return {"bridges": [to_json(item) for item in found]}


def bridges(sessions: Sequence[Session], merged: Sequence[Merged], language: str) -> list[Bridge]:
    """Terms (one to three words) that occur in findings of two sessions or more, each with a path that leads from one
    session to the next through one finding of each.

    Strength = (1 + ½ for each further word) · ln(1 + N / n) · sessions connected / sessions, for N findings of which n
    hold the term; half of that for a term that the prompts of all these sessions name themselves.
    """
    analyzer = Analyzer(language)
    forms: dict[tuple[str, ...], Counter[str]] = {}
    holders: dict[tuple[str, ...], dict[str, dict[str, None]]] = {}
    count = 0
    for item in merged:
        for member in item.members:
            count += 1
            for stems, surface in phrases(member.text, analyzer):
                forms.setdefault(stems, Counter())[surface] += 1
                holders.setdefault(stems, {}).setdefault(member.session_id, {})[item.id] = None
    asked = {session.session_id: frozenset(analyzer.terms(session.prompt)) for session in sessions}
    found: list[tuple[tuple[str, ...], Bridge]] = []
    for stems, by_session in holders.items():
        total = sum(forms[stems].values())
        least = _MIN_SINGLE if len(stems) == 1 and not _is_name(forms[stems]) else 2
        if len(by_session) < 2 or not least <= total <= max(least, _TOO_COMMON * count):
            continue
        named = all(asked[session_id].issuperset(stems) for session_id in by_session)
        strength = (1 + 0.5 * (len(stems) - 1)) * math.log1p(count / total) * len(by_session) / len(sessions)
        found.append((stems, _bridge(stems, forms[stems], by_session, sessions, strength / 2 if named else strength)))
    found.sort(key=lambda entry: (-entry[1].strength, entry[1].term))
    return _distinct(found)[:MAX_BRIDGES]


def _is_name(surfaces: Counter[str]) -> bool:
    return any(not surface.islower() for surface in surfaces)


def _bridge(
    stems: tuple[str, ...],
    surfaces: Counter[str],
    by_session: Mapping[str, Mapping[str, None]],
    sessions: Sequence[Session],
    strength: float,
) -> Bridge:
    term = min(surfaces.items(), key=lambda entry: (-entry[1], len(entry[0]), entry[0]))[0]
    connected = [session.session_id for session in sessions if session.session_id in by_session]
    # Different findings where there are any: the same merged finding on both sides is agreement, not a bridge.
    path: list[tuple[str, str]] = []
    for session_id in connected:
        taken = {finding for _, finding in path}
        own = list(by_session[session_id])
        path.append((session_id, next((finding for finding in own if finding not in taken), own[0])))
    return Bridge(content_id("bridge", *stems, *connected), term, tuple(connected), tuple(path), round(strength, 4))


def _distinct(found: Sequence[tuple[tuple[str, ...], Bridge]]) -> list[Bridge]:
    """Bridges over different findings, without those whose words are part of a stronger one's."""
    kept: list[tuple[tuple[str, ...], Bridge]] = []
    for stems, bridge in found:
        if len({finding for _, finding in bridge.path}) < 2:
            continue
        if not any(set(stems) <= set(other) or set(other) <= set(stems) for other, _ in kept):
            kept.append((stems, bridge))
    return [bridge for _, bridge in kept]
