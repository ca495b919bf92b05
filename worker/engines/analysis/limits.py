"""Rows that a value with its unit picks, that a denied value leaves out, or that lie in part of a year; and nouns for
the rows themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from worker.engines.analysis.choosing import names_time
from worker.engines.analysis.mentions import Mention
from worker.engines.analysis.reading.units import is_unit
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.vocabulary import NUMBER, Word, name_words, number_of, words_of

if TYPE_CHECKING:
    from worker.engines.analysis.filters import FilterReader

_MOST_LEVELS = 20
_LEAST_ROWS = 10
_NUMBER = rf"({NUMBER})"
_AT = r"(?:(?:is|are|was|were|be|been) )?(?:at|of|for|with|aged|exactly|is|are|was|were)"
_BOUNDS = (
    (">=", r"at least|no less than|not below"),
    ("<=", r"at most|no more than|not above|up to"),
    (">", r"above|over|greater than|more than|larger than|higher than|longer than|older than|exceeding|beyond"),
    ("<", r"below|under|less than|smaller than|lower than|fewer than|shorter than|younger than"),
)
_DENIAL = (
    r"(?: (?:who|that|which|but))?(?: (?:is|are|was|were))?"
    r" (?:not|except|excluding|without|outside|besides|other than|apart from|non)"
    r"(?: (?:for|in|from|of|the|a|an))* #(\d+)((?: (?:and|or|nor|,|, and) (?:the )?#\d+)*)(?: @(\d+))?(?= )"
)
_DENIED = tuple(
    re.compile(lead + _DENIAL) for lead in (r" (?:in|of|for|from|among|across)(?: (?:all|any|the))* @(\d+)", "()")
)
_SHARE = re.compile(r"\b(?:share|percent\w*|proportion|fraction|rate)\b")
_PART = re.compile(
    r"(?: (?:in|during|for|of|from|within))?(?: the)? "
    r"(first|second|third|fourth|last|1st|2nd|3rd|4th|q[1-4]) ?(quarter|half)?(?: (?:of|in))?(?: the)?(?: year)? "
    r"((?:1[5-9]|2[01])\d\d)(?= )"
)
_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_WORDS = frozenset(("", "in", "a"))
"""Units that are words, too."""
_PICKED = frozenset(("which", "what", "between", "by", "per", "across", "each", "every"))


def read_limits(reader: FilterReader) -> None:
    """Takes what it understands out of the reader's text, as conditions on the rows."""
    _part_of_year(reader)
    if not _SHARE.search(reader.text):  # those are of all rows
        _denied(reader)
        _with_units(reader)
        _before_name(reader)


def rows_by_name(words: Sequence[Word], mentions: Sequence[Mention], table: Table) -> tuple[list[Word], list[Mention]]:
    """Words and mentions in which the plural of a column that only numbers the rows stands for the rows."""
    gone = [m for m in mentions if _stands_for_rows(m, words, table)]
    places = {m.start for m in gone}
    told = [replace(word, text="rows") if i in places else word for i, word in enumerate(words)]
    return told, [m for m in mentions if m not in gone]


def _stands_for_rows(mention: Mention, words: Sequence[Word], table: Table) -> bool:
    column = table[mention.column]
    names = name_words(column.name)
    said = words[mention.start].text
    if mention.level is not None or mention.end - mention.start != 1 or said in names or not said.endswith("s"):
        return False
    before = [word.text for word in words[max(0, mention.start - 2) : mention.start]]
    if not _PICKED.isdisjoint(before):
        return False
    return numbers_rows(column) or (
        before == ["how", "many"] and column.distinct == len(column.cells) and _are_years(column)
    )


def numbers_rows(column: Column) -> bool:
    """Whether the whole numbers of the column are those of the rows, from 0 or 1 in order."""
    if column.type is not ColumnType.INTEGER or column.missing or len(column.cells) < _LEAST_ROWS:
        return False
    if column.unit or names_time(column.name):
        return False
    values = column.floats()
    return float(values[0]) in (0.0, 1.0) and bool((values[1:] - values[:-1] == 1).all())


def has_no_total(column: Column) -> bool:
    """Whether the column numbers the rows, or the years that they are of."""
    return column.identifier or numbers_rows(column) or _are_years(column)


def _are_years(column: Column) -> bool:
    if column.type is not ColumnType.INTEGER or "year" not in name_words(column.name) or column.distinct == 0:
        return False
    values = column.floats()[column.present()]
    return float(values.min()) >= 1000 and float(values.max()) < 3000


def _part_of_year(reader: FilterReader) -> None:
    time = reader.time()
    if time is None or time.type is not ColumnType.DATE:
        return
    for match in _PART.finditer(reader.text):
        said, unit = match[1], match[2] or ("quarter" if match[1][0] == "q" else "")
        months = {"quarter": 3, "half": 6}.get(unit, 0)
        if not months:
            continue
        place = int(said[1]) if said[0] == "q" else _PLACES.get(said, 12 // months)
        if place * months > 12:
            continue
        first, last = (place - 1) * months + 1, place * months
        year = match[3]
        reader.take(match, [(time.name, ">=", f"{year}-{first:02d}"), (time.name, "<=", f"{year}-{last:02d}")])
        return


def _denied(reader: FilterReader) -> None:
    for pattern in _DENIED:
        for match in pattern.finditer(reader.text):
            if kept := _kept(reader, match):
                reader.take(match, [(kept[0], "is", level) for level in kept[1]])
                _denied(reader)
                return


def _kept(reader: FilterReader, match: re.Match[str]) -> tuple[str, list[str]] | None:
    """The column, and its values that are not denied."""
    denied = [reader.mentions[int(number)] for number in (match[2], *re.findall(r"\d+", match[3]))]
    name = denied[0].column
    around = [reader.mentions[int(number)].column for number in (match[1], match[4]) if number]
    column = reader.table[name]
    if {m.column for m in denied} != {name} or set(around) - {name} or column.distinct > _MOST_LEVELS:
        return None
    levels = [level for level in column.levels() if level not in {m.level for m in denied}]
    return (name, levels) if levels else None


def _with_units(reader: FilterReader) -> None:
    """*at 45 °C*, *above 400 ppm*, *between 40 and 60 years old*: where one column is in that unit."""
    fitting: dict[str, list[Column]] = {}
    for column in reader.table.columns:
        for unit in _units(column) if column.numeric else ():
            fitting.setdefault(unit, []).append(column)
    for unit, columns in fitting.items():
        if len(columns) == 1:
            _with_unit(reader, unit, columns[0])


def _with_unit(reader: FilterReader, unit: str, column: Column) -> None:
    numbers = [str(i) for i, mention in enumerate(reader.mentions) if mention.column == column.name]
    told = rf"(?:old|of age{''.join(f'|@{number}' for number in numbers)})"  # "old" may stand for the column
    if any(re.search(rf"(?<! {re.escape(unit)}) @{number} ", reader.text) for number in numbers):
        return  # a bound on what is asked about is another matter
    tail = rf" {re.escape(unit)}(?: {told})?(?= )(?! (?:more|less|\w+er) )"
    be = r"(?: (?:is|are|was|were|aged|with))?"
    if match := re.search(rf"{be} (?:between|from) {_NUMBER} (?:and|to) {_NUMBER}{tail}", reader.text):
        least, most = sorted((number_of(match[1]), number_of(match[2])))
        reader.take(match, [(column.name, ">=", least), (column.name, "<=", most)])
        return
    if len(re.findall(rf" {_NUMBER} {re.escape(unit)}(?= )", reader.text)) > 1:
        return  # one is held against the other
    for sign, words in (*_BOUNDS, ("=", _AT)):
        if found := re.search(rf"{be} (?:{words}) {_NUMBER}{tail}", reader.text):
            reader.take(found, [(column.name, sign, number_of(found[1]))])
            return


def _units(column: Column) -> set[str]:
    """The words that its unit is said in: that of the column, else the last word of its name where that is one."""
    unit, last = column.unit, column.name.rsplit("_", 1)[-1]
    if unit is None and "_" in column.name.strip("_") and any(map(is_unit, (last, last.upper(), f"°{last.upper()}"))):
        unit = last
    said = " ".join(word.text for word in words_of(unit or ""))
    found = {said} - _WORDS
    if len(said) > 2:  # "ms" is no plural of "m"
        found |= {said.rstrip("s"), f"{said}s"}
    if column.unit is None and "age" in name_words(column.name):
        found |= {"year", "years"}
    return found


def _before_name(reader: FilterReader) -> None:
    """*at 100 % charge*, *for 18 months*, *above 400 ppm* of a column ``co2_ppm``: a value before its column's name."""
    for sign, words in (*_BOUNDS, ("=", "at|for")):
        for match in re.finditer(rf" (?:{words}) {_NUMBER} @(\d+)(?= )", reader.text):
            mention = reader.mentions[int(match[2])]
            column = reader.table[mention.column]
            others = any(m.column != column.name for m in reader.mentions) or "how many" in reader.text
            fits = _occurs(column, match[1]) if sign == "=" and column.numeric else _is_unit_of(reader, mention, column)
            if others and column.numeric and fits:
                reader.take(match, [(column.name, sign, number_of(match[1]))])
                return


def _is_unit_of(reader: FilterReader, mention: Mention, column: Column) -> bool:
    return " ".join(word.text for word in reader.all[mention.start : mention.end]) in _units(column)


def _occurs(column: Column, said: str) -> bool:
    return bool((column.floats() == number_of(said)).any())
