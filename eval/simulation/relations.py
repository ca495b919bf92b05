"""Cases of correlations, models, curves and trends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eval.simulation.data import (
    Pair,
    Vector,
    covers,
    heavy_pair,
    kendall_truth,
    normal_pair,
    pearson_truth,
    rejects,
    result,
    skewed_pair,
    spearman_truth,
    tied_pair,
)
from eval.simulation.trials import COVERAGE, REJECTION, Case, Outcomes, Quantity

SIZES = (10, 30, 100)
_BIVARIATE = "Fisher's z takes both columns together for normal"
_UNEVEN = "least squares takes even scatter for granted; the result warns where it is not"
_APPROXIMATE = "the autocorrelation that the correction leans on is itself estimated"
_DEPENDENT = "Mann–Kendall takes independent values for granted; the result warns where they are not"

# draw, why Pearson's interval is not claimed; ρ = 0 under the null
_PAIRS: Mapping[str, tuple[Pair, str, bool]] = {
    "correlation 0, normal": (normal_pair(0.0), "", True),
    "correlation 0.5, normal": (normal_pair(0.5), "", False),
    "correlation 0.9, normal": (normal_pair(0.9), "", False),
    "correlation 0, lognormal": (skewed_pair(0.0), "", True),
    "correlation 0.6, lognormal": (skewed_pair(0.6), _BIVARIATE, False),
    "correlation 0.5, heavy tails (t5)": (heavy_pair(0.5), _BIVARIATE, False),
    "correlation 0, tied": (tied_pair(0.0), "", True),
    "correlation 0.6, tied": (tied_pair(0.6), "", False),
}


_TRUTHS = {"pearson": pearson_truth, "spearman": spearman_truth, "kendall": kendall_truth}


def cases() -> list[Case]:
    pairs = [_pair(name, n, *given) for name, given in _PAIRS.items() for n in SIZES]
    lines = [_line(n, uneven=uneven) for uneven in (False, True) for n in SIZES]
    trends = [_trend(name, n, *given) for name, given in _TRENDS.items() for n in SIZES]
    logistic = [_logistic(n) for n in (30, 100, 300)]
    counts = [_poisson(n) for n in SIZES]
    curves = [_curve(n) for n in SIZES]
    return [*pairs, *lines, *logistic, *counts, *curves, *trends]


def _pair(name: str, n: int, draw: Pair, pearson_note: str, null: bool) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        truths = {method: 0.0 if null else truth(draw) for method, truth in _TRUTHS.items()}
        x, y = draw(rng, n)
        found = result("correlation", {"x": x, "y": y})
        if found is None:
            return {}
        pair = found["pairs"][0]
        outcomes: dict[str, float | None] = {}
        for method, truth in truths.items():
            outcomes[f"{method} interval"] = covers(pair.get(method), truth)
            if null and method in pair:
                outcomes[f"{method} test"] = rejects(pair[method]["p"])
        return outcomes

    notes = {"pearson": pearson_note}
    quantities = [Quantity(f"{method} interval", COVERAGE, 0.95, notes.get(method, "")) for method in _TRUTHS]
    if null:
        quantities += [Quantity(f"{method} test", REJECTION, 0.05) for method in _TRUTHS]
    return Case(name, n, tuple(quantities), trial)


def _line(n: int, *, uneven: bool) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        x, z = rng.standard_normal(n), rng.standard_normal(n)
        scatter = np.exp(0.7 * x) if uneven else 1.0
        y = 1 + 0.5 * x + scatter * rng.standard_normal(n)
        found = result("regression", {"x": x, "z": z, "y": y}, formula="y ~ x + z")
        nothing = result("regression", {"x": x, "z": z, "y": scatter * rng.standard_normal(n)}, formula="y ~ x + z")
        if found is None or nothing is None:
            return {}
        terms = {term["name"]: term for term in found["terms"]}
        null = {term["name"]: term for term in nothing["terms"]}
        return {
            "intercept": covers(terms["Intercept"], 1.0),
            "slope": covers(terms["x"], 0.5),
            "t test of a slope": rejects(null["z"]["p"]),
            "F test of the model": rejects(nothing["p"]),
        }

    note = _UNEVEN if uneven else ""
    quantities = (
        Quantity("intercept", COVERAGE, 0.95, note),
        Quantity("slope", COVERAGE, 0.95, note),
        Quantity("t test of a slope", REJECTION, 0.05, note),
        Quantity("F test of the model", REJECTION, 0.05, note),
    )
    return Case(f"linear regression, {'uneven' if uneven else 'even'} scatter", n, quantities, trial, share=0.5)


def _model(family: str, data: Mapping[str, Vector]) -> dict[str, Mapping[str, float | None]] | None:
    found = result("regression", data, formula="y ~ x + z", family=family)
    return None if found is None else {term["name"]: term for term in found["terms"]}


def _slopes(terms: Mapping[str, Mapping[str, float | None]] | None, slope: float) -> Outcomes:
    if terms is None:
        return {"slope": None, "test of a slope": None}
    return {"slope": covers(terms["x"], slope), "test of a slope": rejects(terms["z"]["p"])}


def _logistic(n: int) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        x, z = rng.standard_normal(n), rng.standard_normal(n)
        y = (rng.random(n) < 1 / (1 + np.exp(-0.3 - 0.8 * x))).astype(np.float64)
        return _slopes(_model("binomial", {"x": x, "z": z, "y": y}), 0.8)

    quantities = (Quantity("slope", COVERAGE, 0.95), Quantity("test of a slope", REJECTION, 0.05))
    return Case("logistic regression", n, quantities, trial, share=0.5)


def _poisson(n: int) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        x, z = rng.standard_normal(n), rng.standard_normal(n)
        y = rng.poisson(np.exp(1 + 0.4 * x)).astype(np.float64)
        return _slopes(_model("poisson", {"x": x, "z": z, "y": y}), 0.4)

    quantities = (Quantity("slope", COVERAGE, 0.95), Quantity("test of a slope", REJECTION, 0.05))
    return Case("Poisson regression", n, quantities, trial, share=0.5)


def _curve(n: int) -> Case:
    truth = {"a": 5.0, "b": 0.8}

    def trial(rng: np.random.Generator) -> Outcomes:
        x = np.linspace(0.0, 4.0, n)
        y = truth["a"] * np.exp(-truth["b"] * x) + 0.3 * rng.standard_normal(n)
        found = result("curve_fit", {"x": x, "y": y}, response="y", formula="a*exp(-b*x)", start={"a": 4.0, "b": 1.0})
        if found is None:
            return {}
        return {item["name"]: covers(item, truth[item["name"]]) for item in found["parameters"]}

    quantities = tuple(Quantity(name, COVERAGE, 0.95) for name in truth)
    return Case("curve a·exp(−b·x)", n, quantities, trial, share=0.25)


def _scatter(rng: np.random.Generator, n: int) -> Vector:
    return rng.standard_normal(n)


def _heavy_scatter(rng: np.random.Generator, n: int) -> Vector:
    return rng.standard_t(2, n)


def _dependent_scatter(rng: np.random.Generator, n: int) -> Vector:
    e = rng.standard_normal(n)
    for i in range(1, n):
        e[i] += 0.5 * e[i - 1]
    return e


# scatter, whether values are rounded, whether times repeat, why it is not claimed
_TRENDS: Mapping[str, tuple[object, bool, bool, str]] = {
    "trend, normal": (_scatter, False, False, ""),
    "trend, heavy tails (t2)": (_heavy_scatter, False, False, ""),
    "trend, tied values": (_scatter, True, False, ""),
    "trend, repeated times": (_scatter, False, True, ""),
    "trend, dependent (AR 0.5)": (_dependent_scatter, False, False, _DEPENDENT),
}


def _trend(name: str, n: int, scatter: object, rounded: bool, repeated: bool, note: str) -> Case:
    assert callable(scatter)
    times = np.arange(n, dtype=np.float64)
    times = np.floor(times / 3) if repeated else times
    # Rounding moves a slope unless it is a whole number of steps, so what is rounded has none.
    slope = 0.0 if rounded else 0.1

    def trial(rng: np.random.Generator) -> Outcomes:
        noise = scatter(rng, n)
        noise = np.round(noise) if rounded else noise
        found = result("trend", {"t": times, "y": slope * times + noise}, response="y", time="t")
        nothing = found if rounded else result("trend", {"t": times, "y": noise}, response="y", time="t")
        if found is None or nothing is None:
            return {}
        corrected = nothing["corrected"]
        chosen = corrected if nothing["preferred"] == "hamed_rao" else nothing
        return {
            "Theil–Sen slope": covers(found, slope),
            "Mann–Kendall": rejects(nothing["p"]),
            "Hamed–Rao": rejects(corrected["p"]),
            "the test chosen": rejects(chosen["p"]),
        }

    quantities = (
        Quantity("Hamed–Rao", REJECTION, 0.05, _APPROXIMATE),
        Quantity("the test chosen", REJECTION, 0.05, note),
        Quantity("Theil–Sen slope", COVERAGE, 0.95, note),
        Quantity("Mann–Kendall", REJECTION, 0.05, note),
    )
    return Case(name, n, quantities, trial, share=0.5)
