"""The rules of `preferences.analysis` that need no data: which fields and kinds of tasks there are.

The session service refuses a faulty request by them when it is created, and workers keep them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kit.analysis_hypotheses import ADJUSTMENTS, MOST_HYPOTHESES, hypotheses
from kit.analysis_reading import READ_FIELDS, read_faults
from kit.analysis_values import (
    Check,
    choice,
    columns,
    flag,
    formula,
    formulas,
    is_number,
    level,
    number,
    numbers_by_name,
    text,
    whole,
)
from kit.errors import Fault
from kit.near import near

__all__ = ["FIELDS", "MOST_HYPOTHESES", "MOST_TASKS", "PATH", "READ_FIELDS", "TASKS", "VALUES", "faults", "near"]

PATH = "preferences.analysis"
FIELDS = ("tasks", "target", "features", "group_by", "time", "formula", "read")
MOST_TASKS = 50
Tasks = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""By kind the fields that a task must have, and those that it may have beside `kind` and `dataset`."""
TASKS: Tasks = {
    "profile": ((), ("columns",)),
    "describe": ((), ("columns",)),
    "distribution": ((), ("columns",)),
    "outliers": ((), ("columns",)),
    "correlation": ((), ("columns", "control")),
    "regression": (("formula",), ("family", "offset", "event")),
    "anova": (("response", "group"), ()),
    "compare_groups": (("response", "group"), ("pair",)),
    "contingency": (("row", "column"), ()),
    "trend": (("response",), ("time", "period")),
    "hypotheses": ((), ("hypotheses", "adjustment", "holdout")),
    "aggregate": ((), ("statistic", "column", "by", "where", "level", "extreme", "period")),
    "one_sample": (("column", "value"), ()),
    "curve_fit": (("response", "formula"), ("start",)),
    "cluster": ((), ("columns", "k", "method", "standardise")),
    "pca": ((), ("columns", "standardise")),
    "anomalies": ((), ("columns", "time", "share")),
    "compare_models": (("response",), ("formulas", "features", "folds", "family")),
}
STATISTICS = ("count", "missing", "distinct", "share", "mean", "median", "sum", "min", "max", "sd")
FAMILIES = ("gaussian", "binomial", "poisson")
METHODS = ("kmeans", "hierarchical")
SIGNS = (">", ">=", "<", "<=", "=")
PERIODS = ("year", "quarter", "month", "day")
_OTHERS_SAY = {
    "average": "mean", "avg": "mean", "total": "sum", "minimum": "min", "maximum": "max", "std": "sd", "stdev": "sd",
    "number": "count", "n": "count", "proportion": "share", "percentage": "share", "unique": "distinct",
}  # fmt: skip
_FAMILIES_OF = {"linear": "gaussian", "normal": "gaussian", "logistic": "binomial", "logit": "binomial"}
_CONDITION = "must be a list of conditions such as {column, level} or {column, sign, value}"


def _where(value: Any, path: str) -> Iterator[Fault]:
    if not _is_list(value) or not all(isinstance(item, Mapping) for item in value):
        yield Fault(path, _CONDITION)
        return
    for i, condition in enumerate(value):
        known = ("column", "level") if "level" in condition else ("column", "sign", "value")
        place = f"{path}[{i}]"
        for field in condition:
            if field not in known:
                yield Fault(f"{place}.{field}", f"a condition takes {', '.join(known)}{near(field, known)}")
        for field in known:
            if condition.get(field) is None:
                yield Fault(f"{place}.{field}", f"a condition with {', '.join(known)} needs it")
            else:
                yield from _CONDITIONS[field](condition[field], f"{place}.{field}")


def _bound(value: Any, path: str) -> Iterator[Fault]:
    """What a column is compared with: a number, or of dates a year, month or day in ISO 8601."""
    if not is_number(value) and not (isinstance(value, str) and _DATE.fullmatch(value)):
        yield Fault(path, "must be a number, or a year, a month or a day such as 2019, 2019-05 or 2019-05-31")


_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_COLUMN = text("the name of a column")
_CONDITIONS: Mapping[str, Check] = {
    "column": _COLUMN, "level": level, "sign": choice(SIGNS), "value": _bound,
}  # fmt: skip
VALUES: Mapping[str, Mapping[str, Check]] = {
    "profile": {"columns": columns()},
    "describe": {"columns": columns()},
    "distribution": {"columns": columns(12)},
    "outliers": {"columns": columns(50)},
    "correlation": {"columns": columns(30), "control": columns(30)},
    "regression": {
        "formula": formula(model=True),
        "family": choice(FAMILIES, _FAMILIES_OF),
        "offset": formula(model=False),
        "event": level,
    },
    "anova": {"response": _COLUMN, "group": _COLUMN},
    "compare_groups": {"response": _COLUMN, "group": _COLUMN, "pair": _COLUMN},
    "contingency": {"row": _COLUMN, "column": _COLUMN},
    "trend": {"response": _COLUMN, "time": _COLUMN, "period": whole(2, 100_000)},
    "hypotheses": {"hypotheses": hypotheses, "adjustment": choice(ADJUSTMENTS), "holdout": flag},
    "aggregate": {
        "statistic": choice(STATISTICS, _OTHERS_SAY),
        "column": _COLUMN,
        "by": _COLUMN,
        "where": _where,
        "level": level,
        "extreme": choice(("max", "min"), _OTHERS_SAY),
        "period": choice(PERIODS),
    },
    "one_sample": {"column": _COLUMN, "value": number()},
    "curve_fit": {
        "response": formula(model=False),
        "formula": formula(model=False),
        "start": numbers_by_name("parameter names"),
    },
    "cluster": {"columns": columns(30), "k": whole(1, 20), "method": choice(METHODS), "standardise": flag},
    "pca": {"columns": columns(50), "standardise": flag},
    "anomalies": {"columns": columns(30), "time": _COLUMN, "share": number(above=0, most=0.5)},
    "compare_models": {
        "response": _COLUMN,
        "formulas": formulas(20),
        "features": columns(20),
        "folds": whole(2, 50),
        "family": choice(FAMILIES, _FAMILIES_OF),
    },
}
"""By kind what the value of each field may be. What depends on the data is left to the task."""
_TEXTS = ("target", "group_by", "time", "formula")


def faults(options: Any, kinds: Tasks = TASKS) -> Iterator[Fault]:
    """Every fault of `preferences.analysis`, each with the cure; what depends on the data is not looked at."""
    if options is None:
        return
    if not isinstance(options, Mapping):
        yield Fault(PATH, "must be an object")
        return
    for key in options:
        if key not in FIELDS:
            yield Fault(f"{PATH}.{key}", f"unknown field; there are {', '.join(FIELDS)}{near(key, FIELDS)}")
    for key in _TEXTS:
        if (text := options.get(key)) is not None and (not isinstance(text, str) or not text.strip()):
            yield Fault(f"{PATH}.{key}", "must be a text that is not blank")
    features = options.get("features")
    if features is not None and (not _is_list(features) or not all(isinstance(item, str) for item in features)):
        yield Fault(f"{PATH}.features", "must be a list of texts")
    written = options.get("formula")
    if isinstance(written, str) and written.strip():
        yield from formula(model=None)(written, f"{PATH}.formula")
    yield from read_faults(options.get("read"))
    yield from _list_faults(options.get("tasks"), kinds)


def _list_faults(tasks: Any, kinds: Tasks) -> Iterator[Fault]:
    if tasks is None:
        return
    if not _is_list(tasks):
        yield Fault(f"{PATH}.tasks", "must be a list of tasks")
    elif len(tasks) > MOST_TASKS:
        yield Fault(f"{PATH}.tasks", f"at most {MOST_TASKS} tasks")
    else:
        for i, task in enumerate(tasks):
            yield from _task_faults(task, f"{PATH}.tasks[{i}]", kinds)


def _task_faults(task: Any, path: str, kinds: Tasks) -> Iterator[Fault]:
    """Every fault of one task: the name of a kind, or an object with its fields."""
    if isinstance(task, str):
        if task not in kinds:
            yield _unknown_kind(task, path, kinds)
        return
    if not isinstance(task, Mapping):
        yield Fault(path, 'must be the name of a kind or an object such as {"kind": "describe"}')
        return
    kind = task.get("kind")
    if kind is None:
        yield Fault(f"{path}.kind", f"must be given; the kinds are {', '.join(kinds)}")
        return
    if not isinstance(kind, str) or kind not in kinds:
        yield _unknown_kind(kind, f"{path}.kind", kinds)
        return
    required, optional = kinds[kind]
    taken = ("dataset", *required, *optional)
    for field in task:
        if field not in ("kind", *taken):
            yield Fault(f"{path}.{field}", f"unknown field; {kind} takes {', '.join(taken)}{near(field, taken)}")
    for field in required:
        if task.get(field) is None:
            yield Fault(f"{path}.{field}", f"{kind} needs it")
    for field, check in (("dataset", text("the name of a dataset")), *VALUES.get(kind, {}).items()):
        if task.get(field) is not None:
            yield from check(task[field], f"{path}.{field}")
    yield from _together(kind, task, path)


def _together(kind: str, task: Mapping[str, Any], path: str) -> Iterator[Fault]:
    """Fields that do not go with each other."""

    def given(field: str) -> bool:
        return task.get(field) is not None

    if kind == "compare_models" and given("formulas") and given("features"):
        yield Fault(f"{path}.features", "give either formulas or features")
    if kind == "hypotheses" and task.get("holdout") is True and given("hypotheses"):
        yield Fault(f"{path}.holdout", "is for generated hypotheses; given ones do not come from the data")
    statistic = task.get("statistic") or "mean"
    if kind == "aggregate" and not given("column") and statistic in STATISTICS and statistic not in ("count", "share"):
        yield Fault(f"{path}.column", f"{statistic} needs it")
    if kind == "regression" and task.get("family") == "gaussian":
        for field in ("offset", "event"):
            if given(field):
                yield Fault(f"{path}.{field}", "a gaussian model takes none")


def _unknown_kind(kind: object, path: str, kinds: Tasks) -> Fault:
    return Fault(path, f"{kind!r} is not offered; the kinds are {', '.join(kinds)}{near(kind, kinds)}")


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
