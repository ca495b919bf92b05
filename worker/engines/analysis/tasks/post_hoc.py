"""Between three groups or more: the tests of all groups together, and which pairs differ."""

from __future__ import annotations

import math

import numpy as np

from worker.engines.analysis.numerics import post_hoc as tests
from worker.engines.analysis.numerics.distributions import (
    f_upper,
    holm,
    noncentral_chi2_interval,
    noncentral_f_interval,
)
from worker.engines.analysis.numerics.groups import kruskal_wallis, one_way, welch_anova
from worker.engines.analysis.packed import floats_of
from worker.engines.analysis.tasks.grouping import Groups
from worker.engines.analysis.tasks.task import Result


def overall(groups: Groups) -> Result:
    """Classical, Welch's and Kruskal–Wallis's test of all groups, and the share of the variance with 95 % intervals.

    The interval of eta squared inverts the noncentral F distribution; omega squared's is the same noncentrality less
    what chance gives. Epsilon squared's inverts the noncentral chi-square distribution of H, approximately.
    """
    welch = welch_anova(groups)
    kruskal = kruskal_wallis(groups)
    fit = one_way(groups)
    result: Result = {
        "eta_squared": fit.r_squared,
        "eta_squared_ci_low": None,
        "eta_squared_ci_high": None,
        "omega_squared": fit.omega_squared,
        "anova": None,
        "welch": None if welch is None else dict(zip(("f", "df1", "df2", "p"), welch, strict=True)),
        "kruskal_wallis": None if kruskal is None else dict(zip(("h", "p", "epsilon_squared"), kruskal, strict=True)),
    }
    n = fit.df_between + fit.df_within + 1
    if fit.f is not None:
        p = f_upper(fit.f, fit.df_between, fit.df_within)
        result["anova"] = {"f": fit.f, "df1": fit.df_between, "df2": fit.df_within, "p": p}
        if math.isfinite(fit.f) and fit.f < 1e6:
            low, high = noncentral_f_interval(fit.f, fit.df_between, fit.df_within)
            result |= {"eta_squared_ci_low": low / (low + n), "eta_squared_ci_high": high / (high + n)}
    if kruskal is not None:
        low, high = noncentral_chi2_interval(kruskal[0], fit.df_between)
        result["kruskal_wallis"] |= {
            "epsilon_squared_ci_low": min(1.0, low / (n - 1)),
            "epsilon_squared_ci_high": min(1.0, high / (n - 1)),
        }
    return result


def add_post_hoc(pairs: list[Result], groups: Groups, *, by_ranks: bool) -> str:
    """Put into each pair `games_howell`, `tukey_hsd` and `dunn` (None where not defined), and `post_hoc`: the one that
    goes with the preferred test, whose name is returned. p is over all pairs (Dunn's by Holm)."""
    arrays = {level: np.asarray(floats_of(cells)) for level, cells in groups.items()}
    howell, tukey, ranks = tests.games_howell(arrays), tests.tukey_hsd(arrays), tests.dunn(arrays)
    adjusted = dict(zip(ranks, holm([found.p for found in ranks.values()]), strict=True))
    name = "dunn" if by_ranks else "games_howell"
    for pair in pairs:
        key = (pair["a"], pair["b"])
        for method, found in (("games_howell", howell.get(key)), ("tukey_hsd", tukey.get(key))):
            pair[method] = None
            if found is not None:
                pair[method] = {
                    "difference": found.difference, "ci_low": found.ci_low, "ci_high": found.ci_high,
                    "q": found.q, "df": found.df, "p_adjusted": found.p,
                }  # fmt: skip
        pair["dunn"] = None
        if key in ranks:
            pair["dunn"] = {
                "rank_difference": ranks[key].difference, "z": ranks[key].z, "p": ranks[key].p,
                "p_adjusted": adjusted[key],
            }  # fmt: skip
        pair["post_hoc"] = pair[name]
    return name
