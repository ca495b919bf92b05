"""Bibliographic entries for the CSL processor, which reads the Hayagriva format rather than CSL-JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlsplit

from services.results.rendering.citing.casing import english, protected, verbatim
from services.results.rendering.citing.people import EDITORS, people, people_of
from services.results.rendering.document import Citation
from services.results.rendering.plain_text import one_line

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/[!#-;=?-\[\]-~]{1,200})", re.IGNORECASE)
_NOT_IN_ADDRESS = re.compile(r"[\s\x00-\x20\x7f-\x9f\"<>\\^`{|}\ud800-\udfff]")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_PAGES = re.compile(r"[A-Za-z]{0,3}[.]?\d{1,9}[A-Za-z]{0,2}(?:[.]\d{1,9})?|[ivxlcdm]{1,10}")
_ARTICLE_NUMBER = re.compile(r"[A-Za-z]{1,3}\d{3,12}|\d{5,12}")
_NUMBER = re.compile(r"\d{1,6}(-\d{1,6})?|[\w.:/()+ -]{1,40}")
_EDITION = re.compile(r"(\d{1,3})(?:st|nd|rd|th|\.)?(?:\s+ed(?:ition|n)?\.?)?", re.IGNORECASE)
_ISBN = re.compile(r"[0-9Xx -]{10,20}")
_LANGUAGE = re.compile(r"([a-z]{2,3})(-[A-Z][a-z]{3})?(-[A-Z]{2})?")

_PERIODICALS = frozenset({"article-journal", "article-magazine", "review", "review-book"})
_ENTRIES = frozenset({"entry", "entry-dictionary", "entry-encyclopedia"})
_ALONE = {
    "article": "article",
    "bill": "legislation",
    "book": "book",
    "broadcast": "video",
    "classic": "book",
    "collection": "book",
    "dataset": "report",
    "legal_case": "case",
    "legislation": "legislation",
    "manuscript": "manuscript",
    "motion_picture": "video",
    "patent": "patent",
    "periodical": "book",
    "post": "web",
    "post-weblog": "web",
    "software": "repository",
    "song": "audio",
    "thesis": "thesis",
    "webpage": "web",
}
_GENRES = {"dataset": "Data set", "software": "Computer software"}
"""What stands for a kind of work that the format has no word for."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """How what a style demands is best said to a processor that knows fewer kinds of work than CSL.

    Each is a departure from the plain translation, for a built-in style whose output it brings to what the style's
    guide shows; a style that somebody brings gets the plain translation.
    """

    papers_are_chapters: bool = False
    """A paper in proceedings is set like a chapter, with the editors and pages."""
    articles_are_numbered: bool = False
    """An article number is named as such and does not stand where the pages would."""
    datasets_are_software: bool = False
    reports_are_books: bool = False
    preprints_in_servers: bool = False
    """The server of a preprint is set like a journal."""
    preprints_are_numbered: bool = False
    sites_publish: bool = False
    """A web page's site is its publisher."""
    editors_as_authors: bool = False
    """Editors of a book without authors stand where these would, marked as `EDITORS`."""


PLAIN = Conventions()


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
    if not _is_host(parts.hostname or ""):
        return None
    return quote(value, safe=_ASCII)


def _is_host(name: str) -> bool:
    """Whether a lower-case name is one that every reader of addresses accepts: what ends in a number must be an IPv4
    address, and what looks like an international name must be one."""
    if not re.fullmatch(r"[a-z0-9.\-]+", name):
        return False
    labels = name.rstrip(".").split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        return re.fullmatch(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}", name) is not None
    try:
        for label in labels:
            if label.startswith("xn--"):
                label.encode().decode("idna")
    except UnicodeError:
        return False
    return True


def entry(citation: Citation, conventions: Conventions = PLAIN) -> dict[str, Any]:
    """The Hayagriva entry of a citation: its own fields first, what only its CSL item knows after them."""
    return _Entry(citation, conventions).entry()


class _Entry:
    def __init__(self, citation: Citation, conventions: Conventions) -> None:
        self._citation = citation
        self._csl = citation.csl
        self._ways = conventions
        self._kind = str(citation.csl.get("type", ""))
        self._english = english(_text(self._csl.get("language")), one_line(citation.title))
        self._container = _text(self._csl.get("container-title"))
        if not self._container and self._kind == "paper-conference":
            self._container = _text(self._csl.get("event-title") or self._csl.get("event"))

    def entry(self) -> dict[str, Any]:
        type_, parent = self._kinds()
        result: dict[str, Any] = {"type": type_, "title": self._set(one_line(self._citation.title) or "—")}
        whole = self._whole(parent) if parent else None
        # What describes the volume belongs to the whole that a work appeared in, or to the work that stands alone.
        (result if whole is None else whole).update(self._issue_of(whole is None))
        if whole is not None:
            result["parent"] = whole
        elif series := self._series():
            result["parent"] = series
        result |= self._names(whole is None)
        if issued := self._date():
            result["date"] = issued
        if found := _LANGUAGE.fullmatch(_text(self._csl.get("language"))):
            result["language"] = found[0]
        serial = result.pop("serial-number", {})
        result |= self._identified(serial)
        if genre := self._genre():
            result["genre"] = self._set(genre)
        return result

    def _kinds(self) -> tuple[str, str | None]:
        """The types of the work and of what it appeared in."""
        kind, ways = self._kind, self._ways
        if kind == "dataset" and ways.datasets_are_software:
            return "repository", None
        if kind == "article" and ways.preprints_in_servers and (self._container or _text(self._csl.get("publisher"))):
            return "article", "periodical"
        if not self._container:
            if kind == "report" and ways.reports_are_books and not self._address():
                return "book", None
            # "report" is set by every style as a work that stands alone; "article" would become a preprint.
            return _ALONE.get(kind, "report"), None
        if kind == "article-newspaper":
            return "article", "newspaper"
        if kind == "paper-conference":
            return ("chapter", "book") if ways.papers_are_chapters else ("article", "proceedings")
        if kind == "chapter" or kind in _ENTRIES:
            # Of an entry in a work of reference the processor would lose what it stands in.
            return "chapter", "book"
        if kind == "post-weblog":
            return "article", "blog"
        if kind in ("webpage", "post"):
            return "web", None if ways.sites_publish else "web"
        if kind in _ALONE and kind != "article":
            return _ALONE[kind], None
        return "article", "periodical"

    def _whole(self, type_: str) -> dict[str, Any]:
        title = self._container or _text(self._csl.get("publisher"))
        result: dict[str, Any] = {"type": type_, "title": self._set(title)}
        if short := _text(self._csl.get("container-title-short") or self._csl.get("journalAbbreviation")):
            result["title"] = {"value": result["title"], "shorthand": self._set(short)}
        if editors := people_of(self._csl.get("editor")):
            result["editor"] = editors
        if series := self._series():
            result["parent"] = series
        return result

    def _issue_of(self, alone: bool) -> dict[str, Any]:
        """Volume, issue, edition, publisher, ISBN."""
        result: dict[str, Any] = {}
        for name in ("volume", "issue"):
            if (number := _number(self._csl.get(name))) is not None:
                result[name] = number
        if edition := _text(self._csl.get("edition")):
            found = _EDITION.fullmatch(edition)
            result["edition"] = int(found[1]) if found else verbatim(edition)
        name = _text(self._csl.get("publisher"))
        if alone and self._ways.sites_publish and self._kind in ("webpage", "post"):
            name = self._container or name
        # A journal's publisher is named by no style; a preprint's server is said already.
        if name and (alone or self._kind not in _PERIODICALS | {"article", "article-newspaper"}):
            place = _text(self._csl.get("publisher-place"))
            result["publisher"] = {"name": verbatim(name), **({"location": verbatim(place)} if place else {})}
            if self._kind == "thesis" and self._address():
                result["organization"] = verbatim(name)
        if _ISBN.fullmatch(isbn := _text(self._csl.get("ISBN"))):
            result["serial-number"] = {"isbn": isbn}
        return result

    def _series(self) -> dict[str, Any] | None:
        title = _text(self._csl.get("collection-title"))
        if not title or self._kind not in ("book", "chapter", "paper-conference", "report"):
            return None
        number = _number(self._csl.get("collection-number"))
        return {"type": "book", "title": self._set(title), **({"volume": number} if number is not None else {})}

    def _names(self, alone: bool) -> dict[str, Any]:
        result: dict[str, Any] = {}
        authors = people(self._citation)
        editors = people_of(self._csl.get("editor")) if alone else []
        if editors and not authors and self._ways.editors_as_authors:
            authors = [*editors[:-1], {**editors[-1], "suffix": EDITORS[len(editors) > 1]}]
            editors = []
        if authors:
            result["author"] = authors
        if editors:
            result["editor"] = editors
        if translators := people_of(self._csl.get("translator")):
            result["affiliated"] = [{"role": "translator", "names": translators}]
        return result

    def _date(self) -> str | None:
        """As exact as it is known; a year of the citation's own wins."""
        found, year = _iso(self._csl.get("issued")), self._citation.year
        if year is None or (found is not None and int(found[:4]) == year):
            return found
        return f"{year:04d}" if 0 < year < 10_000 else None

    def _identified(self, serial: dict[str, str]) -> dict[str, Any]:
        """Pages, numbers, DOI or address, beside the numbers that are known already."""
        result: dict[str, Any] = {}
        page, number = _pages(self._csl.get("page")), _text(self._csl.get("number"))[:60]
        if self._kind in _PERIODICALS:
            number = number or (page if page and _ARTICLE_NUMBER.fullmatch(page) else "")
            if number and self._ways.articles_are_numbered:
                page, serial["serial"] = None, number
            elif number and not page:
                page = _pages(number)
        elif self._kind == "article":
            number = re.sub(r"(?i)^\s*arxiv:\s*", "", number)
            if number and (self._ways.preprints_are_numbered or self._ways == PLAIN):
                serial["serial"] = number
        elif number:
            serial["serial"] = number
        if self._kind in _GENRES and (version := _text(self._csl.get("version"))[:60]):
            serial["version"] = re.sub(r"(?i)^v(?:ersion|\.)?\s*(?=\d)", "", version)
        if page:
            result["page-range"] = page
        if doi := self._doi():
            serial["doi"] = doi
        elif url := self._address():
            visited = _iso(self._csl.get("accessed"))
            result["url"] = {"value": url, "date": visited} if visited else url
        if serial:
            result["serial-number"] = serial
        return result

    def _genre(self) -> str:
        if self._kind == "article":
            return ""
        return _text(self._csl.get("genre")) or _GENRES.get(self._kind, "")

    def _doi(self) -> str | None:
        found = _DOI.fullmatch((self._citation.doi or _text(self._csl.get("DOI"))).strip())
        return found[1] if found else None

    def _address(self) -> str | None:
        return web_address(self._citation.url or self._csl.get("URL"))

    def _set(self, text: str) -> str:
        """`text` for a field whose case a style may change: in an English work only, and never within a word."""
        return protected(text) if self._english else verbatim(text)


def _text(value: object) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return one_line(value) if isinstance(value, str) else ""


def _number(value: object) -> int | str | None:
    text = _text(value).replace("–", "-")
    if not _NUMBER.fullmatch(text) or not text.strip(" -"):
        return None
    return int(text) if text.isascii() and text.isdigit() else text


def _pages(value: object) -> str | None:
    text = _text(value).replace("—", "-").replace("–", "-").replace("−", "-").replace("--", "-")
    parts = [[end.strip() for end in part.split("-")] for part in re.split(r"[,;]", text)] if text else []
    if not parts or len(parts) > 10 or any(len(ends) > 2 or not all(map(_PAGES.fullmatch, ends)) for ends in parts):
        return None
    return ", ".join("-".join(ends) for ends in parts)


def _iso(value: object) -> str | None:
    """A CSL date as far as it is a date: year, month, day."""
    if not isinstance(value, Mapping):
        return None
    listed = value.get("date-parts")
    parts: list[Any] = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], list) else []
    if not parts and (found := _DATE.match(_text(value.get("raw") or value.get("literal")))):
        parts = [part for part in found.groups() if part]
    try:
        year, month, day = (*(int(part) for part in parts[:3]), *(0,) * (3 - len(parts[:3])))
    except (TypeError, ValueError, OverflowError):
        return None
    if not 0 < year < 10_000:
        return None
    if not 1 <= month <= 12:
        return f"{year:04d}"
    try:
        return date(year, month, day).isoformat()
    except (ValueError, OverflowError):
        return f"{year:04d}-{month:02d}"
