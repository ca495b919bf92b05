"""A list of passages without near-duplicates and with variety at its head.

Two passages are near-duplicates when they share most of their pairs of neighbouring terms (Jaccard, as in Broder,
1997) and do not differ in a number, a denial or a direction. Then maximal marginal relevance (Carbonell and Goldstein,
1998) orders the head: each next passage is the one with the best score, less what it shares with the one above it that
it is most like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.library.index.segment import Hashes, Segment

_SAME = 0.8
_HEAD = 30
"""How many places are varied; after them the list goes on by score."""
_PENALTY = 0.3
"""Of the best score, what a passage loses that shares all of its pairs with one above it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A passage: a row of a segment."""

    segment: Segment
    row: int


def chosen(places: Sequence[Place], scores: Sequence[float]) -> list[int]:
    """Which of the passages, best first, are kept, and in which order. No document is lost: one that would have no
    passage left keeps its best, after all others."""
    likeness = _likeness([_pairs(place) for place in places])
    senses = np.array([place.segment.passage_sense[place.row] for place in places], dtype=np.uint64)
    same = (likeness >= _SAME) & (senses[:, None] == senses[None, :])
    kept: list[int] = []
    folded: list[int] = []
    for number in range(len(places)):
        (folded if same[number, kept].any() else kept).append(number)
    documents = {_document(places[number]) for number in kept}
    last: dict[str, int] = {}
    for number in folded:
        if _document(places[number]) not in documents:
            last.setdefault(_document(places[number]), number)
    return _varied(kept, scores, likeness) + list(last.values())


def _document(place: Place) -> str:
    return place.segment.document_ids[int(place.segment.passage_document[place.row])]


def _likeness(pairs: Sequence[Hashes]) -> NDArray[np.float64]:
    """The share of their pairs that each two passages have in common, from 0 to 1."""
    from scipy import sparse  # the service starts without it

    if not pairs:
        return np.zeros((0, 0))
    sizes = np.array([len(own) for own in pairs], dtype=np.int64)
    known, columns = np.unique(np.concatenate(pairs), return_inverse=True)
    rows = np.repeat(np.arange(len(pairs)), sizes)
    holds = sparse.csr_matrix((np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=(len(pairs), len(known)))
    shared = (holds @ holds.T).toarray()
    return np.asarray(shared / np.maximum(sizes[:, None] + sizes[None, :] - shared, 1), dtype=np.float64)


def _varied(kept: list[int], scores: Sequence[float], likeness: NDArray[np.float64]) -> list[int]:
    left = kept[:_HEAD]
    head: list[int] = []
    while left:
        highest = scores[kept[0]]

        def value(number: int, highest: float = highest) -> tuple[float, int]:
            like = max(likeness[number, head].tolist(), default=0.0)
            return scores[number] - _PENALTY * highest * like, -number

        head.append(max(left, key=value))
        left.remove(head[-1])
    return head + kept[_HEAD:]


def _pairs(place: Place) -> Hashes:
    """The pairs of neighbouring terms of a passage, as hashes, each once; a single term is a pair with nothing."""
    segment = place.segment
    begin, end = segment.body_begin[place.row : place.row + 2].tolist()
    terms: NDArray[np.uint64] = segment.term_hash[segment.body_terms[begin:end]]
    following = np.append(terms[1:], np.uint64(0)) if len(terms) == 1 else terms[1:]
    return np.unique(terms[: len(following)] * np.uint64(0x9E3779B97F4A7C15) + following)
