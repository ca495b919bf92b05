"""The index of one library: searched without locks, changed as a whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.library.index.codes import Codes
from services.library.index.folding import Place, chosen
from services.library.index.latent import FEWEST, LatentModel, Singles, learn, unfolded
from services.library.index.phrases import phrases_of
from services.library.index.ranking import Ranked, best, rank
from services.library.index.scoring import Floats, Mask, View, Weights
from services.library.index.segment import AnalysedDocument, AnalysedPassage, Longs, Segment, build
from services.library.index.sense import sense_of
from services.library.index.terms import Analyzer
from services.library.index.tidying import tidied, whole
from services.library.passages import Passage

MAX_HITS = 1_000


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
        own = text[passage.start : passage.end]
        terms = analyzer.terms(own)
        if passage.heading is not None:
            if passage.heading not in heading_terms:
                heading_terms[passage.heading] = analyzer.terms(text[slice(*passage.heading)])
            terms = heading_terms[passage.heading] + terms
        analysed.append(AnalysedPassage(passage.start, passage.end, passage.page, terms, sense_of(own)))
    return AnalysedDocument(document_id, analyzer.terms(own_title), analysed)


@dataclass(frozen=True, slots=True)
class State:
    """What a search sees: the views, the latent model whose vectors they hold, and the library's change number up to
    which they are complete."""

    views: tuple[View, ...]
    model: LatentModel | None
    revision: int


class LibraryIndex:
    """Searches see the state after some change, never one in between; one writer at a time.

    `revision` is the library's change number up to which the index is complete: after loading a
    snapshot, the owner applies what changed since.
    """

    def __init__(
        self,
        views: Iterable[View] = (),
        *,
        revision: int = 0,
        model: LatentModel | None = None,
        weights: Weights | None = None,
        encode: Callable[[str], Singles] | None = None,
    ) -> None:
        """`encode` gives a query's vector in the space of the segments' dense vectors."""
        # One attribute, so that a reader takes parts that belong together.
        self._state = State(tuple(views), model, revision)
        self._writing = threading.Lock()
        self._query_analyzer = threading.local()
        self._weights = weights or Weights()
        self._encode = encode

    @property
    def state(self) -> State:
        """The present state; it does not change once taken."""
        return self._state

    @property
    def revision(self) -> int:
        return self._state.revision

    @property
    def documents(self) -> int:
        return sum(view.live_documents for view in self._state.views)

    @property
    def passages(self) -> int:
        return sum(view.live_passages for view in self._state.views)

    @property
    def nbytes(self) -> int:
        """Memory held, nearly."""
        state = self._state
        views = sum(view.segment.nbytes + view.live.nbytes for view in state.views)
        return views + (state.model.nbytes if state.model else 0)

    def apply(self, upserts: Sequence[AnalysedDocument] = (), deletes: Collection[str] = (), *, revision: int) -> None:
        """Put documents in, or in place of those with the same id, and take others out. The last of
        several with one id wins; one without passages is only taken out. Unknown ids are no error."""
        fresh = {document.document_id: document for document in upserts}
        gone = set(deletes) | set(fresh)
        with self._writing:
            model = self._state.model
            views = [_without(view, gone) for view in self._state.views]
            added = [
                document for document in fresh.values() if document.passages and document.document_id not in deletes
            ]
            if added:
                segment = build(added)
                views.append(whole(model.folded(segment) if model else segment))
            self._state = State(tuple(tidied(views)), model, revision)

    def due(self) -> bool:
        """Whether the latent model should be learnt (anew): the library grew or shrank by a quarter since."""
        return _due(self._state, LatentModel.stale)

    def overdue(self) -> bool:
        """Whether searches should wait for that: there is no model yet, or the library doubled since."""
        return _due(self._state, LatentModel.old)

    def learn(self) -> None:
        """Learn the latent model anew from the present documents. CPU-bound, seconds for large libraries; searches go
        on with the present one meanwhile. A library too small for a model has none afterwards."""
        model = learn(self._state.views)
        with self._writing:
            state = self._state
            self._state = replace(state, model=model, views=tuple(_in_model(view, model) for view in state.views))

    def unencoded(self, most: int, beside: Collection[str] = ()) -> dict[str, list[tuple[int, int]]]:
        """Some documents whose passages have no vectors of an encoder yet, with the places of their passages: as many
        as have `most` passages together, and one at least if there is any `beside` those named."""
        found: dict[str, list[tuple[int, int]]] = {}
        passages = 0
        for view in self._state.views:
            segment = view.segment
            if view.encoded:
                continue
            known = np.any(segment.dense[segment.first[:-1]], axis=1)
            for document in np.flatnonzero(view.live & ~known).tolist():
                if segment.document_ids[document] in beside:
                    continue
                first, last = segment.first[document : document + 2].tolist()
                if found and passages + last - first > most:
                    return found
                passages += last - first
                spans = zip(segment.passage_start[first:last], segment.passage_end[first:last], strict=True)
                found[segment.document_ids[document]] = [(int(start), int(end)) for start, end in spans]
        return found

    def attach(self, vectors: Mapping[str, Codes]) -> None:
        """Put vectors of passages to documents, whole documents at a time. What is gone meanwhile is passed over."""
        with self._writing:
            views = tuple(_with_dense(view, vectors) for view in self._state.views)
            self._state = replace(self._state, views=views)

    def beside(self, other: LibraryIndex) -> LibraryIndex:
        """Both as one for searching: their documents, of which none may be in both, are ranked among each other; by an
        encoder only where both are."""
        state, model = self._state, self._state.model
        others = (_in_model(view, model) for view in other._state.views)
        return LibraryIndex(
            (*state.views, *others),
            revision=state.revision,
            model=model,
            weights=self._weights,
            encode=None if other._encode is None else self._encode,
        )

    def search(
        self,
        query: str,
        *,
        limit: int = 20,
        document_ids: Collection[str] | None = None,
        passages: bool = False,
        varied: bool = False,
    ) -> list[IndexHit]:
        """The best hits, best first; ties by document id, then place. One hit a document, its best
        passage, unless `passages`. `document_ids` restricts the hits, not the statistics. With `varied`, of
        passages that say nearly the same only the best is kept, and the first differ from each other; a document whose
        passages are all left out so has its best one at the end."""
        limit = max(0, min(limit, MAX_HITS))
        analyzer = self._analyzer()
        terms = analyzer.terms(query)
        state = self._state
        if not terms or not limit or not state.views:
            return []
        dense = None
        # Who has a vector already would outdo who has none yet.
        if self._encode is not None and all(view.encoded for view in state.views):
            dense = self._encode(query)
        phrases = phrases_of(query, analyzer)
        found: list[tuple[IndexHit, Place]] = []
        wanted = min(MAX_HITS, limit + limit // 2) if varied else limit
        for number, ranked in enumerate(rank(state.views, terms, self._weights, state.model, dense, phrases)):
            segment = state.views[number].segment
            allowed = None if document_ids is None else _allowed(segment, document_ids)
            rows, scores = (_passages if passages else _documents)(segment, ranked, allowed, wanted)
            places = [Place(segment, row) for row in rows.tolist()]
            found.extend(zip(_hits(segment, rows, scores), places, strict=True))
        found.sort(key=lambda each: (-each[0].score, each[0].document_id, each[0].start))
        if varied:
            kept = chosen([place for _, place in found[:wanted]], [hit.score for hit, _ in found[:wanted]])
            found = [found[number] for number in kept]
        return [hit for hit, _ in found[:limit]]

    def _analyzer(self) -> Analyzer:
        analyzer = getattr(self._query_analyzer, "analyzer", None)
        if not isinstance(analyzer, Analyzer):
            analyzer = self._query_analyzer.analyzer = Analyzer()
        return analyzer


def _due(state: State, late: Callable[[LatentModel, int], bool]) -> bool:
    documents = sum(view.live_documents for view in state.views)
    if state.model is None:
        return documents >= FEWEST
    return late(state.model, documents)


def _in_model(view: View, model: LatentModel | None) -> View:
    return View(unfolded(view.segment) if model is None else model.folded(view.segment), view.live)


def _with_dense(view: View, vectors: Mapping[str, Codes]) -> View:
    segment = view.segment
    ordinals = segment.ordinals
    own = [(ordinals[document_id], codes) for document_id, codes in vectors.items() if document_id in ordinals]
    own = [(number, codes) for number, codes in own if view.live[number]]
    if not own:
        return view
    width = own[0][1].shape[1]
    dense = segment.dense.copy() if segment.dense.shape[1] else np.zeros((segment.passages, width), dtype=np.int8)
    for number, codes in own:
        first, last = segment.first[number : number + 2].tolist()
        if codes.shape == (last - first, dense.shape[1]):
            dense[first:last] = codes
    return View(replace(segment, dense=dense), view.live)


def _documents(segment: Segment, ranked: Ranked, allowed: Mask | None, limit: int) -> tuple[Longs, Floats]:
    """The best passage of each of the best documents, and the documents' scores."""
    scores = ranked.documents if allowed is None else np.where(allowed, ranked.documents, 0.0)
    numbers = best(scores, limit)
    spans = zip(segment.first[numbers].tolist(), segment.first[numbers + 1].tolist(), strict=True)
    rows = [first if last == first + 1 else first + int(ranked.passages[first:last].argmax()) for first, last in spans]
    return np.array(rows, dtype=np.int64), scores[numbers]


def _passages(segment: Segment, ranked: Ranked, allowed: Mask | None, limit: int) -> tuple[Longs, Floats]:
    scores = ranked.passages if allowed is None else np.where(allowed[segment.passage_document], ranked.passages, 0.0)
    rows = best(scores, limit)
    return rows, scores[rows]


def _hits(segment: Segment, rows: Longs, scores: Floats) -> list[IndexHit]:
    """Hits for rows of a segment; plain numbers first, for reading arrays one by one is slow."""
    columns = (segment.passage_document, segment.passage_page, segment.passage_start, segment.passage_end)
    return [
        IndexHit(segment.document_ids[document], score, page or None, start, end)
        for score, document, page, start, end in zip(
            scores.tolist(), *(column[rows].tolist() for column in columns), strict=True
        )
    ]


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
