"""Comparisons of two columns each: of groups, of two categories, and of all columns where none is named."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.analysis.chooser import Chooser
from worker.engines.analysis.choosing import can_group, is_time, is_zero_one, repeated_groupings
from worker.engines.analysis.table import MAX_LEVELS, Column

MOST_COMPARED = 3
MOST_GROUPS = 200
_MOST_TRENDS = 8
_MOST_PAIRS = 12
"""Comparisons of groups where no column is named."""
_MOST_CROSSED = 50


def mentioned(chooser: Chooser) -> list[Column]:
    """The columns that the prompt names."""
    return [chooser.table[name] for name in chooser.question.mentioned]


def among_all(chooser: Chooser) -> bool:
    """Whether no column is named, so that all of them are held against each other."""
    options = chooser.options
    return not (chooser.question.mentioned or options.target or options.group_by or options.features)


def compare(chooser: Chooser, response: Column, group: Column) -> None:
    """The task that holds two columns against each other, the second a category."""
    if not response.numeric or (is_zero_one(response) and can_group(group, _MOST_CROSSED)):
        wide = next((c for c in (response, group) if c.distinct > _MOST_CROSSED), None)
        if wide is None:
            chooser.add("contingency", "both are categories", row=response.name, column=group.name)
        else:
            chooser.cannot.append(
                f"{wide.name} has {wide.distinct:,} different values, too many for a table of counts."
            )
    elif can_group(group, MOST_GROUPS):
        # Beyond ten levels only all of them together: the pairs would be too many to read.
        kind = "compare_groups" if group.distinct <= MAX_LEVELS else "anova"
        chooser.add(kind, f"{group.name} is a category", response=response.name, group=group.name)
    elif group.distinct > 1:
        chooser.cannot.append(
            f"{group.name} has {group.distinct:,} values in {chooser.table.rows:,} rows, too few for each to compare."
        )


def categories(chooser: Chooser) -> None:
    """The table of two categories, those of the prompt first."""
    named = [c for c in mentioned(chooser) if can_group(c)]
    named = named if len(named) > 1 else [*named, *(c for c in repeated_groupings(chooser.table) if c not in named)]
    if len(named) > 1:
        chooser.add("contingency", "two categories", row=named[0].name, column=named[1].name)


def each_two(chooser: Chooser) -> None:
    """Correlations, differences between the levels of the first categories, their tables, and trends."""
    chooser.correlate([])
    groups = repeated_groupings(chooser.table)
    measures = [column for column in chooser.measures if not is_time(column)]
    compared = groups[:MOST_COMPARED]
    held = measures[: _MOST_PAIRS // max(1, len(compared))]
    for group in compared:
        for column in held:
            if column is not group:
                compare(chooser, column, group)
    for i, row in enumerate(compared):
        for column in compared[i + 1 :]:
            compare(chooser, row, column)
    left = [*groups[len(compared) :], *(measures[len(held) :] if compared else [])]
    if left:
        reason = "these are the first; others can be asked for by name"
        chooser.decide("not every column is compared between every category", reason, *(c.name for c in left[:20]))
    if (time := chooser.time(None)) is not None:
        for column in measures[:_MOST_TRENDS]:
            chooser.add("trend", f"{time.name} is a time", response=column.name, time=time.name)


def turned_round(chooser: Chooser, response: Column, numbers: Sequence[Column]) -> None:
    """Numbers between the levels of what the question calls the response."""
    for column in [c for c in numbers if c.numeric][:MOST_COMPARED]:
        chooser.decide(
            f"{column.name} is compared between the levels of {response.name}",
            f"{response.name} is a category with {response.distinct} levels, and the question is the same turned round",
        )
        compare(chooser, column, response)
