"""Which rows a question is about: dates, comparisons with numbers, adjectives; and which of its words are not used."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from worker.engines.analysis.choosing import is_time, is_zero_one, names_time
from worker.engines.analysis.limits import read_limits
from worker.engines.analysis.mentions import Mention
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.unused import GENERIC
from worker.engines.analysis.vocabulary import NUMBER, Word, alike, content, name_words, number_of

Condition = tuple[str, str, Any]
"""(column, ``is`` | ``>`` | ``>=`` | ``<`` | ``<=`` | ``=``, value)."""

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_YEAR = r"(?:1[5-9]|2[01])\d\d"
_MONTH = rf"(?:{'|'.join((*_MONTHS, *(name[:3] for name in _MONTHS), 'sept'))})"
_WHEN = rf"(?:{_MONTH} )?{_YEAR}"
_LEAD = r"(?:the |year |years |month of |@\d+ |is |are |was )*"
_BETWEEN = re.compile(rf"(?<= )(?:between|from) {_LEAD}({_WHEN}) (?:and|to|until|till|through) {_LEAD}({_WHEN})(?= )")
_IN = re.compile(
    rf"(?<= )(?:in|during|for|of|from|where|within) {_LEAD}({_WHEN})((?: (?:and|or|,|, and) {_WHEN})*)(?= )"
)
_SIDES = (
    (">=", re.compile(rf"(?<= )(?:since|starting(?: in| from)?) {_LEAD}({_WHEN})(?= )")),
    ("<", re.compile(rf"(?<= )(?:before|prior to|earlier than) {_LEAD}({_WHEN})(?= )")),
    (">", re.compile(rf"(?<= )(?:after|later than) {_LEAD}({_WHEN})(?= )")),
    ("<=", re.compile(rf"(?<= )(?:until|till|up to|through) {_LEAD}({_WHEN})(?= )")),
)
_NUMBER = rf"({NUMBER})"
_BOUNDS = (
    (">=", r"at least|no less than|not below"),
    ("<=", r"at most|no more than|not above|up to"),
    (">", r"above|over|greater than|more than|larger than|higher than|exceeding|beyond"),
    ("<", r"below|under|less than|smaller than|lower than|fewer than"),
)
_SMALLER = re.compile(r"young|light|short|small|low|slow|narrow|cold|cheap|poor")
_COMPARING = re.compile(
    r"\b(?:compare[ds]?|comparing|comparison|versus|vs|than|differ\w*|between|higher|lower|larger|smaller|greater)\b"
)
_COUNTED = re.compile(r"\b(?:share|percent\w*|proportion|fraction|how many|number of)\b")
_PERIOD = re.compile(
    r"(?<= )(?:per|by|each|every|for each|for every|in each) (?:calendar )?(year|quarter|month|day)(?= )"
)
_WHICH = re.compile(r"(?<= )(?:in )?(?:which|what) (year|quarter)(?= )")
_ADVERB = re.compile(r"(?<= )(yearly|annual|annually|quarterly|monthly|daily)(?= )")
_ADVERBS = {"yearly": "year", "annual": "year", "annually": "year", "quarterly": "quarter", "monthly": "month",
            "daily": "day"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What a prompt says of the rows, and the words and mentions that are left of it."""

    words: list[Word]
    mentions: list[Mention]
    where: tuple[Condition, ...]
    period: tuple[str, str] | None
    """(column of dates, year | quarter | month | day) to group by."""
    dated: bool
    which: bool = False
    """It asks which of the periods."""


class FilterReader:
    """Reads the qualifiers of one prompt."""

    def __init__(self, words: Sequence[Word], mentions: Sequence[Mention], table: Table) -> None:
        self.all = list(words)
        self.mentions = list(mentions)
        self.table = table
        self.taken: set[int] = set()
        self.where: list[Condition] = []
        self.which = False
        self._write()

    def read(self) -> Filters:
        read_limits(self)
        dated = self._dates()
        period = self._period()
        self._numbers()
        self._adjectives()
        self._levels()
        left = [i for i in range(len(self.all)) if i not in self.taken]
        places = {old: new for new, old in enumerate(left)}
        mentions = [
            Mention(places[m.start], places[m.end - 1] + 1, m.column, m.level, m.read_as, m.alternatives)
            for m in self.mentions
            if m.start in places and m.end - 1 in places
        ]
        where = tuple(dict.fromkeys(self.where))
        return Filters([self.all[i] for i in left], mentions, where, period, dated, self.which)

    def _write(self) -> None:
        """The prompt with placeholders, and for each place of it the word."""
        by_start = {mention.start: (number, mention) for number, mention in enumerate(self.mentions)}
        self.text, self.at = " ", [0]
        place = 0
        while place < len(self.all):
            end = place + 1
            shown = self.all[place].text
            if place in by_start:
                number, mention = by_start[place]
                shown, end = f"{'@' if mention.level is None else '#'}{number}", mention.end
            if place not in self.taken:
                self.at += [place] * (len(shown) + 1)
                self.text += shown + " "
            place = end

    def take(self, match: re.Match[str], condition: Sequence[Condition]) -> None:
        """The words of the match are used up; its mentions count as such no longer."""
        for place in {self.at[i] for i in range(match.start() + (match[0][:1] == " "), match.end())}:
            mention = next((m for m in self.mentions if m.start == place), None)
            self.taken |= set(range(place, mention.end if mention else place + 1))
        self.where += condition
        self._write()

    # Dates

    def time(self) -> Column | None:
        """The column of dates or years that a time in the prompt is of."""
        usable = [c for c in self.table.columns if is_time(c) or (c.numeric and names_time(c.name) and c.distinct > 1)]
        years = [c for c in usable if c.numeric and _least(c) >= 1000 and "year" in "".join(name_words(c.name))]
        named = {mention.column for mention in self.mentions}
        dates = [c for c in usable if c.type is ColumnType.DATE]
        return next(iter([c for c in (*dates, *years) if c.name in named] or dates or years), None)

    def _dates(self) -> bool:
        time = self.time()
        if time is None or not re.search(rf" {_YEAR} ", self.text):
            return False
        if re.search(r"\b(?:will|forecasts?|going to be|next|predict\w*)\b", self.text):
            return False
        before = len(self.where)
        while match := _BETWEEN.search(self.text):
            self.take(match, self._side(time, ">=", match[1]) + self._side(time, "<=", match[2]))
        for sign, pattern in _SIDES:
            while match := pattern.search(self.text):
                self.take(match, self._side(time, sign, match[1]))
        found = list(_IN.finditer(self.text))
        if len(found) == 1 and not (found[0][2] and _COMPARING.search(self.text)):
            match = found[0]
            moments = [match[1], *re.findall(_WHEN, match[2])]
            self.take(match, [c for moment in moments for c in self._side(time, "=", moment)])
        return len(self.where) > before

    def _side(self, time: Column, sign: str, moment: str) -> list[Condition]:
        year = moment[-4:]
        month = next((i + 1 for i, name in enumerate(_MONTHS) if moment[:3] == name[:3]), 0)
        if time.type is ColumnType.DATE:
            return [(time.name, sign, f"{year}-{month:02d}" if month else year)]
        return [(time.name, sign, float(year))]

    def _period(self) -> tuple[str, str] | None:
        dates = [c for c in self.table.columns if c.type is ColumnType.DATE and c.distinct > 1]
        named = [c for c in dates if any(m.column == c.name for m in self.mentions)]
        if not dates:
            return None
        match = _PERIOD.search(self.text) or _WHICH.search(self.text) or _ADVERB.search(self.text)
        if match is None:
            return None
        self.which = match.re is _WHICH
        self.take(match, [])
        return (named or dates)[0].name, _ADVERBS.get(match[1], match[1])

    # Numbers

    def _numbers(self) -> None:
        shared = _COUNTED.search(self.text) is not None
        for sign, words in _BOUNDS:
            self._each(rf"(?: (?:with|whose|having|where|aged))?(?: an?| the| their)* @(\d+) "
                       rf"(?:is |are |was |of |values? )*(?:{words}) {_NUMBER}(?: [a-z]+)??(?= )",
                       partial(self._of_mention, sign=sign, shared=shared))  # fmt: skip
            self._each(rf" (?:with|having|have|has|had) (?:{words}) {_NUMBER} @(\d+)(?= )",
                       partial(self._of_count, sign=sign))  # fmt: skip
            self._each(rf"(?: aged)? (?:{words}) {_NUMBER} ([a-z]+)(?: old| of age)?(?= )",
                       partial(self._of_unit, sign=sign))  # fmt: skip
        self._each(rf"(?: (?:with|whose|having|have|has|had|where))?(?: an?| the| their)* @(\d+) "
                   rf"(?:is |are |was |were |of )*between {_NUMBER} and {_NUMBER}(?= )", self._of_range)  # fmt: skip
        self._each(rf"(?: (?:who|that|which))?(?: (?:is|are|were|was))? @(\d+) than {_NUMBER}(?: (?:[a-z]+))??(?= )",
                   self._of_comparative)  # fmt: skip
        self._each(rf"(?: (?:with|whose|having|where|at)) (?:an? |the |their )*@(\d+) "
                   rf"(?:is |are |was |of |equal to |equals |= )*{_NUMBER}(?= )",
                   partial(self._of_mention, sign="=", shared=shared))  # fmt: skip
        self._each(r" (?:with|having|have|has|had) (?:exactly )?(\d+) @(\d+)(?= )", self._of_count)

    def _each(self, pattern: str, make: Callable[[re.Match[str]], list[Condition]]) -> None:
        for match in re.finditer(pattern, self.text):
            if condition := make(match):
                unit = re.match(r" ([a-z]+)(?: old| of age)?(?= )", self.text[match.end() :])
                column = self.table[condition[0][0]]
                if unit is not None and _is_unit(unit[1], column):
                    whole = re.compile(re.escape(match[0] + unit[0])).match(self.text, match.start())
                    assert whole is not None
                    match = whole
                self.take(match, condition)
                return self._each(pattern, make)
        return None

    def _of_mention(self, match: re.Match[str], sign: str, shared: bool) -> list[Condition]:
        mention = self.mentions[int(match[1])]
        column = self.table[mention.column]
        others = {m.column for m in self.mentions} - {column.name}
        led = re.match(r" (?:with|whose|having|where|aged)", match[0])
        after = re.search(r"[@#]\d", self.text[match.end() :])
        if not column.numeric or mention.level is not None or not others or (shared and not (led and after)):
            return []
        return [(column.name, sign, number_of(match[2]))]

    def _of_range(self, match: re.Match[str]) -> list[Condition]:
        """*a fare between 10 and 20*."""
        mention = self.mentions[int(match[1])]
        column = self.table[mention.column]
        if not column.numeric or column.identifier or mention.level is not None:
            return []
        least, most = sorted((number_of(match[2]), number_of(match[3])))
        return [(mention.column, ">=", least), (mention.column, "<=", most)]

    def _of_count(self, match: re.Match[str], sign: str = "=") -> list[Condition]:
        """*with 4 cylinders*, *with fewer than 4 cylinders*, where that is not all that is asked."""
        mention = self.mentions[int(match[2])]
        column = self.table[mention.column]
        asked = _COUNTED.search(self.text[: match.start()]) or any(m.column != column.name for m in self.mentions)
        fits = column.type is ColumnType.INTEGER and mention.level is None and asked
        return [(column.name, sign, number_of(match[1]))] if fits else []

    def _of_unit(self, match: re.Match[str], sign: str) -> list[Condition]:
        fitting = [c.name for c in self.table.columns if c.numeric and _is_unit(match[2], c)]
        return [(fitting[0], sign, number_of(match[1]))] if len(fitting) == 1 else []

    def _of_comparative(self, match: re.Match[str]) -> list[Condition]:
        mention = self.mentions[int(match[1])]
        said = self.all[mention.start].text
        if not self.table[mention.column].numeric or not said.endswith("er"):
            return []
        return [(mention.column, "<" if _SMALLER.match(said) else ">", number_of(match[2]))]

    # Adjectives and levels

    def _adjectives(self) -> None:
        """*treated patients*, *untreated patients*, *patients who relapsed*, where something else is asked of them."""
        if _COMPARING.search(self.text) or _COUNTED.search(self.text):
            return
        self._denied()
        self._having()
        self._who()
        for pattern in (
            r" (?:of|in|among|for|only|from|with|all|the) @(\d+)(?= ([a-z]+|@\d+) )",
            r" (?:who|that|which) (?:is |are |was |were |have |has |had |got |did )*(not |never )?@(\d+)(?= )",
        ):
            match = re.search(pattern, self.text)
            if match is None:
                continue
            number = next(group for group in reversed(match.groups()) if group and group.isdigit())
            mention = self.mentions[int(number)]
            others = {m.column for m in self.mentions if m.level is None} - {mention.column}
            if (level := self._flag(mention.column, said=match[0].split()[-2] not in ("not", "never"))) and others:
                adjective = "who" not in pattern
                if adjective and not self._is_noun(match[2]):
                    continue
                place = re.compile(rf" @{number}").search(self.text, match.start())
                if place is not None:
                    self.take(match if not adjective else place, [(mention.column, "is", level)])

    def _who(self) -> None:
        """*of survivors*, *among smokers*: those who are what a column of truth values says."""
        match = re.search(
            r" (?:of|among|for|in) (?:the |all |an? )*@(\d+)(?= (?:[?.,;]|in|at|on|from|by|per|with|who) | $)",
            self.text,
        )
        mention = self.mentions[int(match[1])] if match else None
        if match is None or mention is None or not self.all[mention.end - 1].text.endswith(("ers", "ors", "er", "or")):
            return
        level = self._flag(mention.column, said=True)
        if level is not None and any(m.level is None and m.column != mention.column for m in self.mentions):
            self.take(match, [(mention.column, "is", level)])

    def _having(self) -> None:
        """*cows without fever*, *patients with relapse*."""
        match = re.search(r" (\S+) (with|without) @(\d+)(?= )", self.text)
        if match is None:
            return
        mention = self.mentions[int(match[3])]
        noun = match[2] == "without" or match[1] in GENERIC or (match[1][0] == "@" and self._is_noun(match[1]))
        level = self._flag(mention.column, said=match[2] == "with")
        if noun and level is not None and len({m.column for m in self.mentions}) > 1:
            place = re.compile(rf" {match[2]} @{match[3]}(?= )").search(self.text, match.start())
            assert place is not None
            self.take(place, [(mention.column, "is", level)])

    def _is_noun(self, token: str) -> bool:
        if token.startswith("@"):
            column = self.table[self.mentions[int(token[1:])].column]
            return column.identifier or column.type is ColumnType.TEXT
        return token in GENERIC or bool(content([token]))

    def _denied(self) -> None:
        for match in re.finditer(r" (?:un|non ?)([a-z]{4,})(?= )", self.text):
            for column in self.table.columns:
                if any(alike(match[1], part) for part in name_words(column.name)):
                    if (level := self._flag(column.name, said=False)) is not None and self.mentions:
                        self.take(match, [(column.name, "is", level)])
                    return

    def _flag(self, name: str, *, said: bool) -> str | None:
        column = self.table[name]
        if column.type is ColumnType.BOOLEAN:
            return "true" if said else "false"
        if is_zero_one(column):
            return column.levels()[said]
        return None

    def _levels(self) -> None:
        """*among loam*, *in West*: where no level is compared with another."""
        named = [mention for mention in self.mentions if mention.level is not None]
        subjects = [mention for mention in self.mentions if mention.level is None]
        columns = {mention.column for mention in subjects if not self.table[mention.column].names_rows}
        if len(named) != 1 or len(columns) < 2 or named[0].column in columns:
            return
        if _COUNTED.search(self.text) or _COMPARING.search(self.text):
            return
        number = self.mentions.index(named[0])
        match = re.search(rf" (?:in|on|at|among|for|within|only|from)(?: the)? #{number}(?= )", self.text)
        if match is not None:
            self.take(match, [(named[0].column, "is", named[0].level)])


def _is_unit(said: str, column: Column) -> bool:
    unit = (column.unit or "").lower()
    if unit and said in (unit, unit.rstrip("s"), f"{unit}s"):
        return True
    return said in ("year", "years") and "age" in name_words(column.name)


def _least(column: Column) -> float:
    import numpy as np

    return float(np.nanmin(column.floats()))
