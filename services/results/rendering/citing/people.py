"""The people of a bibliographic entry as the CSL processor reads them: names with their parts where these are known."""

from __future__ import annotations

from typing import Any

from services.results.rendering.citing.casing import JOINT
from services.results.rendering.document import Citation
from services.results.rendering.plain_text import one_line

EDITORS = (f"{JOINT}ed.", f"{JOINT}eds.")
"""Marks of one editor and of several who stand where authors would; `references` writes them as the style does."""


def people(citation: Citation) -> list[dict[str, str]]:
    """The authors of a citation; a name without a comma is taken as it stands."""
    if listed := people_of(citation.csl.get("author")):
        return listed
    found = []
    for author in citation.authors:
        family, _, given = one_line(author).partition(",")
        if family.strip():
            found.append(_person(family.strip(), given.strip()))
    return found


def people_of(listed: object) -> list[dict[str, str]]:
    """The names of a CSL name variable. Whoever has no family name is an institution, or known by one name."""
    found = []
    for name in listed if isinstance(listed, list) else []:
        if not isinstance(name, dict):
            continue
        family, given = _part(name, "family"), _part(name, "given")
        # A particle that is never dropped is part of the name: "van Gogh" in the text and in the list.
        if family:
            family = " ".join(filter(None, (_part(name, "non-dropping-particle"), family)))
            found.append(_person(family, given, _part(name, "dropping-particle"), _part(name, "suffix")))
        elif alone := _part(name, "literal") or given:
            found.append(_person(alone))
    return found


def _part(name: dict[str, Any], key: str) -> str:
    value = name.get(key)
    return one_line(value).replace(JOINT, "\ufffd") if isinstance(value, str) else ""


def _person(family: str, given: str = "", prefix: str = "", suffix: str = "") -> dict[str, str]:
    parts = {"name": family, "given-name": given, "prefix": prefix, "suffix": suffix}
    return {key: value for key, value in parts.items() if value}
