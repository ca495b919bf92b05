"""What tells an answer from a statement that merely has words in common with the prompt.

Each signal is a number between 0 and 1 that a reader can check against the result;
:mod:`worker.engines.research.calibration` turns them into a probability.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from worker.engines.research.model import Claim, Statement

Found = Sequence[tuple[str, float]]
"""The documents found, best first: id, and coverage of the prompt by the best passage with the title."""
CROWD = 5
"""The rank of the document that stands for those that merely touch the subject."""
AGREEING = 0.9
"""A document that holds so much of the prompt is no rival to an answer, but another that may give one."""


@dataclass(frozen=True, slots=True)
class Signals:
    """Of the statement that heads the findings.

    strength: how much of the prompt's weighted terms the strongest statement of its document holds, alone and with its
    surroundings, averaged;
    lead: of what the next best document's passage lacks of the prompt, the share that its own document's passage holds;
    apart: the same against the fifth best, that is how far it stands out from what merely touches the subject;
    first: 1 over the rank of its document among all that were found.

    For `lead` and `apart`, documents that say the same, or hold nine tenths of the prompt themselves, are no rivals.
    """

    strength: float = 0.0
    lead: float = 0.0
    apart: float = 0.0
    first: float = 0.0

    def as_json(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Signals:
        return cls(**{field.name: float(data.get(field.name, 0.0)) for field in fields(cls)})


def strengths_of(statements: Iterable[Statement]) -> dict[str, float]:
    """The strength of each document's strongest statement."""
    found: dict[str, float] = {}
    for item in statements:
        found[item.document_id] = max(found.get(item.document_id, 0.0), item.strength)
    return found


def signals_of(head: Claim | None, found: Found, strengths: Mapping[str, float]) -> Signals:
    """The signals of a claim among the documents found."""
    if head is None:
        return Signals()
    saying = set(head.documents)
    own = head.statement
    rank, passage = next(
        ((rank, share) for rank, (name, share) in enumerate(found, start=1) if name == own.document_id),
        (len(found) + 1, 0.0),
    )
    rivals = sorted((share for name, share in found if name not in saying and share < AGREEING), reverse=True)
    rivals += [0.0] * CROWD
    return Signals(
        strength=round(max(own.strength, strengths.get(own.document_id, 0.0)), 6),
        lead=_ahead(passage, rivals[0]),
        apart=_ahead(passage, rivals[CROWD - 1]),
        first=round(1 / rank, 6),
    )


def _ahead(passage: float, rival: float) -> float:
    return round(max(0.0, (passage - rival) / (1 - rival)), 6)
