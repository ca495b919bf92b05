"""Query expansion by pseudo-relevance feedback: the terms that weigh most in the first documents found.

A term's weight is the sum over those documents of their share in the scores times the term's part of the document's
BM25 score; the heaviest join the query. How much they count is decided for each query: by the part of it, by weight,
that the first document does not hold. One that holds every word of the question was probably meant, and words
of others would only blur it; a long description that no document covers gains by the words of those near to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.library.index.scoring import Floats, Scorer
from services.library.index.segment import Hashes, Segment

DOCUMENTS = 10
SHARE = 0.5
"""Of the expanded query, how much the new terms are at most: when the first document holds no word of the query."""
STEEPNESS = 3
"""To which power of what the first document leaves that share falls."""
STEEPNESS_DENSE = 1
"""The same where an encoder takes part in finding the ten: they are the right ones more often."""
_TERMS = 20
_LIBRARY = 50
"""In a smaller library ten documents are too many of all of them to tell what is particular to a question."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document found: view, number there, and its share in what is learnt from all."""

    view: int
    document: int
    share: float


def enough(scorer: Scorer) -> bool:
    return scorer.documents >= _LIBRARY


def uncovered(scorer: Scorer, query: Mapping[str, float], best: Found) -> float:
    """The part of the query, weighed by idf, whose terms a document does not hold, from 0 to 1. Terms that no document
    of the library holds count as if they were not there."""
    segment = scorer.views[best.view].segment
    held = set(document_terms(segment, best.document)[0].tolist())
    total = missing = 0.0
    for term in sorted(query):
        holding = scorer.holding(term)
        if holding:
            weight = query[term] * scorer.idf(holding)
            total += weight
            missing += 0.0 if scorer.numbers(term)[best.view] in held else weight
    return missing / total if total else 0.0


def expansion(scorer: Scorer, found: Sequence[Found]) -> dict[str, float]:
    """The heaviest terms of the documents found; their weights sum to 1."""
    k1 = scorer.weights.k1
    hashes: list[Hashes] = []
    parts: list[Floats] = []
    words: list[tuple[Segment, NDArray[np.int32]]] = []
    for each in found:
        segment = scorer.views[each.view].segment
        numbers, counts = document_terms(segment, each.document, scorer.weights.title)
        norm = scorer.norms[each.view][0][each.document]
        own = segment.term_hash[numbers]
        hashes.append(own)
        parts.append(each.share * counts * (k1 + 1) / (counts + norm))
        words.append((segment, numbers))
    if not hashes:
        return {}
    unique, inverse = np.unique(np.concatenate(hashes), return_inverse=True)
    weights = np.bincount(inverse, weights=np.concatenate(parts)) * _idfs(scorer, unique)
    order = np.lexsort((unique, -weights))[:_TERMS]
    total = float(weights[order].sum())
    return {_term(int(unique[place]), hashes, words): float(weights[place]) / total for place in order.tolist()}


def _term(wanted: int, hashes: Sequence[Hashes], words: Sequence[tuple[Segment, NDArray[np.int32]]]) -> str:
    for own, (segment, numbers) in zip(hashes, words, strict=True):
        places = np.flatnonzero(own == np.uint64(wanted))
        if len(places):
            return segment.term_at(int(numbers[places[0]])).decode()
    raise KeyError(wanted)


def document_terms(segment: Segment, document: int, title: float = 1.0) -> tuple[NDArray[np.int32], Floats]:
    """The terms of a document, ascending, and how often each stands there; one in the title counts `title` times."""
    first, last = segment.first[document : document + 2].tolist()
    body = segment.body_terms[segment.body_begin[first] : segment.body_begin[last]]
    heading = segment.title_terms[segment.title_begin[document] : segment.title_begin[document + 1]]
    numbers, inverse = np.unique(np.concatenate((body, heading)), return_inverse=True)
    counts = np.concatenate((np.ones(len(body)), np.full(len(heading), title)))
    return numbers, np.bincount(inverse, weights=counts, minlength=len(numbers)).astype(np.float64)


def _idfs(scorer: Scorer, hashes: Hashes) -> Floats:
    holding = np.zeros(len(hashes), dtype=np.int64)
    for view in scorer.views:
        numbers = view.segment.numbers(hashes)
        known = numbers >= 0
        holding[known] += view.holding[numbers[known]]
    return np.log(1.0 + (scorer.documents - holding + 0.5) / (holding + 0.5))
