"""Plain text and Markdown. The text is stored as it came, marks included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.csl import described
from services.library.parsing.document import TABLES_MAX, Kind, ParsedDocument, ParseLimits, bounded
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.facts import (
    TITLE_MAX,
    clean_doi,
    split_authors,
    title_from_filename,
    usable_title,
    year_of,
)
from services.library.parsing.normalise import one_line
from services.library.places import Table

_HEADING = re.compile(
    r"^ {0,3}#{1,6}[ \t]+(\S[^\n]{0,1000}?)[ \t]*#*$"
    r"|^(?! {4}|[ \t]*[-*+>#|`~]) {0,3}(\S[^\n]{0,500})\n {0,3}(?:=+|-{3,})[ \t]*$",
    re.MULTILINE,
)
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1[^\n]*$", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)|<[^<>]{1,200}>|[*`]+")
_TITLE_WITHIN = 100_000
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_RULE = frozenset("|:- \t")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_TITLE_LINE_MAX = 120


def parse_text(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A text file. A short first line that stands alone is the title, else the file's name is."""
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits)
    require_text(text)
    first, _, rest = text.lstrip().partition("\n")
    alone = rest.startswith("\n") and len(first) <= _TITLE_LINE_MAX and first.rstrip()[-1:] not in ".;,"
    title = usable_title(first) if alone else ""
    title = title or title_from_filename(filename)
    return ParsedDocument(title, Kind.TEXT, text, problems=problems)


def parse_markdown(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A Markdown file; `title`, `author(s)`, `date` or `year` and `doi` are taken from front matter."""
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits)
    require_text(text)
    front = _front_matter(text)
    title = usable_title(front.get("title", "")) or _heading(text) or title_from_filename(filename)
    authors = split_authors(front.get("authors") or front.get("author", ""))
    year = year_of(front.get("date") or front.get("year", ""))
    doi = clean_doi(front.get("doi", ""))
    return ParsedDocument(
        title,
        Kind.MARKDOWN,
        text,
        authors=authors,
        year=year,
        doi=doi,
        problems=problems,
        csl=described("document", title, authors, year, doi),
        tables=tuple(islice(_tables(text), TABLES_MAX)),
    )


def _heading(text: str) -> str:
    """The first heading, `#` or underlined, outside fenced code, without its markup."""
    match = _HEADING.search(_FENCED.sub("", text[:_TITLE_WITHIN]))
    found = one_line(_MARKUP.sub(r"\1", match.group(1) or match.group(2))) if match else ""
    # What stands in a heading is meant as one, also when it is as short as an abbreviation.
    return usable_title(found) or (found[:TITLE_MAX] if sum(map(str.isalpha, found)) > 1 else "")


def _tables(text: str) -> Iterator[Table]:
    """Pipe tables: a row, the row of dashes that makes it a heading, and the rows below."""
    start, header, rows, columns = 0, "", 0, 0
    position = 0
    for line in [*text.split("\n"), ""]:
        if rows and "|" not in line:
            yield Table(start, position - 1, None, "", rows, columns)
            rows = 0
        elif rows:
            rows, columns = rows + 1, max(columns, _cells(line))
        elif "|" in header and "-" in line and _RULE.issuperset(line) and _cells(line) == _cells(header):
            start, rows, columns = position - len(header) - 1, 1, _cells(header)
        header = line
        position += len(line) + 1


def _cells(line: str) -> int:
    return len(_CELL_BORDER.split(line.strip().removeprefix("|").removesuffix("|")))


def require_text(text: str) -> None:
    """Raise DocumentUnreadable (`empty`) when there is nothing but white space."""
    if not text.strip():
        raise DocumentUnreadable(UnreadableCause.EMPTY)


def _front_matter(text: str) -> dict[str, str]:
    """The flat `key: value` entries and one-level lists of a YAML header; anything deeper is ignored."""
    match = _FRONT_MATTER.match(text)
    entries: dict[str, str] = {}
    key = ""
    for line in match.group(1).splitlines() if match else ():
        if item := re.match(r"^\s*-\s+(.+)$", line):
            if key:
                entries[key] = "; ".join(filter(None, (entries[key], _unquote(item.group(1)))))
        elif entry := re.match(r"^(\w[\w-]*)\s*:\s*(.*)$", line):
            key = entry.group(1).lower()
            value = entry.group(2).strip()
            if value.startswith("[") and value.endswith("]"):
                value = "; ".join(_unquote(part) for part in value[1:-1].split(","))
            entries[key] = _unquote(value)
        else:
            key = ""
    return entries


def _unquote(value: str) -> str:
    return one_line(value).strip("\"'")
