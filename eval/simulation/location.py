"""Cases of means, spreads and comparisons of groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
from scipy import special

from eval.simulation.data import Pair, Vector, covers, rejects, result, superiority_truth
from eval.simulation.trials import COVERAGE, REJECTION, Case, Outcomes, Quantity

SIZES = (10, 30, 100)
_SKEWED = "Student's t leans on a mean that is near normal; skewed data need many rows"
_SPREAD = "the interval of a spread leans on the tails of the data"
_POOLED = "g is measured in a pooled spread, which unequal spreads do not have"
_RANKS = "ranks test whether one group tends to be larger; unequal spreads disturb the test"
_UNEQUAL = "the analysis of variance takes equal spreads for granted"

Draw = Callable[[np.random.Generator, int], Vector]


def cases() -> list[Case]:
    described = [_description(name, n, *given) for name, given in _SHAPES.items() for n in SIZES]
    pairs = [_two_groups(name, n, *given) for name, given in _PAIRS.items() for n in SIZES]
    several = [_three_groups(name, n, *given) for name, given in _THREES.items() for n in SIZES]
    return [*described, *pairs, *several]


def _normal(rng: np.random.Generator, n: int) -> Vector:
    return rng.standard_normal(n)


def _uniform(rng: np.random.Generator, n: int) -> Vector:
    return rng.random(n)


def _heavy(rng: np.random.Generator, n: int) -> Vector:
    return rng.standard_t(5, n)


def _tied(rng: np.random.Generator, n: int) -> Vector:
    return np.round(rng.standard_normal(n))


def _exponential(rng: np.random.Generator, n: int) -> Vector:
    return rng.exponential(1.0, n)


def _lognormal(rng: np.random.Generator, n: int) -> Vector:
    return np.exp(rng.standard_normal(n))


_TIED_SD = math.sqrt(2 * sum(k * k * float(special.ndtr(k + 0.5) - special.ndtr(k - 0.5)) for k in range(1, 9)))
# draw, mean, sd, median, why the mean's interval is not claimed, why the sd's is not
_SHAPES: Mapping[str, tuple[Draw, float, float, float, str, str]] = {
    "describe, normal": (_normal, 0.0, 1.0, 0.0, "", ""),
    "describe, uniform": (_uniform, 0.5, math.sqrt(1 / 12), 0.5, "", _SPREAD),
    "describe, heavy tails (t5)": (_heavy, 0.0, math.sqrt(5 / 3), 0.0, "", _SPREAD),
    "describe, tied": (_tied, 0.0, _TIED_SD, 0.0, "", _SPREAD),
    "describe, exponential": (_exponential, 1.0, 1.0, math.log(2), _SKEWED, _SPREAD),
    "describe, lognormal": (_lognormal, math.exp(0.5), math.sqrt((math.e - 1) * math.e), 1.0, _SKEWED, _SPREAD),
}  # fmt: skip


def _description(
    name: str, n: int, draw: Draw, mean: float, sd: float, median: float, mean_note: str, sd_note: str
) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        found = result("describe", {"x": draw(rng, n)})
        column = None if found is None else found["columns"][0]
        return {
            "mean": covers(column, mean),
            "sd": covers(column, sd, "sd_"),
            "median": covers(column, median, "median_"),
        }

    quantities = (
        Quantity("mean", COVERAGE, 0.95, mean_note),
        Quantity("sd", COVERAGE, 0.95, sd_note),
        Quantity("median", COVERAGE, 0.95),
    )
    return Case(name, n, quantities, trial)


@cache
def _independent(first: Draw, second: Draw) -> Pair:
    def draw(rng: np.random.Generator, n: int) -> tuple[Vector, Vector]:
        return first(rng, n), second(rng, n)

    return draw


def _moved(draw: Draw, by: float, scale: float = 1.0) -> Draw:
    return lambda rng, n: draw(rng, n) * scale + by


def _shifted_log(rng: np.random.Generator, n: int) -> Vector:
    return np.exp(rng.standard_normal(n) + 0.8)


def _tied_higher(rng: np.random.Generator, n: int) -> Vector:
    return np.round(rng.standard_normal(n) + 0.8)


# first, second, size of the second over that of the first, difference of means, Cohen's δ,
# why Welch is not claimed, why g is not, why ranks are not (as a test)
_PAIRS: Mapping[str, tuple[Draw, Draw, float, float, float, str, str, str]] = {
    "two groups, normal, alike": (_normal, _normal, 1.0, 0.0, 0.0, "", "", ""),
    "two groups, normal, apart": (_moved(_normal, 0.8), _normal, 1.0, 0.8, 0.8, "", "", ""),
    "two groups, normal, far apart": (_moved(_normal, 2.5), _normal, 1.0, 2.5, 2.5, "", "", ""),
    "two groups, spreads 1 : 3, sizes 2 : 1": (
        _normal, _moved(_normal, 0.0, 3.0), 0.5, 0.0, 0.0, "", _POOLED, _RANKS),
    "two groups, tied, alike": (_tied, _tied, 1.0, 0.0, 0.0, "", "", ""),
    "two groups, tied, apart": (_tied_higher, _tied, 1.0, 0.8, math.nan, "", "", ""),
    "two groups, heavy tails (t5), alike": (_heavy, _heavy, 1.0, 0.0, 0.0, "", "", ""),
    "two groups, lognormal, alike": (_lognormal, _lognormal, 1.0, 0.0, 0.0, "", "", ""),
    "two groups, lognormal, apart": (
        _shifted_log, _lognormal, 1.0, math.exp(1.3) - math.exp(0.5), math.nan, _SKEWED, _SKEWED, ""),
}  # fmt: skip


def _two_groups(
    name: str, n: int, first: Draw, second: Draw, ratio: float, difference: float, delta: float,
    welch_note: str, g_note: str, rank_note: str,
) -> Case:  # fmt: skip
    m = max(5, round(n * ratio))
    pair_of = _independent(first, second)
    null = difference == 0.0

    def trial(rng: np.random.Generator) -> Outcomes:
        # Under the null the truth is known better than a large sample tells it.
        superiority = 0.5 if null else superiority_truth(pair_of)
        values = np.concatenate([first(rng, n), second(rng, m)])
        found = result("compare_groups", {"y": values, "g": ["a"] * n + ["b"] * m}, response="y", group="g")
        if found is None:
            return {}
        pair = found["pairs"][0]
        welch, ranks, chosen = pair["welch"], pair["mann_whitney"], pair[found["preferred"]]
        outcomes: dict[str, float | None] = {
            "difference": covers(welch, difference),
            "superiority": covers(ranks, superiority),
        }
        if math.isfinite(delta):
            outcomes["Hedges' g"] = covers(welch, delta, "hedges_g_")
        if null:
            outcomes |= {
                "Welch's t": rejects(welch and welch["p"]),
                "Mann–Whitney": rejects(ranks and ranks["p"]),
                "the test chosen": rejects(chosen and chosen["p"]),
            }
        return outcomes

    quantities = [
        Quantity("difference", COVERAGE, 0.95, welch_note),
        Quantity("superiority", COVERAGE, 0.95),
    ]
    if math.isfinite(delta):
        quantities.append(Quantity("Hedges' g", COVERAGE, 0.95, g_note))
    if null:
        quantities += [
            Quantity("Welch's t", REJECTION, 0.05, welch_note),
            Quantity("Mann–Whitney", REJECTION, 0.05, rank_note),
            Quantity("the test chosen", REJECTION, 0.05),
        ]
    return Case(name, n, tuple(quantities), trial)


# draws, sizes over n, η² of the population (NaN: not told), why F is not claimed, why ranks are not
_THREES: Mapping[str, tuple[tuple[Draw, Draw, Draw], tuple[float, float, float], float, str, str]] = {
    "three groups, normal, alike": ((_normal, _normal, _normal), (1, 1, 1), 0.0, "", ""),
    "three groups, normal, apart": (
        (_normal, _moved(_normal, 0.5), _moved(_normal, 1.0)), (1, 1, 1), (0.5 / 3) / (1 + 0.5 / 3), "", ""),
    "three groups, spreads 1 : 2 : 4, sizes 4 : 2 : 1": (
        (_normal, _moved(_normal, 0, 2), _moved(_normal, 0, 4)), (2.0, 1.0, 0.5), math.nan, _UNEQUAL, _RANKS),
    "three groups, lognormal, alike": ((_lognormal,) * 3, (1, 1, 1), 0.0, "", ""),
    "three groups, tied, alike": ((_tied,) * 3, (1, 1, 1), 0.0, "", ""),
}  # fmt: skip


def _three_groups(
    name: str, n: int, draws: tuple[Draw, Draw, Draw], ratios: Sequence[float], eta: float, f_note: str, rank_note: str
) -> Case:
    sizes = [max(4, round(n * ratio)) for ratio in ratios]
    labels = [level for level, size in zip("abc", sizes, strict=True) for _ in range(size)]
    null = not eta > 0

    def trial(rng: np.random.Generator) -> Outcomes:
        values = np.concatenate([draw(rng, size) for draw, size in zip(draws, sizes, strict=True)])
        data: dict[str, Vector | Sequence[str]] = {"y": values, "g": labels}
        found = result("anova", data, response="y", group="g")
        compared = result("compare_groups", data, response="y", group="g")
        given = [{"kind": "difference", "response": "y", "group": "g"}]
        tested = result("hypotheses", data, hypotheses=given)
        if found is None or compared is None or tested is None:
            return {}
        chosen = tested["hypotheses"][0]
        outcomes: dict[str, float | None] = {}
        if math.isfinite(eta) and chosen["effect"] and chosen["effect"]["name"] == "η²":
            outcomes["η²"] = covers(chosen["effect"], eta)
        if null:
            tests = [pair[compared["preferred"]] for pair in compared["pairs"]]
            outcomes |= {
                "analysis of variance": rejects(found["p"]),
                "Welch's analysis of variance": rejects(found["welch"] and found["welch"]["p"]),
                "Kruskal–Wallis": rejects(found["kruskal_wallis"] and found["kruskal_wallis"]["p"]),
                "the test chosen": rejects(chosen["p"]),
                "any pair (adjusted)": float(any(test and test["p_adjusted"] < 0.05 for test in tests)),
            }
        return outcomes

    quantities = [Quantity("η²", COVERAGE, 0.95, "" if name.split(", ")[1] == "normal" else _SKEWED)]
    if not math.isfinite(eta):
        quantities = []
    if null:
        quantities += [
            Quantity("analysis of variance", REJECTION, 0.05, f_note),
            Quantity("Welch's analysis of variance", REJECTION, 0.05),
            Quantity("Kruskal–Wallis", REJECTION, 0.05, rank_note),
            Quantity("the test chosen", REJECTION, 0.05),
            Quantity("any pair (adjusted)", REJECTION, 0.05),
        ]
    return Case(name, n, tuple(quantities), trial, share=0.5)
