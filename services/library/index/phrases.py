"""Phrases: words in quotation marks count as one more term wherever they stand side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from services.library.index.scoring import Floats, Scorer, Scores, View
from services.library.index.segment import Ints, Longs
from services.library.index.terms import Analyzer

Phrase = tuple[str, ...]
_QUOTED = re.compile('["“”„«»]([^"“”„«»]{3,200})["“”«»]')
_MOST = 8
"""Phrases of a query, the first of them."""
_LONGEST = 12


def phrases_of(query: str, analyzer: Analyzer) -> list[Phrase]:
    """The phrases of a query: what it quotes, stop words left out, where at least two words remain."""
    quoted = (tuple(analyzer.sequence(each)[:_LONGEST]) for each in _QUOTED.findall(query))
    return list(dict.fromkeys(phrase for phrase in quoted if len(phrase) > 1))[:_MOST]


def with_phrases(scorer: Scorer, words: list[Scores], phrases: Sequence[Phrase]) -> list[Scores]:
    """The scores of the words and, by the same formula, those of the phrases."""
    total = words
    for phrase in phrases:
        total = [
            (by_document + documents, by_passage + passages)
            for (by_document, by_passage), (documents, passages) in zip(total, _scores(scorer, phrase), strict=True)
        ]
    return total


def _scores(scorer: Scorer, phrase: Phrase) -> list[Scores]:
    counted = [_counts(view, phrase, scorer.weights.title) for view in scorer.views]
    documents = sum(int(np.count_nonzero(own)) for own, _ in counted)
    passages = sum(int(np.count_nonzero(own)) for _, own in counted)
    k1 = scorer.weights.k1
    by_document = scorer.idf(documents) * (k1 + 1)
    by_passage = scorer.passage_idf(passages) * (k1 + 1)
    return [
        (by_document * own / (own + norm), by_passage * own_passages / (own_passages + passage_norm))
        for (own, own_passages), (norm, passage_norm) in zip(counted, scorer.norms, strict=True)
    ]


def _counts(view: View, phrase: Phrase, title: float) -> tuple[Floats, Floats]:
    """How often a phrase stands in each live document, in the title `title` times, and in each live passage."""
    segment = view.segment
    numbers = [segment.find(term) for term in phrase]
    if min(numbers) < 0:
        return np.zeros(segment.documents), np.zeros(segment.passages)
    rows = _rows(segment.body_terms, segment.body_begin, numbers)
    by_passage = np.bincount(rows, minlength=segment.passages).astype(np.float64) * view.live_rows
    titles = np.bincount(_rows(segment.title_terms, segment.title_begin, numbers), minlength=segment.documents)
    by_document = np.bincount(segment.passage_document, weights=by_passage, minlength=segment.documents)
    return np.asarray((by_document + title * titles) * view.live, dtype=np.float64), by_passage


def _rows(terms: Ints, begins: Longs, numbers: Sequence[int]) -> Longs:
    """The row of each place where the numbers follow each other within a row; rows begin at `begins`."""
    places = np.flatnonzero(terms[: max(0, len(terms) - len(numbers) + 1)] == numbers[0])
    for further, number in enumerate(numbers[1:], start=1):
        places = places[terms[places + further] == number]
    rows = np.searchsorted(begins, places, side="right") - 1
    return rows[places + len(numbers) <= begins[rows + 1]].astype(np.int64)
