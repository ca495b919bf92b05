"""A hypothesis said as a plain sentence: which columns it names, and what it claims of them."""

from __future__ import annotations

import re
from typing import Any

from worker.engines.analysis.choosing import is_zero_one
from worker.engines.analysis.mentions import Mention, find_mentions
from worker.engines.analysis.question import read_question
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.vocabulary import words_of
from worker.engines.analysis.wording import listed

_UP = re.compile(
    r"\b(rais|increas|grow|rise|rising|rose|higher|more|greater|larger|bigger|longer|taller|heavier|above|over \d|"
    r"exceed|boost|improv|positiv|faster|older|warmer|upwards?)",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"\b(lower|reduc|decreas|fall|less|fewer|smaller|shorter|lighter|below|under|declin|drop|shrink|negativ|inverse|"
    r"worsen|slower|younger|colder|downwards?)",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(not|no|never|none|nothing|neither|without|same|equal|equally|identical|unrelated|"
    r"independent(?! of)|unaffected)\b|n't\b",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"\b(adjust(?:ed|ing) for|control(?:led|ling) for|correct(?:ed|ing) for|account(?:ed|ing) for|allowing for|given|"
    r"holding|independent(?:ly)? of|regardless of|irrespective of|held (?:fixed|constant))\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"\b(over time|over the years|with time|trend|through the years)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])([-+−]?\d+(?:\.\d+)?)\s*(%|percent|per cent)?(?![\w.]*\w)", re.IGNORECASE)
_THAN = re.compile(r"\bthan\b", re.IGNORECASE)
_YES = ("true", "yes", "1", "y", "on", "present")


class Unreadable(Exception):
    """Why a sentence is no hypothesis on the columns."""


def read_statement(text: str, table: Table) -> tuple[dict[str, Any], list[str]]:
    """The hypothesis ``{kind, …}`` that the sentence makes, and what had to be left out of it.

    Raises:
        Unreadable: it names too few or too many columns, or claims what no test can show.
    """
    mentions, unclear = find_mentions(text, words_of(text), table)
    columns = [table[name] for name in dict.fromkeys(mention.column for mention in mentions)]
    if not columns:
        if unclear:
            raise Unreadable(f"“{unclear[0].said}” may stand for {listed(unclear[0].columns)}")
        raise Unreadable(f"it names no column of the data; there are {listed(table.names(), 12)}")
    if _NOT.search(_without(text, mentions)):
        raise Unreadable(
            "data cannot show that there is nothing; ask for an equivalence within a margin, or for what would be there"
        )
    return _Reading(text, table, mentions, columns).hypothesis()


def _without(text: str, mentions: list[Mention]) -> str:
    words = words_of(text)
    for mention in mentions:
        start, end = words[mention.start].start, words[mention.end - 1].end
        text = text[:start] + " " * (end - start) + text[end:]
    return text


class _Reading:
    def __init__(self, text: str, table: Table, mentions: list[Mention], columns: list[Column]) -> None:
        self.text = text
        self.table = table
        self.mentions = mentions
        self.columns = columns
        self.levels = [mention for mention in mentions if mention.level is not None]
        self.notes: list[str] = []
        # Names may hold words of direction themselves, as *growth* does.
        self.said = _without(text, mentions)

    def hypothesis(self) -> tuple[dict[str, Any], list[str]]:
        return self._mapped(), self.notes

    def _mapped(self) -> dict[str, Any]:
        given = _GIVEN.search(self.text)
        if given is not None and len(self.columns) > 2:
            return self._adjusted(given)
        time = self._time()
        if time is not None:
            responses = [column for column in self.columns if column.numeric and column is not time]
            if len(responses) == 1 and len(self.columns) <= 2:
                return self._with({"kind": "trend", "response": responses[0].name, "time": time.name})
        value = self._value()
        if len(self.columns) == 1:
            return self._alone(self.columns[0], value)
        if len(self.columns) > 2:
            names = listed([column.name for column in self.columns])
            raise Unreadable(
                f"it names {names}; a hypothesis relates two columns, others may be held fixed “given” them"
            )
        return self._pair(*self.columns)

    def _with(self, hypothesis: dict[str, Any]) -> dict[str, Any]:
        """With the direction that the words give: two reversals cancel out."""
        direction = self._direction()
        return hypothesis | ({"direction": direction} if direction else {})

    def _direction(self) -> str | None:
        down = len(_DOWN.findall(self.said))
        if down:
            return "less" if down % 2 else "greater"
        return "greater" if _UP.search(self.said) else None

    def _value(self) -> float | None:
        found = [match for match in _NUMBER.finditer(self.text) if not self._named(match)]
        if len(found) != 1:
            return None
        value = float(found[0][1].replace("−", "-"))
        return value / 100 if found[0][2] else value

    def _named(self, match: re.Match[str]) -> bool:
        """The number belongs to a column's name or is a level."""
        words = words_of(self.text)
        return any(
            words[mention.start].start <= match.start() < words[mention.end - 1].end for mention in self.mentions
        )

    def _time(self) -> Column | None:
        named = [column for column in self.columns if column.type is ColumnType.DATE]
        if named:
            return named[0]
        dates = [column for column in self.table.columns if column.type is ColumnType.DATE]
        return dates[0] if len(dates) == 1 and _TIME.search(self.text) else None

    def _adjusted(self, cue: re.Match[str]) -> dict[str, Any]:
        words = words_of(self.text)
        held = [m.column for m in self.mentions if words[m.start].start > cue.start()]
        main = [column.name for column in self.columns if column.name not in held]
        if len(main) != 2:
            raise Unreadable("it names no pair of columns beside those held fixed")
        response = self._response(main)
        predictor = next(name for name in main if name != response)
        covariates = [name for name in dict.fromkeys(held) if name not in main]
        return self._with(
            {"kind": "regression", "response": response, "predictor": predictor, "covariates": covariates}
        )

    def _response(self, names: list[str]) -> str:
        asked = read_question(self.text, self.table).response
        numeric = [name for name in names if self.table[name].numeric]
        if not numeric:
            raise Unreadable(f"none of {listed(names)} is a number that something could raise or lower")
        return asked if asked in numeric else numeric[-1]

    def _alone(self, column: Column, value: float | None) -> dict[str, Any]:
        if value is None:
            raise Unreadable(f"it names {column.name} alone; it must relate two columns or compare with a value")
        if column.numeric:
            return self._with({"kind": "mean", "column": column.name, "value": value})
        if self.levels and 0 < value < 1:
            level = str(self.levels[0].level)
            return self._with({"kind": "proportion", "column": column.name, "level": level, "value": value})
        raise Unreadable(
            f"{column.name} is {column.type}: only the share of one of its values, in percent, can be compared"
        )

    def _pair(self, first: Column, second: Column) -> dict[str, Any]:
        if first.numeric and second.numeric:
            if _THAN.search(self.text):
                return self._with({"kind": "paired", "first": first.name, "second": second.name})
            response = self._response([first.name, second.name])
            other = second.name if response == first.name else first.name
            if is_zero_one(self.table[response]) and not is_zero_one(self.table[other]):
                return self._with({"kind": "regression", "response": response, "predictor": other})
            return self._with({"kind": "correlation", "x": other, "y": response})
        numeric = [column for column in (first, second) if column.numeric]
        groupings = self.table.groupings()
        group = [column for column in (first, second) if not column.numeric and column in groupings]
        if len(numeric) == 1 and len(group) == 1:
            return self._difference(numeric[0], group[0])
        if len(group) == 2:
            if self._direction() is not None:
                self.notes.append("of two categories only an association is tested, not its direction")
            return {"kind": "association", "row": first.name, "column": second.name}
        other_columns = listed([f"{column.name} ({column.type})" for column in (first, second)])
        raise Unreadable(f"{other_columns} cannot be related: numbers, dates and categories of up to ten levels can")

    def _difference(self, response: Column, group: Column) -> dict[str, Any]:
        made: dict[str, Any] = {"kind": "difference", "response": response.name, "group": group.name}
        named = list(dict.fromkeys(str(m.level) for m in self.levels if m.column == group.name))
        if not named and group.distinct == 2:
            # A category of yes and no is meant by its name where it is "yes".
            named = [level for level in group.levels() if level.lower() in _YES][:1]
        if not named:
            if self._direction() is not None:
                self.notes.append("which level is meant to be higher is not said, so any difference counts")
            return made
        made["level"] = named[0]
        if len(named) == 2 and group.distinct > 2:
            made["than"] = named[1]
        return self._with(made)
