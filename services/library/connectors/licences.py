"""Licences by their short names, as a setting lists them and as the four services write them."""

from __future__ import annotations

import re
from collections.abc import Collection

OPEN = ("cc0", "public-domain", "cc-by", "cc-by-sa")
"""Those that let anybody copy and work with a text, also for a fee."""
_DEED = re.compile(r"creativecommons\.org/(licenses|publicdomain)/([a-z\-+]+)", re.IGNORECASE)
_NAME = re.compile(r"\A(?:cc|creative commons)[ \-_]*(by(?:[ \-_](?:nc|nd|sa))*|0|zero)?(?:[ \-_]*v?\d+(?:\.\d+)?)?\Z")
_DEEDS = {"zero": "cc0", "mark": "public-domain"}


def licence_of(written: str) -> str:
    """The short name of a licence (`cc-by`, `cc-by-nc-nd`, `cc0`, `public-domain`) from its address or from a name such
    as "CC BY 4.0"; "" for any other."""
    deed = _DEED.search(written)
    if deed is not None:
        section, name = deed.group(1).lower(), deed.group(2).lower().strip("-+")
        return _DEEDS.get(name, "") if section == "publicdomain" else f"cc-{name}"
    name = " ".join(written.lower().split())
    if name in ("public-domain", "public domain", "pd"):
        return "public-domain"
    match = _NAME.match(name)
    if match is None or match.group(1) is None:
        return ""
    terms = re.sub(r"[ _]", "-", match.group(1))
    return "cc0" if terms in ("0", "zero") else f"cc-{terms}"


def allowed(written: str, licences: Collection[str]) -> bool:
    """Whether a text under this licence may be fetched. What is not known is not allowed."""
    name = licence_of(written)
    return bool(name) and name in licences
