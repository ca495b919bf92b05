"""Columns of large data, filled block by block: text cells become doubles or codes at once.

What a column's cells mean was learned from a sample that the exact reader has read (:class:`Lesson`); here every cell
is held against it. A cell that does not fit is missing, and a problem at its line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.packed import (
    PackedDays,
    PackedLevels,
    PackedNumbers,
    days_since_epoch,
)
from worker.engines.analysis.reading.bulk_lessons import Lesson, Meaning
from worker.engines.analysis.reading.cells import EDGES, LARGEST_EXPONENT
from worker.engines.analysis.reading.missing import tell_missing
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.table import Column, ColumnType

Array = Any
"""A pyarrow array or chunked array."""

FAULTS = 20
"""A column keeps its type while at most one value in so many does not fit it."""
CATEGORY_LEVELS = 50
_MOST_PROBLEMS = 1_000
_REMEMBERED = 200_000
_LARGEST = 10.0**LARGEST_EXPONENT
_WHOLE = r"^[+-]?[0-9]+$"
_LEADING_ZERO = r"^[+-]?0[0-9]"


class DoesNotFit(Exception):
    """The data say that the column is of another type than its sample."""


@dataclass(slots=True)
class Filled:
    """What all columns count: values present, codes for missing ones, cells that do not fit."""

    name: str
    notes: Notes
    present: int = 0
    faults: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def fault(self, line: int, text: str, issue: str) -> None:
        self.faults += 1
        if self.faults <= _MOST_PROBLEMS:
            self.notes.problem(line, f"{text[:60]!r} {issue}", "cell read as missing", self.name)

    def finish(self) -> None:
        """Decisions on what was counted."""
        if self.faults > _MOST_PROBLEMS:
            self.notes.decide(
                f"{self.faults} cells of column {self.name} read as missing",
                f"they do not fit its type; the first {_MOST_PROBLEMS} are named by line",
            )
        if self.codes:
            tell_missing(self.name, self.codes, self.notes)


class Doubles:
    """A growing array that begins with room for all that is expected, so that it is rarely copied."""

    def __init__(self, expected: int) -> None:
        self._values = np.empty(expected)
        self._filled = 0

    def append(self, values: npt.NDArray[np.float64]) -> None:
        end = self._filled + len(values)
        if end > len(self._values):
            grown = np.empty(end + end // 2)
            grown[: self._filled] = self._values[: self._filled]
            self._values = grown
        self._values[self._filled : end] = values
        self._filled = end

    def taken(self) -> npt.NDArray[np.float64]:
        """The array; nothing can be added any more."""
        return self._values[: self._filled]


class NumberCells:
    """Numbers, in the format that the lesson has found."""

    def __init__(self, lesson: Lesson, notes: Notes, rows: int) -> None:
        self.notes = notes
        self._lesson = lesson
        self._count = Filled(lesson.name, notes)
        self._values = Doubles(rows)
        self._fractions = lesson.type is ColumnType.NUMBER
        self._known: dict[str, float | None] = {}
        form = lesson.form
        point = re.escape(form.decimal)
        exponent = "(?:[eE][+-]?[0-9]{1,4})?"
        plain = f"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+){exponent}"
        mark = {"": "", " ": "[ \u00a0\u202f\u2009]", "'": "['\u2019]"}.get(form.thousands, re.escape(form.thousands))
        grouped = f"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+(?:{point}[0-9]*)?|" if mark else ""
        self._pattern = f"^[+-]?(?:{grouped}{plain})$"
        self._mark = mark
        self._comma = form.decimal != "."
        self._code_values = np.array(sorted(map(float, lesson.code_values)))

    def add(self, cells: Array, lines: npt.NDArray[np.int64]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._comma and not self._mark and not self._lesson.codes:
            try:
                values = _doubles(pc.cast(cells, pa.float64()))
            except pa.ArrowInvalid:
                pass
            else:
                size = np.abs(values)
                # Words such as inf are numbers to the conversion, but not here.
                plain = np.count_nonzero(np.isnan(size)) == cells.null_count
                if plain and not np.any((size >= _LARGEST) | ((size > 0) & (size <= 1 / _LARGEST))):
                    self._look_at_writing(cells, values)
                    self._keep(values)
                    return
        self._careful(cells, lines)

    def _careful(self, cells: Array, lines: npt.NDArray[np.int64]) -> None:
        """The same where some cells are not plain numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        bare = pc.replace_substring(trimmed(cells), "\u2212", "-")
        fits = pc.fill_null(pc.match_substring_regex(bare, self._pattern), False)
        if self._lesson.codes:
            fits = pc.and_(fits, pc.invert(pc.is_in(bare, value_set=pa.array(sorted(self._lesson.codes)))))
        number = pc.if_else(fits, bare, pa.scalar(None, pa.string()))
        if self._mark:
            number = pc.replace_substring_regex(number, self._mark, "")
        if self._comma:
            number = pc.replace_substring(number, ",", ".")
        number = pc.replace_substring_regex(number, r"^\+", "")
        values = _doubles(pc.cast(number, pa.float64())).copy()
        size = np.abs(values)
        coded = np.isin(values, self._code_values)
        odd = np.flatnonzero(
            ~np.asarray(fits) & ~np.asarray(pc.is_null(cells))
            | ((size >= _LARGEST) | ((size > 0) & (size <= 1 / _LARGEST)))
            | coded
        )
        texts = bare.take(pa.array(odd)).to_pylist() if len(odd) else []
        for place, text in zip(odd.tolist(), texts, strict=True):
            values[place] = self._odd(text, int(lines[place]))
        self._look_at_writing(number, values)
        self._keep(values)

    def _odd(self, text: str, line: int) -> float:
        if text in self._known:
            value = self._known[text]
        else:
            canonical = self._lesson.number(text)
            value = None if canonical is None else float(canonical)
            if len(self._known) < _REMEMBERED:
                self._known[text] = value
        if value is not None:
            self._fractions |= not value.is_integer() or not self._lesson.whole(text)
            return value
        if self._lesson.is_missing(text):
            if text:
                self._count.codes[text] += 1
        else:
            beyond = re.fullmatch(r"[+-]?[0-9]*[.,]?[0-9]*[eE][+-]?[0-9]+|[+-]?[0-9]{70,}", text)
            issue = f"beyond 1e±{LARGEST_EXPONENT}" if beyond else "does not fit the column's type"
            self._count.fault(line, text, issue)
        return float("nan")

    def _look_at_writing(self, cells: Array, values: npt.NDArray[np.float64]) -> None:
        import pyarrow.compute as pc

        there = values[~np.isnan(values)]
        if not self._fractions and np.any(there != np.floor(there)):
            self._fractions = True
        if not self._fractions:
            self._fractions = not pc.all(pc.match_substring_regex(trimmed(cells), _WHOLE), min_count=0).as_py()
        if self._lesson.asked:
            return
        zero = pc.or_(pc.starts_with(cells, "0"), pc.starts_with(cells, "-0"))
        if pc.any(zero).as_py() and pc.any(pc.match_substring_regex(cells.filter(zero), _LEADING_ZERO)).as_py():
            raise DoesNotFit("numbers with leading zeros")

    def _keep(self, values: npt.NDArray[np.float64]) -> None:
        self._values.append(values)
        self._count.present += int(np.count_nonzero(~np.isnan(values)))

    def column(self) -> Column:
        """The column, once all blocks are in. Raises DoesNotFit when too much of it is no number."""
        count = self._count
        if not self._lesson.asked and count.faults > (count.present + count.faults) // FAULTS:
            raise DoesNotFit(f"{count.faults} cells are no numbers")
        count.finish()
        values = self._values.taken()
        lesson = self._lesson
        kind = ColumnType.NUMBER if self._fractions else ColumnType.INTEGER
        note = None
        if kind is ColumnType.INTEGER and np.any(np.abs(values) > 2.0**53):
            note = f"whole numbers of column {lesson.name} beyond 2^53 are rounded to 16 digits"
            count.notes.decide(note, "the table is too large to be kept digit by digit")
        identifier = lesson.identifier and kind is ColumnType.INTEGER
        return Column(lesson.name, kind, PackedNumbers(values), lesson.unit, identifier, note)


class DistinctCells:
    """Dates and booleans: what a text means is found once for each distinct one."""

    def __init__(self, lesson: Lesson, notes: Notes, meaning: Meaning, rows: int) -> None:
        self.notes = notes
        self._lesson = lesson
        self._meaning = meaning
        self._count = Filled(lesson.name, notes)
        self._values = Doubles(rows)
        self._known: dict[str, float] = {}
        self._number: Callable[[str], float] = (
            days_since_epoch if lesson.type is ColumnType.DATE else {"false": 0.0, "true": 1.0}.__getitem__
        )

    def add(self, cells: Array, lines: npt.NDArray[np.int64]) -> None:
        import pyarrow.compute as pc

        encoded = pc.dictionary_encode(trimmed(cells))
        texts = encoded.dictionary.to_pylist()
        codes = np.asarray(encoded.indices.fill_null(-1), dtype=np.int64)
        values = np.append(np.array([self._value(text) for text in texts], dtype=np.float64), np.nan)
        found = values[codes]
        for code in np.flatnonzero(np.isnan(values[:-1])).tolist():
            text, places = texts[code], np.flatnonzero(codes == code)
            if self._lesson.is_missing(text):
                if text:
                    self._count.codes[text] += len(places)
                continue
            for place in places.tolist():
                self._count.fault(int(lines[place]), text, "does not fit the column's type")
        self._values.append(found)
        self._count.present += int(np.count_nonzero(~np.isnan(found)))

    def _value(self, text: str) -> float:
        if text not in self._known:
            meant = None if self._lesson.is_missing(text) else self._meaning(text)
            value = float("nan") if meant is None else self._number(meant)
            if len(self._known) >= _REMEMBERED:
                return value
            self._known[text] = value
        return self._known[text]

    def column(self) -> Column:
        """The column, once all blocks are in. Raises DoesNotFit when too much of it is of another type."""
        count, lesson = self._count, self._lesson
        few = 0 if lesson.type is ColumnType.BOOLEAN else (count.present + count.faults) // FAULTS
        if not lesson.asked and count.faults > few:
            raise DoesNotFit(f"{count.faults} cells are of another type")
        count.finish()
        values = self._values.taken()
        if lesson.type is ColumnType.DATE:
            return Column(lesson.name, lesson.type, PackedDays(values), lesson.unit, lesson.identifier)
        codes = np.where(np.isnan(values), -1, values).astype(np.int32)
        return Column(lesson.name, lesson.type, PackedLevels(codes, ("false", "true")))


class WordCells:
    """Categories and texts."""

    def __init__(self, lesson: Lesson, notes: Notes) -> None:
        self.notes = notes
        self._lesson = lesson
        self._count = Filled(lesson.name, notes)
        self._parts: list[Array] = []

    def add(self, cells: Array, lines: npt.NDArray[np.int64]) -> None:
        import pyarrow.compute as pc

        self._parts.append(pc.dictionary_encode(trimmed(cells)))

    def column(self) -> Column:
        """The column, once all blocks are in; what it is depends on how often values repeat."""
        import pyarrow as pa
        import pyarrow.compute as pc

        whole = pa.chunked_array(self._parts).unify_dictionaries()
        texts = whole.chunk(0).dictionary
        codes = np.concatenate([np.asarray(part.indices.fill_null(-1), dtype=np.int32) for part in whole.chunks])
        self._parts.clear()
        order = np.asarray(pc.sort_indices(texts), dtype=np.int64)
        texts = texts.take(pa.array(order))
        counts = np.bincount(codes[codes >= 0], minlength=len(order))[order]
        kept = np.ones(len(order), dtype=bool)
        for place in np.flatnonzero(self._short(texts)).tolist():
            text = texts[place].as_py()
            if self._lesson.is_missing_word(text):
                kept[place] = False
                if text:
                    self._count.codes[text] += int(counts[place])
        self._count.finish()
        renumbered = np.full(len(order) + 1, -1, dtype=np.int32)
        renumbered[order[kept]] = np.arange(int(kept.sum()), dtype=np.int32)
        codes = renumbered[codes]
        present, levels = int(counts[kept].sum()), int(kept.sum())
        few = 0 < levels <= min(CATEGORY_LEVELS, present // 2)
        asked = self._lesson.asked
        category = self._lesson.type is ColumnType.CATEGORY if asked else few
        chosen = texts.filter(pa.array(kept))
        if len(chosen) <= _REMEMBERED:
            return Column(
                self._lesson.name,
                ColumnType.CATEGORY if category else ColumnType.TEXT,
                PackedLevels(codes, tuple(chosen.to_pylist())),
            )
        return Column(self._lesson.name, ColumnType.TEXT, PackedLevels(codes, ArrowTexts(chosen)))

    def _short(self, texts: Array) -> npt.NDArray[np.bool_]:
        """Which of them may be codes for a missing value."""
        import pyarrow.compute as pc

        longest = max((len(code) for code in self._lesson.missing_words), default=0)
        return np.asarray(pc.less_equal(pc.utf8_length(texts), longest))


class ArrowTexts(Sequence[str]):
    """Many texts in one piece of memory."""

    def __init__(self, texts: Array) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: Any) -> Any:
        return self._texts[index].as_py() if isinstance(index, int) else self._texts[index].to_pylist()


Cells = NumberCells | DistinctCells | WordCells


def cells_for(lesson: Lesson, notes: Notes, rows: int) -> Cells:
    """What fills a column of the lesson's type; `rows` are expected."""
    match lesson.type:
        case ColumnType.NUMBER | ColumnType.INTEGER:
            return NumberCells(lesson, notes, rows)
        case ColumnType.DATE | ColumnType.BOOLEAN if lesson.meaning is not None:
            return DistinctCells(lesson, notes, lesson.meaning, rows)
    return WordCells(lesson, notes)


def trimmed(cells: Array) -> Array:
    """The cells as the exact reader takes them: without spaces and marks of no width at the edges, and ``="…"``."""
    import pyarrow.compute as pc

    bare = pc.utf8_trim_whitespace(pc.utf8_trim(pc.utf8_trim_whitespace(cells), EDGES))
    if pc.any(pc.starts_with(bare, '="')).as_py():
        bare = pc.replace_substring_regex(bare, r'(?s)^="(.*)"$', r"\1")
    return bare


def _doubles(array: Array) -> npt.NDArray[np.float64]:
    """Doubles, NaN for null."""
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
