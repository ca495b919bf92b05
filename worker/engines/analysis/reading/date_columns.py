"""Which columns are dates, and in which order their parts stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from worker.engines.analysis.reading.dates import (
    COMPACT,
    DAY_FIRST,
    EXCEL,
    ISO,
    MONTH_FIRST,
    SHORT_YEAR,
    DateForm,
    date_forms,
    forms_of_order,
    has_zone,
)
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.overrides import EVERY_COLUMN, ReadOptions
from worker.engines.analysis.reading.raw import Cells

Meaning = dict[str, str | None]
_FIRST_LOOK = 40
_COMPACT = re.compile(r"(?:1[6-9]|20|21)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:T?[0-9]{4,6}Z?)?")
_SERIAL = re.compile(r"[1-6][0-9]{4}(?:[.,][0-9]{1,15})?")
_NAMED_DATE = re.compile(
    r"(?:^|[^a-z])(?:date|datum|data|fecha|day|tag|datetime|timestamp|dato|jour)(?:[^a-z]|$)|date$|datum$|^dt|_dt$|_at$"
)
_LEAST_COMPACT = 3


class DateReader:
    """Columns whose dates have one order only decide for those that fit both."""

    def __init__(self, columns: Sequence[Cells], options: ReadOptions, notes: Notes, *, european: bool) -> None:
        self._options = options
        self._notes = notes
        self._european = european
        self._day_first = self._sure_order(columns)

    def _sure_order(self, columns: Sequence[Cells]) -> bool | None:
        """Whether the dates that have one order only have the day first; None when none has, or they differ."""
        orders = set()
        for cells in columns:
            texts = list(cells.present)
            if cells.declared or not any(DAY_FIRST.parse(t) or MONTH_FIRST.parse(t) for t in texts[:_FIRST_LOOK]):
                continue
            day = sum(cells.present[text] for text in texts if DAY_FIRST.parse(text) is None) <= cells.tolerance
            month = sum(cells.present[text] for text in texts if MONTH_FIRST.parse(text) is None) <= cells.tolerance
            if day != month:
                orders.add(day)
        return orders.pop() if len(orders) == 1 else None

    def read(self, cells: Cells, *, only_numbers: bool = False) -> Meaning | None:
        """The canonical text by cell; None if the column holds no dates.

        With `only_numbers` just the forms that would also be numbers are tried: yyyymmdd and Excel's days.
        """
        order = self._options.dates.get(cells.name, self._options.dates.get(EVERY_COLUMN))
        asked = cells.name in self._options.dates
        if order is not None:
            forms: Sequence[DateForm] = forms_of_order(order)
        elif only_numbers:
            forms = self._numeric_forms(cells)
        elif cells.declared:
            forms = (ISO,)
        else:
            dotted = all("." in cell for cell in list(cells.present)[:_FIRST_LOOK])
            sure = self._day_first
            forms = date_forms(day_first=sure if sure is not None else self._european or dotted)
        if cells.asked == "date" and order is None:
            forms = (*forms, COMPACT, EXCEL)
        if order in (None, "year-month-day") and only_numbers and not forms:
            return None
        fits = _fits(cells, forms, cells.total if asked else cells.tolerance)
        if not fits:
            return None
        _, form, meaning = min(fits, key=lambda fit: fit[0])
        self._explain(cells, form, [fit[1] for fit in fits if fit[0] == 0], asked=order is not None)
        return meaning

    def _numeric_forms(self, cells: Cells) -> Sequence[DateForm]:
        texts = list(cells.present)
        if cells.asked is not None or cells.declared:
            return ()
        named = _NAMED_DATE.search(cells.name.lower()) is not None
        if all(map(_COMPACT.fullmatch, texts)) and (named or len(texts) >= _LEAST_COMPACT):
            return (COMPACT,)
        return (EXCEL,) if named and all(map(_SERIAL.fullmatch, texts)) else ()

    def _explain(self, cells: Cells, form: DateForm, fitting: Sequence[DateForm], *, asked: bool) -> None:
        short = (DAY_FIRST, MONTH_FIRST, SHORT_YEAR)
        others = [
            other
            for other in fitting
            if form in short and other in short and any(form.parse(text) != other.parse(text) for text in cells.present)
        ]
        if asked:
            self._notes.decide(f"dates in column {cells.name} are {form.label}", "asked for in the request")
        elif others:
            swapped = {DAY_FIRST, MONTH_FIRST} <= {form, *others}
            sure = "; another column's dates decide" if swapped and self._day_first is not None else ""
            year = SHORT_YEAR in (form, *others)
            parts, fit = ("day, month and year", "several fit") if year else ("day and month", "both fit")
            self._notes.decide(
                f"dates in column {cells.name} are {form.label}",
                f"the order of {parts} is not certain: {fit}{sure}",
                *(other.label for other in others),
                override="dates",
            )
        elif form in (COMPACT, EXCEL):
            self._notes.decide(
                f"dates in column {cells.name} are {form.label}", "every value fits", "numbers", override="dates"
            )
        elif form is not ISO:
            self._notes.decide(
                f"dates in column {cells.name} are {form.label}", "no other order fits", override="dates"
            )
        self._explain_zones(cells)

    def _explain_zones(self, cells: Cells) -> None:
        zoned = sum(count for text, count in cells.present.items() if has_zone(text))
        timed = sum(count for text, count in cells.present.items() if ":" in text)
        if not zoned:
            return
        mixed = f"; {timed - zoned} without a zone are kept as they stand" if zoned < timed else ""
        self._notes.decide(f"times in column {cells.name} are in UTC", f"{zoned} of {timed} name a time zone{mixed}")


def _fits(cells: Cells, forms: Sequence[DateForm], tolerance: int) -> list[tuple[int, DateForm, Meaning]]:
    counts: Mapping[str, int] = cells.present
    fits = []
    for form in forms:
        meaning: Meaning = {}
        faults = 0
        for cell in counts:
            value = meaning[cell] = form.parse(cell)
            if value is None:
                faults += counts[cell]
                if faults > tolerance:
                    break
        else:
            if faults < cells.total:
                fits.append((faults, form, meaning))
    return fits
