"""How documents and passages are ranked for a query: words, words near to them, words of the first found, and meaning.

    1  BM25 of the query's words, their variants and what it quotes, over whole documents and over passages
    2  the cosine in the library's latent model joins; the first ten documents give feedback, to the words and to the
       query's place in the model, by as much as the best document leaves of the query
    3  BM25 of the expanded query, the cosine of the moved one, and, where there is an encoder, that of its vectors

The parts of a sum are each divided by the highest of all live documents, so that their weights mean the same for any
query, and the sum stands in units of BM25. How the weights were
chosen, and on what: docs/retrieval.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.library.index import feedback
from services.library.index.codes import Codes, coded, cosines, decoded
from services.library.index.feedback import Found
from services.library.index.latent import LatentModel, Singles
from services.library.index.phrases import Phrase, with_phrases
from services.library.index.scoring import Floats, Scorer, Scores, View, Weights, best_passage_scores
from services.library.index.variants import with_variants

LATENT = 0.2
"""Weight of the latent cosine beside the words."""
LATENT_FEEDBACK = 1.0
"""How far the query moves towards the middle of the first documents found."""
DENSE = 1.5
"""Weight of an encoder's cosine beside the words."""
NEAR = 0.3
"""What holds no word of the query is found from this cosine on: below it, likeness is chance."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scores of one view, 0 for what is not found. `passages` also says which passage of a document is its best."""

    documents: Floats
    passages: Floats


def rank(
    views: Sequence[View],
    terms: Sequence[str],
    weights: Weights,
    model: LatentModel | None = None,
    dense: Singles | None = None,
    phrases: Sequence[Phrase] = (),
) -> list[Ranked]:
    """The scores in each view. `dense` is the query's vector by the encoder whose vectors the segments hold, `phrases`
    are those that the query quotes."""
    scorer = Scorer(views, weights)
    query = {term: float(count) for term, count in Counter(terms).items()}
    words = with_phrases(scorer, scorer.scores(with_variants(scorer, query)), phrases)
    place = None if model is None else model.query(query)
    near = _cosines(views, "dense", dense)
    near_documents = [best_passage_scores(view, own) for view, own in zip(views, near, strict=True)]
    if feedback.enough(scorer):
        by_words = _documents(views, words, weights)
        latent = _cosines(views, "latent_documents", place)
        found = _first(views, _fused(by_words, (LATENT, latent), (DENSE, near_documents)))
        steepness = feedback.STEEPNESS if dense is None else feedback.STEEPNESS_DENSE
        words = _expanded(scorer, query, words, found, _first(views, by_words)[:1], steepness)
        if place is not None:
            place = _moved(place, LATENT_FEEDBACK, [views[each.view].segment.latent_documents for each in found], found)
    documents = _fused(
        _documents(views, words, weights),
        (LATENT, _cosines(views, "latent_documents", place)),
        (DENSE, near_documents),
    )
    passages = _fused(
        _passages(views, words, weights),
        (LATENT, _cosines(views, "latent_passages", place)),
        (DENSE, near),
    )
    return [Ranked(*each) for each in zip(documents, passages, strict=True)]


def best(scores: Floats, limit: int) -> NDArray[np.int64]:
    """Numbers of the positive scores among the highest `limit`, and of all that tie with the last."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > limit:
        values = scores[positive]
        threshold = np.partition(values, len(values) - limit)[len(values) - limit]
        positive = positive[values >= threshold]
    return positive.astype(np.int64)


def _documents(views: Sequence[View], words: Sequence[Scores], weights: Weights) -> list[Floats]:
    """Of the words: the whole document and its best passage."""
    return [
        by_document + weights.passage * best_passage_scores(view, by_passage)
        for view, (by_document, by_passage) in zip(views, words, strict=True)
    ]


def _passages(views: Sequence[View], words: Sequence[Scores], weights: Weights) -> list[Floats]:
    """Of the words: the passage and its document. One without any of them has nothing of its document's."""
    return [
        np.where(by_passage > 0, by_passage + weights.document * by_document[view.segment.passage_document], 0.0)
        for view, (by_document, by_passage) in zip(views, words, strict=True)
    ]


def _first(views: Sequence[View], scores: Sequence[Floats], most: int = feedback.DOCUMENTS) -> list[Found]:
    """The best documents, ties by id, each with its share in the sum of their scores."""
    found = [
        (-float(own[document]), view.segment.document_ids[document], number, int(document))
        for number, (view, own) in enumerate(zip(views, scores, strict=True))
        for document in best(own, most).tolist()
    ]
    found.sort()
    total = -sum(score for score, *_ in found[:most])
    return [Found(view, document, -score / total) for score, _, view, document in found[:most]]


def _expanded(
    scorer: Scorer,
    query: Mapping[str, float],
    words: list[Scores],
    found: Sequence[Found],
    top: Sequence[Found],
    steepness: int,
) -> list[Scores]:
    """The scores of the query with the terms that the documents found add, on the scale of the query alone."""
    left = feedback.uncovered(scorer, query, top[0]) if top else 1.0
    share = feedback.SHARE * left**steepness
    added = feedback.expansion(scorer, found) if share > 0 else {}
    if not added:
        return words
    length = sum(query.values())
    return [
        ((1 - share) * by_document + share * length * new, (1 - share) * by_passage + share * length * new_passages)
        for (by_document, by_passage), (new, new_passages) in zip(words, scorer.scores(added), strict=True)
    ]


def _moved(place: Singles, by: float, codes: Sequence[Codes], found: Sequence[Found]) -> Singles:
    """A query's vector moved towards the middle of the documents found, whose vectors are rows of `codes`."""
    total = place.astype(np.float64)
    for own, each in zip(codes, found, strict=True):
        if own.shape[1] == len(place):
            total += by * each.share * decoded(own[each.document : each.document + 1])[0]
    return np.asarray(total / max(float(np.sqrt((total * total).sum())), 1e-12), dtype=np.float32)


def _fused(words: Sequence[Floats], *parts: tuple[float, Sequence[Floats]]) -> list[Floats]:
    """Words and cosines as one score each, in units of the words'; what has neither a word nor is near gets 0."""
    highest = max((float(own.max(initial=0.0)) for own in words), default=0.0) or 1.0
    total = [own.copy() for own in words]
    found = [own > 0 for own in words]
    for weight, values in parts:
        most = max((float(own.max(initial=0.0)) for own in values), default=0.0)
        for sums, is_found, own in zip(total, found, values, strict=True):
            if most > 0:
                sums += weight * highest / most * own
                is_found |= own >= NEAR
    return [np.where(is_found, sums, 0.0) for sums, is_found in zip(total, found, strict=True)]


def _cosines(views: Sequence[View], kind: str, place: Singles | None) -> list[Floats]:
    """Of the live rows of one kind of vectors; 0 for those turned away from the query and for rows without one."""
    found = []
    wanted = None if place is None else coded(place[None, :])[0]
    for view in views:
        codes: Codes = getattr(view.segment, kind)
        if wanted is None:
            found.append(np.zeros(len(codes)))
            continue
        values = np.maximum(cosines(codes, view.segment.lengths[kind], wanted), 0.0)
        if not view.whole:
            values *= view.live if kind == "latent_documents" else view.live_rows
        found.append(values)
    return found
