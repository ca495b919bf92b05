"""BM25 (Robertson and Zaragoza, 2009) over documents and passages, in the form whose idf is never negative.

score(q, d) = Σ_t  q_t · ln(1 + (N − n_t + ½) / (n_t + ½)) · f·(k1 + 1) / (f + k1·(1 − b + b·|d| / avg))

with q_t how often the term stands in the query (or how much it weighs there), n_t how many of N units hold it, f how
often it stands in the unit. Every figure counts live documents only, so an index that grew by additions, replacements
and deletions scores as one built afresh.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.library.index.segment import Longs, Segment

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Weights:
    """k1, b: BM25's saturation and length normalisation. `title`: how many times a title's word counts
    in its document. `passage`: weight of the best passage beside the whole document. `document`: weight of
    the whole document beside a passage. What the values rest on stands in docs/retrieval.md."""

    k1: float = 1.2
    b: float = 0.7
    title: float = 2.5
    passage: float = 0.1
    document: float = 0.25


@dataclass(frozen=True)
class View:
    """A segment and which of its documents live."""

    segment: Segment
    live: Mask

    @cached_property
    def whole(self) -> bool:
        return bool(self.live.all())

    @cached_property
    def encoded(self) -> bool:
        """Whether every live document has the vectors of an encoder."""
        return not np.any(self.live & ~np.any(self.segment.dense[self.segment.first[:-1]], axis=1))

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
    def holding(self) -> Longs:
        """How many live documents hold each term, in a passage or the title."""
        segment = self.segment
        terms, documents = _held(segment)
        return np.bincount(terms[self.live[documents]], minlength=len(segment.term_hash)).astype(np.int64)

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


Scores = tuple[Floats, Floats]
"""Of one view, of its documents and of its passages."""


class Scorer:
    """BM25 over the views of one state."""

    def __init__(self, views: Sequence[View], weights: Weights) -> None:
        self.views = views
        self.weights = weights
        self.documents = sum(view.live_documents for view in views)
        self._passages = sum(view.live_passages for view in views)
        self._numbers: dict[str, list[int]] = {}
        body_terms = sum(view.body_terms for view in views)
        title_terms = sum(view.title_terms for view in views)
        document_average = max(1.0, (body_terms + weights.title * title_terms) / max(1, self.documents))
        passage_average = max(1.0, body_terms / max(1, self._passages))
        self.norms = [
            (
                _norm(_weighted_length(view.segment, weights), document_average, weights),
                _norm(view.segment.passage_length.astype(np.float64), passage_average, weights),
            )
            for view in views
        ]

    def idf(self, holding: int) -> float:
        """The weight of a term that so many live documents hold."""
        return _idf(self.documents, holding)

    def passage_idf(self, holding: int) -> float:
        """The same by live passages."""
        return _idf(self._passages, holding)

    def numbers(self, term: str) -> list[int]:
        """The term's number in each view, -1 where it does not occur; looked up once."""
        found = self._numbers.get(term)
        if found is None:
            found = self._numbers[term] = [view.segment.find(term) for view in self.views]
        return found

    def holding(self, term: str) -> int:
        """How many live documents hold a term."""
        numbers = zip(self.views, self.numbers(term), strict=True)
        return sum(int(view.holding[number]) for view, number in numbers if number >= 0)

    def scores(self, terms: Mapping[str, float]) -> list[Scores]:
        """For each view the scores of its documents and of its passages; 0 where nothing matches or lives."""
        scores = [(np.zeros(view.segment.documents), np.zeros(view.segment.passages)) for view in self.views]
        for term in sorted(terms):
            matches = [
                _matches(view, number, self.weights)
                for view, number in zip(self.views, self.numbers(term), strict=True)
            ]
            in_documents = sum(match.live_documents for match in matches if match)
            in_passages = sum(match.live_passages for match in matches if match)
            document_weight = terms[term] * _idf(self.documents, in_documents) * (self.weights.k1 + 1)
            passage_weight = terms[term] * _idf(self._passages, in_passages) * (self.weights.k1 + 1)
            for match, (by_document, by_passage), (document_norm, passage_norm) in zip(
                matches, scores, self.norms, strict=True
            ):
                if match is None:
                    continue
                found, counts = match.documents, match.document_counts
                by_document[found] += document_weight * counts / (counts + document_norm[found])
                rows, counts = match.passages, match.passage_counts
                by_passage[rows] += passage_weight * counts / (counts + passage_norm[rows])
        for view, (by_document, by_passage) in zip(self.views, scores, strict=True):
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


def _matches(view: View, number: int, weights: Weights) -> _Matches | None:
    segment = view.segment
    if number < 0:
        return None
    rows, row_counts = segment.body.of(number)
    titles, title_counts = segment.title.of(number)
    passage_counts = row_counts.astype(np.float64)
    owners = segment.passage_document[rows]
    if len(owners):
        begins = np.flatnonzero(np.diff(owners, prepend=-1))
        documents, counts = owners[begins], np.add.reduceat(passage_counts, begins)
    else:
        documents, counts = owners, passage_counts
    if len(titles):
        total = np.zeros(segment.documents)
        total[documents] = counts
        total[titles] += weights.title * title_counts
        documents = np.flatnonzero(total).astype(np.int32)
        counts = total[documents]
    live_passages = len(rows) if view.whole else int(np.count_nonzero(view.live_rows[rows]))
    return _Matches(rows, passage_counts, documents, counts, live_passages, int(view.holding[number]))


def _held(segment: Segment) -> tuple[Longs, NDArray[np.int32]]:
    """(term, document) of each term that a document holds, once."""
    height = max(1, segment.documents)
    terms = np.arange(len(segment.term_hash), dtype=np.int64)
    keys = np.repeat(terms * height, np.diff(segment.body.offsets)) + segment.passage_document[segment.body.rows]
    # Passages ascend within a term, and with them their documents: what repeats lies side by side.
    keys = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
    titles = np.repeat(terms * height, np.diff(segment.title.offsets)) + segment.title.rows
    if len(keys):
        titles = titles[keys[np.minimum(np.searchsorted(keys, titles), len(keys) - 1)] != titles]
    keys = np.concatenate((keys, titles))
    return keys // height, (keys % height).astype(np.int32)
