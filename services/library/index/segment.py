"""An immutable part of an index: the postings of some documents in flat arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.library.index.codes import Codes, lengths_of

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
_MOST_REPEATS = 255


@dataclass(frozen=True, slots=True)
class AnalysedPassage:
    """A passage's place in the stored text and its terms, those of its headings included."""

    start: int
    end: int
    page: int | None
    terms: Sequence[str]
    sense: int = 0
    """As `sense.sense_of` tells it."""


@dataclass(frozen=True, slots=True)
class AnalysedDocument:
    """A document ready for the index."""

    document_id: str
    title_terms: Sequence[str]
    passages: Sequence[AnalysedPassage]


@dataclass(frozen=True, slots=True)
class Postings:
    """Where terms occur: entries `offsets[t]:offsets[t+1]` are term t's rows (ascending) and counts."""

    offsets: Longs
    rows: Ints
    counts: Bytes

    def of(self, term: int) -> tuple[Ints, Bytes]:
        start, end = self.offsets[term], self.offsets[term + 1]
        return self.rows[start:end], self.counts[start:end]


@dataclass(frozen=True)
class Segment:
    """Documents are numbered 0..n-1; the passages of document d are rows `first[d]:first[d+1]`.

    `term_bytes[term_offsets[t]:term_offsets[t+1]]` is term t in UTF-8, ascending. Lengths count terms.
    `page` is 0 where there is none; `passage_sense` tells passages apart that differ in a number or a denial.
    `term_hash` stands for terms where segments meet. `body_terms` are the terms of
    the passages as they follow each other, passage by passage, `title_terms` those of the titles.

    Vectors are rows of whole numbers, see `codes`: `latent_documents` and `latent_passages` by the library's latent
    model, `dense` of passages by an encoder. They have no columns where there is no model, and a row of zeros is
    that of a passage not encoded yet.
    """

    document_ids: tuple[str, ...]
    term_bytes: bytes
    term_offsets: Longs
    first: Ints
    passage_document: Ints
    passage_start: Ints
    passage_end: Ints
    passage_page: Ints
    passage_length: Ints
    passage_sense: Hashes
    title_length: Ints
    term_hash: Hashes = field(repr=False)
    body_terms: Ints = field(repr=False)
    title_terms: Ints = field(repr=False)
    latent_documents: Codes = field(repr=False)
    latent_passages: Codes = field(repr=False)
    dense: Codes = field(repr=False)
    body: Postings = field(repr=False)
    title: Postings = field(repr=False)

    @property
    def documents(self) -> int:
        return len(self.document_ids)

    @property
    def passages(self) -> int:
        return len(self.passage_document)

    @cached_property
    def ordinals(self) -> dict[str, int]:
        """Number of each document by its id."""
        return {document_id: number for number, document_id in enumerate(self.document_ids)}

    @cached_property
    def body_length(self) -> Ints:
        """Terms in all passages of each document."""
        sums = np.bincount(self.passage_document, weights=self.passage_length, minlength=self.documents)
        return sums.astype(np.int32)

    @cached_property
    def body_begin(self) -> Longs:
        """Where the terms of each passage begin in `body_terms`, and at last where all end."""
        return _offsets(self.passage_length)

    @cached_property
    def title_begin(self) -> Longs:
        """The same for `title_terms`."""
        return _offsets(self.title_length)

    @cached_property
    def lengths(self) -> dict[str, NDArray[np.float64]]:
        """The lengths of the rows of each of the three kinds of vectors, by name."""
        return {name: lengths_of(getattr(self, name)) for name in ("latent_documents", "latent_passages", "dense")}

    @cached_property
    def hash_order(self) -> tuple[Hashes, Ints]:
        """The hashes of the terms, ascending, and each one's term."""
        order = np.argsort(self.term_hash, kind="stable").astype(np.int32)
        return self.term_hash[order], order

    def numbers(self, hashes: Hashes) -> Ints:
        """The terms with these hashes, -1 for those that do not occur."""
        known, order = self.hash_order
        if not len(known):
            return np.full(len(hashes), -1, dtype=np.int32)
        places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        return np.where(known[places] == hashes, order[places], -1).astype(np.int32)

    def find(self, term: str) -> int:
        """Number of a term, -1 when it does not occur."""
        wanted = term.encode()
        number = self.place(wanted)
        return number if number < len(self.term_hash) and self.term_at(number) == wanted else -1

    def place(self, wanted: bytes) -> int:
        """Number of the first term that does not stand before `wanted`."""
        low, high = 0, len(self.term_offsets) - 1
        while low < high:
            middle = (low + high) // 2
            if self.term_at(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def term_at(self, number: int) -> bytes:
        return self.term_bytes[self.term_offsets[number] : self.term_offsets[number + 1]]

    @cached_property
    def nbytes(self) -> int:
        """Memory held, nearly."""
        arrays = [getattr(self, each.name) for each in fields(self)]
        total = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
        for postings in (self.body, self.title):
            total += postings.offsets.nbytes + postings.rows.nbytes + postings.counts.nbytes
        # What is derived once and kept: the order of the hashes, where terms begin, how many documents hold each.
        derived = 20 * len(self.term_hash) + 8 * (3 * self.passages + 2 * self.documents)
        return total + len(self.term_bytes) + derived + 200 * self.documents


def build(documents: Sequence[AnalysedDocument]) -> Segment:
    """A segment of documents with distinct ids."""
    vocabulary: dict[str, int] = {}
    passages = [passage for document in documents for passage in document.passages]
    body = _occurrences((passage.terms for passage in passages), vocabulary)
    title = _occurrences((document.title_terms for document in documents), vocabulary)
    # Vectors have one row each from the start, only no columns.
    ordered = sorted(vocabulary, key=str.encode)
    rank = np.empty(len(ordered), dtype=np.int64)
    rank[[vocabulary[term] for term in ordered]] = np.arange(len(ordered))
    encoded = [term.encode() for term in ordered]
    counts = [len(document.passages) for document in documents]
    return Segment(
        document_ids=tuple(document.document_id for document in documents),
        term_bytes=b"".join(encoded),
        term_offsets=_offsets([len(term) for term in encoded]),
        first=_offsets(counts).astype(np.int32),
        passage_document=np.repeat(np.arange(len(documents), dtype=np.int32), counts),
        passage_start=_ints(passage.start for passage in passages),
        passage_end=_ints(passage.end for passage in passages),
        passage_page=_ints(passage.page or 0 for passage in passages),
        passage_length=_ints(len(passage.terms) for passage in passages),
        passage_sense=np.array([passage.sense for passage in passages], dtype=np.uint64),
        title_length=_ints(len(document.title_terms) for document in documents),
        term_hash=np.array([hash_of(term) for term in encoded], dtype=np.uint64),
        body_terms=rank[body[0]].astype(np.int32),
        title_terms=rank[title[0]].astype(np.int32),
        latent_documents=np.zeros((len(documents), 0), dtype=np.int8),
        latent_passages=np.zeros((len(passages), 0), dtype=np.int8),
        dense=np.zeros((len(passages), 0), dtype=np.int8),
        body=_counted(rank[body[0]], body[1], len(ordered), len(passages)),
        title=_counted(rank[title[0]], title[1], len(ordered), len(documents)),
    )


def hash_of(term: bytes) -> int:
    """64 bits that stand for a term, the same everywhere."""
    return int.from_bytes(hashlib.blake2b(term, digest_size=8).digest(), "big")


def _occurrences(texts: Iterable[Sequence[str]], vocabulary: dict[str, int]) -> tuple[Longs, Longs]:
    """(term, row) of every occurrence; unknown terms join the vocabulary."""
    numbers: list[int] = []
    lengths: list[int] = []
    for terms in texts:
        numbers.extend([vocabulary.setdefault(term, len(vocabulary)) for term in terms])
        lengths.append(len(terms))
    rows = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    return np.array(numbers, dtype=np.int64), rows


def _counted(terms: Longs, rows: Longs, vocabulary: int, height: int) -> Postings:
    keys, counts = np.unique(terms * max(1, height) + rows, return_counts=True)
    return assemble(keys // max(1, height), keys % max(1, height), counts, vocabulary)


def assemble(terms: Longs, rows: Longs, counts: NDArray[np.integer], vocabulary: int) -> Postings:
    """Postings from entries that are sorted by term, then row. Counts saturate at 255."""
    offsets = np.zeros(vocabulary + 1, dtype=np.int64)
    np.cumsum(np.bincount(terms, minlength=vocabulary), out=offsets[1:])
    return Postings(offsets, rows.astype(np.int32), np.minimum(counts, _MOST_REPEATS).astype(np.uint8))


def _offsets(lengths: Sequence[int] | Ints) -> Longs:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int64)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int32)
