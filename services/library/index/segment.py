"""An immutable part of an index: the postings of some documents in flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Bytes = NDArray[np.uint8]
_MOST_REPEATS = 255


@dataclass(frozen=True, slots=True)
class AnalysedPassage:
    """A passage's place in the stored text and its terms, those of its headings included."""

    start: int
    end: int
    page: int | None
    terms: Sequence[str]


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
    `page` is 0 where there is none.
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
    title_length: Ints
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

    def find(self, term: str) -> int:
        """Number of a term, -1 when it does not occur."""
        wanted = term.encode()
        low, high = 0, len(self.term_offsets) - 1
        while low < high:
            middle = (low + high) // 2
            if self.term_at(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        found = low < len(self.term_offsets) - 1 and self.term_at(low) == wanted
        return low if found else -1

    def term_at(self, number: int) -> bytes:
        return self.term_bytes[self.term_offsets[number] : self.term_offsets[number + 1]]

    @property
    def nbytes(self) -> int:
        """Memory held, nearly."""
        arrays = [getattr(self, each.name) for each in fields(self)]
        total = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
        for postings in (self.body, self.title):
            total += postings.offsets.nbytes + postings.rows.nbytes + postings.counts.nbytes
        return total + len(self.term_bytes) + 200 * self.documents


def build(documents: Sequence[AnalysedDocument]) -> Segment:
    """A segment of documents with distinct ids."""
    vocabulary: dict[str, int] = {}
    passages = [passage for document in documents for passage in document.passages]
    body = _occurrences((passage.terms for passage in passages), vocabulary)
    title = _occurrences((document.title_terms for document in documents), vocabulary)
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
        title_length=_ints(len(document.title_terms) for document in documents),
        body=_counted(rank[body[0]], body[1], len(ordered), len(passages)),
        title=_counted(rank[title[0]], title[1], len(ordered), len(documents)),
    )


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


def _offsets(lengths: Sequence[int]) -> Longs:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int64)


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int32)
