"""Which pairs of three groups or more differ: Tukey's HSD, Games and Howell's test, Dunn's test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.numerics.distributions import normal_two_sided
from worker.engines.analysis.numerics.ranks import mid_ranks, tie_sizes
from worker.engines.analysis.numerics.studentized_range import range_quantile, range_upper

Vector = npt.NDArray[np.float64]
Groups = Mapping[str, Vector]


@dataclass(frozen=True, slots=True)
class Difference:
    """First mean minus second with its simultaneous 95 % interval, the studentised range, p over all pairs."""

    difference: float
    ci_low: float
    ci_high: float
    q: float
    df: float
    p: float


def tukey_hsd(groups: Groups) -> dict[tuple[str, str], Difference]:
    """Tukey and Kramer's: for equal spreads. Empty where nothing varies within the groups."""
    n = sum(map(len, groups.values()))
    df = float(n - len(groups))
    within = math.fsum(float(((values - values.mean()) ** 2).sum()) for values in groups.values())
    if df < 1 or within <= 0:
        return {}
    variance = within / df
    reach = range_quantile(0.95, len(groups), df)
    found = {}
    for a, b in combinations(groups, 2):
        error = math.sqrt(variance / 2 * (1 / len(groups[a]) + 1 / len(groups[b])))
        difference = float(groups[a].mean() - groups[b].mean())
        q = abs(difference) / error
        p = range_upper(q, len(groups), df)
        found[a, b] = Difference(difference, difference - reach * error, difference + reach * error, q, df, p)
    return found


def games_howell(groups: Groups) -> dict[tuple[str, str], Difference]:
    """Games and Howell's (1976): for any spreads, with Welch's degrees of freedom. Pairs without scatter, or with a
    group of one value, are left out."""
    found = {}
    for a, b in combinations(groups, 2):
        x, y = groups[a], groups[b]
        if min(len(x), len(y)) < 2:
            continue
        va, vb = float(x.var(ddof=1)) / len(x), float(y.var(ddof=1)) / len(y)
        if va + vb <= 0:
            continue
        df = (va + vb) ** 2 / (va * va / (len(x) - 1) + vb * vb / (len(y) - 1))
        error = math.sqrt((va + vb) / 2)
        difference = float(x.mean() - y.mean())
        q = abs(difference) / error
        reach = range_quantile(0.95, len(groups), df) * error
        p = range_upper(q, len(groups), df)
        found[a, b] = Difference(difference, difference - reach, difference + reach, q, df, p)
    return found


@dataclass(frozen=True, slots=True)
class RankDifference:
    """First mean rank minus second, its z, and p of the pair alone."""

    difference: float
    z: float
    p: float


def dunn(groups: Groups) -> dict[tuple[str, str], RankDifference]:
    """Dunn's (1964) test on the ranks over all groups, corrected for ties. Empty where all values are equal."""
    every = np.concatenate(list(groups.values()))
    n = len(every)
    ranks = mid_ranks(every)
    ties = sum(t**3 - t for t in tie_sizes(every))
    variance = n * (n + 1) / 12 - ties / (12 * (n - 1))
    if variance <= 0:
        return {}
    ends = np.cumsum([len(values) for values in groups.values()])
    means = {level: float(part.mean()) for level, part in zip(groups, np.split(ranks, ends[:-1].tolist()), strict=True)}
    found = {}
    for a, b in combinations(groups, 2):
        difference = means[a] - means[b]
        z = difference / math.sqrt(variance * (1 / len(groups[a]) + 1 / len(groups[b])))
        found[a, b] = RankDifference(difference, z, normal_two_sided(z))
    return found
