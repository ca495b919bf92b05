"""Which columns are numbers, in which national form, and what their cells carry beside the number."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from worker.engines.analysis.reading.affixes import Bare, strip_affixes
from worker.engines.analysis.reading.cells import (
    COMMA_FORMATS,
    PLAIN,
    POINT_FORMATS,
    NumberFormat,
    beyond_range,
    canonical_number,
)
from worker.engines.analysis.reading.missing import code_values, propose_code, sentinels
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.overrides import ReadOptions
from worker.engines.analysis.reading.raw import Cells
from worker.engines.analysis.wording import plural

Meaning = dict[str, str | None]
_FAULTS = 20
"""One value in so many may be something else."""
_FIRST_LOOK = 500
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
_LEAST_AFFIXED = 2


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column read as numbers: canonical text by cell, None for those that are none."""

    meaning: Meaning
    unit: str | None


class NumberReader:
    """Columns that fit one decimal mark only decide for those that fit both."""

    def __init__(
        self,
        columns: Sequence[Cells],
        forms: Sequence[NumberFormat],
        options: ReadOptions,
        notes: Notes,
        *,
        european: bool,
    ) -> None:
        self._options = options
        self._notes = notes
        self._forms = self._preferred(columns, forms, european=european)

    def _preferred(
        self, columns: Sequence[Cells], forms: Sequence[NumberFormat], *, european: bool
    ) -> tuple[NumberFormat, ...]:
        """The forms in the order to try."""
        if self._options.decimal is not None:
            return tuple(forms)
        points = commas = only_comma = 0
        for cells in columns:
            if not cells.present or cells.declared or cells.pointed or not _has_digits(cells.present):
                continue
            seen = dict(itertools.islice(cells.present.items(), _FIRST_LOOK))
            bare = strip_affixes(seen)
            texts = list(bare.numbers.values()) if isinstance(bare, Bare) else list(seen)
            point = any(all(canonical_number(text, form) is not None for text in texts) for form in POINT_FORMATS)
            comma = any(all(canonical_number(text, form) is not None for text in texts) for form in COMMA_FORMATS)
            points += point and not comma
            commas += comma and not point
            only_comma += not point and _fits_comma_only(texts)
        if commas and not points:
            self._notes.decide(
                "numbers have a decimal comma",
                f"{plural(max(commas, only_comma), 'column')} can be read in no other way",
                "point",
                override="decimal",
            )
        if points > commas:
            european = False
        elif commas > points:
            european = True
        first = "," if european else "."
        return tuple(sorted(forms, key=lambda form: form.decimal != first))

    def read(self, cells: Cells) -> Numbers | None:
        """The column as numbers, or None if it is something else."""
        counts = cells.present
        bare: Mapping[str, str] = {cell: cell for cell in counts}
        forms = self._forms
        if cells.declared == "number":
            forms = (PLAIN,)
        elif cells.pointed:
            forms = tuple(form for form in forms if form.decimal == ".") or (PLAIN,)
        best = _best_form(bare, counts, forms, cells.tolerance)
        stripped: Bare | None = None
        if (best is None or best[0]) and not cells.declared:
            stripped = self._stripped(cells)
            if stripped is not None:
                bare = {cell: stripped.numbers.get(cell, cell) for cell in counts}
                best = _best_form(bare, counts, forms, cells.tolerance)
        if best is None or best[0] == cells.total:
            return None
        _, form, meaning = best
        meaning = self._without_codes(cells.name, meaning)
        values = {value for value in meaning.values() if value is not None}
        if not values:
            return None
        plain = stripped is None and not cells.declared and cells.asked is None
        if plain and any(map(_LEADING_ZERO.fullmatch, values)):
            self._notes.decide(
                f"column {cells.name} holds codes, not numbers",
                "numbers with leading zeros",
                "number",
                override="types",
            )
            return None
        self._explain(cells.name, form, forms, bare)
        if stripped is not None:
            self._explain_affixes(cells.name, stripped)
        self._propose_codes(cells, values)
        unit = stripped.unit if stripped is not None else None
        return Numbers(meaning, unit or None)

    def _without_codes(self, name: str, meaning: Meaning) -> Meaning:
        """Without numbers that the request calls missing, however they are written: ``-999.0`` for ``-999``."""
        codes = code_values((*self._options.missing, *self._options.missing_in.get(name, ())))
        if not codes:
            return meaning
        return {cell: value for cell, value in meaning.items() if value is None or Decimal(value) not in codes}

    def _stripped(self, cells: Cells) -> Bare | None:
        found = strip_affixes(cells.present)
        if isinstance(found, set):
            if len(found) <= 5 and cells.total >= _LEAST_AFFIXED:
                self._notes.decide(
                    f"column {cells.name} is read as words",
                    f"its values carry different units: {', '.join(sorted(found))}",
                    "numbers in one unit",
                )
            return None
        if found is None or (found.unit and cells.total < _LEAST_AFFIXED and cells.asked is None):
            return None
        return found

    def _explain(self, name: str, form: NumberFormat, forms: Sequence[NumberFormat], bare: Mapping[str, str]) -> None:
        others = [
            other
            for other in forms
            if other.decimal != form.decimal
            and all(
                canonical_number(text, other) is not None or canonical_number(text, form) is None
                for text in bare.values()
            )
            and any(canonical_number(text, other) != canonical_number(text, form) for text in bare.values())
        ]
        if others:
            self._notes.decide(
                f"column {name} has a {form.describe()}",
                "its values fit both marks; the other columns, else the delimiter, decide",
                others[0].describe(),
                override="decimal",
            )
        elif form.thousands:
            self._notes.decide(
                f"column {name} has a {form.describe()}", "its values can be read in no other way", override="thousands"
            )

    def _explain_affixes(self, name: str, bare: Bare) -> None:
        if bare.parentheses:
            reason = "accounts write them so"
            self._notes.decide(f"numbers in parentheses in column {name} are negative", reason, override="types")
        if bare.without:
            self._notes.decide(
                f"{bare.without} value(s) of column {name} are taken to be in {bare.unit} too",
                "they carry no unit, nearly all others do",
                "missing values",
                override="types",
            )

    def _propose_codes(self, cells: Cells, values: set[str]) -> None:
        for code in sentinels(values):
            propose_code(code, cells.name, self._notes)


def _has_digits(cells: Mapping[str, int]) -> bool:
    return any(character.isdigit() for text in list(cells)[:_FIRST_LOOK] for character in text)


def _fits_comma_only(texts: Sequence[str]) -> bool:
    """Whether a column is numbers with a decimal comma, but for few faults, of which some have no other reading."""
    read = [text for text in texts if any(canonical_number(text, form) is not None for form in COMMA_FORMATS)]
    alone = any(all(canonical_number(text, form) is None for form in POINT_FORMATS) for text in read)
    return alone and len(texts) - len(read) <= len(texts) // _FAULTS


def _best_form(
    bare: Mapping[str, str], counts: Mapping[str, int], forms: Sequence[NumberFormat], tolerance: int
) -> tuple[int, NumberFormat, Meaning] | None:
    """The first format with the fewest cells that are no numbers, if no more than `tolerance`."""
    if not any(character.isdigit() for text in list(bare.values())[:_FIRST_LOOK] for character in text):
        return None
    best: tuple[int, NumberFormat, Meaning] | None = None
    for form in forms:
        meaning: Meaning = {}
        faults = 0
        for cell, text in bare.items():
            value = meaning[cell] = canonical_number(text, form)
            if value is None:
                # One that is too large is at fault by its size, which says nothing against the column.
                faults += 0 if beyond_range(text) else counts[cell]
                if faults > tolerance:
                    break
        else:
            if best is None or faults < best[0]:
                best = (faults, form, meaning)
            if not faults:
                break
    return best
