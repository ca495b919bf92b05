"""Certified reference datasets through analysis sessions: how many digits of the answers are right."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from eval.options import Options
from eval.product import JSON, Person, Product, Unexpected
from eval.report import Cell, Report, Table
from eval.strd_others import fewest, overclaimed
from eval.strd_problems import FAMILIES, Problem, answers, problems_in, quantities, worst

PART = "strd"
TARGET = 13.0
"""Digits of every univariate, linear and ANOVA quantity."""
NONLINEAR_TARGET = 6.0
"""Digits of every estimate from a given starting point."""
SEARCHED_TARGET = 4.0
"""Digits without one, on :data:`SEARCHED_SHARE` of the problems."""
SEARCHED_SHARE = 20 / 27
_SEARCHED = "no start"
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "univariate": ("doubles", "numpy", "scipy", "statsmodels"),
    "linear": ("doubles", "numpy", "polyfit", "scipy", "statsmodels"),
    "anova": ("doubles", "scipy", "statsmodels"),
    "nonlinear": ("doubles", "scipy"),
}
_TITLES = {
    "univariate": "Univariate statistics: mean, standard deviation, autocorrelation",
    "linear": "Linear regression: estimates, standard errors, sums of squares, F, R squared",
    "anova": "Analysis of variance: sums of squares, F, R squared",
    "nonlinear": "Curves: estimates (their standard errors and the residual sum of squares beside)",
}


@dataclass(frozen=True, slots=True)
class _Run:
    """One task's outcome: digits of the worst quantity and which it is."""

    problem: Problem
    place: int
    label: str
    digits: float
    quantity: str
    beside: float | None
    """Of a curve: digits of the worst of standard errors and residual sum of squares."""
    arithmetic: str
    milliseconds: float


async def measure(product: Product, data: Path, options: Options) -> Report:
    """Post each dataset of every `certified.json` below `data` as an analysis session of its own and compare.

    A figure's digits are −log10 of its relative error, at most 15 (at most those certified). Each line is the worst
    quantity of a dataset. `ms` is a whole session's time, from the request to its completion.
    """
    person = product.person("strd")
    runs: list[_Run] = []
    faults: list[str] = []
    for problem in problems_in(data):
        try:
            runs += await _session(person, problem)
        except (Unexpected, KeyError, TypeError) as error:
            faults.append(f"{problem.name}: {error}")
    tables = [_table(family, [run for run in runs if run.problem.family == family]) for family in FAMILIES]
    return Report(PART, [table for table in tables if table.rows], _figures(runs), faults + _missed(runs))


async def _session(person: Person, problem: Problem) -> list[_Run]:
    began = perf_counter()
    asked = problem.runs()
    answer = await person.results(
        {
            "session_type": "analysis",
            "prompt": f"Compute what is asked of {problem.name}",
            "inputs": {"datasets": [{"name": f"{problem.name}.csv", "csv": problem.csv}]},
            "preferences": {"analysis": {"tasks": [task for _, task in asked]}},
        }
    )
    took = (perf_counter() - began) * 1000
    entries = answer["results"]["analysis"]
    return [
        _judged(problem, place, label, entry["result"], took)
        for place, ((label, _), entry) in enumerate(zip(asked, entries, strict=True))
    ]


def _judged(problem: Problem, place: int, label: str, result: JSON, took: float) -> _Run:
    found = answers(problem, result) if "not_possible" not in result else {}
    beside = None
    if problem.family == "nonlinear":
        estimates = [parameter["name"] for parameter in problem.certified["params"]]
        score, quantity = worst(problem, found, estimates) or (0.0, "")
        others = worst(problem, found, [name for name, _ in quantities(problem) if name not in estimates])
        beside = None if others is None else others[0]
    else:
        score, quantity = worst(problem, found) or (0.0, "")
    arithmetic = result["columns"][0] if problem.family == "univariate" and found else result
    return _Run(problem, place, label, score, quantity, beside, str(arithmetic.get("arithmetic", "")), took)


def _table(family: str, runs: Sequence[_Run]) -> Table:
    others = _OTHERS[family]
    curve = family == "nonlinear"
    columns = ["dataset", *(["run"] if curve else []), "digits", "worst quantity", *(["beside"] if curve else [])]
    rows: list[list[Cell]] = []
    for run in runs:
        row: list[Cell] = [run.problem.name, *([run.label] if curve else []), _tenth(run.digits), run.quantity]
        row += [_tenth(run.beside)] if curve else []
        trusted, _ = overclaimed(run.problem, run.place)
        own, *rest = (_tenth(fewest(other, run.problem, run.place)) for other in others)
        rows.append([*row, run.arithmetic, own, trusted, *rest, str(round(run.milliseconds))])
    note = (
        "Digits of the worst quantity that each gives. `doubles`: this project's path for large data, in this process, "
        "and `said`: the digits of its main figures that it says can be trusted; the others by their defaults (scipy's "
        "curves without a start from ones, its own default)."
    )
    return Table(_TITLES[family], [*columns, "arithmetic", others[0], "said", *others[1:], "ms"], rows, note)


def _tenth(value: float | None) -> str | None:
    """Rounded down, so that no target looks met that is not."""
    return None if value is None else f"{int(value * 10) / 10:.1f}"


def _searched(runs: Sequence[_Run]) -> list[_Run]:
    return [run for run in runs if run.label == _SEARCHED]


def _figures(runs: Sequence[_Run]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for family in FAMILIES:
        own = [run for run in runs if run.problem.family == family and run.label != _SEARCHED]
        figures[f"{family}_runs"] = len(own)
        figures[f"{family}_fewest_digits"] = min((run.digits for run in own), default=None)
        times = {run.problem.name: run.milliseconds for run in own}
        figures[f"{family}_ms_median"] = statistics.median(times.values()) if times else None
        figures[f"{family}_ms_most"] = max(times.values(), default=None)
    figures["searched"] = len(_searched(runs))
    figures["searched_found"] = sum(run.digits >= SEARCHED_TARGET for run in _searched(runs))
    return figures


def _missed(runs: Sequence[_Run]) -> list[str]:
    missed = []
    for run in runs:
        target = NONLINEAR_TARGET if run.problem.family == "nonlinear" else TARGET
        if run.label != _SEARCHED and run.digits < target:
            name = f"{run.problem.name} {run.label}".strip()
            missed.append(f"{name}: {run.digits:.1f} digits of {run.quantity}, {target:.0f} are wanted")
        trusted, more_than_right = overclaimed(run.problem, run.place)
        if more_than_right:
            missed.append(f"{run.problem.name} {run.label}: in doubles {trusted} digits are said to hold, fewer do")
    searched = _searched(runs)
    found = sum(run.digits >= SEARCHED_TARGET for run in searched)
    if found < SEARCHED_SHARE * len(searched):
        missed.append(f"without a start {found} of {len(searched)} are found to {SEARCHED_TARGET:.0f} digits")
    return missed
