"""Words near to a query's words: others of the library with the same beginning, as *inhibition* beside *inhibitor*,
which stemming leaves apart. They find too, for less."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from services.library.index.scoring import Scorer
from services.library.index.segment import Segment

WEIGHT = 0.15
"""What a variant counts beside the word itself, times their likeness."""
_SHORTEST = 5
_SHARE = 0.7
"""Of the longer of both, how much must be the same beginning."""
_MOST = 20
_SEEN = 500
"""Terms with one beginning that are looked at; a beginning that more share says nothing."""


def with_variants(scorer: Scorer, query: Mapping[str, float]) -> dict[str, float]:
    """The query and its variants with their weights. A variant is never worth more than its word: one that is rarer
    is weighed down to it."""
    weighed = dict(query)
    for term in sorted(query):
        if len(term) < _SHORTEST or term.isdigit():
            continue
        held = scorer.holding(term)
        for variant, likeness in _variants(scorer, term):
            rarer = min(1.0, scorer.idf(held) / scorer.idf(scorer.holding(variant)))
            weighed[variant] = weighed.get(variant, 0.0) + WEIGHT * query[term] * likeness * rarer
    return weighed


def _variants(scorer: Scorer, term: str) -> list[tuple[str, float]]:
    beginning = term[: max(_SHORTEST, ceil(_SHARE * len(term)))]
    found: dict[str, float] = {}
    for view in scorer.views:
        for number, other in _beginning(view.segment, beginning):
            shared = _shared(term, other)
            likeness = shared / max(len(term), len(other))
            if other != term and likeness >= _SHARE and view.holding[number]:
                found[other] = likeness
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:_MOST]


def _beginning(segment: Segment, beginning: str) -> list[tuple[int, str]]:
    wanted = beginning.encode()
    first = segment.place(wanted)
    last = min(segment.place(wanted + b"\xff"), first + _SEEN)
    return [(number, segment.term_at(number).decode()) for number in range(first, last)]


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
