"""Partitions of points: k-means and Ward's hierarchy, how many groups there are, and how stable they are.

No step depends on the order in which a library adds products up, so that threads cannot change a label.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.lazy import load

Matrix = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]
Partitioner = Callable[[Matrix, Sequence[int], np.random.Generator], dict[int, Labels]]
"""Points (n × p) and the numbers of clusters wanted to labels from 0."""

_ITERATIONS = 100
_TIE = 1e-10


def squared_distances(points: Matrix, centres: Matrix) -> Matrix:
    """k × n squared Euclidean distances of n points to k centres."""
    columns = np.ascontiguousarray(points.T)
    return _distances(columns, centres)


def _distances(columns: Matrix, centres: Matrix) -> Matrix:
    total = np.zeros((len(centres), columns.shape[1]))
    for j, column in enumerate(columns):
        away = column[None, :] - centres[:, j, None]
        away *= away
        total += away
    return total


def nearest(points: Matrix, centres: Matrix) -> Labels:
    """The nearest centre of each point, the first of equals."""
    chunks = [points[i : i + 50_000] for i in range(0, len(points), 50_000)]
    return np.concatenate([squared_distances(chunk, centres).argmin(axis=0) for chunk in chunks]).astype(np.intp)


def means(points: Matrix, labels: Labels, k: int) -> Matrix:
    """k × p means of the points with each label; NaN for a label without points."""
    counts = np.bincount(labels, minlength=k).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.column_stack([np.bincount(labels, weights=column, minlength=k) / counts for column in points.T])


def within(points: Matrix, labels: Labels) -> float:
    """The sum of squared distances of the points to the mean of their cluster."""
    k = int(labels.max()) + 1
    rest = points - means(points, labels, k)[labels]
    return float((rest * rest).sum())


def kmeans(points: Matrix, k: int, rng: np.random.Generator, restarts: int, steps: int = _ITERATIONS) -> Labels:
    """Lloyd's algorithm from k-means++ starts (Arthur and Vassilvitskii 2007); the best of `restarts`, each of at most
    `steps` steps."""
    columns = np.ascontiguousarray(points.T)
    best, least = np.zeros(len(points), dtype=np.intp), math.inf
    for _ in range(1 if k == 1 else restarts):
        labels, total = _lloyd(columns, _plus_plus(columns, k, rng), steps)
        if total < least * (1 - _TIE):
            best, least = labels, total
    return best


def _plus_plus(columns: Matrix, k: int, rng: np.random.Generator) -> Matrix:
    n = columns.shape[1]
    chosen = [int(rng.integers(n))]
    closest = _distances(columns, columns[:, chosen].T)[0]
    while len(chosen) < k:
        running = np.cumsum(closest)
        place = int(np.searchsorted(running, rng.random() * running[-1], side="right"))
        chosen.append(min(place, n - 1))
        closest = np.minimum(closest, _distances(columns, columns[:, chosen[-1:]].T)[0])
    return columns[:, chosen].T.copy()


def _lloyd(columns: Matrix, centres: Matrix, steps: int) -> tuple[Labels, float]:
    labels = np.full(columns.shape[1], -1, dtype=np.intp)
    k, total = len(centres), math.inf
    for _ in range(steps):
        distances = _distances(columns, centres)
        found = distances.argmin(axis=0)
        closest = distances.min(axis=0)
        counts = np.bincount(found, minlength=k)
        for empty in np.flatnonzero(counts == 0).tolist():
            far = int(np.where(counts[found] > 1, closest, -1.0).argmax())
            counts[found[far]] -= 1
            found[far], counts[empty], closest[far] = empty, 1, 0.0
        total = float(closest.sum())
        if np.array_equal(found, labels):
            break
        labels = found.astype(np.intp)
        centres = np.column_stack([np.bincount(labels, weights=column, minlength=k) / counts for column in columns])
    return labels, total


def kmeans_partitions(restarts: int, steps: int = _ITERATIONS) -> Partitioner:
    """k-means for each number of clusters."""
    return lambda points, sizes, rng: {k: kmeans(points, k, rng, restarts, steps) for k in sizes}


def ward_partitions(points: Matrix, sizes: Sequence[int], rng: np.random.Generator) -> dict[int, Labels]:
    """Cuts of Ward's (1963) hierarchy; `rng` is not needed."""
    hierarchy = load("scipy.cluster.hierarchy")
    tree = hierarchy.linkage(points, method="ward")
    cuts = hierarchy.cut_tree(tree, n_clusters=list(sizes))
    return {k: np.asarray(cuts[:, i], dtype=np.intp) for i, k in enumerate(sizes)}


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One number of clusters.

    `gap` is the log of the within sum of squares expected without clusters less the one found, with the standard error
    of its simulation; `silhouette` is the mean over the points (None for k = 1).
    """

    k: int
    within: float
    gap: float
    std_error: float
    silhouette: float | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The number of clusters and what speaks for it. `best` is the k ≥ 2 with the largest silhouette, `chance` the
    largest silhouette that any number of clusters reached in sets without clusters."""

    k: int
    curve: list[CurvePoint]
    best: int | None
    chance: float | None


def choose_k(
    points: Matrix,
    distances: Matrix,
    partitions: dict[int, Labels],
    reference: Partitioner,
    rng: np.random.Generator,
    references: int,
) -> Choice:
    """The k of `partitions` whose mean silhouette is largest, if it holds against chance, else 1.

    It holds if its gap (Tibshirani, Walther and Hastie 2001) is above that of one cluster by more than its standard
    error, and its silhouette is above the largest, over all numbers of clusters, in each of `references` sets without
    clusters: uniform in the box around the points along their principal axes. Stopping at the first k whose gap is not
    below its successor's, as the authors of the gap do, would miss clusters that only come apart all at once.
    """
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    along = np.einsum("ij,kj->ik", centred, axes)
    low, high = along.min(axis=0), along.max(axis=0)
    sizes = sorted(partitions)
    floor = 1e-12 * within(points, np.zeros(len(points), dtype=np.intp))
    uniform = [rng.uniform(low, high, size=along.shape) for _ in range(references)]
    found = [reference(sample, sizes, rng) for sample in uniform]
    logs = np.array(
        [
            [math.log(max(within(sample, labels[k]), floor)) for k in sizes]
            for sample, labels in zip(uniform, found, strict=True)
        ]
    )
    errors = logs.std(axis=0) * math.sqrt(1 + 1 / references)
    curve = []
    for i, k in enumerate(sizes):
        own = within(points, partitions[k])
        gap = float(logs[:, i].mean()) - math.log(max(own, floor))
        score = float(silhouettes(distances, partitions[k]).mean()) if k > 1 else None
        curve.append(CurvePoint(k, own, gap, float(errors[i]), score))
    if len(curve) < 2:
        return Choice(1, curve, None, None)
    best = max(curve[1:], key=lambda point: (round(point.silhouette or 0.0, 9), -point.k))
    chance = max(_largest_silhouette(sample, labels) for sample, labels in zip(uniform, found, strict=True))
    holds = best.gap - best.std_error > curve[0].gap and (best.silhouette or 0.0) > chance
    return Choice(best.k if holds else 1, curve, best.k, chance)


def _largest_silhouette(points: Matrix, partitions: dict[int, Labels]) -> float:
    distances = distance_matrix(points)
    return max(float(silhouettes(distances, labels).mean()) for k, labels in partitions.items() if k > 1)


def distance_matrix(points: Matrix) -> Matrix:
    """n × n Euclidean distances; n² doubles."""
    total = np.zeros((len(points), len(points)))
    for column in points.T:
        away = column[:, None] - column[None, :]
        away *= away
        total += away
    return np.sqrt(total, out=total)


def silhouettes(distances: Matrix, labels: Labels) -> Matrix:
    """Each point's silhouette (Rousseeuw 1987), 0 for a cluster of one; needs two clusters or more."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    sums = np.add.reduceat(distances[:, order], starts, axis=1)
    places = np.arange(len(labels))
    own_count = counts[labels]
    own = sums[places, labels] / np.maximum(own_count - 1, 1)
    others = sums / counts
    others[places, labels] = np.inf
    other = others.min(axis=1)
    larger = np.maximum(own, other)
    scores = np.where(larger > 0, (other - own) / np.where(larger > 0, larger, 1.0), 0.0)
    return np.asarray(np.where(own_count > 1, scores, 0.0), dtype=np.float64)


def stability(
    points: Matrix, labels: Labels, reference: Partitioner, rng: np.random.Generator, resamples: int
) -> tuple[list[float], float]:
    """How well clusters come back in bootstrap samples.

    For each cluster the mean, over the samples, of its largest Jaccard similarity with a cluster found there (Hennig
    2007), and the mean adjusted Rand index of the whole.
    """
    k, n = int(labels.max()) + 1, len(labels)
    jaccards, rands = np.zeros(k), 0.0
    seen = np.zeros(k)
    for _ in range(resamples):
        drawn = np.unique(rng.integers(n, size=n))
        found = reference(points[drawn], [k], rng)[k]
        together = np.zeros((k, k))
        np.add.at(together, (labels[drawn], found), 1.0)
        rows, columns = together.sum(axis=1), together.sum(axis=0)
        union = rows[:, None] + columns[None, :] - together
        best = np.where(union > 0, together / np.where(union > 0, union, 1.0), 0.0).max(axis=1)
        jaccards += np.where(rows > 0, best, 0.0)
        seen += rows > 0
        rands += adjusted_rand(labels[drawn], found)
    return (jaccards / np.maximum(seen, 1)).tolist(), rands / resamples


def adjusted_rand(a: Labels, b: Labels) -> float:
    """The adjusted Rand index of two partitions (Hubert and Arabie 1985): 1 if they are the same, about 0 by chance."""
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1), dtype=np.int64)
    np.add.at(table, (a, b), 1)

    def pairs(counts: npt.NDArray[np.int64]) -> int:
        return sum(count * (count - 1) // 2 for count in counts.ravel().tolist())

    both, rows, columns, every = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), math.comb(len(a), 2)
    if not every:
        return 1.0
    expected = rows * columns / every
    largest = (rows + columns) / 2
    return 1.0 if largest == expected else (both - expected) / (largest - expected)
