"""What reading left in doubt about a column, said with every answer that rests on that column."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from worker.engines.analysis.findings.answers import speaks_of
from worker.engines.analysis.findings.draft import Draft
from worker.engines.analysis.question import Question
from worker.engines.analysis.reading.missing import proposed_code
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.table import Column, ColumnType
from worker.engines.analysis.wording import listed, number

_SPELLINGS_SHOWN = 3
_MOST_LEVELS = 1000
"""Categories have no more; what has more names the rows."""


def doubts_of_columns(read: ReadResult) -> list[dict[str, str]]:
    """``{dataset, column, text}`` by column: numbers that look like a code for missing and are taken as numbers, and
    levels that differ in case or blanks only and are counted apart."""
    codes: dict[str, list[str]] = defaultdict(list)
    for decision in read.decisions:
        if (found := proposed_code(decision.decision)) is not None:
            codes[found[1]].append(found[0])
    table = read.table
    said = [(column, text) for column in table.columns for text in _about(column, codes.get(column.name, ()))]
    return [{"dataset": table.name, "column": column.name, "text": text} for column, text in said]


def _about(column: Column, codes: Sequence[str]) -> Iterator[str]:
    if column.numeric and codes:
        if text := _coded(column, codes):
            yield text
    elif column.type is ColumnType.CATEGORY and column.distinct <= _MOST_LEVELS:
        yield from _spelled(column)


def _coded(column: Column, codes: Sequence[str]) -> str:
    """How often the codes stand in the column, and what its mean is with and without them."""
    import numpy as np

    values = column.floats()[column.present()]
    coded = np.isin(values, [float(code) for code in codes])
    times, rest = int(coded.sum()), values[~coded]
    if not times or not len(rest):
        return ""
    stands, looks = ("stands", "looks like a code") if len(codes) == 1 else ("stand", "look like codes")
    often = {1: "once", 2: "twice"}.get(times, f"{times:,} times")
    unit = f" {column.unit}" if column.unit else ""
    return (
        f"{listed(list(codes))} {stands} {often} in {column.name} and {looks} for a missing value: taken as a number "
        f"the mean of {column.name} is {number(float(values.mean()))}{unit}, left out it is "
        f"{number(float(rest.mean()))}{unit}; read.missing leaves it out."
    )


def _spelled(column: Column) -> Iterator[str]:
    import numpy as np

    codes, levels = column.codes()
    counts = np.bincount(codes[codes >= 0], minlength=len(levels)).tolist()
    forms: dict[str, list[str]] = defaultdict(list)
    for level, count in zip(levels, counts, strict=True):
        forms[" ".join(level.casefold().split())].append(f"{level!r} ({count:,})")
    alike = [listed(names) for names in forms.values() if len(names) > 1]
    if alike:
        shown = "; ".join(alike[:_SPELLINGS_SHOWN]) + ("; …" if len(alike) > _SPELLINGS_SHOWN else "")
        lead = f"{column.name} has levels that differ in case or blanks only and are counted apart"
        yield f"{lead}: {shown}. Where they mean the same, write them alike."


def doubts_about(draft: Draft, dataset: str, doubts: Sequence[Mapping[str, str]]) -> int:
    """How many of them are about columns of the draft."""
    return sum(doubt["dataset"] == dataset and speaks_of(draft, doubt["column"]) for doubt in doubts)


def doubts_in_use(
    doubts: Sequence[Mapping[str, str]], question: Question, findings: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Those about columns that the answering `findings` or the question's own parts name."""
    asked = {
        *filter(None, (question.response, question.group)),
        *question.predictors,
        *question.control,
        *(column for column, _ in question.levels),
        *(question.bound[:1] if question.bound is not None else ()),
    }
    text = " ".join(finding["text"] for finding in findings)
    datasets = {finding["dataset"] for finding in findings}
    return [
        doubt["text"]
        for doubt in doubts
        if doubt["dataset"] in datasets and (doubt["column"] in asked or _names(text, doubt["column"]))
    ]


def _names(text: str, column: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", text) is not None
