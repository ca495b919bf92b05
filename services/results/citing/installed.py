"""The styles that an installation adds: a folder of .csl files, each known by its name without the ending."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import structlog

from services.results.citing.domain import CitationStyle, Source
from services.results.rendering.citing.styles import BUILT_IN, MOST_BYTES, InvalidStyle, inspect

log = structlog.get_logger("results")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def installed_styles(folder: str) -> Mapping[str, CitationStyle]:
    """Read the folder; "" is none. A file that cannot be used is left out and said in the log: one bad file must not
    keep the service from starting."""
    found: dict[str, CitationStyle] = {}
    for path in sorted(Path(folder).glob("*.csl")) if folder else ():
        try:
            found[path.stem] = _read(path)
        except (InvalidStyle, OSError, UnicodeDecodeError) as error:
            log.error("a citation style is left out", file=path.name, cause=str(error))
    return found


def _read(path: Path) -> CitationStyle:
    name = path.stem
    if not _NAME.fullmatch(name):
        raise InvalidStyle("is not named in small letters, digits, dots, hyphens and underscores")
    if name in BUILT_IN:
        raise InvalidStyle("has the name of a style that comes with the product")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    info = inspect(data)
    return CitationStyle(name, info.title, info.kind, Source.INSTALLED, csl=data.decode("utf-8-sig"))
