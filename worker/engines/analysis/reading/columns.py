"""From text cells to typed columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from worker.engines.analysis.reading.cells import (
    EDGES,
    LARGEST_EXPONENT,
    beyond_range,
    boolean_words,
    canonical_number,
)
from worker.engines.analysis.reading.date_columns import DateReader
from worker.engines.analysis.reading.dialect import allowed_forms
from worker.engines.analysis.reading.missing import MISSING_AMONG_VALUES, MISSING_ANYWHERE, tell_missing
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.number_columns import NumberReader
from worker.engines.analysis.reading.overrides import ReadOptions
from worker.engines.analysis.reading.raw import Cells, RawTable, Written
from worker.engines.analysis.reading.units import unit_in_name
from worker.engines.analysis.table import Column, ColumnType
from worker.engines.analysis.wording import listed

# A column counts as numbers (or dates) when at most one cell in twenty is something else, and with fewer
# than twenty values only when none is.
FAULTS = 20
_CATEGORY_LEVELS = 50
_SHORT_TABLE = 20
_IDENTIFIER = re.compile(
    r"(^|[^a-z])(id|ids|idx|index|nr|row|rownum|code|zip|zipcode|fips|postal|phone|uuid|key)([^a-z]|$)"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNNAMED = re.compile(r"column_\d+|unnamed: ?\d+", re.IGNORECASE)
"""Names that programs give to columns without one."""
_QUOTED_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_FORMULA = re.compile(r"=[A-Za-z(+-]")
_SPOKEN = frozenset({"none", "missing", "unknown", "nil", "n.a.", "k.a."})


class ColumnBuilder:
    """Types the columns of one dataset; what one column shows about decimal marks or dates helps with the others."""

    def __init__(self, options: ReadOptions, raw: RawTable, notes: Notes) -> None:
        self._options = options
        self._raw = raw
        self._notes = notes
        self._codes = frozenset(code.strip().lower() for code in options.missing)

    def build(self) -> tuple[Column, ...]:
        """Raises nothing: what does not fit is text, or a problem at its line."""
        found = [self._cells(name, cells) for name, cells in zip(self._raw.names, self._raw.columns, strict=True)]
        forms = allowed_forms(self._options, european=self._raw.european)
        self._numbers = NumberReader(found, forms, self._options, self._notes, european=self._raw.european)
        self._dates = DateReader(found, self._options, self._notes, european=self._raw.european)
        return tuple(self._unless_named(self._column(cells)) for cells in found)

    def _cells(self, name: str, raw: Sequence[str]) -> Cells:
        texts = [cell.strip().strip(EDGES).strip() for cell in raw]
        asked, declared = self._options.types.get(name), self._raw.declared.get(name, "")
        marked = [i for i, cell in enumerate(texts) if cell.startswith('="') and _QUOTED_TEXT.fullmatch(cell)]
        for i in marked:
            texts[i] = texts[i][2:-1]
        if marked:
            self._notes.decide(f'{len(marked)} cell(s) of column {name} are read without ="…"', "Excel writes text so")
        missing = self._missing(name, among_values=True)
        counts = Counter(texts)
        present = Counter({cell: count for cell, count in counts.items() if cell.lower() not in missing})
        total = present.total()
        pointed = any(type(cell) is Written for cell in raw)
        return Cells(name, texts, present, total if asked or declared else total // FAULTS, asked, declared, pointed)

    def _missing(self, name: str, *, among_values: bool) -> frozenset[str]:
        own = frozenset(code.strip().lower() for code in self._options.missing_in.get(name, ()))
        return (MISSING_AMONG_VALUES if among_values else MISSING_ANYWHERE) | self._codes | own

    def _unless_named(self, column: Column) -> Column:
        """Whole numbers beside a column ``<name>_name`` are codes for those names."""
        names = self._raw.names
        named = f"{column.name}_name" in names or f"{column.name} name" in names
        if column.type is not ColumnType.INTEGER or column.identifier or not named:
            return column
        self._notes.decide(f"column {column.name} is an identifier", "another column names its values", "a measurement")
        return replace(column, identifier=True)

    def _column(self, cells: Cells) -> Column:
        if cells.asked is not None:
            self._notes.decide(f"column {cells.name} is {cells.asked}", "asked for in the request")
        readers: dict[str, Callable[[Cells], Column | None]] = {
            "boolean": self._boolean,
            "date": self._date_not_number,
            "number": self._number,
            "later date": self._date,
        }
        wanted = cells.asked or cells.declared
        if wanted in ("category", "text"):
            readers = {}
        elif wanted:
            kind = {"boolean": "boolean", "date": "later date"}.get(wanted, "number")
            readers = {kind: readers[kind]}
        if cells.present:
            for reader in readers.values():
                if (column := reader(cells)) is not None:
                    return column
        return self._words(cells)

    def _boolean(self, cells: Cells) -> Column | None:
        words = boolean_words({cell.lower() for cell in cells.present})
        if words is None and cells.asked is not None and set(cells.present) <= {"0", "1"}:
            words = ("1", "0")
        if words is None:
            return None
        if words[0] != "true" and cells.asked is None:
            self._notes.decide(
                f"column {cells.name} is yes or no: {words[0]!r} is true, {words[1]!r} false",
                "it has these two words",
                "category",
                override="types",
            )
        meaning = {cell: "true" if cell.lower() == words[0] else "false" for cell in cells.present}
        return Column(cells.name, ColumnType.BOOLEAN, self._convert(cells, meaning))

    def _number(self, cells: Cells) -> Column | None:
        found = self._numbers.read(cells)
        if found is None:
            return None
        unit = self._unit(cells.name, found.unit)
        whole = all(value is None or value.lstrip("+-").isdigit() for value in found.meaning.values())
        named = _IDENTIFIER.search(_CAMEL.sub(" ", cells.name).lower()) is not None
        identifier = whole and (named or self._numbers_rows(cells, found.meaning))
        if identifier:
            unnamed = _UNNAMED.fullmatch(cells.name) is not None
            reason = "it numbers the rows and has no name" if unnamed else "its name says so"
            reason += "; it is not modelled"
            self._notes.decide(f"column {cells.name} is an identifier", reason, "a measurement")
        kind = ColumnType.INTEGER if whole else ColumnType.NUMBER
        return Column(cells.name, kind, self._convert(cells, found.meaning), unit, identifier)

    def _numbers_rows(self, cells: Cells, meaning: Mapping[str, str | None]) -> bool:
        """Whether this is the first column, nameless beside others that have names, and every value another one, as
        where a program writes the numbers of its rows. Years may be meant."""
        names = self._raw.names
        unnamed = cells.name == names[0] and _UNNAMED.fullmatch(cells.name) is not None
        if not unnamed or all(_UNNAMED.fullmatch(name) for name in names) or len(cells.present) < len(cells.texts):
            return False
        numbers = [int(value) for value in meaning.values() if value is not None]
        return len(set(numbers)) == len(cells.texts) and not all(1500 <= number <= 2100 for number in numbers)

    def _unit(self, name: str, carried: str | None) -> str | None:
        """The unit: of the request, of the values, of a row of units or of the column's name, in this order."""
        if name in self._options.units:
            self._notes.decide(
                f"column {name} is in {self._options.units[name] or 'no unit'}", "asked for in the request"
            )
            return self._options.units[name] or None
        above, named = self._raw.units.get(name), unit_in_name(name)
        if carried:
            others = [unit for unit in (above, named) if unit and unit != carried]
            self._notes.decide(f"column {name} is in {carried}", "every value carries it", *others, override="units")
            return carried
        if above:
            self._notes.decide(f"column {name} is in {above}", "the file says so", "no unit", override="units")
        elif named:
            self._notes.decide(f"column {name} is in {named}", "its name says so", "no unit", override="units")
        return above or named

    def _date_not_number(self, cells: Cells) -> Column | None:
        return self._date(cells, only_numbers=True)

    def _date(self, cells: Cells, *, only_numbers: bool = False) -> Column | None:
        found = self._dates.read(cells, only_numbers=only_numbers)
        return None if found is None else Column(cells.name, ColumnType.DATE, self._convert(cells, found))

    def _convert(self, cells: Cells, meaning: Mapping[str, str | None]) -> tuple[str | None, ...]:
        """Canonical cells. What the column's type cannot be made of is a problem at its line."""
        if None in meaning.values():
            for line, cell in zip(self._raw.lines, cells.texts, strict=True):
                if cell in meaning and meaning[cell] is None:
                    self._notes.problem(line, f"{cell[:60]!r} {_issue(cell)}", "cell read as missing", cells.name)
        self._tell_missing(cells.name, Counter(cell for cell in cells.texts if cell and cell not in meaning))
        return tuple([meaning.get(cell) for cell in cells.texts])

    def _tell_missing(self, name: str, codes: Mapping[str, int]) -> None:
        if codes:
            tell_missing(name, codes, self._notes)

    def _words(self, cells: Cells) -> Column:
        missing = self._missing(cells.name, among_values=False)
        values = tuple([None if cell.lower() in missing else cell for cell in cells.texts])
        self._tell_missing(cells.name, Counter(cell for cell in cells.texts if cell and cell.lower() in missing))
        counts = Counter(cell for cell in values if cell is not None)
        self._propose(cells, counts)
        present, levels = counts.total(), len(counts)
        most = max(10, present // 2) if present <= _SHORT_TABLE else min(_CATEGORY_LEVELS, present // 2)
        repeats = 0 < levels <= most and (levels < present or present == 1)
        category = cells.asked == "category" or (cells.asked != "text" and repeats)
        kind = ColumnType.CATEGORY if category else ColumnType.TEXT
        return Column(cells.name, kind, values)

    def _propose(self, cells: Cells, counts: Mapping[str, int]) -> None:
        """Say which words are codes for a missing value elsewhere, and that the column nearly held numbers."""
        codes = sorted(
            cell
            for cell in counts
            if cell.lower() in MISSING_AMONG_VALUES and (not any(map(str.isalpha, cell)) or cell.lower() in _SPOKEN)
        )
        if codes and len(counts) > len(codes):
            self._notes.decide(
                f"{listed([repr(code) for code in codes])} in column {cells.name} is taken as a word",
                "it may mean a missing value",
                "a missing value",
                override="missing",
            )
        if any(_FORMULA.match(cell) for cell in counts):
            self._notes.decide(f"formulas in column {cells.name} are read as text", "nothing here computes them")
        if cells.asked is None and cells.total >= 5:
            number = sum(n for cell, n in cells.present.items() if _any_number(cell))
            if 0.5 * cells.total <= number < cells.total:
                self._notes.decide(
                    f"column {cells.name} is read as words",
                    f"{cells.total - number} of {cells.total} values are no numbers, more than one in {FAULTS}",
                    "number",
                    override="types",
                )


def _any_number(cell: str) -> bool:
    """Whether the cell is a number in one of the national forms."""
    return any(canonical_number(cell, form) is not None for form in allowed_forms(ReadOptions(), european=False))


def _issue(cell: str) -> str:
    if beyond_range(cell):
        return f"beyond 1e±{LARGEST_EXPONENT}"
    return "is a formula, which nothing here computes" if _FORMULA.match(cell) else "does not fit the column's type"
