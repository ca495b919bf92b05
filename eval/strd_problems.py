"""Reference datasets with certified values: what is asked of each, and how many digits of an answer are right."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
FAMILIES = ("univariate", "linear", "anova", "nonlinear")
MOST_DIGITS = 15.0
_FEWEST_CERTIFIED = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """One dataset: `certified` has the decimal strings, `columns` the cells of the file."""

    family: str
    name: str
    certified: Mapping[str, Any]
    csv: str
    columns: Mapping[str, list[str]]

    @property
    def response(self) -> str:
        return "y" if "y" in self.columns else next(iter(self.columns))

    @property
    def predictors(self) -> list[str]:
        return [name for name in self.columns if name != self.response]

    @property
    def formula(self) -> str:
        """Of a linear problem, as R writes it."""
        terms = [] if self.certified["intercept"] else ["0"]
        terms += self.predictors
        if len(self.predictors) == 1:
            terms += [f"I({self.predictors[0]}**{k})" for k in range(2, (self.certified["poly_degree"] or 1) + 1)]
        return f"{self.response} ~ {' + '.join(terms)}"

    def start(self, key: str) -> dict[str, float]:
        return {parameter["name"]: float(parameter[key]) for parameter in self.certified["params"]}

    def runs(self) -> list[tuple[str, JSON]]:
        """Each task to ask for, under the name of its run."""
        if self.family == "univariate":
            return [("", {"kind": "describe", "columns": [self.response]})]
        if self.family == "linear":
            return [("", {"kind": "regression", "formula": self.formula})]
        if self.family == "anova":
            return [("", {"kind": "anova", "response": self.response, "group": self.predictors[0]})]
        curve = {"kind": "curve_fit", "response": self.certified["response"], "formula": self.certified["model"]}
        starts = {key: {"start": self.start(key)} for key in ("start1", "start2")}
        return [*((key, curve | start) for key, start in starts.items()), ("no start", curve)]


def problems_in(data: Path) -> Iterator[Problem]:
    """Of every folder below `data` with a `certified.json` whose families have folders of CSV files beside it."""
    for path in sorted(data.rglob("certified.json")):
        families = json.loads(path.read_text())
        for family in FAMILIES:
            for name, certified in families.get(family, {}).items():
                text = (path.parent / family / f"{name}.csv").read_text()
                header, *rows = list(csv.reader(text.splitlines()))
                cells = zip(*rows, strict=True)
                yield Problem(family, name, certified, text, {h: list(c) for h, c in zip(header, cells, strict=True)})


def quantities(problem: Problem) -> list[tuple[str, str]]:
    """The certified quantities and their decimal strings; those that are not finite are left out."""
    given = problem.certified
    found: list[tuple[str, str]] = []
    keys: tuple[str, ...]
    if problem.family == "univariate":
        found = [(key, given[key]) for key in ("mean", "sd", "r1")]
    elif problem.family == "anova":
        keys = ("between_ss", "within_ss", "between_ms", "within_ms", "F", "r_squared", "residual_sd")
        found = [(key, given[key]) for key in keys if key in given]
    else:
        for parameter in given["params"]:
            found += [(parameter["name"], parameter["estimate"]), (f"se {parameter['name']}", parameter["se"])]
        keys = ("residual_sd", "r_squared", "F", "reg_ss", "res_ss", "rss")
        found += [(key, given[key]) for key in keys if key in given]
    return [(name, text) for name, text in found if math.isfinite(float(text))]


def answers(problem: Problem, result: Mapping[str, Any]) -> dict[str, Any]:
    """The same quantities from a task's result."""
    if problem.family == "univariate":
        column = result["columns"][0]
        return {"mean": column["mean"], "sd": column["sd"], "r1": column["autocorrelation_lag1"]}
    if problem.family == "anova":
        return {
            "between_ss": result["ss_between"],
            "within_ss": result["ss_within"],
            "between_ms": result["ms_between"],
            "within_ms": result["ms_within"],
            "F": result["f"],
            "r_squared": result["r_squared"],
            "residual_sd": result["residual_sd"],
        }
    if problem.family == "linear":
        fitted = result["terms"]
        names = [parameter["name"] for parameter in problem.certified["params"]]
        found = {"r_squared": result["r_squared"], "F": result["f"]}
        found |= {"reg_ss": result["ss_model"], "res_ss": result["ss_residual"]}
    else:
        fitted = sorted(result["parameters"], key=lambda item: str(item["name"]))
        names = [str(item["name"]) for item in fitted]
        found = {"rss": result["residual_ss"]}
    for name, item in zip(names, fitted, strict=True):
        found |= {name: item["estimate"], f"se {name}": item["std_error"]}
    return found | {"residual_sd": result["residual_sd"]}


def digits(value: Any, certified: str) -> float:
    """Correct digits: −log10 of the relative error (of the absolute one beside a certified zero), from 0 to 15, and
    no more than are certified where fewer are."""
    try:
        found, true = Decimal(repr(float(value))), Decimal(certified)
    except (TypeError, ValueError, InvalidOperation):
        return 0.0
    if not found.is_finite():
        return 0.0
    error = abs(found - true) / abs(true) if true else abs(found)
    count = len(true.as_tuple().digits)
    most = float(count) if _FEWEST_CERTIFIED <= count < MOST_DIGITS else MOST_DIGITS
    return max(0.0, min(most, -float(error.log10()))) if error else most


def worst(problem: Problem, found: Mapping[str, Any], among: Sequence[str] | None = None) -> tuple[float, str] | None:
    """The fewest digits over the quantities (those `among` the names), and which it is; None where none is there."""
    scores = [
        (digits(found.get(name), text), name) for name, text in quantities(problem) if among is None or name in among
    ]
    return min(scores, default=None)
