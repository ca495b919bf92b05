"""CSL-JSON items: checked when they come from outside, and built from what a document says of itself.

The data model is the Citation Style Language's, schema 1.0 (csl-data.json): names are objects with
`family`, `given` or `literal`, dates are `{"date-parts": [[year, month, day]]}`, all else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from services.library.parsing.facts import clean_doi, year_of
from services.library.parsing.normalise import normalise, one_line
from services.library.places import CSL

TEXT_MAX = 20_000
LINE_MAX = 2_000
NAMES_MAX = 3_000
_NAME_LISTS = frozenset(
    (
        "author",
        "chair",
        "collection-editor",
        "composer",
        "container-author",
        "contributor",
        "director",
        "editor",
        "editorial-director",
        "guest",
        "illustrator",
        "interviewer",
        "original-author",
        "recipient",
        "reviewed-author",
        "translator",
    )
)
_DATES = frozenset(("accessed", "available-date", "event-date", "issued", "original-date", "submitted"))
_LONG = frozenset(("abstract", "note"))
_TEXT_NAMES = (
    "id type language DOI ISBN ISSN PMID PMCID URL archive call-number chapter-number collection-number "
    "collection-title container-title container-title-short edition event event-place event-title genre issue "
    "journalAbbreviation keyword medium number number-of-pages number-of-volumes original-title page "
    "page-first part publisher publisher-place section shortTitle source status title title-short version "
    "volume year-suffix"
)
_TEXTS = frozenset(_TEXT_NAMES.split())
_ISO = re.compile(r"^(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T.*)?$")
_PARTICLES = frozenset(
    ("van", "von", "de", "der", "den", "du", "da", "di", "del", "della", "la", "le", "ten", "ter", "zu")
)
_BODY = re.compile(
    r"\b(?:university|institute|institution|association|society|committee|council|commission|agency|organi[sz]ation|group"
    r"|team|office|department|ministry|foundation|consortium|collaboration|cent(?:re|er)|bureau|library|inc|ltd)\b",
    re.IGNORECASE,
)
_NAME_PARTS = ("family", "given", "literal", "suffix", "dropping-particle", "non-dropping-particle")


def checked_item(value: object) -> dict[str, Any]:
    """`value` as a CSL-JSON item: known fields in their forms, in the stored form of text; the rest is dropped.

    Raises TypeError when it is no object.
    """
    if not isinstance(value, Mapping):
        raise TypeError("a CSL item is an object")
    item: dict[str, Any] = {}
    for key, raw in value.items():
        checked: object = None
        if key in _NAME_LISTS:
            checked = _names(raw)
        elif key in _DATES:
            checked = _date(raw)
        elif key in _LONG:
            checked = normalise(raw)[:TEXT_MAX].strip() if isinstance(raw, str) else None
        elif key in _TEXTS:
            checked = _line(raw)
        if checked:
            item[key] = checked
    if "DOI" in item:
        item["DOI"] = clean_doi(item["DOI"])
        if not item["DOI"]:
            del item["DOI"]
    return item


def _line(raw: object) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    return one_line(raw)[:LINE_MAX] if isinstance(raw, str) else ""


def _names(raw: object) -> list[dict[str, str]]:
    names: list[dict[str, str]] = []
    for entry in raw if isinstance(raw, list) else ():
        if not isinstance(entry, Mapping):
            continue
        name = {part: text for part in _NAME_PARTS if (text := _line(entry.get(part)))}
        if "family" in name or "literal" in name or "given" in name:
            names.append(name)
        if len(names) >= NAMES_MAX:
            break
    return names


def _date(raw: object) -> dict[str, Any]:
    """`date-parts` where the date has them or is an ISO date, else its text as `literal`."""
    if not isinstance(raw, Mapping):
        return {}
    parts = raw.get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else []
    numbers = [number for part in first[:3] if (number := _number(part)) is not None]
    if numbers and len(numbers) == len(first[:3]):
        return {"date-parts": [numbers]}
    text = _line(raw.get("raw") or raw.get("literal") or "")
    if match := _ISO.match(text):
        return {"date-parts": [[int(part) for part in match.groups() if part]]}
    return {"literal": text} if text else {}


def _number(part: object) -> int | None:
    if isinstance(part, str) and part.strip().isdecimal() and len(part) < 8:
        part = int(part)
    return part if type(part) is int and abs(part) < 10_000 else None


def described(kind: str, title: str, authors: Iterable[str], year: int | None, doi: str, **more: str) -> CSL:
    """The item of a document whose own facts are these; `more` are further text fields, empty ones left out.

    Names are given as a document prints them, given name first: the last word is the family name, with the
    particles before it; one word, or what names a body of people, stays whole.
    """
    item: dict[str, Any] = {"type": kind, "title": title}
    item["author"] = [_person(name) for name in authors]
    item["issued"] = {"date-parts": [[year]]} if year else {}
    item["DOI"] = doi
    item.update((key.replace("_", "-"), value) for key, value in more.items())
    return checked_item(item)


def _person(name: str) -> dict[str, str]:
    words = name.split()
    if len(words) < 2 or _BODY.search(name):
        return {"literal": name}
    cut = len(words) - 1
    while cut > 1 and words[cut - 1].lower() in _PARTICLES:
        cut -= 1
    return {"given": " ".join(words[:cut]), "family": " ".join(words[cut:])}


def names_of(item: CSL, role: str = "author") -> tuple[str, ...]:
    """The names of a role as they are read aloud: given name first."""
    return tuple(_displayed(name) for name in item.get(role, ()))


def _displayed(name: Mapping[str, str]) -> str:
    if "literal" in name:
        return name["literal"]
    parts = ("given", "dropping-particle", "non-dropping-particle", "family", "suffix")
    return " ".join(name[part] for part in parts if part in name)


def year_in(item: CSL) -> int | None:
    """The year in which the work was issued."""
    issued = item.get("issued", {})
    if "date-parts" in issued:
        year = issued["date-parts"][0][0]
        return year if isinstance(year, int) and 0 < year < 3000 else None
    return year_of(issued.get("literal", ""))
