"""Cases of the hypothesis block: each kind alone, and what the block as a whole supports where there is nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from eval.simulation.data import Vector, covers, rejects, result
from eval.simulation.trials import COVERAGE, ERROR_RATE, REJECTION, Case, Outcomes, Quantity
from worker.engines.analysis.numerics.distributions import benjamini_hochberg

SIZES = (10, 30, 100)
_SYMMETRY = "signed ranks take differences for symmetric, Student's t few of them for normal"
_LEVEL = 0.05

Data = Mapping[str, Vector | Sequence[str]]


def cases() -> list[Case]:
    alone = [make(n) for make in (_means, _directions, _shares, _adjusted) for n in SIZES]
    paired = [_paired(n, skewed=skewed) for skewed in (False, True) for n in SIZES]
    blocks = [_block(n, related=related) for related in (False, True) for n in (30, 100)]
    return [*alone, *paired, *blocks, _held_out(200), _wide(60)]


def _tested(data: Data, *given: dict[str, Any]) -> list[dict[str, Any]]:
    """The hypotheses tested, each as if it were alone."""
    found = result("hypotheses", data, hypotheses=list(given), adjustment="none")
    return [] if found is None else list(found["hypotheses"])


def _means(n: int) -> Case:
    """A mean against a value; equivalence with the truth on the margin, where a false claim is likeliest."""

    def trial(rng: np.random.Generator) -> Outcomes:
        labels = ["a", "b"] * (n // 2) + ["a"] * (n % 2)
        shifted = np.where(np.array(labels) == "a", 0.0, 1.5) + rng.standard_normal(n)
        mean, equal, one = _tested(
            {"x": rng.normal(2.0, 1.0, n), "y": shifted, "g": labels},
            {"kind": "mean", "column": "x", "value": 2.0},
            {"kind": "equivalence", "response": "y", "group": "g", "margin": 1.5},
            {"kind": "equivalence", "column": "x", "value": 1.0, "margin": 1.0},
        )
        return {
            "mean": covers(mean["effect"], 2.0),
            "mean, t test": rejects(mean["p"]),
            "equivalence of two groups": rejects(equal["p"]),
            "equivalence to a value": rejects(one["p"]),
        }

    quantities = (
        Quantity("mean", COVERAGE, 0.95),
        Quantity("mean, t test", REJECTION, _LEVEL),
        Quantity("equivalence of two groups", REJECTION, _LEVEL),
        Quantity("equivalence to a value", REJECTION, _LEVEL),
    )
    return Case("hypothesis: means", n, quantities, trial, share=0.5)


def _directions(n: int) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        data: Data = {
            "x": rng.standard_normal(n),
            "y": np.exp(rng.standard_normal(n)),
            "t": np.arange(n, dtype=np.float64),
            "g": ["a", "b"] * (n // 2) + ["a"] * (n % 2),
        }
        both, group, trend = _tested(
            data,
            {"kind": "correlation", "x": "x", "y": "y", "direction": "less"},
            {"kind": "difference", "response": "y", "group": "g", "level": "b", "direction": "greater"},
            {"kind": "trend", "response": "y", "time": "t", "direction": "greater"},
        )
        return {
            "correlation, one-sided": rejects(both["p"]),
            "difference, one-sided": rejects(group["p"]),
            "trend, one-sided": rejects(trend["p"]),
        }

    quantities = tuple(
        Quantity(f"{name}, one-sided", REJECTION, _LEVEL) for name in ("correlation", "difference", "trend")
    )
    return Case("hypothesis: directions, skewed response", n, quantities, trial, share=0.5)


def _shares(n: int) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        labels = ["yes" if hit else "no" for hit in (rng.random(n) < 0.3).tolist()]
        if len(set(labels)) < 2:
            return {"share": None, "binomial": None, "binomial, one-sided": None}
        share = {"kind": "proportion", "column": "g", "level": "yes", "value": 0.3}
        two, one = _tested({"g": labels}, share, {**share, "direction": "greater"})
        return {
            "share": covers(two["effect"], 0.3),
            "binomial": rejects(two["p"]),
            "binomial, one-sided": rejects(one["p"]),
        }

    quantities = (
        Quantity("share", COVERAGE, 0.95),
        Quantity("binomial", REJECTION, _LEVEL),
        Quantity("binomial, one-sided", REJECTION, _LEVEL),
    )
    return Case("hypothesis: share of 0.3", n, quantities, trial)


def _adjusted(n: int) -> Case:
    """A slope with a covariate held fixed, where the scatter grows with the predictor."""

    def trial(rng: np.random.Generator) -> Outcomes:
        x = rng.standard_normal(n)
        z = 0.5 * x + rng.standard_normal(n)
        y = 0.7 * z + np.exp(0.5 * x) * rng.standard_normal(n)
        (slope,) = _tested(
            {"x": x, "z": z, "y": y}, {"kind": "regression", "response": "y", "predictor": "x", "covariates": ["z"]}
        )
        return {"coefficient": covers(slope["effect"], 0.0), "test of a coefficient": rejects(slope["p"])}

    few = "uneven scatter is found, and HC3 is near enough, with thirty rows or more" if n < 30 else ""
    quantities = (
        Quantity("coefficient", COVERAGE, 0.95, few),
        Quantity("test of a coefficient", REJECTION, _LEVEL, few),
    )
    return Case("hypothesis: regression, uneven scatter", n, quantities, trial, share=0.5)


def _paired(n: int, *, skewed: bool) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        first = rng.standard_normal(n)
        change = rng.exponential(1.0, n) - 1.0 if skewed else rng.standard_t(3, n)
        (pair,) = _tested({"a": first + change, "b": first}, {"kind": "paired", "first": "a", "second": "b"})
        return {"difference": covers(pair["effect"], 0.0), "the test chosen": rejects(pair["p"])}

    note = _SYMMETRY if skewed else ""
    quantities = (
        Quantity("difference", COVERAGE, 0.95, note),
        Quantity("the test chosen", REJECTION, _LEVEL, note),
    )
    name = "skewed differences" if skewed else "heavy tails (t3)"
    return Case(f"hypothesis: paired, {name}", n, quantities, trial)


def _columns(rng: np.random.Generator, n: int, *, related: bool) -> dict[str, Vector | Sequence[str]]:
    """Four measures and two categories. Where related, `a` and `b` go together; everything else is independent."""
    a = rng.standard_normal(n)
    b = 0.8 * a + 0.6 * rng.standard_normal(n) if related else rng.standard_normal(n)
    return {
        "a": a,
        "b": b,
        "c": np.exp(rng.standard_normal(n)),
        "d": np.round(rng.standard_t(4, n), 1),
        "g": ["low" if u < 0.5 else "high" for u in rng.random(n).tolist()],
        "k": ["xyz"[int(u * 3)] for u in rng.random(n).tolist()],
    }


def _real(item: Mapping[str, Any]) -> bool:
    return item["kind"] == "correlation" and {item["x"], item["y"]} == {"a", "b"}


def _errors(
    listed: Sequence[Mapping[str, Any]], real: Callable[[Mapping[str, Any]], bool]
) -> tuple[float, float, float]:
    """Whether any null was called supported, the share of nulls among those supported, and that among all nulls."""
    supported = [item for item in listed if item["supported"]]
    wrong = [item for item in supported if not real(item)]
    nulls = [item for item in listed if not real(item) and item["p"] is not None]
    return float(bool(wrong)), len(wrong) / max(1, len(supported)), len(wrong) / max(1, len(nulls))


def _block(n: int, *, related: bool) -> Case:
    def real(item: Mapping[str, Any]) -> bool:
        return related and _real(item)

    def trial(rng: np.random.Generator) -> Outcomes:
        found = result("hypotheses", _columns(rng, n, related=related))
        listed = [] if found is None else found["hypotheses"]
        # The other adjustments of the same p-values, by the product's own functions.
        tested = [item for item in listed if item["p"] is not None]
        stepped = benjamini_hochberg([item["p"] for item in tested])
        discovered = [{**item, "supported": p < _LEVEL} for item, p in zip(tested, stepped, strict=True)]
        plain = [{**item, "supported": item["p"] < _LEVEL} for item in tested]
        return {
            "any wrong 'supported' (Holm)": _errors(listed, real)[0],
            "share of wrong ones (Benjamini–Hochberg)": _errors(discovered, real)[1],
            "a null supported (none)": _errors(plain, real)[2],
        }

    quantities = (
        Quantity("any wrong 'supported' (Holm)", ERROR_RATE, _LEVEL),
        Quantity("share of wrong ones (Benjamini–Hochberg)", ERROR_RATE, _LEVEL),
        Quantity("a null supported (none)", ERROR_RATE, _LEVEL),
    )
    name = "one real relation among 15" if related else "nothing related, 15"
    return Case(f"generated hypotheses, {name}", n, quantities, trial, share=0.5)


def _any_wrong(found: Mapping[str, Any] | None, real: Callable[[Mapping[str, Any]], bool]) -> float:
    return _errors([] if found is None else found["hypotheses"], real)[0]


def _held_out(n: int) -> Case:
    def trial(rng: np.random.Generator) -> Outcomes:
        data = _columns(rng, n, related=True)
        return {"any wrong 'supported' (Holm)": _any_wrong(result("hypotheses", data, holdout=True), _real)}

    quantities = (Quantity("any wrong 'supported' (Holm)", ERROR_RATE, _LEVEL),)
    return Case("generated on one half, tested on the other", n, quantities, trial, share=0.5)


def _wide(n: int) -> Case:
    """Ten measures with nothing in them: forty-five correlations."""

    def trial(rng: np.random.Generator) -> Outcomes:
        data = {f"m{i}": rng.standard_normal(n) for i in range(10)}
        return {"any wrong 'supported' (Holm)": _any_wrong(result("hypotheses", data), lambda _: False)}

    quantities = (Quantity("any wrong 'supported' (Holm)", ERROR_RATE, _LEVEL),)
    return Case("generated hypotheses, 45 correlations of nothing", n, quantities, trial, share=0.25)
