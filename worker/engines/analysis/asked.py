"""Tasks asked for by the name of their kind alone: their arguments come from the request's other fields, else from what
the prompt and the data suggest."""

from __future__ import annotations

from typing import Any

from worker.engines.analysis.chooser import Chooser
from worker.engines.analysis.choosing import can_group, repeated_groupings
from worker.engines.analysis.table import Column
from worker.engines.analysis.tasks.registry import KINDS
from worker.engines.analysis.wording import listed

Arguments = dict[str, Any]
_NOTHING_NUMERIC = "The data have no numeric column with different values, which {} needs."
_ANY_TYPE = ("profile", "describe")
_LEAST_COLUMNS = {"correlation": 2, "pca": 2}
_NOTHING_GROUPED = "The data have no category whose values repeat, which {} needs."


def expand(kind: str, chooser: Chooser) -> tuple[Arguments, str]:
    """The arguments of a task of `kind`, and why the data have nothing for it ("" when they have).

    Raises :class:`AnalysisError` where another field of the request names a column that there is not.
    """
    fields = KINDS[kind].fields
    match kind:
        case "regression" | "curve_fit":
            return _formula(kind, chooser)
        case "anova" | "compare_groups":
            return _groups(kind, chooser)
        case "contingency":
            return _table(chooser)
        case "trend":
            return _trend(chooser)
        case "one_sample":
            return _one_sample(chooser)
        case "aggregate":
            return _aggregate(chooser)
        case "hypotheses" if chooser.question.statements:
            return {"hypotheses": [{"statement": statement} for statement in chooser.question.statements]}, ""
    arguments: Arguments = {}
    options = chooser.options
    for field in ("target", "response"):
        if field in fields and (response := _response(chooser)) is not None:
            arguments[field] = response.name
    if "features" in fields and options.features:
        arguments["features"] = list(options.features)
    missing = [field for field in KINDS[kind].required if field not in arguments]
    if missing:
        return arguments, _NOTHING_NUMERIC.format(kind)
    if "columns" in fields and options.features:
        return _columns(kind, chooser, arguments)
    return arguments, ""


def _columns(kind: str, chooser: Chooser, arguments: Arguments) -> tuple[Arguments, str]:
    """Of target and features those that the kind can work on."""
    options = chooser.options
    given = [chooser.named("target", options.target)] if options.target is not None else []
    given += [chooser.named(f"features[{i}]", name) for i, name in enumerate(options.features)]
    usable = [c for c in dict.fromkeys(given) if kind in _ANY_TYPE or (c.numeric and c.distinct > 1)]
    least = _LEAST_COLUMNS.get(kind, 1)
    if len(usable) < least:
        names = listed([column.name for column in dict.fromkeys(given)])
        few = "two numeric columns" if least > 1 else "a numeric column"
        return arguments, f"{kind} needs {few} with different values, and of {names} there are {len(usable)}."
    if left := [column.name for column in dict.fromkeys(given) if column not in usable]:
        names = listed([column.name for column in usable])
        chooser.decide(f"{kind} is of {names}", "it takes numeric columns with different values only", *left)
    return arguments | {"columns": [column.name for column in usable]}, ""


def _response(chooser: Chooser) -> Column | None:
    if chooser.options.target is not None:
        return chooser.named("target", chooser.options.target)
    return chooser.response()


def _formula(kind: str, chooser: Chooser) -> tuple[Arguments, str]:
    options = chooser.options
    response = None if kind == "regression" and options.formula else _response(chooser)
    if kind == "curve_fit":
        if options.formula is None:
            return (
                {},
                'curve_fit needs a formula, which the request does not give: an expression such as "a*exp(-b*x)".',
            )
        return ({"response": response.name, "formula": options.formula}, "") if response else (
            {}, _NOTHING_NUMERIC.format(kind)
        )  # fmt: skip
    if options.formula is not None:
        return {"formula": options.formula}, ""
    if response is None:
        return {}, _NOTHING_NUMERIC.format(kind)
    features = [chooser.named(f"features[{i}]", name) for i, name in enumerate(options.features)]
    features = features or [chooser.table[name] for name in chooser.question.predictors]
    features = [c for c in features or chooser.predictors(response) if c is not response]
    if not features:
        return {}, f"The data have no other column from which {response.name} could be modelled."
    before = len(chooser.tasks)
    chooser.model(response, features, "asked for")
    made = chooser.tasks[before:]
    del chooser.tasks[before:]
    return (dict(made[0].arguments), "") if made else ({"formula": chooser.formula(response, features)}, "")


def _groups(kind: str, chooser: Chooser) -> tuple[Arguments, str]:
    response = _response(chooser)
    if response is None or not response.numeric:
        return {}, _NOTHING_NUMERIC.format(kind)
    if chooser.options.group_by is not None:
        chooser.named("group_by", chooser.options.group_by)
    features = [chooser.table.find(name) for name in chooser.options.features]
    group = next((c for c in features if c is not None and can_group(c)), None) or chooser.group(response)
    if chooser.options.group_by is not None:
        group = chooser.table[chooser.options.group_by]
    if group is None:
        return {"response": response.name}, _NOTHING_GROUPED.format(kind)
    return {"response": response.name, "group": group.name}, ""


def _table(chooser: Chooser) -> tuple[Arguments, str]:
    options = chooser.options
    given = [options.target, options.group_by, *options.features]
    named = [chooser.table.find(name) for name in (*filter(None, given), *chooser.question.mentioned)]
    columns = [c for c in named if c is not None and can_group(c)] + repeated_groupings(chooser.table)
    first = list(dict.fromkeys(column.name for column in columns))[:2]
    if len(first) < 2:
        return {}, "The data have fewer than two categories whose values repeat, which contingency needs."
    return {"row": first[0], "column": first[1]}, ""


def _trend(chooser: Chooser) -> tuple[Arguments, str]:
    response = _response(chooser)
    if response is None or not response.numeric:
        return {}, _NOTHING_NUMERIC.format("trend")
    if chooser.options.time is not None:
        chooser.named("time", chooser.options.time)
    time = chooser.time(response)
    return {"response": response.name} | ({} if time is None else {"time": time.name}), ""


def _one_sample(chooser: Chooser) -> tuple[Arguments, str]:
    if chooser.question.value is None:
        return {}, (
            "one_sample needs a value to hold the mean against, which neither the prompt nor the request gives: "
            '{"kind": "one_sample", "column": …, "value": …}.'
        )
    response = _response(chooser)
    if response is None or not response.numeric:
        return {}, _NOTHING_NUMERIC.format("one_sample")
    return {"column": response.name, "value": chooser.question.value}, ""


def _aggregate(chooser: Chooser) -> tuple[Arguments, str]:
    response = _response(chooser)
    group = chooser.group(response)
    by = {} if group is None else {"by": group.name}
    if response is None or not response.numeric:
        return {"statistic": "count", **by}, ""
    return {"statistic": chooser.question.statistic or "mean", "column": response.name, **by}, ""
