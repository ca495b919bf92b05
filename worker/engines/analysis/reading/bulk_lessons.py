"""What a sample teaches about a column: how the exact reader came from its raw cells to canonical ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from worker.engines.analysis.reading.cells import (
    COMMA_FORMATS,
    PLAIN,
    POINT_FORMATS,
    NumberFormat,
    boolean_words,
    canonical_number,
)
from worker.engines.analysis.reading.dates import date_forms, forms_of_order
from worker.engines.analysis.reading.missing import MISSING_AMONG_VALUES, MISSING_ANYWHERE
from worker.engines.analysis.reading.overrides import DATE_ORDERS, ReadOptions
from worker.engines.analysis.table import Column, ColumnType

Meaning = Callable[[str], str | None]
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A column's type and how its cells are written."""

    name: str
    type: ColumnType
    unit: str | None = None
    identifier: bool = False
    asked: bool = False
    """The type is the request's, so that every other cell is at fault."""
    form: NumberFormat = PLAIN
    meaning: Meaning | None = None
    """For dates and booleans: canonical text, or None for what is none."""
    codes: frozenset[str] = frozenset()
    """Numbers that stand for a missing value here."""
    missing_values: frozenset[str] = MISSING_AMONG_VALUES
    missing_words: frozenset[str] = MISSING_ANYWHERE

    def number(self, text: str) -> str | None:
        """The canonical number that `text` is, without the column's unit; None for a code or no number."""
        if text in self.codes:
            return None
        found = canonical_number(text, self.form)
        if found is None and self.unit and self.unit in text:
            found = canonical_number("".join(text.replace(self.unit, "", 1).split(" ")), self.form)
        return found

    def whole(self, text: str) -> bool:
        """Whether the number is written without a decimal mark or an exponent."""
        found = self.number(text)
        return found is not None and bool(_WHOLE.fullmatch(found))

    def is_missing(self, text: str) -> bool:
        return text in self.codes or text.lower() in self.missing_values

    def is_missing_word(self, text: str) -> bool:
        return text.lower() in self.missing_words


def learn(column: Column, raw: Collection[str], options: ReadOptions) -> Lesson:
    """The lesson of one column: `column` as the exact reader gave it, `raw` its distinct raw cells.

    Raises LookupError where no way of writing explains the column.
    """
    codes = {code.strip().lower() for code in (*options.missing, *options.missing_in.get(column.name, ()))}
    canonical = {cell for cell in column.cells if cell is not None}
    texts = {text.strip() for text in raw} - {""}
    base = Lesson(
        column.name,
        column.type,
        column.unit,
        column.identifier,
        asked=column.name in options.types,
        missing_values=MISSING_AMONG_VALUES | codes,
        missing_words=MISSING_ANYWHERE | codes,
    )
    if column.numeric:
        return _number_lesson(base, texts, canonical)
    if column.type is ColumnType.DATE:
        return _with(base, _date_meaning(texts, canonical))
    if column.type is ColumnType.BOOLEAN:
        return _with(base, _boolean_meaning(texts))
    return base


def _number_lesson(base: Lesson, texts: set[str], canonical: set[str]) -> Lesson:
    for form in POINT_FORMATS + COMMA_FORMATS:
        lesson = replace(base, form=form)
        read = {text: lesson.number(text) for text in texts}
        if canonical <= set(read.values()):
            codes = {text for text, value in read.items() if value is not None and value not in canonical}
            return replace(lesson, codes=frozenset(codes))
    raise LookupError(base.name)


def _with(base: Lesson, meaning: Meaning) -> Lesson:
    return replace(base, meaning=meaning)


def _date_meaning(texts: set[str], canonical: set[str]) -> Meaning:
    forms = [*date_forms(day_first=False), *(form for order in DATE_ORDERS for form in forms_of_order(order))]
    for form in forms:
        if canonical <= {form.parse(text) for text in texts}:
            return form.parse
    raise LookupError("dates")


def _boolean_meaning(texts: set[str]) -> Meaning:
    pair = boolean_words({text.lower() for text in texts if text.lower() not in MISSING_AMONG_VALUES}) or ("1", "0")
    words = {pair[0]: "true", pair[1]: "false"}
    return lambda text: words.get(text.lower())
