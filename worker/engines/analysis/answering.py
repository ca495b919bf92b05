"""For each kind of question the tasks that answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.engines.analysis.chooser import MOST_SHAPES, Chooser
from worker.engines.analysis.choosing import can_group, is_time, is_two_level, is_zero_one, repeated_groupings
from worker.engines.analysis.comparing import (
    MOST_COMPARED,
    MOST_GROUPS,
    among_all,
    categories,
    compare,
    each_two,
    mentioned,
    turned_round,
)
from worker.engines.analysis.options import PATH
from worker.engines.analysis.question import Ask
from worker.engines.analysis.table import MIN_LEVELS, Column, ColumnType
from worker.engines.analysis.tasks.registry import KINDS

_MOST_MEASURES = 4
_MOST_DISTINGUISHING = 8
_STRUCTURE_ROWS = 30
_STRUCTURE_COLUMNS = 4
_CLUSTER_COLUMNS = 3
_LABELS = {
    "sum": "total",
    "min": "minimum",
    "max": "maximum",
    "sd": "standard deviation",
    "distinct": "count of values",
}
_PLOTTED_GROUPS = 10


def choose(chooser: Chooser) -> None:
    """Adds the tasks for the chooser's question."""
    question = chooser.question
    if chooser.options.formula is not None:
        chooser.add("regression", "a formula is given", PATH, formula=chooser.options.formula)
    _BY_ASK.get(question.ask, _overview)(chooser)
    if question.statements:
        given = [{"statement": statement} for statement in question.statements]
        chooser.add("hypotheses", "the prompt states what to test", hypotheses=given)
    elif question.hypotheses:
        chooser.add("hypotheses", "the prompt speaks of hypotheses")
    if question.ask is Ask.OVERVIEW and not question.mentioned:
        chooser.decide("the prompt is taken as a wish for an overview", "it names no column of the data")


def _features(chooser: Chooser) -> tuple[list[Column], str]:
    if chooser.options.features:
        return [chooser.table[name] for name in chooser.options.features], "features are given"
    return [chooser.table[name] for name in chooser.question.predictors], "the prompt names them"


def _relation(chooser: Chooser) -> None:
    """Effects and relations: the pairs, the model of all, groups of what is a category, a trend over what is a time."""
    if among_all(chooser):
        _relations(chooser)
        return
    response = chooser.response()
    features, why = _features(chooser)
    if response is None:
        categories(chooser)
        return
    features = [c for c in features if c is not response and c.type is not ColumnType.TEXT and c.distinct > 1]
    if response.distinct < MIN_LEVELS:
        chooser.correlate([])
        return
    if not features:
        _drivers(chooser, response)
        return
    held = [chooser.table[name] for name in _held(chooser)]
    numeric = [column for column in features if column.numeric and column not in held]
    if (
        held
        and response.numeric
        and not is_zero_one(response)
        and len(numeric) == 1
        and all(column.numeric for column in held)
    ):
        names, fixed = [response.name, numeric[0].name], [column.name for column in held]
        chooser.add("correlation", "the question holds other columns fixed", columns=names, control=fixed)
    chooser.correlate([response, *features])
    numbers = [column for column in features if column.numeric or column.type is ColumnType.DATE]
    groups = [column for column in features if column not in numbers]
    if is_two_level(response) or is_zero_one(response):
        groups += [column for column in numbers if is_zero_one(column)]
    if not response.numeric and not is_two_level(response):
        turned_round(chooser, response, numbers)
    else:
        _modelled(chooser, response, features, why)
        for column in [c for c in numbers if c.numeric] if not response.numeric else ():
            chooser.add("compare_groups", f"{response.name} has two values", response=column.name, group=response.name)
    for column in groups[:MOST_COMPARED]:
        compare(chooser, response, column)
    for column in [c for c in numbers if is_time(c)][:1]:
        if response.numeric:
            chooser.add("trend", f"{column.name} is a time", response=response.name, time=column.name)


def _relations(chooser: Chooser) -> None:
    """Which columns go together: each two of them, and what stands out where that is asked as well."""
    chooser.decide("all columns are held against each other", "the prompt names none")
    each_two(chooser)
    if chooser.question.overview:
        _overview(chooser)


def _held(chooser: Chooser) -> tuple[str, ...]:
    return tuple(name for name in chooser.question.control if name != chooser.question.response)


def _modelled(chooser: Chooser, response: Column, features: Sequence[Column], why: str) -> None:
    """The model, unless a comparison of groups says the same."""
    usable = [c for c in features if c.numeric or can_group(c, MOST_GROUPS)]
    lone = usable[0] if len(usable) == 1 else None
    if chooser.options.formula is not None or not usable:
        return
    if lone is not None and not lone.numeric and response.numeric and lone.distinct > MIN_LEVELS:
        chooser.decide(
            f"no model of {response.name}",
            f"{lone.name} is the only predictor named, and comparing its groups answers the same",
            chooser.formula(response, [lone]),
        )
        return
    chooser.model(response, usable, why)


def _difference(chooser: Chooser) -> None:
    question = chooser.question
    group = chooser.group(chooser.table.find(question.response or ""))
    if group is None:
        chooser.cannot.append("no column holds groups that could be compared.")
        _overview(chooser)
        return
    if question.response is not None:
        response = chooser.response()
        if response is not None and response.distinct >= MIN_LEVELS and group.distinct >= MIN_LEVELS:
            chooser.correlate([response])
            _modelled(chooser, response, [group, *_others(chooser, response, group)], "the prompt names them")
            compare(chooser, response, group)
            for column in _others(chooser, response, group)[:MOST_COMPARED]:
                if not column.numeric:
                    compare(chooser, response, column)
        return
    measures = [column for column in chooser.measures if column is not group]
    chooser.correlate(measures[:1])
    if len(measures) > _MOST_MEASURES:
        chooser.decide(
            f"{_MOST_MEASURES} of {len(measures)} numeric columns are compared between the levels of {group.name}",
            "the question names none; these are the first",
            *(column.name for column in measures[_MOST_MEASURES:][:20]),
        )
    for column in measures[:_MOST_MEASURES]:
        compare(chooser, column, group)
    for column in [c for c in repeated_groupings(chooser.table) if c is not group][:2]:
        chooser.add("contingency", "both are categories", row=group.name, column=column.name)


def _others(chooser: Chooser, response: Column, group: Column) -> list[Column]:
    named = [c for c in mentioned(chooser) if c is not response and c is not group]
    return [c for c in named if c.numeric or can_group(c)]


def _trend(chooser: Chooser) -> None:
    question = chooser.question
    time = chooser.time(chooser.table.find(question.response or ""))
    response = chooser.table.find(question.response) if question.response else None
    if response is not None and response is time:
        response = None
    responses = [response] if response is not None and response.numeric else []
    if not responses:
        responses = [c for c in chooser.measures if c is not time][:MOST_COMPARED]
        chooser.exploratory = True
        chooser.decide(
            f"trends of {', '.join(c.name for c in responses) or 'nothing'}",
            "the question names no numeric column; these are the first",
        )
    else:
        chooser.response()
    if time is None:
        chooser.caveats.append("No column holds a time, so the order of the rows is taken for it.")
    elif time.name not in question.mentioned:
        chooser.decide(f"{time.name} is the time", "it is the first column that holds one")
    if time is not None:
        chooser.focus(mentioned=(*question.mentioned, time.name))
    for column in responses:
        chooser.add("trend", "the question is about time", **_timed(column, time))
    group = next((c for c in mentioned(chooser) if can_group(c) and not c.numeric), None)
    if group is not None and responses:
        compare(chooser, responses[0], group)
    chooser.correlate(responses)


def _timed(response: Column, time: Column | None) -> dict[str, Any]:
    return {"response": response.name} | ({} if time is None else {"time": time.name})


def _drivers(chooser: Chooser, response: Column | None = None) -> None:
    """What goes with the response: correlations, a model of the foremost, its differences between groups."""
    response = response or chooser.response()
    if response is None:
        _overview(chooser)
        return
    chooser.correlate([response])
    features, why = _features(chooser)
    features = features or chooser.predictors(response, allow_groups=True)
    if features and chooser.options.formula is None:
        chooser.model(response, features, why if chooser.options.features else "what goes with it most")
    for group in [c for c in repeated_groupings(chooser.table) if c is not response][:MOST_COMPARED]:
        compare(chooser, response, group)
    if not response.numeric:
        given = [c for c in features if c.numeric] if chooser.options.features else []
        compared = given or [c for c in chooser.measures if not is_time(c)]
        if len(compared) > _MOST_DISTINGUISHING:
            left = [column.name for column in compared[_MOST_DISTINGUISHING:]]
            chooser.decide(f"{_MOST_DISTINGUISHING} numeric columns are compared", "these are the first", *left[:20])
        for column in compared[:_MOST_DISTINGUISHING]:
            compare(chooser, column, response)


def _model(chooser: Chooser) -> None:
    response = chooser.response()
    if response is None:
        _overview(chooser)
        return
    features, why = _features(chooser)
    features = features or chooser.predictors(response, allow_groups=True)
    usable = [c for c in features if c is not response and (c.numeric or can_group(c))]
    if usable:
        chooser.add(
            "compare_models", "the question is which model", response=response.name, features=[c.name for c in usable]
        )
        if chooser.options.formula is None:
            chooser.model(response, usable, why)
    else:
        chooser.cannot.append(f"there is no other column from which {response.name} could be predicted.")
    chooser.correlate([response])


def _aggregate(chooser: Chooser) -> None:
    question = chooser.question
    arguments: dict[str, Any] = {"statistic": question.statistic or "mean"}
    if question.response is not None and question.statistic != "count":
        arguments["column"] = question.response
    where: list[dict[str, Any]] = []
    levels = [(column, level) for column, level in question.levels if chooser.selects(column)]
    # What the share is of goes first.
    levels.sort(key=lambda item: item[0] != question.response)
    if question.statistic in ("share", "count") and levels and question.response in (None, levels[0][0]):
        column, level = levels[0]
        if question.statistic == "share":
            arguments |= {"column": column, "level": level}
            levels = [item for item in levels[1:] if item[0] != column]
    if question.statistic == "count" and question.response is not None and not levels:
        column_found = chooser.table[question.response]
        if column_found.type is ColumnType.BOOLEAN:
            levels = [(column_found.name, "true")]
    where += [{"column": column, "level": level} for column, level in levels]
    where += [item for item in chooser.where() if item not in where]
    if question.bound is not None:
        column, sign, value = question.bound
        where.append({"column": column, "sign": sign, "value": value})
    if where:
        arguments["where"] = where
    if question.group is not None:
        arguments["by"] = question.group
    if question.period is not None:
        arguments["period"] = question.period[1]
    if question.extreme is not None:
        arguments["extreme"] = question.extreme
    if "column" not in arguments and arguments["statistic"] not in ("count", "share") and not question.unknown:
        named = [name for name in question.mentioned if name != question.group]
        what = f"{named[0]} holds no numbers" if named else "no column of numbers is named"
        chooser.cannot.append(f"{what}, which a {_LABELS.get(arguments['statistic'], arguments['statistic'])} needs.")
    if not chooser.cannot:
        chooser.add("aggregate", "the question asks for it", **arguments)
    response = chooser.table.find(question.response or "")
    response = response if response is not None and response.numeric else None
    if question.statistic == "mean" and question.extreme and question.group and response is not None:
        chooser.decide(
            f"“{'most' if question.extreme == 'max' else 'least'}” is taken for the mean of {response.name}",
            "a level with more rows would have more in total for that reason alone",
            "sum", "median",
        )  # fmt: skip
    group = chooser.table.find(question.group or "")
    if response is not None and response.numeric and group is not None and can_group(group, _PLOTTED_GROUPS):
        compare(chooser, response, group)
    chooser.correlate([response] if response is not None else [])


def _one_sample(chooser: Chooser) -> None:
    question = chooser.question
    chooser.add("one_sample", "the question gives a value", column=question.response, value=question.value)
    chooser.add("distribution", "the test leans on its shape", columns=[question.response])


def _distribution(chooser: Chooser) -> None:
    named = [c.name for c in mentioned(chooser) if c.numeric and c.distinct > 1]
    # Two values have no shape.
    shown = named or [c.name for c in chooser.measures if c.distinct > MIN_LEVELS][:_MOST_MEASURES]
    if shown:
        chooser.add("distribution", "the question is about it", columns=shown)
        chooser.add("outliers", "they bear on the shape", columns=shown)


def _outliers(chooser: Chooser) -> None:
    named = [c.name for c in mentioned(chooser) if c.numeric and c.distinct > 1]
    shown = named or [c.name for c in chooser.measures]
    if shown:
        chooser.add("outliers", "the question is about them", columns=shown[:50])
    if not named and (len(chooser.measures) > 1 or (shown and chooser.question.rows)):
        chooser.add("anomalies", "rows may be unusual in several columns together")
    elif chooser.question.rows and shown:
        chooser.add("anomalies", "the question is about rows", columns=shown[:50])


def _structure(kind: str) -> Callable[[Chooser], None]:
    def add(chooser: Chooser) -> None:
        named = [c.name for c in mentioned(chooser) if c.numeric and c.distinct > 1]
        arguments: dict[str, Any] = {"columns": named} if len(named) > 1 else {}
        if len(chooser.measures) < MIN_LEVELS:
            chooser.cannot.append("two numeric columns with different values are needed, and the data have fewer.")
            return
        chooser.add(kind, "the question is about it", **arguments)
        chooser.correlate([])

    return add


def _describe(chooser: Chooser) -> None:
    """One column by itself: its shape, and for more its groups and its course over time."""
    named = mentioned(chooser)
    numbers = [c for c in named if c.numeric and c.distinct > 1]
    if not numbers:
        group = next((c for c in named if can_group(c) and not c.numeric), None)
        if group is not None:
            chooser.add("aggregate", "the question names it", statistic="count", by=group.name)
        _overview(chooser)
        return
    chooser.add("distribution", "the question names it", columns=[c.name for c in numbers[:MOST_SHAPES]])
    _overview(chooser)


def _overview(chooser: Chooser) -> None:
    """What stands out: correlations, a model, groups, a trend, shapes, and structure where there are columns for it."""
    response = chooser.response()
    chooser.correlate([response] if response is not None else [])
    if among_all(chooser):
        each_two(chooser)
    if response is not None and response.numeric:
        features, why = _features(chooser)
        named = [c for c in mentioned(chooser) if c is not response and c in chooser.measures]
        features = features or named or chooser.predictors(response)
        if features and chooser.options.formula is None:
            chooser.model(response, features, why if chooser.options.features else "what goes with it most")
        if (group := chooser.group(response)) is not None:
            compare(chooser, response, group)
        if (time := chooser.time(response)) is not None:
            chooser.add("trend", f"{time.name} is a time", response=response.name, time=time.name)
    elif response is not None:
        _drivers(chooser, response)
    named = [c for c in mentioned(chooser) if can_group(c) and not c.numeric]
    if len(named) > 1 or not chooser.measures:
        categories(chooser)
    wide = chooser.question.ask is Ask.OVERVIEW or chooser.question.overview
    if wide and chooser.question.ask is not Ask.DESCRIBE and chooser.table.rows >= _STRUCTURE_ROWS:
        shown = [c.name for c in chooser.measures][: 50 if "outliers" in KINDS else 0]
        if shown:
            chooser.add("outliers", "values far from the others bear on everything else", columns=shown)
        if len(chooser.measures) > 1:
            chooser.add("anomalies", "rows may be unusual in several columns together")
        if len(chooser.measures) >= _STRUCTURE_COLUMNS:
            chooser.add("pca", f"{len(chooser.measures)} numeric columns")
        if len(chooser.measures) >= _CLUSTER_COLUMNS:
            chooser.add("cluster", f"{len(chooser.measures)} numeric columns")


_BY_ASK: Mapping[Ask, Callable[[Chooser], None]] = {
    Ask.OVERVIEW: _overview,
    Ask.DESCRIBE: _describe,
    Ask.EFFECT: _relation,
    Ask.RELATION: _relation,
    Ask.DIFFERENCE: _difference,
    Ask.TREND: _trend,
    Ask.DRIVERS: _drivers,
    Ask.MODEL: _model,
    Ask.AGGREGATE: _aggregate,
    Ask.ONE_SAMPLE: _one_sample,
    Ask.DISTRIBUTION: _distribution,
    Ask.OUTLIERS: _outliers,
    Ask.CLUSTERS: _structure("cluster"),
    Ask.COMPONENTS: _structure("pca"),
}
