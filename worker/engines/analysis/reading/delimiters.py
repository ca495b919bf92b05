"""Which characters separate and quote the fields of a file, and what its comment lines begin with."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from worker.engines.analysis.reading.affixes import Bare, strip_affixes
from worker.engines.analysis.reading.cells import COMMA_FORMATS, POINT_FORMATS, canonical_number, looks_typed
from worker.engines.analysis.reading.missing import MISSING_AMONG_VALUES
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.records import Syntax, parse

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "^": "caret", "~": "tilde", "\x1f": "unit mark"}
_RARE = frozenset("^~\x1f")
_SAMPLE_RECORDS = 200
_LEAST_SCORE = 0.5
_LEAST_SHARE = 0.3
_COMMENTS = ("#", "//", "%", "--")
_MOMENT = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ,]+[0-9]{1,2}:.{2,25})?")
_EDGE = r"[,;\t|^~\x1f]"
_DOUBLE = re.compile(rf'(?:^|{_EDGE})[ ]*"', re.MULTILINE)
_SINGLE = re.compile(rf"(?:^|\r|{_EDGE})[ ]*'(?:[^']|'')*'[ ]*(?={_EDGE}|\r|$)", re.MULTILINE)
_OPEN_SINGLE = re.compile(rf"(?:^|\r|{_EDGE})[ ]*'", re.MULTILINE)
_ESCAPED = re.compile(r'\\"(?![ ]*(?:[,;\t|^~\x1f]|$))')
_BACKSLASH_END = re.compile(rf'\\"[ ]*(?:{_EDGE}|$)')


def find_comment(lines: Sequence[str], notes: Notes) -> str:
    """What the lines at the top of the file begin with that are no rows; "" when the first line may be one."""
    first = next((line for line in lines if line.strip()), "")
    for mark in _COMMENTS:
        if not first.startswith(mark):
            continue
        told = [line for line in lines if line.strip() and not line.startswith(mark)]
        if not told or (mark != "#" and first.removeprefix(mark)[:1].isdigit()):
            return ""
        notes.decide(f"lines that begin with {mark} are comments", "the file begins so", "rows", override="comment")
        return mark
    return ""


def find_quoting(lines: Sequence[str], asked: str | None, notes: Notes) -> tuple[str, str]:
    """The quote character ("" for none) and what escapes one inside a field ("" where it is written twice)."""
    quote = asked
    if quote is None:
        quote = '"'
        if _single_quotes(lines):
            quote = "'"
            notes.decide("fields quoted by '", "fields begin and end with it", '"', "none", override="quote")
    if quote != '"':
        return quote, ""
    escaped = sum(len(_ESCAPED.findall(line)) for line in lines)
    ends = sum(len(_BACKSLASH_END.findall(line.rstrip("\r\n"))) for line in lines)
    if escaped and escaped >= ends and not any('""' in line.replace(',""', ",").replace('"",', ",") for line in lines):
        notes.decide('quotes in a field are written \\"', "no field writes them twice", override="quote")
        return quote, "\\"
    return quote, ""


def _single_quotes(lines: Sequence[str]) -> bool:
    """Whether fields are quoted by apostrophes: they make the rows more regular, or most that begin a field end it."""
    text = "".join(lines)
    single = [match[0] for match in _SINGLE.finditer(text)]
    if not single or _DOUBLE.search(text):
        return False
    if any("''" in field.strip()[1:-2] for field in single):
        return True
    best = {mark: max(_score(lines, Syntax(delimiter, mark)) for delimiter in DELIMITERS) for mark in ("'", '"')}
    if best["'"] != best['"']:
        return best["'"] > best['"']
    return len(single) >= 2 and 2 * len(single) > len(_OPEN_SINGLE.findall(text))


def find_delimiter(lines: Sequence[str], quote: str, escape: str, notes: Notes) -> str:
    """The delimiter whose fields are the most regular and the most often numbers or dates."""
    if _one_column_of_values(lines):
        reason = "every line under the first is one value"
        notes.decide("one column, no delimiter", reason, "comma", override="delimiter")
        return next((mark for mark in ("\t", "|", ";") if not any(mark in line for line in lines)), "\t")
    # A quote that is never closed swallows the sample; then the quotes are looked through.
    scores = _scores(lines, quote, escape) or _scores(lines, "", "")
    if not scores:
        if _columns_by_spaces(lines):
            notes.decide("fields separated by spaces", "every line has as many", "one column", override="delimiter")
            return " "
        notes.decide("one column, no delimiter", "no delimiter gives regular rows", override="delimiter")
        unused = (mark for mark in ("\t", "|", ",") if not any(mark in line for line in lines))
        return next(unused, ",")
    best = max(scores, key=lambda mark: scores[mark])
    others = [DELIMITERS[mark] for mark in scores if mark != best]
    notes.decide(
        f"fields separated by {DELIMITERS[best]}", "it gives the most regular rows", *others, override="delimiter"
    )
    return best


def _scores(lines: Sequence[str], quote: str, escape: str) -> dict[str, float]:
    found = {mark: _score(lines, Syntax(mark, quote, escape)) for mark in DELIMITERS}
    return {mark: score for mark, score in found.items() if score >= (0.9 if mark in _RARE else _LEAST_SCORE)}


def _one_column_of_values(sample: Sequence[str]) -> bool:
    """Whether the first line has no delimiter and every line under it is one value that may look like two:
    a decimal comma, a thousands mark, a date with its time."""
    lines = [line.strip() for line in sample[:_SAMPLE_RECORDS] if line.strip()]
    body = [line for line in lines[1:] if line.lower() not in MISSING_AMONG_VALUES]
    if not body or any(mark in lines[0] for mark in DELIMITERS):
        return False
    bare = strip_affixes(dict.fromkeys(body, 1))
    numbers = bare.numbers if isinstance(bare, Bare) else {}
    return all(_MOMENT.fullmatch(line) or _is_number(numbers.get(line, line)) for line in body)


def _is_number(text: str) -> bool:
    return any(canonical_number(text, form) is not None for form in POINT_FORMATS + COMMA_FORMATS)


def _columns_by_spaces(lines: Sequence[str]) -> bool:
    rows = [fields for line in lines[:_SAMPLE_RECORDS] if (fields := line.split())]
    if len(rows) < 2 or len(rows[-1]) < 2 or len({len(row) for row in rows}) > 1:
        return False
    typed = [looks_typed(cell) for row in rows[1:] for cell in row]
    return sum(typed) >= 0.5 * len(typed)


def _score(lines: Sequence[str], syntax: Syntax) -> float:
    if not any(syntax.delimiter in line for line in lines):
        return 0.0
    rows = [row for row in itertools.islice(parse(iter(lines), syntax), _SAMPLE_RECORDS) if any(row)]
    begin, end = table_part(rows)
    part = rows[begin:end]
    width = usual_width(part) if part else 0
    share = len(part) / max(1, len(rows))
    if width < 2 or share < _LEAST_SHARE or (len(part) == 1 and len(rows) > 1):
        return 0.0
    regular = sum(len(row) == width for row in part) / len(part)
    cells = [cell for row in part[1:] for cell in row]
    typed = sum(map(looks_typed, cells)) / len(cells) if cells else 0.0
    return regular * (0.5 + 0.5 * share) + 0.3 * typed * share - (0.4 if len(part[0]) != width else 0.0)


def table_part(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Begin and end of the rows without those of one field above and below; all rows where none has several."""
    several = [i for i, row in enumerate(rows) if len(row) > 1]
    return (several[0], several[-1] + 1) if several else (0, len(rows))


def usual_width(rows: Sequence[Sequence[str]]) -> int:
    """The commonest number of fields; the first row's where several are as common."""
    counts = Counter(len(row) for row in rows)
    most = max(counts.values())
    common = [width for width, count in counts.items() if count == most]
    return len(rows[0]) if len(rows[0]) in common else max(common)
