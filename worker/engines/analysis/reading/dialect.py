"""Which character separates the fields, and where the header is."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from worker.engines.analysis.reading.cells import looks_typed
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.records import Record, lines_of, parse

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_CHARACTERS = 64_000
_SAMPLE_RECORDS = 200
_LEAST_SCORE = 0.5
_PREAMBLE = 20
_ONE_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_YEAR = re.compile(r"(1[5-9]|20|21)[0-9]{2}")


def sniff_delimiter(text: str, notes: Notes) -> str:
    """The delimiter whose fields are the most regular and the most often numbers or dates; comma if none is."""
    sample = lines_of(text[:_SAMPLE_CHARACTERS])
    if len(text) > _SAMPLE_CHARACTERS:
        sample = sample[:-1] or sample
    if _one_column_of_decimal_commas(sample):
        notes.decide("one column, no delimiter", "every line under the first is one number with a decimal comma")
        return "\t"
    scores = {mark: score for mark in DELIMITERS if (score := _score(sample, mark)) >= _LEAST_SCORE}
    if not scores:
        notes.decide("one column, no delimiter", "no delimiter gives regular rows of several fields")
        return ","
    best = max(scores, key=lambda mark: scores[mark])
    others = [DELIMITERS[mark] for mark in scores if mark != best]
    notes.decide(f"fields separated by {DELIMITERS[best]}", "it gives the most regular rows", *others)
    return best


def _one_column_of_decimal_commas(sample: Sequence[str]) -> bool:
    body = [line.strip() for line in sample[1:] if line.strip()]
    return bool(body) and "," not in sample[0] and all(_ONE_DECIMAL_COMMA.fullmatch(line) for line in body)


def _score(sample: Sequence[str], mark: str) -> float:
    rows = [row for row in itertools.islice(parse(iter(sample), mark), _SAMPLE_RECORDS) if any(row)]
    if not rows:
        return 0.0
    width = usual_width(rows)
    if width < 2:
        return 0.0
    regular = sum(len(row) == width for row in rows) / len(rows)
    cells = [cell for row in rows[1:] for cell in row]
    typed = sum(map(looks_typed, cells)) / len(cells) if cells else 0.0
    return regular + 0.3 * typed - (0.4 if len(rows[0]) != width else 0.0)


def usual_width(rows: Sequence[Sequence[str]]) -> int:
    """The commonest number of fields; the first row's where several are as common."""
    counts = Counter(len(row) for row in rows)
    most = max(counts.values())
    common = [width for width, count in counts.items() if count == most]
    return len(rows[0]) if len(rows[0]) in common else max(common)


def split_header(records: Sequence[Record], asked: bool | None, notes: Notes) -> tuple[list[str], list[Record]]:
    """The column names and the records below them.

    Lines above a header narrower than the table are a preamble and left out, each named as a problem.
    `asked` overrides the guess whether there is a header.
    """
    filled = [record for record in records if not record.blank]
    width = usual_width([record.fields for record in filled])
    first = next(i for i, record in enumerate(filled) if len(record.fields) == width)
    head = filled[0]
    names_rows = width >= 3 and len(head.fields) == width - 1 and _no_numbers(head.fields)
    if names_rows and len(filled) > 1:
        last_empty = all(not record.fields[-1].strip() for record in filled[1:] if len(record.fields) == width)
        names = [*head.fields, ""] if last_empty else ["row", *head.fields]
        if not last_empty:
            notes.decide("first column named row", "the header has one name less than the rows have fields")
        return column_names(names, notes), _below(records, head)
    if width > 1 and 0 < first <= _PREAMBLE:
        for record in filled[:first]:
            notes.problem(record.line, "a line above the header", "line left out")
        head = filled[first]
        notes.decide(f"the header is on line {head.line}", "the lines above it have fewer fields")
    body = _below(records, head)
    has_header = _is_header(head.fields, [r.fields for r in body if not r.blank], notes) if asked is None else asked
    if has_header:
        return column_names(head.fields, notes), body
    names = [f"column_{i + 1}" for i in range(len(head.fields))]
    return names, [head, *body]


def _below(records: Sequence[Record], head: Record) -> list[Record]:
    return [record for record in records if record.line > head.line]


def _no_numbers(cells: Sequence[str]) -> bool:
    return all(cell.strip() and not looks_typed(cell) for cell in cells)


def _is_header(head: Sequence[str], body: Sequence[Sequence[str]], notes: Notes) -> bool:
    if not body:
        return True
    numbers = [cell.strip() for cell in head if cell.strip() and looks_typed(cell)]
    if not numbers:
        return True
    names_above_numbers = False
    for i, cell in enumerate(head):
        below = [row[i] for row in body[:_SAMPLE_RECORDS] if i < len(row)]
        typed = sum(map(looks_typed, below))
        names_above_numbers |= (
            bool(cell.strip()) and not looks_typed(cell) and bool(below) and typed >= 0.8 * len(below)
        )
    years = len(numbers) > 1 and len(set(numbers)) == len(numbers) and all(map(_YEAR.fullmatch, numbers))
    if names_above_numbers or years:
        notes.decide("the first line is the header", "it names columns that hold numbers", "no header")
        return True
    notes.decide("no header: columns are named column_1, column_2, …", "the first line holds values", "a header")
    return False


def column_names(raw: Sequence[str], notes: Notes) -> list[str]:
    """Names made unique: blanks become column_N, a repeated name gets _2, _3 and so on."""
    names: list[str] = []
    taken: set[str] = set()
    for i, cell in enumerate(raw):
        base = " ".join(cell.replace("`", "'").split()) or f"column_{i + 1}"  # formulas quote names in backticks
        name = base
        for number in itertools.count(2):
            if name not in taken:
                break
            name = f"{base}_{number}"
        if name != base:
            notes.decide(f"column {i + 1} is called {name}", f"the name {base} is taken by an earlier column")
        taken.add(name)
        names.append(name)
    return names
