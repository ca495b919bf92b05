# Statistics on numpy and scipy; nothing here belongs to the platform. The script has what comes after the imports.
from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from worker.engines.analysis.reproduction.plain import say

# Statistics that scipy has no single function for ------------------------------------------------------------------


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's adjusted p-values."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    adjusted, lowest = [0.0] * len(p_values), 1.0
    for place, i in enumerate(order):
        lowest = min(lowest, len(p_values) / (len(p_values) - place) * p_values[i])
        adjusted[i] = lowest
    return adjusted


def fisher_interval(r: float, n: int, factor: float = 1.0) -> tuple[float, float]:
    """95 % interval of a correlation by Fisher's z; `factor` widens it for ranks (Bonett and Wright 2000)."""
    half = stats.norm.ppf(0.975) * math.sqrt(factor / (n - 3))
    r = max(-1 + 2.0**-53, min(1 - 2.0**-53, r))  # doubles may round to 1 what is not
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def least_squares(columns: Sequence[Any], response: Any) -> tuple[Any, Any, float]:
    """Estimates, standard errors, residual sum of squares: QR of columns scaled to unit length, one refinement."""
    design, y = np.column_stack(columns), np.asarray(response, dtype=np.float64)
    lengths = np.linalg.norm(design, axis=0)
    q, r = np.linalg.qr(design / lengths)
    estimates = np.linalg.solve(r, q.T @ y)
    estimates = estimates + np.linalg.solve(r, q.T @ (y - design / lengths @ estimates))
    residuals = y - design / lengths @ estimates
    rss = math.fsum((residuals**2).tolist())
    df = len(y) - design.shape[1]
    inverse = np.linalg.inv(r)
    errors = np.sqrt(np.sum(inverse**2, axis=1) * (rss / df if df > 0 else math.nan))
    return estimates / lengths, errors / lengths, rss


def fit_curve(model: Callable[[Any], Any], response: Any, starts: Sequence[Sequence[float]]) -> Any:
    """scipy's best least-squares fit from any of the starting values."""
    fits = []
    for start in starts:
        try:
            fits.append(
                optimize.least_squares(
                    lambda b: model(b) - response,
                    start,
                    x_scale="jac",
                    xtol=1e-15,
                    ftol=1e-15,
                    gtol=1e-15,
                    max_nfev=5000,
                )
            )
        except ValueError as error:
            say(f"  from {start} the search fails: {error}")
    return min(fits, key=lambda fit: fit.cost)


def glm(columns: Sequence[Any], response: Any, family: str) -> tuple[Any, Any, float]:
    """Estimates, standard errors, log-likelihood of a logistic or Poisson model, by reweighted least squares."""
    design, y = np.column_stack(columns), np.asarray(response, dtype=np.float64)
    beta = np.zeros(design.shape[1])
    if family == "poisson":
        beta = np.linalg.lstsq(design, np.log(y + 0.5), rcond=None)[0]
    for _ in range(100):
        eta = design @ beta
        mean = special.expit(eta) if family == "binomial" else np.exp(eta)
        weight = mean * (1 - mean) if family == "binomial" else mean
        root = np.sqrt(weight)[:, None]
        step = np.linalg.lstsq(design * root, (y - mean) / root[:, 0], rcond=None)[0]
        beta = beta + step
        if np.max(np.abs(step)) <= 1e-12 * (1 + np.max(np.abs(beta))):
            break
    covariance = np.linalg.inv((design * weight[:, None]).T @ design)
    if family == "binomial":
        likelihood = float(np.sum(y * eta - np.logaddexp(0, eta)))
    else:
        likelihood = float(np.sum(special.xlogy(y, mean) - mean - special.gammaln(y + 1)))
    return beta, np.sqrt(np.diag(covariance)), likelihood


def welch_anova(groups: Sequence[Any]) -> float:
    """p of Welch's (1951) test of equal means."""
    k = len(groups)
    weights = np.array([len(g) / g.var(ddof=1) for g in groups])
    means = np.array([g.mean() for g in groups])
    centre = float((weights * means).sum() / weights.sum())
    uneven = sum((1 - w / weights.sum()) ** 2 / (len(g) - 1) for w, g in zip(weights, groups, strict=True))
    f = float((weights * (means - centre) ** 2).sum()) / (k - 1) / (1 + 2 * (k - 2) * uneven / (k * k - 1))
    return float(stats.f.sf(f, k - 1, (k * k - 1) / (3 * uneven)))


def one_sided(p: float, sign: float, direction: str) -> float:
    """The one-sided p of a two-sided one, for an effect of that sign."""
    return p / 2 if sign != 0 and (sign > 0) == (direction == "greater") else 1 - p / 2


def standardised(values: Any) -> Any:
    centred = np.asarray(values, dtype=np.float64) - np.mean(values)
    return centred / math.sqrt(float(centred @ centred))


def spearman(a: Any, b: Any, seed: int, drawn: bool = True) -> tuple[float, float]:
    """Spearman's rho and its p: over all orders of up to 8 values; twice the share of the orders that leave a perfect
    one as it is; over 9,999 orders drawn by `seed` for up to 30 values of which half are ties; else by Student's t."""
    x, y = stats.rankdata(a), stats.rankdata(b)
    n, rho = len(x), float(stats.pearsonr(x, y).statistic)
    u, v = standardised(x), standardised(y)
    seen = abs(float(u @ v)) - 1e-12
    if n <= 8:
        every = v[np.array(list(itertools.permutations(range(n))))] @ u
        return rho, float(np.mean(np.abs(every) >= seen))
    if abs(rho) >= 1 - 1e-15:
        ties = np.unique(x, return_counts=True)[1]
        logarithm = float(special.gammaln(ties + 1).sum() - special.gammaln(n + 1))
        return rho, min(1.0, max(2 * math.exp(max(logarithm, -800.0)), sys.float_info.min))
    if drawn and n <= 30 and min(len(np.unique(x)), len(np.unique(y))) <= n / 2:
        rng = np.random.Generator(np.random.PCG64(seed))
        orders = rng.permuted(np.broadcast_to(v, (9_999, n)), axis=1) @ u
        return rho, float((1 + np.count_nonzero(np.abs(orders) >= seen)) / 10_000)
    return rho, float(2 * stats.t.sf(abs(rho) * math.sqrt((n - 2) / ((1 - rho) * (1 + rho))), n - 2))


def steps(values: Any, off: Any) -> Any:
    """The place of each value among the different ones; those are equal whose ranges `value` ± `off` overlap."""
    low = values - off
    order = np.argsort(low, kind="stable")
    reach = np.maximum.accumulate((values + off)[order])
    places = np.zeros(len(values), dtype=int)
    places[order[1:]] = np.cumsum(low[order][1:] > reach[:-1])
    return places


def rounding(sizes: Any, counts: Any = 1) -> Any:
    """How far means of `counts` doubles may be off from those of the decimals in the file; `sizes` without signs."""
    return (counts + 1) * sys.float_info.epsilon * np.abs(sizes)


def signed_ranks(a: Any, b: Any, off: Any) -> tuple[float, float, float]:
    """Wilcoxon's smaller rank sum of `a` less `b`, its p and the rank-biserial correlation; differences of 0 are left
    out, and what is equal within `off` is equal. Up to 50 p is exact over all signs given the ranks, else normal with
    corrections for ties and continuity."""
    there = np.abs(a - b) > off
    moved = (a - b)[there]
    n, ranks = len(moved), stats.rankdata(steps(np.abs(moved), off[there]))
    whole, above = n * (n + 1) / 2, float(ranks[moved > 0].sum())
    smaller = min(above, whole - above)
    if n <= 50:
        ways = np.array([1.0])
        for rank in np.rint(2 * ranks).astype(int):
            ways = np.concatenate([ways, np.zeros(rank)]) + np.concatenate([np.zeros(rank), ways])
        p = 2 * float(ways[: round(2 * smaller) + 1].sum()) / 2.0**n
    else:
        ties = np.unique(ranks, return_counts=True)[1]
        variance = n * (n + 1) * (2 * n + 1) / 24 - float((ties**3 - ties).sum()) / 48
        p = float(2 * stats.norm.sf(max(0.0, n * (n + 1) / 4 - smaller - 0.5) / math.sqrt(variance)))
    return smaller, min(1.0, p), 2 * above / whole - 1


def mann_whitney(a: Any, b: Any) -> tuple[float, float]:
    """Whether `a` is higher (the share of pairs less a half) and p: exact for small groups without ties."""
    exact = len(np.unique(np.concatenate([a, b]))) == len(a) + len(b) and len(a) * len(b) <= 2_500
    found = stats.mannwhitneyu(a, b, method="exact" if exact else "asymptotic")
    return float(found.statistic) / (len(a) * len(b)) - 0.5, float(found.pvalue)


def coefficient(design: Any, y: Any, place: int, robust: bool) -> tuple[float, float]:
    """A coefficient of least squares and its p by Student's t; `robust` has the standard error HC3."""
    design = np.asarray(design, dtype=np.float64)
    estimates, errors, _ = least_squares(list(design.T), y)
    error, df = errors[place], len(y) - design.shape[1]
    if robust:
        q, r = np.linalg.qr(design)
        weighted = (y - q @ (q.T @ y)) / (1 - (q * q).sum(axis=1))
        error = math.sqrt(float(((np.linalg.solve(r, q.T)[place] * weighted) ** 2).sum()))
    return float(estimates[place]), float(2 * stats.t.sf(abs(estimates[place]) / error, df))


def variance_factor(left: Any) -> float:
    """What first-order autocorrelation multiplies the variance of S by (Hamed and Rao 1998), at least 1."""
    n = len(left)
    if n < 8 or np.ptp(left) <= 0:
        return 1.0
    centred = left - left.mean()
    rho = float(centred[1:] @ centred[:-1]) / float(centred @ centred)
    phi = min(0.97, rho + (2 + 4 * rho) / n)
    if phi <= 0:
        return 1.0
    lag = np.arange(1, n - 2)
    added = float(((n - lag) * (n - lag - 1.0) * (n - lag - 2.0) * 6 / np.pi * np.arcsin(phi**lag / 2)).sum())
    return max(1.0, 1 + 2 * added / (n * (n - 1.0) * (n - 2.0)))


def slope_limits(slopes: Any, variance: float) -> tuple[float, float]:
    """95 % limits of the median of slopes (Sen 1968), between ranks by Gilbert's (1987) interpolation."""
    count, reach = len(slopes), stats.norm.ppf(0.975) * math.sqrt(variance)
    if count < 2:
        return float(slopes[0]), float(slopes[0])
    ranks = [((count - reach) / 2 - 1) / (count - 1), ((count + reach) / 2) / (count - 1)]
    low, high = np.quantile(slopes, np.clip(ranks, 0.0, 1.0))
    return float(low), float(high)


def score_parts(t: Any, y: Any) -> tuple[float, Any, float]:
    """S, the slopes of all pairs at different times, and the variance of S with ties in both; `t` is in order."""
    n, s, slopes = len(y), 0.0, []
    for i in range(n - 1):
        dt, dy = t[i + 1 :] - t[i], y[i + 1 :] - y[i]
        s += float(np.sign(dy[dt > 0]).sum())
        slopes.append(dy[dt > 0] / dt[dt > 0])
    u, v = (np.unique(values, return_counts=True)[1].astype(float) for values in (t, y))
    variance = (n * (n - 1) * (2 * n + 5) - sum(float((k * (k - 1) * (2 * k + 5)).sum()) for k in (u, v))) / 18
    if n > 2:
        variance += float((u * (u - 1) * (u - 2)).sum() * (v * (v - 1) * (v - 2)).sum()) / (9 * n * (n - 1) * (n - 2))
    variance += float((u * (u - 1)).sum() * (v * (v - 1)).sum()) / (2 * n * (n - 1))
    return s, np.concatenate(slopes), variance


def scored(s: float, variance: float) -> tuple[float, float]:
    """z with the correction for continuity, and p."""
    z = (s - math.copysign(1, s)) / math.sqrt(variance) if s and variance > 0 else 0.0
    return z, float(2 * stats.norm.sf(abs(z)))


def mann_kendall(t: Any, y: Any) -> dict[str, Any]:
    """Mann and Kendall's test, Theil and Sen's line; with `corrected` as autocorrelation of what is left has it."""
    order = np.argsort(t, kind="stable")
    t, y = np.asarray(t, dtype=np.float64)[order], np.asarray(y, dtype=np.float64)[order]
    s, slopes, variance = score_parts(t, y)
    slope = float(np.median(slopes))
    intercept = float(np.median(y - slope * t))
    factor = variance_factor(y - intercept - slope * t)

    def tested(times: float) -> dict[str, float]:
        (z, p), (low, high) = scored(s, variance * times), slope_limits(slopes, variance * times)
        return {"z": z, "p": p, "ci_low": low, "ci_high": high}

    corrected = tested(factor) | {"variance_factor": factor}
    exact = len(y) <= 10 and len(np.unique(t)) == len(np.unique(y)) == len(y)
    plain = tested(1.0) | ({"p": float(stats.kendalltau(t, y, method="exact").pvalue)} if exact else {})
    return {"s": s, "slope": slope, "intercept": intercept, "corrected": corrected, **plain}


STEPS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 365.2425 / 12, "quarter": 365.2425 / 4, "year": 365.2425}


def seasonal_mann_kendall(t: Any, y: Any, period: int, unit: str) -> dict[str, float]:
    """Hirsch and Slack's test over the seasons of that many steps, with the variance that autocorrelation beside trend
    and seasons gives S. Several values at one time stand for their mean, gaps are filled in linearly."""
    moments, place, counts = np.unique(t, return_inverse=True, return_counts=True)
    whole = float(np.median(mann_kendall_slopes(t, y)))
    t, y = moments, np.bincount(place, weights=y) / counts
    gaps = np.diff(t)
    step = STEPS.get(unit, float(np.median(gaps)))
    at = np.concatenate([[0], np.cumsum(np.maximum(np.round(gaps / step), 1))]).astype(int)
    grid = np.interp(np.arange(at[-1] + 1), at, y)
    # The centred mean over one period; the ends stay at the nearest.
    weights = np.ones(period + 1 - period % 2)
    weights[[0, -1]] = 0.5 if period % 2 == 0 else 1.0
    inner = np.convolve(grid, weights / weights.sum(), mode="valid")
    before = (len(grid) - len(inner)) // 2
    left = grid - np.pad(inner, (before, len(grid) - len(inner) - before), mode="edge")
    season = np.arange(len(grid)) % period
    means = np.array([left[season == k].mean() for k in range(period)])
    means -= means.mean()
    factor = variance_factor(grid - means[season] - whole * step * np.arange(len(grid)))
    some = np.linspace(0, len(y) - 1, min(len(y), 3_000)).round().astype(int)
    t, y, season = t[some], y[some], at[some] % period
    parts = [score_parts(t[season == k], y[season == k]) for k in range(period) if (season == k).sum() >= 3]
    s, variance = sum(part[0] for part in parts), factor * sum(part[2] for part in parts)
    slopes = np.concatenate([part[1] for part in parts])
    (z, p), (low, high) = scored(s, variance), slope_limits(slopes, variance)
    slope = float(np.median(slopes))
    return {"s": s, "z": z, "p": p, "slope": slope, "ci_low": low, "ci_high": high, "variance_factor": factor}


def thinned(t: Any, y: Any) -> tuple[Any, Any]:
    """In order of time, and of more than 3,000 values as many evenly spaced ones."""
    order = np.argsort(t, kind="stable")
    if len(order) > 3_000:
        order = order[np.arange(3_000) * len(order) // 3_000]
    return np.asarray(t, dtype=np.float64)[order], np.asarray(y, dtype=np.float64)[order]


def mann_kendall_slopes(t: Any, y: Any) -> Any:
    return score_parts(*thinned(t, y))[1]
