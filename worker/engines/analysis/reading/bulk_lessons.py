"""What a sample teaches about a column: how the exact reader came from its raw cells to canonical ones."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from worker.engines.analysis.reading.affixes import Bare, strip_affixes
from worker.engines.analysis.reading.cells import (
    COMMA_FORMATS,
    PLAIN,
    POINT_FORMATS,
    NumberFormat,
    boolean_words,
    canonical_number,
)
from worker.engines.analysis.reading.dates import date_forms, forms_of_order
from worker.engines.analysis.reading.missing import MISSING_AMONG_VALUES, MISSING_ANYWHERE, code_values
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
    affixed: bool = False
    """Its numbers carry signs or the unit: ``$12``, ``5 %``, ``(300)``."""
    meaning: Meaning | None = None
    """For dates and booleans: canonical text, or None for what is none."""
    codes: frozenset[str] = frozenset()
    """Numbers that stand for a missing value here."""
    code_values: frozenset[Decimal] = frozenset()
    """The same as numbers, of a column of numbers."""
    missing_values: frozenset[str] = MISSING_AMONG_VALUES
    missing_words: frozenset[str] = MISSING_ANYWHERE

    def number(self, text: str) -> str | None:
        """The canonical number that `text` is, without the column's unit; None for a code or no number."""
        if text in self.codes:
            return None
        found = canonical_number(text, self.form)
        if found is None and self.affixed:
            bare = strip_affixes({text: 1})
            if isinstance(bare, Bare) and bare.unit in ("", self.unit or ""):
                found = canonical_number(bare.numbers[text], self.form)
        return None if found is not None and self.code_values and Decimal(found) in self.code_values else found

    def whole(self, text: str) -> bool:
        """Whether the number is written without a decimal mark or an exponent."""
        found = self.number(text)
        return found is not None and bool(_WHOLE.fullmatch(found))

    def is_missing(self, text: str) -> bool:
        if text in self.codes or text.lower() in self.missing_values:
            return True
        return bool(self.code_values) and replace(self, code_values=frozenset()).number(text) is not None

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
        codes=frozenset(codes),
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
    base = replace(base, code_values=code_values(base.codes))
    for affixed, form in itertools.product((False, True), POINT_FORMATS + COMMA_FORMATS):
        lesson = replace(base, form=form, affixed=affixed)
        read = {text: lesson.number(text) for text in texts}
        if canonical <= set(read.values()):
            found = {text for text, value in read.items() if value is not None and value not in canonical}
            return replace(lesson, codes=lesson.codes | found)
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
