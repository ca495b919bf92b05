"""The typst compiler, set up once per process: our templates, embedded fonts, and nothing else to read."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import typst

_TEMPLATES = Path(__file__).parent / "templates"
_MISSING = re.compile(r'the text `"((?:[^"\\`]|\\.)*)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")

FONT_PATH_VARIABLE = "PRSM_RENDERING_FONTS"
"""Folders with further fonts (for scripts that the built-in ones do not cover), parted by the path separator."""


class TypesettingError(RuntimeError):
    """The typesetter refused a document."""


class MissingGlyphs(TypesettingError):
    """No font at hand has a glyph for some of the text. `characters` are the ones without."""

    def __init__(self, characters: frozenset[str]) -> None:
        super().__init__(f"no font has glyphs for {len(characters)} characters")
        self.characters = characters


@cache
def _fonts() -> typst.Fonts:
    folders = [folder for folder in os.environ.get(FONT_PATH_VARIABLE, "").split(os.pathsep) if folder]
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=folders)


@cache
def font_families() -> tuple[str, ...]:
    """Names of all font families at hand, sorted."""
    return tuple(sorted(_fonts().families()))


@cache
def _compiler(template: str) -> typst.Compiler:
    return typst.Compiler(str(_TEMPLATES / template), root=str(_TEMPLATES), font_paths=_fonts())


def html(template: str, data: dict[str, Any]) -> str:
    """Compile `template` with `data` to HTML."""
    return _compile(template, data, format="html").decode()


def pdf(template: str, data: dict[str, Any], *, standards: list[typst.PDFStandard], timestamp: int) -> bytes:
    """Compile `template` with `data` to PDF.

    :param timestamp: seconds since 1970 for the document's creation date.
    :raises MissingGlyphs: with a standard that forbids text without a glyph.
    """
    return _compile(template, data, format="pdf", pdf_standards=standards, timestamp=timestamp)


def png(template: str, data: dict[str, Any], *, pixels_per_inch: float) -> bytes:
    """Compile `template`, of one page, with `data` to a PNG picture."""
    return _compile(template, data, format="png", ppi=pixels_per_inch)


def _compile(template: str, data: dict[str, Any], **options: Any) -> bytes:
    try:
        result = _compiler(template).compile(sys_inputs={"data": orjson.dumps(data).decode()}, **options)
    except typst.TypstError as error:
        missing = frozenset("".join(_unescape(text) for text in _MISSING.findall(error.diagnostic)))
        if missing:
            raise MissingGlyphs(missing) from error
        raise TypesettingError(error.message) from error
    if not isinstance(result, bytes):
        raise TypesettingError("the typesetter gave no document")
    return result


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)
