"""How alike two short texts are, by their stems."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from worker.engines.text.bm25 import CollectionStatistics

Vector = Mapping[str, float]


def tfidf(terms: Sequence[str], statistics: CollectionStatistics) -> dict[str, float]:
    """Unit-length tf-idf vector with sublinear term frequency; empty for no terms."""
    counts = Counter(terms)
    weights = {term: (1 + math.log(count)) * statistics.idf(term) for term, count in sorted(counts.items())}
    norm = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / norm for term, weight in weights.items()} if norm else {}


def cosine(left: Vector, right: Vector) -> float:
    """Cosine of two unit-length vectors, 0..1."""
    if len(right) < len(left):
        left, right = right, left
    return sum(weight * right[term] for term, weight in left.items() if term in right)


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Share of common stems among all stems of two texts, 0..1."""
    union = len(left | right)
    return len(left & right) / union if union else 0.0


def near_identical(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether two sentences say the same in nearly the same words: four fifths of all stems in common, or nine tenths
    of the shorter one's stems found in the other when that is not much longer."""
    small, large = sorted((len(left), len(right)))
    if not small or small < 0.55 * large:
        return False
    common = len(left & right)
    return common >= 0.8 * (small + large - common) or (common >= 0.9 * small and small >= 4)
