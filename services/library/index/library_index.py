"""The lexical index of one library: searched without locks, changed as a whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from services.library.index.merge import merge
from services.library.index.scoring import Floats, Mask, View, Weights, best_passage_scores, score
from services.library.index.segment import AnalysedDocument, AnalysedPassage, Ints, Longs, Segment, build
from services.library.index.terms import Analyzer
from services.library.passages import Passage

MAX_HITS = 1_000
_DEAD_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class IndexHit:
    """A passage of a document, by code points of the stored text; `score` falls along the list."""

    document_id: str
    score: float
    page: int | None
    start: int
    end: int


def analyse(
    analyzer: Analyzer, document_id: str, title: str, text: str, passages: Sequence[Passage]
) -> AnalysedDocument:
    """Make a document ready for the index. CPU-bound; a title that the text repeats counts once."""
    own_title = "" if text.lstrip().startswith(title.rstrip("…")) else title
    heading_terms: dict[tuple[int, int], list[str]] = {}
    analysed: list[AnalysedPassage] = []
    for passage in passages:
        terms = analyzer.terms(text[passage.start : passage.end])
        if passage.heading is not None:
            if passage.heading not in heading_terms:
                heading_terms[passage.heading] = analyzer.terms(text[slice(*passage.heading)])
            terms = heading_terms[passage.heading] + terms
        analysed.append(AnalysedPassage(passage.start, passage.end, passage.page, terms))
    return AnalysedDocument(document_id, analyzer.terms(own_title), analysed)


class LibraryIndex:
    """Searches see the state after some :meth:`apply`, never one in between; one writer at a time.

    `revision` is the library's change number up to which the index is complete: after loading a
    snapshot, the owner applies what changed since.
    """

    def __init__(self, views: Iterable[View] = (), *, revision: int = 0, weights: Weights | None = None) -> None:
        # One attribute, so that a reader takes views and revision that belong together.
        self._state: tuple[tuple[View, ...], int] = (tuple(views), revision)
        self._writing = threading.Lock()
        self._query_analyzer = threading.local()
        self._weights = weights or Weights()

    @property
    def state(self) -> tuple[tuple[View, ...], int]:
        """The present views and the revision they stand for; neither changes once taken."""
        return self._state

    @property
    def revision(self) -> int:
        return self._state[1]

    @property
    def documents(self) -> int:
        return sum(view.live_documents for view in self._state[0])

    @property
    def passages(self) -> int:
        return sum(view.live_passages for view in self._state[0])

    @property
    def nbytes(self) -> int:
        """Memory held, nearly."""
        return sum(view.segment.nbytes + view.live.nbytes for view in self._state[0])

    def apply(self, upserts: Sequence[AnalysedDocument] = (), deletes: Collection[str] = (), *, revision: int) -> None:
        """Put documents in, or in place of those with the same id, and take others out. The last of
        several with one id wins; one without passages is only taken out. Unknown ids are no error."""
        fresh = {document.document_id: document for document in upserts}
        gone = set(deletes) | set(fresh)
        with self._writing:
            views = [_without(view, gone) for view in self._state[0]]
            added = [
                document for document in fresh.values() if document.passages and document.document_id not in deletes
            ]
            if added:
                segment = build(added)
                views.append(View(segment, np.ones(segment.documents, dtype=np.bool_)))
            self._state = (tuple(_tidied(views)), revision)

    def search(
        self,
        query: str,
        *,
        limit: int = 20,
        document_ids: Collection[str] | None = None,
        passages: bool = False,
    ) -> list[IndexHit]:
        """The best hits, best first; ties by document id, then place. One hit a document, its best
        passage, unless `passages`. `document_ids` restricts the hits, not the statistics."""
        limit = max(0, min(limit, MAX_HITS))
        terms = self._analyzer().terms(query)
        views, _ = self._state
        if not terms or not limit:
            return []
        found: list[IndexHit] = []
        for view, (by_document, by_passage) in zip(views, score(views, terms, self._weights), strict=True):
            allowed = None if document_ids is None else _allowed(view.segment, document_ids)
            if passages:
                found.extend(self._passage_hits(view, by_document, by_passage, allowed, limit))
            else:
                found.extend(self._document_hits(view, by_document, by_passage, allowed, limit))
        found.sort(key=lambda hit: (-hit.score, hit.document_id, hit.start))
        return found[:limit]

    def _document_hits(
        self, view: View, by_document: Floats, by_passage: Floats, allowed: Mask | None, limit: int
    ) -> list[IndexHit]:
        segment = view.segment
        scores = by_document + self._weights.passage * best_passage_scores(view, by_passage)
        if allowed is not None:
            scores = np.where(allowed, scores, 0.0)
        best = _best(scores, limit)
        rows = [_first_best(by_passage, segment.first[number : number + 2]) for number in best]
        return _hits(segment, rows, scores[best])

    def _passage_hits(
        self, view: View, by_document: Floats, by_passage: Floats, allowed: Mask | None, limit: int
    ) -> list[IndexHit]:
        segment = view.segment
        owners = segment.passage_document
        scores = np.where(by_passage > 0, by_passage + self._weights.passage * by_document[owners], 0.0)
        if allowed is not None:
            scores = np.where(allowed[owners], scores, 0.0)
        best = _best(scores, limit)
        return _hits(segment, best, scores[best])

    def _analyzer(self) -> Analyzer:
        analyzer = getattr(self._query_analyzer, "analyzer", None)
        if not isinstance(analyzer, Analyzer):
            analyzer = self._query_analyzer.analyzer = Analyzer()
        return analyzer


def _first_best(by_passage: Floats, rows: Ints) -> int:
    first, last = rows.tolist()
    return int(first + by_passage[first:last].argmax()) if last - first > 1 else int(first)


def _hits(segment: Segment, rows: Sequence[int] | Longs, scores: Floats) -> list[IndexHit]:
    """Hits for rows of a segment; plain numbers first, for reading arrays one by one is slow."""
    chosen = np.asarray(rows, dtype=np.int64)
    columns = (segment.passage_document, segment.passage_page, segment.passage_start, segment.passage_end)
    return [
        IndexHit(segment.document_ids[document], score, page or None, start, end)
        for score, document, page, start, end in zip(
            scores.tolist(), *(column[chosen].tolist() for column in columns), strict=True
        )
    ]


def _best(scores: Floats, limit: int) -> Longs:
    """Numbers of the positive scores among the highest `limit`, and of all that tie with the last."""
    positive = np.flatnonzero(scores > 0)
    if len(positive) > limit:
        values = scores[positive]
        threshold = np.partition(values, len(values) - limit)[len(values) - limit]
        positive = positive[values >= threshold]
    return positive.astype(np.int64)


def _allowed(segment: Segment, document_ids: Collection[str]) -> Mask:
    mask = np.zeros(segment.documents, dtype=np.bool_)
    ordinals = segment.ordinals
    mask[[ordinals[each] for each in document_ids if each in ordinals]] = True
    return mask


def _without(view: View, gone: set[str]) -> View:
    ordinals = view.segment.ordinals
    smaller = gone if len(gone) < len(ordinals) else ordinals
    numbers = [ordinals[each] for each in smaller if each in gone and each in ordinals]
    numbers = [number for number in numbers if view.live[number]]
    if not numbers:
        return view
    live = view.live.copy()
    live[numbers] = False
    return View(view.segment, live)


def _tidied(views: list[View]) -> list[View]:
    """Rewrite segments with many dead, then merge neighbours so that sizes at least halve along the
    list: there are few segments, and each document is rewritten a logarithmic number of times."""
    kept: list[View] = []
    for view in views:
        if not view.live_documents:
            continue
        dead = view.segment.documents - view.live_documents
        kept.append(_merged([view]) if dead > _DEAD_SHARE * view.segment.documents else view)
    # From the end, for a delete may have shrunk any of them. A merged segment is larger than what follows it still.
    for place in range(len(kept) - 1, 0, -1):
        if kept[place - 1].live_passages < 2 * kept[place].live_passages:
            kept[place - 1 : place + 1] = [_merged(kept[place - 1 : place + 1])]
    return kept


def _merged(views: Sequence[View]) -> View:
    segment = merge([(view.segment, view.live) for view in views])
    return View(segment, np.ones(segment.documents, dtype=np.bool_))
