"""The rules of `preferences.analysis` that need no data: which fields and kinds of tasks there are.

The session service refuses a faulty request by them when it is created, and workers keep them again.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kit.errors import Fault

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
    "aggregate": ((), ("statistic", "column", "by", "where", "level", "extreme")),
    "one_sample": (("column", "value"), ()),
    "curve_fit": (("response", "formula"), ("start",)),
    "cluster": ((), ("columns", "k", "method", "standardise")),
    "pca": ((), ("columns", "standardise")),
    "anomalies": ((), ("columns", "time", "share")),
    "compare_models": (("response",), ("formulas", "features", "folds", "family")),
}
READ_FIELDS = (
    "format", "encoding", "delimiter", "quote", "comment", "decimal", "thousands", "header", "skip_lines", "skip_end",
    "units_row", "columns", "missing", "types", "dates", "units", "sheet", "range", "records",
)  # fmt: skip
_TEXTS = ("target", "group_by", "time", "formula")


def near(name: object, known: Collection[str]) -> str:
    """``; did you mean 'height'?`` for a name that is like a known one, else nothing."""
    if not isinstance(name, str) or not name:
        return ""
    lower = {item.lower(): item for item in known}
    found = difflib.get_close_matches(name.strip().lower(), lower, n=2, cutoff=0.7)
    return f"; did you mean {' or '.join(repr(lower[item]) for item in found)}?" if found else ""


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
    read = options.get("read")
    if read is not None and not isinstance(read, Mapping):
        yield Fault(f"{PATH}.read", "must be an object")
    elif read is not None:
        for key in read:
            if key not in READ_FIELDS:
                issue = f"unknown field; there are {', '.join(READ_FIELDS)}{near(key, READ_FIELDS)}"
                yield Fault(f"{PATH}.read.{key}", issue)
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


def _unknown_kind(kind: object, path: str, kinds: Tasks) -> Fault:
    return Fault(path, f"{kind!r} is not offered; the kinds are {', '.join(kinds)}{near(kind, kinds)}")


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
