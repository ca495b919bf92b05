"""Vectors as rows of whole numbers from -127 to 127, so that their products are exact.

A product of two such rows of up to a thousand columns stays below 2^24: float32 holds each partial sum exactly, in
whatever order a library adds them up, so that a score depends neither on which rows lie beside one another nor on the
machine. The length that rounding gave a row is divided out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
MOST = 127
_ROWS = 16_384


def coded(vectors: Singles) -> Codes:
    """Rows scaled so that the largest part of each is 127, then rounded; a row of zeros stays one."""
    most = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    scale = np.where(most > 0, MOST / np.maximum(most, 1e-30), 0.0)
    return np.rint(vectors.astype(np.float64) * scale).astype(np.int8)


def cosines(codes: Codes, lengths: Floats, query: Codes) -> Floats:
    """The cosine between each row, whose lengths are given, and one row more; 0 where either is zeros.
    (n × width), (n), (width) → n."""
    found = np.zeros(len(codes))
    wanted = query.astype(np.float32)
    length = float(np.sqrt(np.square(query.astype(np.int64)).sum()))
    if not length or codes.shape[1] != len(query):
        return found
    # In blocks, so that the numbers widened to floats stay in the processor's cache.
    for begin in range(0, len(codes), _ROWS):
        products = (codes[begin : begin + _ROWS].astype(np.float32) @ wanted).astype(np.float64)
        own = lengths[begin : begin + _ROWS] * length
        found[begin : begin + _ROWS] = np.divide(products, own, out=np.zeros(len(own)), where=own > 0)
    return found


def lengths_of(codes: Codes) -> Floats:
    """The length of each row."""
    found = np.zeros(len(codes))
    for begin in range(0, len(codes), _ROWS):
        rows = codes[begin : begin + _ROWS].astype(np.float32)
        found[begin : begin + _ROWS] = np.sqrt(np.einsum("ij,ij->i", rows, rows).astype(np.float64))
    return found


def decoded(codes: Codes) -> Floats:
    """Rows of length 1 again."""
    rows = codes.astype(np.float64)
    lengths = lengths_of(codes)[:, None]
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0))
