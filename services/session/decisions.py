"""Decisions of a stage, kept within bounds: a session's whole history is one answer of less than 1 MiB."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.session.domain import JsonObject

MOST = 100
LARGEST = 32 * 1024
LARGEST_TOGETHER = 128 * 1024
_LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided in a stage and why; `excluded` are the things left out, each with its own fields."""

    decision: str
    reason: str
    alternatives: Sequence[str] = ()
    excluded: Sequence[JsonObject] = ()
    left_unsaid: int = 0
    """How many more were excluded than are listed."""


def bounded(decisions: Sequence[Decision]) -> list[Decision]:
    """The first hundred; their lists of what was excluded are cut where they would take too much room."""
    room = LARGEST_TOGETHER
    kept = []
    for decision in decisions[:MOST]:
        cut = _cut(decision, min(room, LARGEST))
        room = max(0, room - _size(cut.excluded))
        kept.append(cut)
    return kept


def _cut(decision: Decision, room: int) -> Decision:
    excluded = []
    for thing in decision.excluded:
        room -= _size(thing)
        if room < 0:
            break
        excluded.append(thing)
    return replace(
        decision,
        decision=decision.decision[:_LONGEST_TEXT],
        reason=decision.reason[:_LONGEST_TEXT],
        alternatives=[text[:_LONGEST_TEXT] for text in decision.alternatives[:20]],
        excluded=excluded,
        left_unsaid=len(decision.excluded) - len(excluded),
    )


def _size(value: object) -> int:
    return len(json.dumps(value, separators=(",", ":")))
