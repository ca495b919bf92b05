"""A latent model of the library itself (latent semantic analysis, Deerwester et al., 1990): which words go with which.

The matrix holds ln(1 + f)·idf for each document and term, its rows made of length 1. Its leading right singular vectors
come from a randomised decomposition (Halko, Martinsson and Tropp, 2011) with a fixed seed. A text is folded in as the
sum of its terms' rows, so that documents, passages and queries, also those that came later, lie in one space.

Documents are taken in the order of their ids and terms in the order of their hashes: what is learnt depends on which
documents live, not on how the index came about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from services.library.index.codes import coded
from services.library.index.scoring import View
from services.library.index.segment import Hashes, Longs, Segment, hash_of

if TYPE_CHECKING:
    from scipy import sparse

FEWEST = 50
"""Documents below which nothing is learnt."""
_WIDTH = 100
_MOST_DOCUMENTS = 20_000
_MOST_TERMS = 50_000
_TITLE = 2.0
_OVERSAMPLING = 12
_ROUNDS = 3
_SEED = 20_090_527
_STALE = 1.25
_OLD = 2.0
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class LatentModel:
    """Rows of `vectors` (terms × width) are those of the terms with these hashes, ascending, times their idf.
    `documents` is how many the library held when it was learnt."""

    documents: int
    hashes: Hashes = field(repr=False)
    vectors: Singles = field(repr=False)

    @property
    def width(self) -> int:
        return int(self.vectors.shape[1])

    @property
    def nbytes(self) -> int:
        return self.hashes.nbytes + self.vectors.nbytes

    def stale(self, documents: int) -> bool:
        """Whether the library is by so much larger or smaller that the model is learnt anew."""
        return max(documents, self.documents) > _STALE * min(documents, self.documents)

    def old(self, documents: int) -> bool:
        """Whether it is of so different a library that searches should not go on with it."""
        return max(documents, self.documents) > _OLD * min(documents, self.documents)

    def folded(self, segment: Segment) -> Segment:
        """The segment with vectors of its documents and passages by this model. CPU-bound."""
        known = np.searchsorted(self.hashes, segment.term_hash)
        known = np.where(self._holds(segment.term_hash, known), known, -1)
        return replace(
            segment,
            latent_documents=coded(self._rows(known, *_document_entries(segment), segment.documents)),
            latent_passages=coded(self._rows(known, *_passage_entries(segment), segment.passages)),
        )

    def query(self, terms: Mapping[str, float]) -> Singles:
        """The vector of a query, of length 1; zeros when the model knows none of its terms."""
        total = np.zeros(self.width, dtype=np.float32)
        for term in sorted(terms):
            wanted = np.array([hash_of(term.encode())], dtype=np.uint64)
            place = np.searchsorted(self.hashes, wanted)
            if self._holds(wanted, place)[0]:
                total += np.float32(np.log1p(terms[term])) * self.vectors[place[0]]
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), dtype=np.float32)

    def _holds(self, hashes: Hashes, places: Longs) -> NDArray[np.bool_]:
        return np.asarray(self.hashes[np.minimum(places, len(self.hashes) - 1)] == hashes)

    def _rows(self, known: Longs, terms: Longs, rows: Longs, counts: NDArray[np.float64], height: int) -> Singles:
        """Each row the sum of its terms' vectors, one after the other in the order of the hashes."""
        places = known[terms]
        kept = places >= 0
        matrix = _matrix(rows[kept], places[kept], counts[kept], (height, len(self.hashes)))
        matrix.data = np.log1p(matrix.data).astype(np.float32)
        return np.asarray(matrix.astype(np.float32) @ self.vectors, dtype=np.float32)


def unfolded(segment: Segment) -> Segment:
    """The segment without such vectors."""
    return replace(
        segment,
        latent_documents=np.zeros((segment.documents, 0), dtype=np.int8),
        latent_passages=np.zeros((segment.passages, 0), dtype=np.int8),
    )


def learn(views: Sequence[View]) -> LatentModel | None:
    """A model of the live documents, of a sample where they are many; None when they are too few. CPU-bound:
    seconds for tens of thousands of documents. The same documents give the same model."""
    from scipy import sparse  # here and below: what learns does so in a thread, and the service starts without it

    held = sum(view.live_documents for view in views)
    if held < FEWEST:
        return None
    chosen = _chosen(views)
    hashes = np.unique(np.concatenate([view.segment.term_hash for view in views]))
    blocks = []
    for number, view in enumerate(views):
        terms, rows, counts = _document_entries(view.segment)
        columns = np.searchsorted(hashes, view.segment.term_hash)
        matrix = _matrix(rows, columns[terms], counts, (view.segment.documents, len(hashes)))
        blocks.append(matrix[[document for _, at, document in chosen if at == number]])
    order = sorted(range(len(chosen)), key=lambda place: chosen[place][1])
    places = np.empty(len(chosen), dtype=np.int64)
    places[order] = np.arange(len(chosen))
    matrix = sparse.vstack(blocks, format="csr")[places]
    matrix, hashes, idf = _weighed(matrix, hashes)
    if not len(hashes):
        return None
    width = max(2, min(_WIDTH, len(chosen) // 5, len(hashes) - 1))
    if width >= len(hashes):
        return None
    vectors = _right_vectors(matrix, width) * idf[:, None]
    return LatentModel(held, hashes, np.ascontiguousarray(vectors, dtype=np.float32))


def _chosen(views: Sequence[View]) -> list[tuple[str, int, int]]:
    """(id, view, number) of the documents learnt from, by id; of many those whose ids have the smallest hashes."""
    live = [
        (view.segment.document_ids[document], number, document)
        for number, view in enumerate(views)
        for document in np.flatnonzero(view.live).tolist()
    ]
    if len(live) > _MOST_DOCUMENTS:
        live.sort(key=lambda each: (hashlib.blake2b(each[0].encode(), digest_size=8).digest(), each[0]))
        del live[_MOST_DOCUMENTS:]
    return sorted(live)


def _weighed(matrix: sparse.csr_matrix, hashes: Hashes) -> tuple[sparse.csr_matrix, Hashes, NDArray[np.float64]]:
    """ln(1 + f)·idf in rows of length 1, of the terms in two documents or more, the most frequent where many."""
    from scipy import sparse

    holding = np.bincount(matrix.indices, minlength=len(hashes))
    kept = np.flatnonzero(holding >= 2)
    if len(kept) > _MOST_TERMS:
        kept = np.sort(kept[np.lexsort((hashes[kept], -holding[kept]))[:_MOST_TERMS]])
    matrix = matrix[:, kept].tocsr()
    matrix.sort_indices()
    idf = np.log(1.0 + (matrix.shape[0] - holding[kept] + 0.5) / (holding[kept] + 0.5))
    matrix.data = np.log1p(matrix.data) * idf[matrix.indices]
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))).ravel()
    matrix = sparse.diags(1.0 / np.maximum(lengths, 1e-12)) @ matrix
    return matrix.tocsr(), hashes[kept], idf


def _right_vectors(matrix: sparse.csr_matrix, width: int) -> NDArray[np.float64]:
    """The leading right singular vectors (terms × width)."""
    chance = np.random.default_rng(_SEED)
    columns = min(width + _OVERSAMPLING, *matrix.shape)
    transposed = matrix.T.tocsr()
    basis = np.linalg.qr(matrix @ chance.standard_normal((matrix.shape[1], columns)))[0]
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(matrix @ (transposed @ basis))[0]
    small = transposed @ basis
    values, turned = np.linalg.eigh(small.T @ small)
    leading = np.argsort(-values, kind="stable")[:width]
    return np.asarray(small @ turned[:, leading] / np.sqrt(np.maximum(values[leading], 1e-12)))


def _matrix(rows: Longs, columns: Longs, counts: NDArray[np.float64], shape: tuple[int, int]) -> sparse.csr_matrix:
    from scipy import sparse

    matrix = sparse.csr_matrix((counts, (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.sort_indices()
    return matrix


def _document_entries(segment: Segment) -> tuple[Longs, Longs, NDArray[np.float64]]:
    """(term, document, count) of all that is in passages and, counted `_TITLE` times, in titles."""
    terms, rows, counts = _passage_entries(segment)
    owners = segment.passage_document[rows]
    titles, places, often = _entries(segment.title.offsets, segment.title.rows, segment.title.counts)
    return (
        np.concatenate((terms, titles)),
        np.concatenate((owners, places)),
        np.concatenate((counts, _TITLE * often)),
    )


def _passage_entries(segment: Segment) -> tuple[Longs, Longs, NDArray[np.float64]]:
    return _entries(segment.body.offsets, segment.body.rows, segment.body.counts)


def _entries(
    offsets: Longs, rows: NDArray[np.int32], counts: NDArray[np.uint8]
) -> tuple[Longs, Longs, NDArray[np.float64]]:
    terms = np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))
    return terms, rows.astype(np.int64), counts.astype(np.float64)
