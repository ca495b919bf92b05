"""What a prompt asks of a table: the kind of question, the columns it names, and what part each of them has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from worker.engines.analysis.mentions import find_mentions
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.vocabulary import words_of

if TYPE_CHECKING:
    from worker.engines.analysis.filters import Filters


class Ask(StrEnum):
    """Kinds of questions."""

    OVERVIEW = "overview"
    DESCRIBE = "describe"
    EFFECT = "effect"
    RELATION = "relation"
    DIFFERENCE = "difference"
    TREND = "trend"
    DRIVERS = "drivers"
    MODEL = "model"
    AGGREGATE = "aggregate"
    ONE_SAMPLE = "one_sample"
    DISTRIBUTION = "distribution"
    OUTLIERS = "outliers"
    CLUSTERS = "clusters"
    COMPONENTS = "components"


@dataclass(frozen=True, slots=True)
class Question:
    """What the prompt asks. `response` is the column it asks about, if it names one."""

    mentioned: tuple[str, ...] = ()
    """Column names, in order of mention."""
    response: str | None = None
    ask: Ask = Ask.OVERVIEW
    predictors: tuple[str, ...] = ()
    group: str | None = None
    levels: tuple[tuple[str, str], ...] = ()
    """(column, value) of categories that are named."""
    over_time: bool = False
    seasonal: bool = False
    statistic: str | None = None
    """Of a direct question: count, distinct, share, mean, median, sum, min, max, sd or mode."""
    extreme: str | None = None
    """``max`` or ``min`` where it asks which group has most or least."""
    bound: tuple[str, str, float] | None = None
    """(column, ``>``, ``>=``, ``<`` or ``<=``, value) that rows are to keep."""
    where: tuple[tuple[str, str, Any], ...] = ()
    """(column, ``is`` or a sign, value) of the rows that the question is about."""
    control: tuple[str, ...] = ()
    """Columns to be held fixed."""
    statements: tuple[str, ...] = ()
    """Hypotheses that the prompt states."""
    period: tuple[str, str] | None = None
    """(column of dates, year, quarter, month or day) to take one figure for each."""
    unused: tuple[str, ...] = ()
    """Words that limit the rows and fit nothing in the data."""
    unread: tuple[str, ...] = ()
    """Words that leave rows out or pick some, in a way that is not understood."""
    value: float | None = None
    """What a mean is to be compared with."""
    how_much: bool = False
    causal: bool = False
    future: bool = False
    beyond: str | None = None
    """Words for a population beyond the data."""
    years: tuple[int, ...] = ()
    hypotheses: bool = False
    interaction: bool = False
    """It asks whether two columns act on a third beyond what each does."""
    trend: bool = False
    """It asks for rise or fall, be it beside something else."""
    overview: bool = False
    """It asks what stands out, be it beside something else."""
    rows: bool = False
    """It asks about rows as a whole, not about values of a column."""
    unknown: tuple[str, ...] = ()
    """Words in the place of a column that fit no column."""
    unclear: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Words that fit several columns, with these."""
    read_as: tuple[tuple[str, str], ...] = ()
    """(column, why) of columns that are named in other words than their own."""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        return {key: _plain(value) for key, value in found.items()} | {"ask": str(self.ask)}


def question_of(stored: Mapping[str, Any]) -> Question:
    """A question, back from JSON."""
    known = {item.name for item in fields(Question)}
    found = {key: _tuples(value) for key, value in stored.items() if key in known}
    return Question(**(found | {"ask": Ask(stored.get("ask", Ask.OVERVIEW))}))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def read_question(prompt: str, table: Table) -> Question:
    """The question in `prompt` as far as `table` is concerned; see docs/analysis.md on what is understood."""
    from worker.engines.analysis.filters import FilterReader
    from worker.engines.analysis.limits import has_no_total, rows_by_name
    from worker.engines.analysis.phrasing import Phrasing

    words = words_of(prompt)
    mentions, unclear = find_mentions(prompt, words, table)
    words, mentions = rows_by_name(words, mentions, table)
    filters = _without_entities(FilterReader(words, mentions, table).read(), table)
    types = {column.name: column.type for column in table.columns}
    phrasing = Phrasing(filters.words, filters.mentions, types, dated=filters.dated)
    limited = {mention.column for mention in filters.mentions} | {column for column, _, _ in filters.where}
    columns = tuple(dict.fromkeys(mention.column for mention in mentions if mention.column in limited))
    found = phrasing.read()
    if found.get("statistic") == "sum" and found.get("response") and has_no_total(table[found["response"]]):
        found["statistic"] = "distinct"
    levels = tuple(dict.fromkeys((m.column, m.level) for m in filters.mentions if m.level is not None))
    response = found.get("response")
    if response is None and found.get("ask") not in _NO_DEFAULT:
        response = _first_numeric(columns, table)
    return Question(
        **{
            "mentioned": columns,
            "levels": levels,
            "unclear": tuple((item.said, item.columns) for item in unclear),
            "read_as": tuple(dict.fromkeys((m.column, m.read_as) for m in mentions if m.read_as)),
            "statements": stated(prompt),
            "where": filters.where,
            "unused": _unused(filters, found, table),
            "unread": () if stated(prompt) else _unread(filters, found, table),
            **found,
            **_by_period(filters, found),
            "response": response,
        }
    )


def stated(prompt: str) -> tuple[str, ...]:
    """The hypotheses of a prompt such as ``test the hypothesis that …``, as they are said."""
    match = _STATED.search(" ".join(prompt.split()))
    if match is None:
        return ()
    parts = re.split(r"\s*;\s*|,? and that ", match[1].strip(" .!?\"“”'"))
    return tuple(part.strip(" .\"“”'") for part in parts if len(part.split()) > 1)


def _without_entities(filters: Filters, table: Table) -> Filters:
    """Without the nouns for what a row is (*patients*, where a column `patient` numbers them): they are no column that
    is asked about, unless one of them is picked or counted or nothing else is named."""

    words, mentions = filters.words, filters.mentions
    numbered = [m for m in mentions if table[m.column].numeric and m.read_as]
    counted = bool(numbered) and [word.text for word in words[: numbered[0].start]][-2:] == ["how", "many"]
    if all(table[m.column].names_rows for m in mentions) and not counted:
        return filters
    others = len({m.column for m in mentions if not table[m.column].names_rows})
    told = [m.start for m in mentions if m.level is not None or _is_flag(table[m.column])]
    gone = [
        m
        for m in mentions
        if m.level is None
        and table[m.column].names_rows
        and (not table[m.column].numeric or m.read_as)
        and (
            (table[m.column].numeric and (others or counted))
            or others > 1
            or (m.start and words[m.start - 1].text in _LEADING)
        )
        and (
            not (picked := {word.text for word in words[max(0, m.start - 2) : m.start]} & _PICKING)
            or (picked == {"many"} and (counted or any(start > m.start for start in told)))
        )
    ]
    dropped = {i for m in gone for i in range(m.start, m.end)}
    left = [i for i in range(len(words)) if i not in dropped]
    places = {old: new for new, old in enumerate(left)}
    kept = [replace(m, start=places[m.start], end=places[m.end - 1] + 1) for m in mentions if m.start in places]
    return replace(filters, words=[words[i] for i in left], mentions=kept)


def _is_flag(column: Column) -> bool:
    from worker.engines.analysis.choosing import is_zero_one

    return column.type is ColumnType.BOOLEAN or is_zero_one(column)


def _by_period(filters: Filters, found: Mapping[str, Any]) -> dict[str, Any]:
    if filters.period is None or found.get("ask") is not Ask.AGGREGATE or found.get("group"):
        return {}
    by = {"period": filters.period, "group": filters.period[0]}
    if filters.which and found.get("statistic") in ("max", "min"):
        return by | {"statistic": "mean", "extreme": found["statistic"]}
    return by


def _unused(filters: Filters, found: Mapping[str, Any], table: Table) -> tuple[str, ...]:
    from worker.engines.analysis.unused import unused_words

    ask = found.get("ask", Ask.OVERVIEW)
    if ask not in _QUALIFIED or found.get("unknown") or found.get("future") or not filters.mentions:
        return ()
    numbers = found.get("bound") is None and found.get("value") is None
    figure = ask is Ask.AGGREGATE
    return unused_words(filters.words, filters.mentions, table, figure=figure, numbers=numbers)


def _unread(filters: Filters, found: Mapping[str, Any], table: Table) -> tuple[str, ...]:
    from worker.engines.analysis.unread import unread, unread_of_test

    ask = found.get("ask")
    if ask in _TESTS and filters.mentions and not found.get("future"):
        told = " ".join(_unused(filters, found, table)).split()
        parts = unread_of_test(filters.words, filters.mentions, found)
        return tuple(part for part in parts if part not in told)
    if ask not in FIGURES or not (filters.mentions or found.get("statistic") == "count"):
        return ()
    return unread(filters.words, filters.mentions, table, found, _unused(filters, found, table))


def _first_numeric(columns: tuple[str, ...], table: Table) -> str | None:
    numeric = [name for name in columns if table[name].numeric]
    return next(iter(numeric), None)


_QUALIFIED = (Ask.AGGREGATE, Ask.EFFECT, Ask.RELATION, Ask.DIFFERENCE, Ask.TREND, Ask.DISTRIBUTION, Ask.DESCRIBE)
FIGURES = (Ask.AGGREGATE, Ask.DESCRIBE)
"""What is not said at all where rows or values are meant that were not read."""
_TESTS = (
    Ask.EFFECT, Ask.RELATION, Ask.DIFFERENCE, Ask.TREND, Ask.DRIVERS, Ask.MODEL, Ask.ONE_SAMPLE, Ask.DISTRIBUTION,
)  # fmt: skip
_STATED = re.compile(
    r"\bhypothes[ie]s(?: (?:is|are|says?|states?|claims?))?(?: that\b|\s*[:–—,]\s*(?:that )?)\s*"
    r"([^.?!]*(?:[.?!](?=\S)[^.?!]*)*)",
    re.IGNORECASE,
)
_LEADING = frozenset(["of", "in", "among", "for", "from", "with", "within", "all", "the"])
_PICKING = frozenset(("which", "what", "who", "between", "by", "per", "across", "each", "every", "many", "number"))
_NO_DEFAULT = (Ask.AGGREGATE, Ask.EFFECT, Ask.DIFFERENCE)
"""Where a column that is named in another part is not the one asked about."""
