"""The references of a result for other programs: works with citation keys, and as CSL-JSON.

A work is what the engine said of a source and, where that is silent, what its CSL-JSON item does.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.results.rendering.citing.hayagriva import web_address
from services.results.rendering.document import Citation
from services.results.rendering.plain_text import one_line
from services.results.rendering.reading import JSON

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/[!-\[\]-z|~]{1,200})", re.IGNORECASE)
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i", "ħ": "h"}
)
_WORD = re.compile(r"[a-z0-9]+")
_SMALL_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at by can do does for from how in into is it of on or over the to under was what when where "
        "which who why with das dem den der des die ein eine fur im und von zu au aux de du en et la le les un une del "
        "el las los por y"
    )
)


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name in parts. An organisation, or a name that is known only as it stands, has `family` alone, and
    `whole` is true."""

    family: str
    given: str = ""
    particle: str = ""
    suffix: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A source under its citation key. Texts are on one line each, empty where unknown. `type` is the CSL type;
    `date` holds year, month and day as far as they are known."""

    key: str
    id: str
    type: str
    title: str
    authors: tuple[Name, ...]
    editors: tuple[Name, ...]
    date: tuple[int, ...]
    container: str
    volume: str
    issue: str
    pages: str
    publisher: str
    place: str
    genre: str
    number: str
    isbn: str
    issn: str
    language: str
    doi: str
    url: str


def works(citations: Sequence[Citation]) -> tuple[Work, ...]:
    """The sources in their order, with keys such as `smith2020boiling`: ASCII, no two alike, the same for the same
    citations in the same order."""
    taken: set[str] = set()
    return tuple(_work(citation, taken) for citation in citations)


def csl_json(citations: Sequence[Citation], found: Sequence[Work]) -> bytes:
    """The CSL-JSON items as they came, under the citation keys; what only the engine said is filled in."""
    items = [_item(citation, work) for citation, work in zip(citations, found, strict=True)]
    return orjson.dumps(items, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def _item(citation: Citation, work: Work) -> dict[str, JSON]:
    known: dict[str, JSON] = {"type": work.type, "title": work.title}
    if work.authors:
        known["author"] = [_csl_name(name) for name in work.authors]
    if work.date:
        known["issued"] = {"date-parts": [list(work.date)]}
    known |= {key: value for key, value in (("DOI", work.doi), ("URL", work.url)) if value}
    return {**known, **citation.csl, "id": work.key, "citation-key": work.key, "custom": {"citation": work.id}}


def _csl_name(name: Name) -> dict[str, str]:
    if name.whole:
        return {"literal": name.family}
    parts = {"family": name.family, "given": name.given, "non-dropping-particle": name.particle, "suffix": name.suffix}
    return {key: value for key, value in parts.items() if value}


def _work(citation: Citation, taken: set[str]) -> Work:
    csl = citation.csl
    title = one_line(citation.title) or _text(csl.get("title"))
    authors = _names(csl.get("author")) or tuple(filter(None, map(_written, citation.authors)))
    date = _date(csl.get("issued"))
    if citation.year is not None and citation.year != (date[0] if date else None):
        date = (citation.year,) if 0 < citation.year < 10_000 else ()
    doi = _DOI.fullmatch((citation.doi or _text(csl.get("DOI"))).strip())
    return Work(
        key=_key(_identity(citation, doi[1] if doi else "", title), authors, date, title, taken),
        id=citation.id,
        type=_text(csl.get("type")) or "document",
        title=title,
        authors=authors,
        editors=_names(csl.get("editor")),
        date=date,
        container=_text(csl.get("container-title")),
        volume=_text(csl.get("volume")),
        issue=_text(csl.get("issue")),
        pages=re.sub(r"\s*[–—-]+\s*", "-", _text(csl.get("page"))),
        publisher=_text(csl.get("publisher")),
        place=_text(csl.get("publisher-place")),
        genre=_text(csl.get("genre")),
        number=_text(csl.get("number")),
        isbn=_text(csl.get("ISBN")),
        issn=_text(csl.get("ISSN")),
        language=_text(csl.get("language")),
        doi=doi[1] if doi else "",
        url=web_address(citation.url or csl.get("URL")) or "",
    )


def _text(value: JSON) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = f"{value:g}"
    return one_line(value) if isinstance(value, str) else ""


def _names(listed: JSON) -> tuple[Name, ...]:
    found: list[Name] = []
    for item in listed if isinstance(listed, list) else []:
        if not isinstance(item, Mapping):
            continue
        family, given = _text(item.get("family")), _text(item.get("given"))
        particle = " ".join(
            part for key in ("dropping-particle", "non-dropping-particle") if (part := _text(item.get(key)))
        )
        if family:
            found.append(Name(family, given, particle, _text(item.get("suffix")), whole=not given and not particle))
        elif literal := _text(item.get("literal")) or given:
            found.append(Name(literal, whole=True))
    return tuple(found)


def _written(author: str) -> Name | None:
    family, _, given = one_line(author).partition(",")
    family, given = family.strip(), given.strip()
    if not family:
        return Name(given, whole=True) if given else None
    return Name(family, given, whole=not given)


def _date(issued: JSON) -> tuple[int, ...]:
    parts: Any = issued.get("date-parts") if isinstance(issued, Mapping) else None
    try:
        found = [int(part) for part in parts[0][:3]] if parts else []
    except (TypeError, ValueError, IndexError, KeyError):
        return ()
    limits = ((1, 9999), (1, 12), (1, 31))
    kept: list[int] = []
    for part, (least, most) in zip(found, limits, strict=False):
        if not least <= part <= most:
            break
        kept.append(part)
    return tuple(kept)


def _identity(citation: Citation, doi: str, title: str) -> str:
    """What tells the source in every session that cites it, which the citation's own id does not."""
    # A list of references is one document of many works.
    return doi.lower() or f"{citation.document_id} {title}".strip() or citation.id


def _key(identity: str, authors: Sequence[Name], date: Sequence[int], title: str, taken: set[str]) -> str:
    who = "".join(_folded(authors[0].family)) if authors else ""
    telling = [word for word in _folded(title) if word not in _SMALL_WORDS and len(word) > 1]
    # Without an author the title alone has to tell the works of a subject from each other.
    what = "".join(word[:20] for word in telling[: 1 if who else 2])
    year = str(date[0]) if date else ""
    # Letters that ASCII has nothing for leave no name; then the source is told by what identifies it.
    base = (
        f"{who[:30]}{year}{what}"
        if who or what
        else f"ref{year}{hashlib.sha256(identity.encode(errors='surrogatepass')).hexdigest()[:8]}"
    )
    if base[0].isdigit():
        base = f"ref{base}"
    key, more = base, 1
    while key in taken:
        more += 1
        key = f"{base}{chr(ord('a') + more - 1)}" if more <= 26 else f"{base}-{more}"
    taken.add(key)
    return key


def _folded(text: str) -> Iterable[str]:
    """The words of `text` in plain lower-case letters and digits."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter) and letter not in "'’")
    return _WORD.findall(bare)
