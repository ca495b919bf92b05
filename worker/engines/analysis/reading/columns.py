"""From text cells to typed columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from worker.engines.analysis.options import ReadOptions
from worker.engines.analysis.reading.cells import (
    COMMA_FORMATS,
    LARGEST_EXPONENT,
    MISSING_AMONG_VALUES,
    MISSING_ANYWHERE,
    POINT_FORMATS,
    NumberFormat,
    boolean_words,
    canonical_number,
    strip_unit,
)
from worker.engines.analysis.reading.dates import DAY_FIRST, ISO, MONTH_FIRST, date_forms
from worker.engines.analysis.reading.notes import Decision, Notes
from worker.engines.analysis.table import Column, ColumnType

_FORMS = POINT_FORMATS + COMMA_FORMATS
# A column counts as numbers (or dates) when at most one cell in twenty is something else, and with fewer
# than twenty values only when none is.
_FAULTS = 20
_CATEGORY_LEVELS = 50
_SHORT_TABLE = 20
_FIRST_LOOK = 200
_IDENTIFIER = re.compile(
    r"(^|[^a-z])(id|ids|idx|index|nr|row|rownum|code|zip|zipcode|fips|postal|phone|uuid|key)([^a-z]|$)"
)
_EXPONENT = re.compile(r"[+-]?[0-9]*[.,]?[0-9]*[eE][+-]?[0-9]+|[+-]?[0-9]{70,}")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
_SENTINELS = frozenset({"-9", "-99", "-999", "-9999", "99999", "999999"})

Converted = dict[str, str | None]


class ColumnBuilder:
    """Types the columns of one dataset; what one column shows about decimal marks helps with the others."""

    def __init__(self, options: ReadOptions, lines: Sequence[int], notes: Notes, *, european: bool) -> None:
        self._options = options
        self._lines = lines
        self._notes = notes
        self._codes = frozenset(code.strip().lower() for code in options.missing)
        self._european = european

    def build(self, names: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[Column, ...]:
        stripped = [[cell.strip() for cell in cells] for cells in columns]
        forms = self._preferred_forms(stripped)
        typed = [self._column(name, cells, forms) for name, cells in zip(names, stripped, strict=True)]
        return tuple(self._unless_named(column, names) for column in typed)

    def _unless_named(self, column: Column, names: Sequence[str]) -> Column:
        """Whole numbers beside a column ``<name>_name`` are codes for those names."""
        named = f"{column.name}_name" in names or f"{column.name} name" in names
        if column.type is not ColumnType.INTEGER or column.identifier or not named:
            return column
        self._notes.decide(f"column {column.name} is an identifier", "another column names its values", "a measurement")
        return replace(column, identifier=True)

    def _present(self, cells: Collection[str], words: Collection[str]) -> list[str]:
        return [cell for cell in cells if cell.lower() not in words and cell.lower() not in self._codes]

    def _preferred_forms(self, columns: Sequence[Sequence[str]]) -> tuple[NumberFormat, ...]:
        """Number formats in the order to try: columns that fit one decimal mark only decide for the file."""
        if self._options.decimal is not None:
            return COMMA_FORMATS if self._options.decimal == "," else POINT_FORMATS
        points = commas = 0
        for cells in columns:
            present = self._present(set(cells), MISSING_AMONG_VALUES)
            if not present:
                continue
            point = any(all(canonical_number(c, form) is not None for c in present) for form in POINT_FORMATS)
            comma = any(all(canonical_number(c, form) is not None for c in present) for form in COMMA_FORMATS)
            points += point and not comma
            commas += comma and not point
        if commas and not points:
            self._notes.decide(
                "numbers have a decimal comma", f"{commas} column(s) can be read in no other way", "point"
            )
        if commas > points or (self._european and not points):
            return COMMA_FORMATS + POINT_FORMATS
        return _FORMS

    def _column(self, name: str, cells: Sequence[str], forms: Sequence[NumberFormat]) -> Column:
        asked = self._options.types.get(name)
        if asked is not None:
            self._notes.decide(f"column {name} is {asked}", "asked for in the request")
        present = self._present(cells, MISSING_AMONG_VALUES)
        distinct = sorted(set(present))
        tolerance = len(present) if asked else len(present) // _FAULTS
        readers: dict[str, Callable[[], Column | None]] = {
            "boolean": lambda: self._boolean(name, cells, distinct, forced=asked is not None),
            "number": lambda: self._number(name, cells, present, forms, tolerance),
            "date": lambda: self._date(name, cells, present, tolerance),
        }
        if asked in ("category", "text"):
            readers = {}
        elif asked is not None:
            readers = {key: reader for key, reader in readers.items() if key == asked.replace("integer", "number")}
        if distinct:
            for reader in readers.values():
                if (column := reader()) is not None:
                    return column
        return self._words(name, cells, asked)

    def _boolean(self, name: str, cells: Sequence[str], distinct: Sequence[str], *, forced: bool) -> Column | None:
        words = boolean_words({cell.lower() for cell in distinct})
        if words is None and forced and set(distinct) <= {"0", "1"}:
            words = ("1", "0")
        if words is None:
            return None
        meaning: Converted = {c: "true" if c.lower() == words[0] else "false" for c in distinct}
        return Column(name, ColumnType.BOOLEAN, self._convert(name, cells, meaning))

    def _number(
        self, name: str, cells: Sequence[str], present: Sequence[str], forms: Sequence[NumberFormat], tolerance: int
    ) -> Column | None:
        counts = Counter(present)
        bare, unit = {cell: cell for cell in counts}, None
        best = _best_form(bare, counts, forms, tolerance)
        if (best is None or best[0]) and len(present) >= 3 and (stripped := strip_unit(list(counts))) is not None:
            bare, unit = dict(zip(counts, stripped[0], strict=True)), stripped[1]
            best = _best_form(bare, counts, forms, tolerance)
        if best is None or best[0] == len(present):
            return None
        _, form, meaning = best
        values = [value for value in meaning.values() if value is not None]
        if unit is None and any(map(_LEADING_ZERO.fullmatch, values)) and not self._options.types.get(name):
            self._notes.decide(f"column {name} holds codes, not numbers", "numbers with leading zeros", "number")
            return None
        self._explain(name, form, forms, bare, unit)
        for code in sorted(_SENTINELS & set(values)):
            self._notes.decide(
                f"{code} in column {name} is taken as a number",
                "it may be a code for a missing value; if so, name it in read.missing",
                "a missing value",
            )
        whole = all(re.fullmatch(r"[+-]?[0-9]+", value) for value in values)
        kind = ColumnType.INTEGER if whole else ColumnType.NUMBER
        identifier = whole and bool(_IDENTIFIER.search(name.lower()))
        if identifier:
            self._notes.decide(
                f"column {name} is an identifier", "its name says so; it is not modelled", "a measurement"
            )
        return Column(name, kind, self._convert(name, cells, meaning), unit, identifier)

    def _explain(
        self, name: str, form: NumberFormat, forms: Sequence[NumberFormat], bare: Mapping[str, str], unit: str | None
    ) -> None:
        if unit is not None:
            self._notes.decide(f"column {name} is in {unit}", "every value carries it", "text")
        others = [
            other
            for other in forms
            if other.decimal != form.decimal
            and all(canonical_number(text, other) not in (None, canonical_number(text, form)) for text in bare.values())
        ]
        if others:
            self._notes.decide(
                f"column {name} has a {form.describe()}",
                "its values fit both marks; the other columns, else the delimiter, decide",
                others[0].describe(),
            )
        elif form.thousands:
            self._notes.decide(f"column {name} has a {form.describe()}", "its values can be read in no other way")

    def _date(self, name: str, cells: Sequence[str], present: Sequence[str], tolerance: int) -> Column | None:
        distinct = set(present)
        counts = Counter(present)
        day_first = self._european or all("." in cell for cell in distinct)
        fits = []
        for form in date_forms(day_first=day_first):
            meaning = {cell: form.parse(cell) for cell in distinct}
            faults = sum(counts[cell] for cell, value in meaning.items() if value is None)
            if faults <= tolerance and faults < len(present):
                fits.append((faults, form, meaning))
        if not fits:
            return None
        _, form, meaning = min(fits, key=lambda fit: fit[0])
        if form is not ISO:
            both = {DAY_FIRST.label, MONTH_FIRST.label} <= {fit[1].label for fit in fits if fit[0] == 0}
            reason = "the order of day and month is not certain: both fit" if both else "no other order fits"
            others = [fit[1].label for fit in fits if fit[1] is not form] if both else []
            self._notes.decide(f"dates in column {name} are {form.label}", reason, *others)
        return Column(name, ColumnType.DATE, self._convert(name, cells, meaning))

    def _convert(self, name: str, cells: Sequence[str], meaning: Mapping[str, str | None]) -> tuple[str | None, ...]:
        """Canonical cells. What the column's type cannot be made of is a problem at its line."""
        converted: list[str | None] = []
        for line, cell in zip(self._lines, cells, strict=True):
            value = meaning.get(cell)
            if value is None and cell in meaning:
                issue = (
                    f"beyond 1e±{LARGEST_EXPONENT}" if _EXPONENT.fullmatch(cell) else "does not fit the column's type"
                )
                self._notes.problem(line, f"{cell[:60]!r} {issue}", "cell read as missing", name)
            converted.append(value)
        codes = Counter(cell for cell in cells if cell and cell not in meaning)
        if codes:
            listed = ", ".join(f"{code!r} ({count})" for code, count in sorted(codes.items()))
            self._notes.decisions.append(
                Decision(
                    f"missing values in column {name}: {listed}", "customary or requested codes for a missing value"
                )
            )
        return tuple(converted)

    def _words(self, name: str, cells: Sequence[str], asked: str | None) -> Column:
        missing = MISSING_ANYWHERE | self._codes
        values = tuple(None if cell.lower() in missing else cell for cell in cells)
        present = [cell for cell in values if cell is not None]
        codes = Counter(cell for cell in cells if cell and cell.lower() in missing)
        if codes:
            listed = ", ".join(f"{code!r} ({count})" for code, count in sorted(codes.items()))
            self._notes.decide(f"missing values in column {name}: {listed}", "customary or requested codes", "words")
        levels = len(set(present))
        most = max(10, len(present) // 2) if len(present) <= _SHORT_TABLE else min(_CATEGORY_LEVELS, len(present) // 2)
        repeats = 0 < levels <= most and (levels < len(present) or len(present) == 1)
        category = asked == "category" or (asked != "text" and repeats)
        return Column(name, ColumnType.CATEGORY if category else ColumnType.TEXT, values)


def _best_form(
    bare: Mapping[str, str], counts: Mapping[str, int], forms: Sequence[NumberFormat], tolerance: int
) -> tuple[int, NumberFormat, Converted] | None:
    """The first format with the fewest cells that are no numbers, if no more than `tolerance`."""
    if not any(character.isdigit() for text in list(bare.values())[:_FIRST_LOOK] for character in text):
        return None
    best: tuple[int, NumberFormat, Converted] | None = None
    for form in forms:
        meaning: Converted = {cell: canonical_number(text, form) for cell, text in bare.items()}
        faults = sum(counts[cell] for cell, value in meaning.items() if value is None)
        if faults <= tolerance and (best is None or faults < best[0]):
            best = (faults, form, meaning)
        if not faults:
            break
    return best
