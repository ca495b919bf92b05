"""What a hypothesis may look like, checked, and how it reads in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.engines.analysis.tasks.task import Task
from worker.engines.analysis.wording import listed, number

Hypothesis = Mapping[str, Any]

MOST = 100
DIRECTIONS = ("greater", "less")
_LEVELS = ("level", "than")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a kind: those it needs, those it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


FORMS: Mapping[str, Form] = {
    "correlation": Form(("x", "y"), ("direction",)),
    "difference": Form(("response", "group"), (*_LEVELS, "direction")),
    "association": Form(("row", "column")),
    "trend": Form(("response", "time"), ("direction",)),
    "mean": Form(("column", "value"), ("direction",)),
    "proportion": Form(("column", "level", "value"), ("direction",)),
    "equivalence": Form(("margin",), ("response", "group", *_LEVELS, "column", "value", "first", "second")),
    "paired": Form(("first", "second"), ("direction",)),
    "regression": Form(("response", "predictor"), ("covariates", "direction")),
}
_EQUIVALENT = (("response", "group"), ("column", "value"), ("first", "second"))
COLUMN_FIELDS = ("x", "y", "response", "group", "row", "column", "time", "first", "second", "predictor")


def given_hypotheses(task: Task, given: Any) -> list[dict[str, Any]]:
    """The hypotheses of a request, each ``{kind, …}`` or ``{statement}``. Raises the fault of the field at fault."""
    if isinstance(given, Mapping | str) or not isinstance(given, list | tuple) or not 1 <= len(given) <= MOST:
        raise task.fault("hypotheses", f"must be a list of 1 to {MOST} hypotheses")
    checked = []
    for i, item in enumerate(given):
        place = f"hypotheses[{i}]"
        if isinstance(item, Mapping) and item.get("kind") is None and "statement" in item:
            checked.append(_sentence(task, item, place))
            continue
        kind = item.get("kind") if isinstance(item, Mapping) else None
        if not isinstance(kind, str) or kind not in FORMS:
            raise task.fault(f"{place}.kind", f"must be one of {', '.join(FORMS)}")
        checked.append(_checked(task, kind, {k: v for k, v in item.items() if v is not None}, place))
    return checked


def _sentence(task: Task, item: Mapping[str, Any], place: str) -> dict[str, Any]:
    text = item["statement"]
    if not isinstance(text, str) or not text.strip() or len(text) > 500:
        raise task.fault(f"{place}.statement", "must be a sentence of at most 500 characters")
    if set(item) - {"statement", "kind"}:
        raise task.fault(place, "a statement stands alone; with other fields, give the kind")
    return {"statement": " ".join(text.split())}


def _checked(task: Task, kind: str, item: Mapping[str, Any], place: str) -> dict[str, Any]:
    form = FORMS[kind]
    fields = set(item) - {"kind"}
    if not set(form.required) <= fields <= {*form.required, *form.optional}:
        more = f"; and may have {listed(form.optional, 20)}" if form.optional else ""
        raise task.fault(place, f"{kind} takes {' and '.join(form.required)}{more}")
    if item.get("direction") is not None and item["direction"] not in DIRECTIONS:
        raise task.fault(f"{place}.direction", f"must be one of {', '.join(DIRECTIONS)}")
    if kind == "difference" and "direction" in item and "level" not in item:
        raise task.fault(f"{place}.level", "must name the level that is greater or less")
    if "than" in item and "level" not in item:
        raise task.fault(f"{place}.level", "must be given with than")
    if kind == "equivalence" and fields - {"margin", *_LEVELS} not in [set(pair) for pair in _EQUIVALENT]:
        raise task.fault(
            place, "equivalence takes margin and response and group, column and value, or first and second"
        )
    for field in ("value", "margin"):
        if field in item:
            _number(task, item[field], f"{place}.{field}")
    if kind == "equivalence" and float(item["margin"]) <= 0:
        raise task.fault(f"{place}.margin", "must be above 0, in the unit of the column")
    if kind == "proportion" and not 0 < float(item["value"]) < 1:
        raise task.fault(f"{place}.value", "must be a share between 0 and 1")
    return {**item, "kind": kind, **{field: _level(item[field]) for field in _LEVELS if field in item}}


def _number(task: Task, value: Any, place: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise task.fault(place, "must be a number")


def _level(value: Any) -> str:
    """A level as tables hold it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def statement_of(hypothesis: Hypothesis) -> str:
    """The hypothesis in words."""
    h, direction = hypothesis, hypothesis.get("direction")
    greater = direction == "greater"
    match h.get("kind"):
        case "correlation":
            if direction is None:
                return f"{h['x']} and {h['y']} go together"
            return f"{h['y']} {'rises' if greater else 'falls'} as {h['x']} rises"
        case "difference":
            if "level" not in h:
                return f"{h['response']} differs between the levels of {h['group']}"
            word = "differs" if direction is None else "is higher" if greater else "is lower"
            rest = f"where it is {h['than']}" if "than" in h else "elsewhere"
            joint = "from" if direction is None else "than"
            return f"{h['response']} {word} where {h['group']} is {h['level']} {joint} {rest}"
        case "association":
            return f"{h['row']} and {h['column']} are associated"
        case "trend":
            word = "rises or falls" if direction is None else "rises" if greater else "falls"
            return f"{h['response']} {word} over {h['time']}"
        case "mean":
            return f"the mean of {h['column']} is {_side(direction)} {number(h['value'])}"
        case "proportion":
            return f"the share of {h['level']} in {h['column']} is {_side(direction)} {number(h['value'])}"
        case "equivalence":
            return f"{_same(h)} to within {number(h['margin'])}"
        case "paired":
            word = "differ within the same rows" if direction is None else ""
            return f"{h['first']} and {h['second']} {word}" if word else _higher(h, greater=greater)
        case "regression":
            word = "goes with" if direction is None else "rises with" if greater else "falls with"
            given = h.get("covariates") or ()
            return f"{h['response']} {word} {h['predictor']}" + (f", {listed(given)} held fixed" if given else "")
    return str(h["statement"])


def _side(direction: str | None) -> str:
    return "different from" if direction is None else "above" if direction == "greater" else "below"


def _higher(h: Hypothesis, *, greater: bool) -> str:
    return f"{h['first']} is {'higher' if greater else 'lower'} than {h['second']} in the same row"


def _same(h: Hypothesis) -> str:
    if "column" in h:
        return f"the mean of {h['column']} is {number(h['value'])}"
    if "first" in h:
        return f"{h['first']} and {h['second']} have the same mean"
    where = f" where {h['group']} is {h['level']} and {h.get('than', 'elsewhere')}" if "level" in h else ""
    return f"the mean of {h['response']} is the same{where or ' in both levels of ' + str(h['group'])}"


def null_of(hypothesis: Hypothesis, test: str | None) -> str:
    """What the test takes for granted until the data speak against it, in words."""
    h, direction = hypothesis, hypothesis.get("direction")
    less = " or below" if direction == "greater" else " or above" if direction == "less" else ""
    match h.get("kind"):
        case "correlation":
            return f"the rank correlation of {h['x']} and {h['y']} is 0{less}"
        case "difference" if test in ("mann_whitney", "kruskal_wallis"):
            return f"values of {h['response']} are as likely higher as lower in one level of {h['group']} as in another"
        case "difference" if direction is not None:
            word = "higher" if direction == "greater" else "lower"
            return f"the mean of {h['response']} is not {word} where {h['group']} is {h['level']}"
        case "difference" if "level" in h:
            where = f"where it is {h['than']}" if "than" in h else "elsewhere"
            return f"the mean of {h['response']} is the same where {h['group']} is {h['level']} and {where}"
        case "difference":
            return f"the mean of {h['response']} is the same in every level of {h['group']}"
        case "association":
            return f"{h['row']} and {h['column']} are independent"
        case "trend":
            return f"the values of {h['response']} are in no order over {h['time']}" + (
                f" or {'fall' if direction == 'greater' else 'rise'}" if direction else ""
            )
        case "mean":
            return f"the mean of {h['column']} is {number(h['value'])}{less}"
        case "proportion":
            return f"the share of {h['level']} in {h['column']} is {number(h['value'])}{less}"
        case "equivalence":
            return f"the means are {number(h['margin'])} or more apart"
        case "paired" if test == "signed_rank":
            return f"the differences of {h['first']} and {h['second']} scatter symmetrically about 0{less}"
        case "paired":
            return f"the mean difference of {h['first']} and {h['second']} is 0{less}"
        case "regression":
            return f"the coefficient of {h['predictor']} is 0{less}"
    return ""
