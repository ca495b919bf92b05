"""`cluster`: groups of rows that are alike, how many there are, and whether they would come back."""

from __future__ import annotations

import math

import numpy as np

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.numerics import cluster as numerics
from worker.engines.analysis.numerics.cluster import Labels, Matrix
from worker.engines.analysis.table import Table
from worker.engines.analysis.tasks.numeric_rows import (
    NumericRows,
    centre_and_spread,
    different_units,
    numeric_rows,
    octile_skewness,
    sample_of,
    whole_number,
    yes_or_no,
)
from worker.engines.analysis.tasks.task import Result, Task
from worker.engines.analysis.wording import listed, number, plural

MAX_COLUMNS = 30
MAX_ROWS = 1_000
"""Distances between all pairs of rows are needed; larger tables are sampled."""
MOST_CLUSTERS = 10
MOST_LABELS = 2_000
_MOST_ASKED = 20
_LEAST_ROWS = 10
_CODED = 5
_RESTARTS = 40
_FEWER_RESTARTS = 10
_SMALL = 300
"""Rows up to which all restarts are done."""
_REFERENCE_RESTARTS, _REFERENCE_STEPS = 2, 30
_HOLDS = 0.7
_REFERENCES = 20
_RESAMPLES = 25
_STABLE, _DOUBTFUL = 0.75, 0.6
_FEW_PER_COLUMN = 10
_SKEWED = 0.4
_APART = 3
_MOST_CATEGORIES = 5
_NOTES = [
    "Differences between clusters have no p-values: the clusters were made from the same columns, so they differ by "
    "construction."
]
_NOTES_OF_NONE = [
    "Groups that differ in few of the columns can be missed, since the other columns count as much; to look for those, "
    "name the columns."
]


def run(table: Table, task: Task) -> Result:
    """Partition the complete rows of `columns` by k-means or by Ward's hierarchy.

    Columns are standardised (mean 0, standard deviation 1) unless `standardise` is false. `k` is the one asked for,
    else that of :func:`numerics.choose_k`, which may be 1: no clusters; so it is too where the clusters do not come
    back in resamples (mean Jaccard, weighted by size, below 0.7). `stability` of a cluster is its mean largest Jaccard
    similarity over bootstrap samples (Hennig 2007), below 0.6 unstable. Clusters are numbered by size. Beyond 1,000
    rows a sample is partitioned and every row then goes to its nearest centre.
    """
    method = task.choice("method", ("kmeans", "hierarchical"), "kmeans")
    asked = whole_number(task, "k", 1, _MOST_ASKED)
    standardise = yes_or_no(task, "standardise") is not False
    data = numeric_rows(table, task, least_columns=1, most_columns=MAX_COLUMNS, coded=_CODED)
    n = len(data.rows)
    if n < _LEAST_ROWS:
        raise NotPossible(f"Clusters need at least {_LEAST_ROWS} complete rows; there are {n}.")
    mean, spread = centre_and_spread(data.values)
    scale = spread if standardise else np.ones_like(spread)
    every = (data.values - mean) / scale
    sample = sample_of(n, MAX_ROWS, task.seed)
    points = every[sample]
    distinct = len(np.unique(points, axis=0))
    if distinct < (asked or 2):
        raise NotPossible(f"{plural(distinct, 'distinct row')} cannot form {plural(asked or 2, 'cluster')}.")
    rng = np.random.Generator(np.random.PCG64(task.seed))
    restarts = _RESTARTS if len(points) <= _SMALL else _FEWER_RESTARTS
    by_ward = method == "hierarchical"
    reference = (
        numerics.ward_partitions if by_ward else numerics.kmeans_partitions(_REFERENCE_RESTARTS, _REFERENCE_STEPS)
    )
    partitioner = numerics.ward_partitions if by_ward else numerics.kmeans_partitions(restarts)
    sizes = list(range(1, min(MOST_CLUSTERS, distinct - 1, len(points) // 2) + 1))
    partitions = partitioner(points, sorted({*sizes, *([asked] if asked else [])}), rng)
    distances = numerics.distance_matrix(points)
    choice = numerics.choose_k(points, distances, {k: partitions[k] for k in sizes}, reference, rng, _REFERENCES)
    k = asked or choice.k
    labels = _numbered(every, sample, partitions[k], k)
    jaccards, rand = _stability(points, labels[sample], reference, rng) if k > 1 else ([None], None)
    scattered = None
    if asked is None and rand is not None:
        shares = np.bincount(labels, minlength=k) / n
        kept = math.fsum(float(share) * (jaccard or 0.0) for share, jaccard in zip(shares, jaccards, strict=True))
        if kept < _HOLDS:
            scattered, k, jaccards, rand = kept, 1, [None], None
            labels = np.zeros(n, dtype=np.intp)
    centres = numerics.means(every, labels, k)
    scores = numerics.silhouettes(distances, labels[sample]) if k > 1 else None
    counts = np.bincount(labels, minlength=k)
    total = float(((every - every.mean(axis=0)) ** 2).sum())
    clusters = []
    for c in range(k):
        own = scores[labels[sample] == c] if scores is not None else None
        clusters.append(
            {
                "cluster": c + 1,
                "size": int(counts[c]),
                "share": int(counts[c]) / n,
                "stability": jaccards[c],
                "silhouette": float(own.mean()) if own is not None and len(own) else None,
                "centre": dict(zip(data.names, (centres[c] * scale + mean).tolist(), strict=True)),
                "apart": _apart(data, every, labels, c) if k > 1 else [],
            }
        )
    # At random: rows at even distances may all miss a cluster where the table repeats itself.
    shown = sample_of(n, MOST_LABELS, task.seed)
    result: Result = {
        "columns": data.names,
        "n": n,
        "method": method,
        "standardised": standardise,
        "k": k,
        "k_chosen_by": "asked" if asked else "silhouette and gap",
        "reason": _reason(choice, asked, scattered),
        "curve": [
            {
                "k": point.k,
                "within_ss": point.within,
                "gap": point.gap,
                "gap_std_error": point.std_error,
                "silhouette": point.silhouette,
            }
            for point in choice.curve
        ],
        "silhouette_by_chance": choice.chance,
        "silhouette": float(scores.mean()) if scores is not None else None,
        "share_between": 1 - numerics.within(every, labels) / total if total > 0 else None,
        "adjusted_rand_resampled": rand,
        "resamples": _RESAMPLES if k > 1 else 0,
        "clusters": clusters,
        "categories": _categories(table, data, labels) if k > 1 else [],
        "labelled_rows": (data.rows[shown] + 1).tolist(),
        "labels": (labels[shown] + 1).tolist(),
        "rows_partitioned": len(sample),
        "seed": task.seed,
        "arithmetic": "double",
    }
    return result | {
        "notes": _NOTES if k > 1 else _NOTES_OF_NONE if len(data.names) > 1 else [],
        "warnings": [*data.warnings, *_warnings(result, data, distinct)],
    }


def _stability(
    points: Matrix, labels: Labels, reference: numerics.Partitioner, rng: np.random.Generator
) -> tuple[list[float | None], float | None]:
    jaccards, rand = numerics.stability(points, labels, reference, rng, _RESAMPLES)
    return list(jaccards), rand


def _numbered(every: Matrix, sample: Labels, found: Labels, k: int) -> Labels:
    """Labels of all rows, 0 for the largest cluster; of equal ones the one with the earliest row first."""
    labels = np.array(found)
    if len(sample) < len(every):
        labels = numerics.nearest(every, numerics.means(every[sample], found, k))
        labels[sample] = found
    counts = np.bincount(labels, minlength=k)
    first = {c: i for i, c in reversed(list(enumerate(found.tolist())))}
    order = sorted(range(k), key=lambda c: (-int(counts[c]), first[c]))
    place = np.empty(k, dtype=np.intp)
    place[order] = np.arange(k)
    return np.asarray(place[labels], dtype=np.intp)


def _apart(data: NumericRows, every: Matrix, labels: Labels, c: int) -> list[Result]:
    """The columns in which a cluster's mean is farthest from that of the other rows, in standard deviations."""
    own = labels == c
    mine, others = every[own].mean(axis=0), every[~own].mean(axis=0)
    spread = every.std(axis=0, ddof=1)
    away = (mine - others) / spread
    order = sorted(range(len(away)), key=lambda j: (-round(abs(float(away[j])), 9), j))[:_APART]
    return [
        {
            "column": data.names[j],
            "mean": float(data.values[own, j].mean()),
            "mean_of_others": float(data.values[~own, j].mean()),
            "difference_in_sd": float(away[j]),
        }
        for j in order
    ]


def _categories(table: Table, data: NumericRows, labels: Labels) -> list[Result]:
    """How far the clusters repeat the categories that the table has already."""
    out = []
    for column in table.groupings()[:_MOST_CATEGORIES]:
        codes, levels = column.codes()
        own = codes[data.rows].astype(np.intp)
        there = own >= 0
        if int(there.sum()) >= _LEAST_ROWS:
            index = numerics.adjusted_rand(labels[there], own[there])
            out.append(
                {"column": column.name, "levels": len(levels), "n": int(there.sum()), "adjusted_rand": float(index)}
            )
    return sorted(out, key=lambda entry: -float(str(entry["adjusted_rand"])))


def _reason(choice: numerics.Choice, asked: int | None, scattered: float | None) -> str:
    if choice.best is None or choice.chance is None:
        return "There are too few distinct rows to compare numbers of clusters."
    by_k = {point.k: point for point in choice.curve}
    best, one = by_k[choice.best], by_k[1]
    gap = f"gap {number(best.gap, 3)} ± {number(best.std_error, 2)} against {number(one.gap, 3)} for one cluster"
    figures = f"mean silhouette {number(best.silhouette, 3)}, {gap}"
    if scattered is not None:
        text = (
            f"The best number of clusters, {choice.best}, stands against chance ({figures}), but its clusters do not "
        )
        text += f"come back in resampled data (mean Jaccard {number(scattered, 2)}, below {_HOLDS})."
    elif choice.k > 1:
        text = f"{choice.k} clusters have the largest mean silhouette of 2 to {choice.curve[-1].k} and hold against "
        text += f"chance ({figures}; without clusters the silhouette reached {number(choice.chance, 3)})."
    else:
        text = f"No number of clusters holds against chance: the best, {choice.best}, has {figures}, and without "
        text += f"clusters the silhouette reached {number(choice.chance, 3)}."
    return text if asked is None else f"{plural(asked, 'cluster')} asked for. {text}"


def _warnings(result: Result, data: NumericRows, distinct: int) -> list[str]:
    warnings = []
    n, p, k = result["n"], len(data.names), result["k"]
    if result["rows_partitioned"] < n:
        warnings.append(
            f"{result['rows_partitioned']} of {n} rows, drawn at random, were partitioned; the others went to the "
            "nearest centre"
        )
    if n < _FEW_PER_COLUMN * p:
        warnings.append(f"{plural(n, 'row')} for {plural(p, 'column')} is few; clusters may follow chance")
    if distinct < result["rows_partitioned"] / 2:
        warnings.append("most rows repeat others, so the clusters may only show repeated values")
    if not result["standardised"] and p > 1 and different_units(data.columns):
        warnings.append("columns are not standardised, so those with the largest numbers decide")
    skewed = [
        name for name, column in zip(data.names, data.values.T, strict=True) if abs(octile_skewness(column)) > _SKEWED
    ]
    if skewed and k > 1:
        warnings.append(f"{listed(skewed)}: skewed, so a cluster may only be the tail; consider logarithms")
    unstable = [c["cluster"] for c in result["clusters"] if c["stability"] is not None and c["stability"] < _DOUBTFUL]
    if unstable:
        names = listed([str(c) for c in unstable])
        warnings.append(
            f"unstable: cluster {names} was found again in too few resamples (mean Jaccard below {_DOUBTFUL})"
        )
    elif any(c["stability"] is not None and c["stability"] < _STABLE for c in result["clusters"]):
        warnings.append(f"not all clusters are stable (a mean Jaccard below {_STABLE} over resamples)")
    if k > 1 and result["k_chosen_by"] == "asked" and result["reason"].find("No number") >= 0:
        warnings.append("the clusters asked for do not stand out from what data without clusters give")
    return warnings
