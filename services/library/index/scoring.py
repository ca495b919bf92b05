"""BM25 (Robertson and Zaragoza, 2009) over documents and passages, in the form whose idf is never negative.

score(q, d) = Σ_t  q_t · ln(1 + (N − n_t + ½) / (n_t + ½)) · f·(k1 + 1) / (f + k1·(1 − b + b·|d| / avg))

with q_t how often the term stands in the query, n_t how many of N units hold it, f how often it stands in
the unit. Every figure counts live documents only, so an index that grew by additions, replacements and
deletions scores as one built afresh.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.library.index.segment import Segment

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Weights:
    """k1, b: BM25's saturation and length normalisation. `title`: how many times a title's word counts
    in its document. `passage`: weight of the best passage beside the whole document, and of the whole
    document beside a passage."""

    k1: float = 1.2
    b: float = 0.75
    title: float = 2.0
    passage: float = 0.25


@dataclass(frozen=True)
class View:
    """A segment and which of its documents live."""

    segment: Segment
    live: Mask

    @cached_property
    def whole(self) -> bool:
        return bool(self.live.all())

    @cached_property
    def live_rows(self) -> Mask:
        """Which passages live."""
        return self.live[self.segment.passage_document]

    @cached_property
    def live_documents(self) -> int:
        return int(self.live.sum())

    @cached_property
    def live_passages(self) -> int:
        return int(np.count_nonzero(self.live_rows))

    @cached_property
    def body_terms(self) -> int:
        return int(self.segment.body_length[self.live].sum(dtype=np.int64))

    @cached_property
    def title_terms(self) -> int:
        return int(self.segment.title_length[self.live].sum(dtype=np.int64))


@dataclass(frozen=True, slots=True)
class _Matches:
    """A term in one view: passages with counts, documents with weighted counts, dead ones included."""

    passages: NDArray[np.int32]
    passage_counts: Floats
    documents: NDArray[np.int32]
    document_counts: Floats
    live_passages: int
    live_documents: int


def score(views: Sequence[View], terms: Sequence[str], weights: Weights) -> list[tuple[Floats, Floats]]:
    """For each view the scores of its documents and of its passages; 0 where nothing matches or lives."""
    query = Counter(terms)
    documents = sum(view.live_documents for view in views)
    passages = sum(view.live_passages for view in views)
    scores = [(np.zeros(view.segment.documents), np.zeros(view.segment.passages)) for view in views]
    if not documents or not passages:
        return scores
    body_terms = sum(view.body_terms for view in views)
    title_terms = sum(view.title_terms for view in views)
    document_average = max(1.0, (body_terms + weights.title * title_terms) / documents)
    passage_average = max(1.0, body_terms / passages)
    norms = [
        (
            _norm(_weighted_length(view.segment, weights), document_average, weights),
            _norm(view.segment.passage_length.astype(np.float64), passage_average, weights),
        )
        for view in views
    ]
    for term in sorted(query):
        matches = [_matches(view, term, weights) for view in views]
        in_documents = sum(match.live_documents for match in matches if match)
        in_passages = sum(match.live_passages for match in matches if match)
        document_weight = query[term] * _idf(documents, in_documents) * (weights.k1 + 1)
        passage_weight = query[term] * _idf(passages, in_passages) * (weights.k1 + 1)
        for match, (by_document, by_passage), (document_norm, passage_norm) in zip(matches, scores, norms, strict=True):
            if match is None:
                continue
            found, counts = match.documents, match.document_counts
            by_document[found] += document_weight * counts / (counts + document_norm[found])
            rows, counts = match.passages, match.passage_counts
            by_passage[rows] += passage_weight * counts / (counts + passage_norm[rows])
    for view, (by_document, by_passage) in zip(views, scores, strict=True):
        if not view.whole:
            by_document *= view.live
            by_passage *= view.live_rows
    return scores


def best_passage_scores(view: View, by_passage: Floats) -> Floats:
    """The highest passage score of each document; every document has at least one passage."""
    if not view.segment.documents:
        return np.zeros(0)
    return np.asarray(np.maximum.reduceat(by_passage, view.segment.first[:-1]), dtype=np.float64)


def _weighted_length(segment: Segment, weights: Weights) -> Floats:
    return segment.body_length + weights.title * segment.title_length


def _norm(lengths: Floats, average: float, weights: Weights) -> Floats:
    return weights.k1 * (1.0 - weights.b + weights.b * lengths / average)


def _idf(units: int, holding: int) -> float:
    return math.log(1.0 + (units - holding + 0.5) / (holding + 0.5))


def _matches(view: View, term: str, weights: Weights) -> _Matches | None:
    segment = view.segment
    number = segment.find(term)
    if number < 0:
        return None
    rows, row_counts = segment.body.of(number)
    titles, title_counts = segment.title.of(number)
    passage_counts = row_counts.astype(np.float64)
    owners = segment.passage_document[rows]
    if len(owners):
        begins = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
        documents, counts = owners[begins], np.add.reduceat(passage_counts, begins)
    else:
        documents, counts = owners, passage_counts
    if len(titles):
        total = np.zeros(segment.documents)
        total[documents] = counts
        total[titles] += weights.title * title_counts
        documents = np.flatnonzero(total).astype(np.int32)
        counts = total[documents]
    if view.whole:
        return _Matches(rows, passage_counts, documents, counts, len(rows), len(documents))
    return _Matches(
        passages=rows,
        passage_counts=passage_counts,
        documents=documents,
        document_counts=counts,
        live_passages=int(np.count_nonzero(view.live_rows[rows])),
        live_documents=int(np.count_nonzero(view.live[documents])),
    )
