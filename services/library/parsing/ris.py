"""RIS: the tagged format reference managers and publishers export."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import rispy

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.bibliography import bibliography
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits, bounded
from services.library.parsing.encoding import declared_charset, decode
from services.library.parsing.facts import clean_doi
from services.library.parsing.plain import require_text

_TYPES = {
    "ABST": "article-journal",
    "BLOG": "post-weblog",
    "BOOK": "book",
    "CHAP": "chapter",
    "COMP": "software",
    "CONF": "paper-conference",
    "CPAPER": "paper-conference",
    "DATA": "dataset",
    "EBOOK": "book",
    "ECHAP": "chapter",
    "EDBOOK": "book",
    "EJOUR": "article-journal",
    "ELEC": "webpage",
    "INPR": "article-journal",
    "JFULL": "article-journal",
    "JOUR": "article-journal",
    "MGZN": "article-magazine",
    "NEWS": "article-newspaper",
    "PAT": "patent",
    "RPRT": "report",
    "THES": "thesis",
    "UNPB": "manuscript",
}
_START = re.compile(r"^TY {1,2}- ?\S", re.MULTILINE)
_TAGS = {
    "title": ("TI", "T1", "CT", "BT"),
    "container-title": ("T2", "JO", "JF", "JA", "J1", "J2"),
    "collection-title": ("T3",),
    "volume": ("VL",),
    "issue": ("IS",),
    "publisher": ("PB",),
    "publisher-place": ("CY", "PP"),
    "edition": ("ET",),
    "language": ("LA",),
    "abstract": ("AB", "N2"),
    "URL": ("UR", "L2"),
    "note": ("N1",),
}


class _Tags(rispy.RisParser):  # type: ignore[misc,unused-ignore]
    """Records as lists by tag: what a tag means here depends on which others there are."""

    DEFAULT_MAPPING: ClassVar[dict[str, str]] = {tag: tag for tag in rispy.TAG_KEY_MAPPING} | {"TY": "TY", "UK": "UK"}
    DEFAULT_LIST_TAGS: ClassVar[list[str]] = [tag for tag in rispy.TAG_KEY_MAPPING if tag not in ("TY", "ER", "UK")]
    DEFAULT_DELIMITER_MAPPING: ClassVar[dict[str, str]] = {}


def parse_ris(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A .ris file. A last record without its end tag counts; so do spellings with one blank before the dash.

    Raises DocumentUnreadable: `empty`, `corrupt` when it has no record that says anything, `too_large`.
    """
    raw, problems = decode(data, declared_charset(content_type))
    text = bounded(raw, limits)
    require_text(text)
    if not _START.search(text):
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It has no RIS record.")
    text = re.sub(r"^[ \t]*([A-Z][A-Z0-9]) {1,2}-", r"\1  -", text, flags=re.MULTILINE)
    text = re.sub(r"\n(?![A-Z][A-Z0-9]  -)[ \t]*", " ", text)  # what has no tag goes on with the line before
    # A record that has no end tag before the next one begins, or before the file ends, is still a record.
    text = re.sub(r"^(?=TY  -)", "ER  - \n", text, flags=re.MULTILINE) + "\nER  - \n"
    records = _Tags(skip_unknown_tags=True).parse(text)
    return bibliography(Kind.RIS, [_item(record) for record in records], filename, limits, problems)


def _item(record: Mapping[str, Any]) -> dict[str, Any]:
    def first(*tags: str) -> str:
        return next((text for tag in tags for text in _texts(record, tag) if text), "")

    kind = str(record.get("TY", "")).strip().upper()
    item: dict[str, Any] = {name: first(*tags) for name, tags in _TAGS.items()}
    item["id"] = first("ID", "AN")
    item["type"] = _TYPES.get(kind, "document")
    item["page"] = "-".join(dict.fromkeys(filter(None, (first("SP"), first("EP")))))
    item["author"] = [_name(name) for tag in ("AU", "A1") for name in _texts(record, tag)]
    item["editor"] = [_name(name) for tag in ("ED", "A2") for name in _texts(record, tag)]
    item["keyword"] = "; ".join(_texts(record, "KW"))
    item["DOI"] = clean_doi(first("DO")) or clean_doi(
        next((url for url in _texts(record, "UR") if "doi.org/" in url), "")
    )
    item["issued"] = _date(first("PY", "Y1", "DA"), first("DA"))
    number = first("SN")
    item["ISBN" if item["type"] in ("book", "chapter") else "ISSN"] = number
    return item


def _texts(record: Mapping[str, Any], tag: str) -> list[str]:
    value = record.get(tag, ())
    return [str(text).strip() for text in ([value] if isinstance(value, str) else value) if str(text).strip()]


def _name(name: str) -> dict[str, str]:
    family, _, given = name.partition(",")
    if not given.strip():
        return {"literal": name.strip(" ,")}
    given, _, suffix = given.partition(",")
    return {"family": family.strip(), "given": given.strip(), "suffix": suffix.strip()}


def _date(year: str, full: str) -> dict[str, Any]:
    """RIS dates are `YYYY/MM/DD/other`, each part after the first optional."""
    for raw in (full, year):
        match = re.match(r"^\s*(\d{4})(?:[/-](\d{1,2}))?(?:[/-](\d{1,2}))?", raw)
        if match:
            return {"date-parts": [[int(part) for part in match.groups() if part]]}
    return {"literal": year or full}
