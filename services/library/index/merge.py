"""Segments into one, without the documents that were deleted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.library.index.codes import Codes
from services.library.index.segment import Hashes, Ints, Longs, Postings, Segment, assemble

Mask = NDArray[np.bool_]


def merge(parts: Sequence[tuple[Segment, Mask]]) -> Segment:
    """The live documents of `parts`, in their order; each mask says which documents of its segment live."""
    vocabulary, numbering = _joined_terms([segment for segment, _ in parts])
    lives = [live[segment.passage_document] for segment, live in parts]
    first_document = _starts([int(live.sum()) for _, live in parts])
    first_passage = _starts([int(live.sum()) for live in lives])
    new_document = [_renumbered(live, at) for (_, live), at in zip(parts, first_document, strict=True)]
    new_passage = [_renumbered(live, at) for live, at in zip(lives, first_passage, strict=True)]
    counts = [np.diff(segment.first)[live] for segment, live in parts]
    encoded = [term.encode() for term in vocabulary]
    segments = [segment for segment, _ in parts]
    return Segment(
        document_ids=tuple(
            document_id
            for segment, live in parts
            for document_id, alive in zip(segment.document_ids, live.tolist(), strict=True)
            if alive
        ),
        term_bytes=b"".join(encoded),
        term_offsets=np.cumsum([0, *map(len, encoded)], dtype=np.int64),
        first=np.cumsum(np.concatenate(([0], *counts))).astype(np.int32),
        passage_document=np.concatenate(
            [
                numbers[segment.passage_document[live]]
                for segment, live, numbers in zip(segments, lives, new_document, strict=True)
            ]
        ),
        passage_start=_kept([segment.passage_start for segment in segments], lives),
        passage_end=_kept([segment.passage_end for segment in segments], lives),
        passage_page=_kept([segment.passage_page for segment in segments], lives),
        passage_length=_kept([segment.passage_length for segment in segments], lives),
        passage_sense=np.concatenate(
            [segment.passage_sense[live] for segment, live in zip(segments, lives, strict=True)]
        ),
        title_length=_kept([segment.title_length for segment in segments], [live for _, live in parts]),
        term_hash=_joined_hashes(segments, numbering, len(vocabulary)),
        body_terms=_kept_terms(
            [(segment.body_terms, segment.passage_length) for segment in segments], lives, numbering
        ),
        title_terms=_kept_terms(
            [(segment.title_terms, segment.title_length) for segment in segments],
            [live for _, live in parts],
            numbering,
        ),
        latent_documents=_kept_vectors([segment.latent_documents for segment in segments], [live for _, live in parts]),
        latent_passages=_kept_vectors([segment.latent_passages for segment in segments], lives),
        dense=_kept_vectors([segment.dense for segment in segments], lives),
        body=_merged([segment.body for segment in segments], numbering, lives, new_passage, len(vocabulary)),
        title=_merged(
            [segment.title for segment in segments],
            numbering,
            [live for _, live in parts],
            new_document,
            len(vocabulary),
        ),
    )


def _joined_terms(segments: Sequence[Segment]) -> tuple[list[str], list[Longs]]:
    """All terms in order, and for each segment the new number of each of its terms."""
    terms = [
        [segment.term_at(number).decode() for number in range(len(segment.term_offsets) - 1)] for segment in segments
    ]
    joined = sorted(set().union(*terms), key=str.encode)
    numbers = {term: number for number, term in enumerate(joined)}
    return joined, [np.array([numbers[term] for term in own], dtype=np.int64) for own in terms]


def _joined_hashes(segments: Sequence[Segment], numbering: Sequence[Longs], vocabulary: int) -> Hashes:
    joined = np.zeros(vocabulary, dtype=np.uint64)
    for segment, numbers in zip(segments, numbering, strict=True):
        joined[numbers] = segment.term_hash
    return joined


def _kept_terms(parts: Sequence[tuple[Ints, Ints]], lives: Sequence[Mask], numbering: Sequence[Longs]) -> Ints:
    return np.concatenate(
        [
            numbers[terms[np.repeat(live, lengths)]]
            for (terms, lengths), live, numbers in zip(parts, lives, numbering, strict=True)
        ]
    ).astype(np.int32)


def _kept_vectors(parts: Sequence[Codes], lives: Sequence[Mask]) -> Codes:
    """Rows of zeros stand for vectors that a part does not have."""
    width = max(part.shape[1] for part in parts)
    kept = [
        part[live] if part.shape[1] == width else np.zeros((int(live.sum()), width), dtype=np.int8)
        for part, live in zip(parts, lives, strict=True)
    ]
    return np.concatenate(kept)


def _merged(
    postings: Sequence[Postings],
    numbering: Sequence[Longs],
    lives: Sequence[Mask],
    renumbered: Sequence[Ints],
    vocabulary: int,
) -> Postings:
    terms, rows, counts = [], [], []
    for part, numbers, live, new in zip(postings, numbering, lives, renumbered, strict=True):
        keep = live[part.rows]
        terms.append(np.repeat(numbers, np.diff(part.offsets))[keep])
        rows.append(new[part.rows[keep]].astype(np.int64))
        counts.append(part.counts[keep])
    all_terms = np.concatenate(terms)
    # Rows ascend within a part and from part to part, so a stable sort by term leaves them in order.
    order = np.argsort(all_terms, kind="stable")
    return assemble(all_terms[order], np.concatenate(rows)[order], np.concatenate(counts)[order], vocabulary)


def _renumbered(live: Mask, at: int) -> Ints:
    return (np.cumsum(live) - 1 + at).astype(np.int32)


def _starts(counts: Sequence[int]) -> list[int]:
    return [sum(counts[:index]) for index in range(len(counts))]


def _kept(arrays: Sequence[Ints], lives: Sequence[Mask]) -> Ints:
    return np.concatenate([array[live] for array, live in zip(arrays, lives, strict=True)])
