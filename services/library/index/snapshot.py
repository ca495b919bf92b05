"""An index as bytes and back, for the blob store. A snapshot is a cache: the stored texts rebuild it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.library.index.latent import LatentModel, Singles
from services.library.index.library_index import LibraryIndex
from services.library.index.scoring import View, Weights
from services.library.index.segment import Postings, Segment
from services.library.index.terms import ANALYSIS

_MAGIC = b"prsm-index-2\n"
_DIGEST_SIZE = 32
_ARRAYS = (
    "term_offsets",
    "first",
    "passage_document",
    "passage_start",
    "passage_end",
    "passage_page",
    "passage_length",
    "passage_sense",
    "title_length",
    "term_hash",
    "body_terms",
    "title_terms",
    "latent_documents",
    "latent_passages",
    "dense",
)
_POSTINGS = ("body", "title")


class SnapshotInvalid(Exception):
    """The bytes are no snapshot, are damaged, or were made by another version: rebuild the index."""


def dump(index: LibraryIndex, *, encoder: str = "") -> bytes:
    """The index's present state: magic, SHA-256 of what follows, an uncompressed npz archive. `encoder` is the name
    of the one that the dense vectors are by."""
    state = index.state
    arrays: dict[str, NDArray[np.generic]] = {}
    for number, view in enumerate(state.views):
        segment = view.segment
        arrays.update({f"{number}.{name}": getattr(segment, name) for name in _ARRAYS})
        arrays[f"{number}.live"] = view.live
        arrays[f"{number}.term_bytes"] = np.frombuffer(segment.term_bytes, dtype=np.uint8)
        arrays[f"{number}.document_ids"] = _packed(json.dumps(segment.document_ids))
        for kind in _POSTINGS:
            postings: Postings = getattr(segment, kind)
            arrays[f"{number}.{kind}.offsets"] = postings.offsets
            arrays[f"{number}.{kind}.rows"] = postings.rows
            arrays[f"{number}.{kind}.counts"] = postings.counts
    if state.model is not None:
        arrays["model.hashes"] = state.model.hashes
        arrays["model.vectors"] = state.model.vectors
    head = {
        "analysis": ANALYSIS,
        "revision": state.revision,
        "segments": len(state.views),
        "encoder": encoder,
        "learnt_from": state.model.documents if state.model else 0,
    }
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, head=_packed(json.dumps(head)), **arrays)
    payload = body.getvalue()
    return _MAGIC + hashlib.sha256(payload).digest() + payload


def load(
    data: bytes,
    *,
    weights: Weights | None = None,
    encoder: str = "",
    encode: Callable[[str], Singles] | None = None,
) -> LibraryIndex:
    """The index that :func:`dump` wrote, without the dense vectors of another encoder. Raises SnapshotInvalid."""
    start = len(_MAGIC) + _DIGEST_SIZE
    payload = memoryview(data)[start:]
    if not data.startswith(_MAGIC) or hashlib.sha256(payload).digest() != data[len(_MAGIC) : start]:
        raise SnapshotInvalid("not a whole snapshot of this version")
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            head = json.loads(_unpacked(arrays["head"]))
            if head["analysis"] != ANALYSIS:
                raise SnapshotInvalid("made by another analysis")
            views = [_view(arrays, str(number)) for number in range(head["segments"])]
            if head["encoder"] != encoder:
                views = [View(replace(view.segment, dense=view.segment.dense[:, :0]), view.live) for view in views]
            learnt = head["learnt_from"]
            model = LatentModel(learnt, arrays["model.hashes"], arrays["model.vectors"]) if learnt else None
            return LibraryIndex(views, revision=head["revision"], model=model, weights=weights, encode=encode)
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise SnapshotInvalid("its parts do not fit") from error


def _view(arrays: np.lib.npyio.NpzFile, number: str) -> View:
    parts: dict[str, Any] = {name: arrays[f"{number}.{name}"] for name in _ARRAYS}
    for kind in _POSTINGS:
        parts[kind] = Postings(*(arrays[f"{number}.{kind}.{part}"] for part in ("offsets", "rows", "counts")))
    segment = Segment(
        document_ids=tuple(json.loads(_unpacked(arrays[f"{number}.document_ids"]))),
        term_bytes=_unpacked(arrays[f"{number}.term_bytes"]),
        **parts,
    )
    return View(segment, arrays[f"{number}.live"])


def _packed(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _unpacked(array: NDArray[np.uint8]) -> bytes:
    return array.tobytes()
