"""What a prompt asks of a table: the kind of question, the columns it names, and what part each of them has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from worker.engines.analysis.mentions import find_mentions
from worker.engines.analysis.table import Table
from worker.engines.analysis.vocabulary import words_of


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
    value: float | None = None
    """What a mean is to be compared with."""
    how_much: bool = False
    causal: bool = False
    future: bool = False
    beyond: str | None = None
    """Words for a population beyond the data."""
    years: tuple[int, ...] = ()
    hypotheses: bool = False
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
    from worker.engines.analysis.phrasing import Phrasing

    words = words_of(prompt)
    mentions, unclear = find_mentions(prompt, words, table)
    phrasing = Phrasing(words, mentions, {column.name: column.type for column in table.columns})
    columns = tuple(dict.fromkeys(mention.column for mention in mentions))
    found = phrasing.read()
    levels = tuple(dict.fromkeys((m.column, m.level) for m in mentions if m.level is not None))
    response = found.get("response")
    if response is None and found.get("ask") not in _NO_DEFAULT:
        response = _first_numeric(columns, table)
    return Question(
        **{
            "mentioned": columns,
            "levels": levels,
            "unclear": tuple((item.said, item.columns) for item in unclear),
            "read_as": tuple(dict.fromkeys((m.column, m.read_as) for m in mentions if m.read_as)),
            **found,
            "response": response,
        }
    )


def _first_numeric(columns: tuple[str, ...], table: Table) -> str | None:
    numeric = [name for name in columns if table[name].numeric]
    return next(iter(numeric), None)


_NO_DEFAULT = (Ask.AGGREGATE, Ask.EFFECT, Ask.DIFFERENCE)
"""Where a column that is named in another part is not the one asked about."""
