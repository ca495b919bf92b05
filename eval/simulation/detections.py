"""Cases of what is looked for in data that hold nothing: oddities, changes, seasons, differing pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eval.simulation.data import Vector, rejects, result
from eval.simulation.trials import ERROR_RATE, REJECTION, Case, Outcomes, Quantity


def cases() -> list[Case]:
    shapes = [_shape(n) for n in (10, 30, 100)]
    series = [_series(n, alike=alike) for alike in (False, True) for n in (30, 100)]
    return [*shapes, *series, *[_pairs(n) for n in (10, 30)], *[_odd_rows(n) for n in (30, 100)]]


def _shape(n: int) -> Case:
    """One column: its normality, its outliers."""

    def trial(rng: np.random.Generator) -> Outcomes:
        data = {"x": rng.standard_normal(n)}
        shape, odd = result("distribution", data), result("outliers", data)
        if shape is None or odd is None:
            return {}
        normality, esd = shape["columns"][0]["normality"], odd["columns"][0]["esd"]
        return {
            "Shapiro–Wilk": rejects(normality and normality["p"]),
            "any outlier (generalised ESD)": None if esd is None else float(esd["found"] > 0),
        }

    quantities = (
        Quantity("Shapiro–Wilk", REJECTION, 0.05),
        Quantity("any outlier (generalised ESD)", ERROR_RATE, 0.05),
    )
    return Case("one normal column", n, quantities, trial, share=0.5)


def _white(rng: np.random.Generator, n: int) -> Vector:
    return rng.standard_normal(n)


def _red(rng: np.random.Generator, n: int) -> Vector:
    e = rng.standard_normal(n)
    for i in range(1, n):
        e[i] += 0.4 * e[i - 1]
    return e


def _series(n: int, *, alike: bool) -> Case:
    """A series that neither changes nor has a season; where `alike`, neighbours are."""
    draw: Callable[[np.random.Generator, int], Vector] = _red if alike else _white
    note = "neighbouring values that are alike look like changes; the result warns of them" if alike else ""

    def trial(rng: np.random.Generator) -> Outcomes:
        found = result("trend", {"t": np.arange(n, dtype=np.float64), "y": draw(rng, n)}, response="y", time="t")
        if found is None:
            return {}
        spectrum = found["seasonality"]["spectrum"]
        return {
            "any change point": float(bool(found["change_points"])),
            "a season": float(found["seasonality"]["found"] is not None),
            "a period": rejects(spectrum and spectrum["p"]),
        }

    names = ("any change point", "a season", "a period")
    quantities = tuple(Quantity(name, ERROR_RATE, 0.05, note) for name in names)
    return Case(
        f"series of nothing, {'neighbours alike' if alike else 'independent'}", n, quantities, trial, share=0.25
    )


def _pairs(n: int) -> Case:
    """Four groups of one mean: whether any pair is said to differ."""
    labels = [level for level in "abcd" for _ in range(n)]

    def trial(rng: np.random.Generator) -> Outcomes:
        found = result("compare_groups", {"y": rng.standard_normal(4 * n), "g": labels}, response="y", group="g")
        if found is None:
            return {}

        def any_pair(name: str) -> float | None:
            tests = [pair[name] for pair in found["pairs"] if pair.get(name) is not None]
            return float(any(test["p_adjusted"] < 0.05 for test in tests)) if tests else None

        return {name: any_pair(key) for name, key in _POST_HOC.items()}

    quantities = tuple(Quantity(name, ERROR_RATE, 0.05) for name in _POST_HOC)
    return Case("four groups alike, any pair", n, quantities, trial, share=0.25)


_POST_HOC = {"Games–Howell": "games_howell", "Tukey's HSD": "tukey_hsd", "Dunn": "dunn", "chosen": "post_hoc"}


def _odd_rows(n: int) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        x = rng.standard_normal(n)
        found = result("anomalies", {"x": x, "y": 0.6 * x + rng.standard_normal(n)})
        return {"any odd row": None if found is None else float(found["outstanding"] > 0)}

    return Case("normal rows, anomalies", n, (Quantity("any odd row", ERROR_RATE, 0.05),), trial, share=0.1)
