"""Plain text and Markdown. The text is stored as it came, marks included."""

from __future__ import annotations

import re

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits, bounded
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.facts import (
    clean_doi,
    split_authors,
    title_from_filename,
    usable_title,
    year_of,
)
from services.library.parsing.normalise import one_line

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_TITLE_LINE_MAX = 120


def parse_text(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A text file. A short first line that stands alone is the title, else the file's name is."""
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits)
    require_text(text)
    first, _, rest = text.lstrip().partition("\n")
    alone = rest.startswith("\n") and len(first) <= _TITLE_LINE_MAX and first.rstrip()[-1:] not in ".;,"
    title = usable_title(first) if alone else ""
    return ParsedDocument(title or title_from_filename(filename), Kind.TEXT, text, problems=problems)


def parse_markdown(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A Markdown file; `title`, `author(s)`, `date` or `year` and `doi` are taken from front matter."""
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits)
    require_text(text)
    front = _front_matter(text)
    heading = _HEADING.search(text)
    title = usable_title(front.get("title", "")) or usable_title(heading.group(1) if heading else "")
    return ParsedDocument(
        title or title_from_filename(filename),
        Kind.MARKDOWN,
        text,
        authors=split_authors(front.get("authors") or front.get("author", "")),
        year=year_of(front.get("date") or front.get("year", "")),
        doi=clean_doi(front.get("doi", "")),
        problems=problems,
    )


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
