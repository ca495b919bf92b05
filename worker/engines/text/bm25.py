"""BM25 over short units (sentences, passages)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectionStatistics:
    """What BM25 needs to know of the units: their number, mean length in terms, and each term's unit frequency."""

    units: int
    mean_length: float
    frequency: Mapping[str, int]

    @classmethod
    def of(cls, units: Iterable[Sequence[str]]) -> CollectionStatistics:
        """Statistics over units given as lists of terms."""
        frequency: Counter[str] = Counter()
        count = length = 0
        for unit in units:
            frequency.update(dict.fromkeys(unit, 1))
            count += 1
            length += len(unit)
        return cls(count, length / count if count else 1.0, frequency)

    def idf(self, term: str) -> float:
        """Inverse document frequency that is never negative: ln(1 + (N − n + ½) / (n + ½))."""
        n = self.frequency.get(term, 0)
        return math.log1p((self.units - n + 0.5) / (n + 0.5))


@dataclass(frozen=True, slots=True)
class BM25:
    """Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009).

    `mean_length` is that of the units, in terms. `k1` is low and `b` mild because sentences hardly repeat a term, and a
    short one is not better for being short.
    """

    mean_length: float
    k1: float = 0.9
    b: float = 0.4

    def score(self, weights: Mapping[str, float], frequencies: Mapping[str, int], length: int) -> float:
        """Score of a unit with the given term frequencies and length; `weights` are those of the query's terms, inverse
        document frequency included."""
        norm = self.k1 * (1 - self.b + self.b * length / max(self.mean_length, 1.0))
        total = 0.0
        for term, weight in weights.items():
            count = frequencies.get(term, 0)
            if count:
                total += weight * count * (self.k1 + 1) / (count + norm)
        return total
