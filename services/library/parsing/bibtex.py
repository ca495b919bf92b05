"""BibTeX and BibLaTeX bibliographies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bibtexparser.library import Library
from bibtexparser.middlewares.names import (
    InvalidNameError,
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import Block, Entry, ParsingFailedBlock
from bibtexparser.splitter import Splitter

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.bibliography import bibliography
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits, bounded
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.facts import clean_doi
from services.library.parsing.latex import plain
from services.library.parsing.plain import require_text

_TYPES = {
    "article": "article-journal",
    "book": "book",
    "booklet": "pamphlet",
    "collection": "book",
    "conference": "paper-conference",
    "dataset": "dataset",
    "electronic": "webpage",
    "inbook": "chapter",
    "incollection": "chapter",
    "inproceedings": "paper-conference",
    "manual": "report",
    "mastersthesis": "thesis",
    "mvbook": "book",
    "online": "webpage",
    "patent": "patent",
    "phdthesis": "thesis",
    "proceedings": "book",
    "report": "report",
    "software": "software",
    "techreport": "report",
    "thesis": "thesis",
    "unpublished": "manuscript",
    "www": "webpage",
}
_FIELDS = {
    "title": ("title",),
    "container-title": ("journal", "journaltitle", "booktitle", "maintitle"),
    "collection-title": ("series",),
    "volume": ("volume",),
    "issue": ("number", "issue"),
    "page": ("pages", "eid"),
    "edition": ("edition",),
    "publisher": ("publisher", "school", "institution", "organization"),
    "publisher-place": ("address", "location"),
    "ISBN": ("isbn",),
    "ISSN": ("issn",),
    "language": ("langid", "language"),
    "abstract": ("abstract",),
    "keyword": ("keywords", "keyword"),
    "note": ("note", "annote"),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ARXIV = re.compile(r"^(?:arxiv:)?((?:\d{4}\.\d{4,5}|[a-z.-]+/\d{7})(?:v\d+)?)$", re.IGNORECASE)
_LONGEST_VALUE = 200_000  # strings may be made of strings, so that a few lines would stand for gigabytes
_INHERITED = {"title": "booktitle"}
_OWN = frozenset(("crossref", "xref", "key", "ids"))


def parse_bibtex(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A .bib file. Strings (`@string`) are put in, `crossref` is followed one step, LaTeX is decoded.

    Entries that cannot be read are counted in a problem. Raises DocumentUnreadable: `empty`, `corrupt`
    when no entry can be read, `too_large`.
    """
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits)
    require_text(text)
    entries, failed = _entries(text)
    if not entries:
        where = f" What begins at line {failed[0]} is no whole entry." if failed else ""
        raise DocumentUnreadable(UnreadableCause.CORRUPT, f"It has no BibTeX entry that can be read.{where}")
    if failed:
        problems += (f"{len(failed)} of {len(failed) + len(entries)} entries cannot be read.",)
    by_key = {key.casefold(): fields for key, _, fields, _ in entries}
    items = [_item(kind, _with_parent(fields, by_key), key) for key, kind, fields, _ in entries]
    first = f"the entry at line {entries[0][3]}"
    return bibliography(Kind.BIBTEX, items, filename, limits, problems, first=first)


def _entries(text: str) -> tuple[list[tuple[str, str, dict[str, str], int]], list[int]]:
    """Key, type, fields and line of each entry, and the lines of those that could not be read. Lines count from 1."""
    library: Library = Splitter(text).split()
    strings: dict[str, str] = {month: month for month in _MONTHS}
    for string in library.strings:
        strings[str(string.key).casefold()] = _value(str(string.value), strings)
    entries: list[tuple[str, str, dict[str, str], int]] = []
    failed: list[int] = []
    for block in library.blocks:
        entry: Block | None = block
        if isinstance(block, ParsingFailedBlock):  # a repeated key or field leaves an entry that can be used
            entry = block.ignore_error_block
            if entry is None:
                failed.append(int(block.start_line or 0) + 1)
        if isinstance(entry, Entry):
            fields = {str(field.key).casefold(): _value(str(field.value), strings) for field in reversed(entry.fields)}
            entries.append((entry.key, entry.entry_type.casefold(), fields, int(block.start_line or 0) + 1))
    return entries, failed


def _value(source: str, strings: Mapping[str, str]) -> str:
    """A field's value: pieces joined by `#`, each in quotes or braces, a number, or the name of a string."""
    pieces: list[str] = []
    begin = depth = 0
    quoted = False
    for index, character in enumerate(source):
        depth += (character == "{") - (character == "}")
        if character == '"' and depth == 0:
            quoted = not quoted
        elif character == "#" and depth == 0 and not quoted:
            pieces.append(source[begin:index])
            begin = index + 1
    pieces.append(source[begin:])
    return "".join(_piece(piece.strip(), strings) for piece in pieces)[:_LONGEST_VALUE]


def _piece(piece: str, strings: Mapping[str, str]) -> str:
    if len(piece) > 1 and (piece[0], piece[-1]) in (("{", "}"), ('"', '"')):
        return piece[1:-1]
    return strings.get(piece.casefold(), piece)


def _with_parent(fields: Mapping[str, str], by_key: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    parent = by_key.get(fields.get("crossref", "").casefold())
    if parent is None:
        return fields
    inherited = {_INHERITED.get(key, key): value for key, value in parent.items() if key not in _OWN}
    return {**inherited, **fields}


def _item(kind: str, fields: Mapping[str, str], key: str) -> dict[str, Any]:
    item: dict[str, Any] = {"id": key, "type": _TYPES.get(kind, "document")}
    for name, sources in _FIELDS.items():
        item[name] = next((text for source in sources if (text := plain(fields.get(source, "")))), "")
    if subtitle := plain(fields.get("subtitle", "")):
        item["title"] = f"{item['title']}: {subtitle}"
    item["page"] = item["page"].replace("\N{EN DASH}", "-").replace("--", "-")
    item["author"], item["editor"] = _names(fields.get("author", "")), _names(fields.get("editor", ""))
    item["issued"] = _date(fields)
    item["DOI"] = clean_doi(fields.get("doi", "").replace("\\_", "_"))
    item["URL"] = fields.get("url", "").replace("\\_", "_").replace("\\%", "%").replace("\\&", "&")
    eprint = _ARXIV.match(fields.get("eprint", "").strip())
    if eprint and "arxiv" in (fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv").casefold():
        item["number"] = f"arXiv:{eprint[1]}"
        item["URL"] = item["URL"] or f"https://arxiv.org/abs/{eprint[1]}"
        if item["type"] == "document":
            item["type"] = "article"
    return item


def _names(field: str) -> list[dict[str, str]]:
    try:
        people = split_multiple_persons_names(" ".join(field.split()))
    except (InvalidNameError, ValueError, IndexError, RecursionError):
        people = re.split(r"\s+and\s+", field)
    return [_name(person) for person in people if person.strip().casefold() not in ("", "others")]


def _name(person: str) -> dict[str, str]:
    if person.startswith("{") and person.endswith("}") and person.count("{") == 1:
        return {"literal": plain(person)}  # an organisation, held together by its braces
    try:
        parts = parse_single_name_into_parts(person, strict=False)
    except (InvalidNameError, ValueError, IndexError, RecursionError):
        return {"literal": plain(person)}
    family = {
        "family": _joined(parts.last),
        "given": _joined(parts.first),
        "non-dropping-particle": _joined(parts.von),
        "suffix": _joined(parts.jr),
    }
    return {"literal": family["family"]} if not family["given"] and " " in family["family"] else family


def _joined(words: Iterable[str]) -> str:
    return plain(" ".join(words))


def _date(fields: Mapping[str, str]) -> dict[str, Any]:
    date = plain(fields.get("date") or fields.get("year") or "")
    match = re.match(r"^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$", date)
    if match is None:
        return {"literal": date}
    parts = [int(part) for part in match.groups() if part]
    month = plain(fields.get("month", "")).casefold()
    if len(parts) == 1 and month[:3] in _MONTHS:
        parts.append(_MONTHS.index(month[:3]) + 1)
    elif len(parts) == 1 and month.isdecimal() and 1 <= int(month) <= 12:
        parts.append(int(month))
    return {"date-parts": [parts]}
