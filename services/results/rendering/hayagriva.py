"""Bibliographic entries for the CSL processor, which reads the Hayagriva format rather than CSL-JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from services.results.rendering.document import Citation
from services.results.rendering.plain_text import one_line

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/[!#-;=?-\[\]-~]{1,200})", re.IGNORECASE)
_NOT_IN_ADDRESS = re.compile(r"[\s\x00-\x20\x7f-\x9f\"<>\\^`{|}\ud800-\udfff]")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_MARKUP = re.compile(r"[\\{}$]")
_ARTICLES = frozenset({"article-journal", "article-magazine", "article-newspaper", "review", "review-book"})
_PARENTS = {
    **dict.fromkeys(_ARTICLES, ("article", "periodical")),
    "paper-conference": ("article", "proceedings"),
    "chapter": ("chapter", "book"),
    "entry-encyclopedia": ("entry", "reference"),
}
_PLAIN = {"book": "book", "thesis": "thesis", "webpage": "web", "post-weblog": "web"}


def web_address(value: object) -> str | None:
    """`value` as an http or https address that is safe to link to, in ASCII; None if it is none."""
    if not isinstance(value, str) or len(value) > 2000 or _NOT_IN_ADDRESS.search(value):
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or "@" in parts.netloc or port == 0:
        return None
    if not re.fullmatch(r"[A-Za-z0-9.\-]+", parts.hostname or ""):
        return None
    return quote(value, safe=_ASCII)


def entry(citation: Citation) -> dict[str, Any]:
    """The Hayagriva entry of a citation: its own fields first, what only its CSL item knows after them."""
    csl = citation.csl
    container = _text(csl.get("container-title"))
    kind, parent = _PARENTS.get(str(csl.get("type", "")), ("article", "periodical"))
    result: dict[str, Any] = {"title": _markup(one_line(citation.title) or "—")}
    if container:
        # Volume and issue belong to the whole that the work appeared in.
        result["type"] = kind
        result["parent"] = {"type": parent, "title": _markup(container), **_numbers(csl)}
    else:
        # "report" is set by every style as a work that stands alone; "article" would become a preprint.
        result["type"] = _PLAIN.get(str(csl.get("type", "")), "report")
    if authors := _authors(citation):
        result["author"] = authors
    if (year := citation.year if citation.year is not None else _year(csl)) is not None and 0 < year < 10_000:
        result["date"] = f"{year:04d}"
    if publisher := _text(csl.get("publisher")):
        result["publisher"] = _markup(publisher)
    if page := _pages(csl.get("page")):
        result["page-range"] = page
    if found := _DOI.fullmatch((citation.doi or _text(csl.get("DOI"))).strip()):
        result["serial-number"] = {"doi": found[1]}
    elif url := web_address(citation.url or csl.get("URL")):
        result["url"] = url
    return result


def _text(value: object) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    return one_line(value) if isinstance(value, str) else ""


def _markup(text: str) -> str:
    """`text` for a field that knows braces and dollars as markup, with both taken literally."""
    return _MARKUP.sub(lambda match: "\\" + match[0], text)


def _numbers(csl: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in ("volume", "issue"):
        value = csl.get(name)
        if re.fullmatch(r"\d{1,6}", text := str(value) if value is not None else ""):
            result[name] = int(text)
    return result


def _pages(value: object) -> str | None:
    text = str(value).replace("–", "-").replace("--", "-") if value is not None else ""
    return text if re.fullmatch(r"\d{1,7}(-\d{1,7})?", text) else None


def _year(csl: Mapping[str, Any]) -> int | None:
    issued = csl.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, Mapping) else None
    try:
        return int(parts[0][0]) if parts else None
    except (TypeError, ValueError, IndexError, KeyError):
        return None


def _authors(citation: Citation) -> list[dict[str, str]]:
    """Names with their parts where these are known; a name without a comma is taken as it stands."""
    people: list[dict[str, str]] = []
    listed = citation.csl.get("author")
    for name in listed if isinstance(listed, list) else []:
        if not isinstance(name, Mapping):
            continue
        family, given = _text(name.get("family")), _text(name.get("given"))
        if family:
            people.append(_person(family, given, _text(name.get("non-dropping-particle"))))
        elif literal := _text(name.get("literal")):
            people.append(_person(literal))
    if people:
        return people
    for author in citation.authors:
        family, _, given = one_line(author).partition(",")
        if family.strip():
            people.append(_person(family.strip(), given.strip()))
    return people


def _person(family: str, given: str = "", prefix: str = "") -> dict[str, str]:
    parts = {"name": family, "given-name": given, "prefix": prefix}
    return {key: value for key, value in parts.items() if value}
