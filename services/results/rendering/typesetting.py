"""The typst compiler, set up once per process: our templates, the installed fonts, and nothing else to read."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import typst

from services.results.rendering import fonts

_TEMPLATES = Path(__file__).parent / "templates"
# Characters for private use cannot be displayed in the archivable kind, whatever a font draws for them.
_MISSING = re.compile(r'(?:the text|contains the codepoint) `"((?:[^"\\`]|\\.)*)"`')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")


class TypesettingError(RuntimeError):
    """The typesetter refused a document."""


class MissingGlyphs(TypesettingError):
    """No font at hand has a glyph for some of the text. `characters` are the ones without."""

    def __init__(self, characters: frozenset[str]) -> None:
        super().__init__(f"no font has glyphs for {len(characters)} characters")
        self.characters = characters


@cache
def _fonts() -> typst.Fonts:
    # A font is read when it is first drawn with: many at hand cost some milliseconds when the process starts, no more.
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=list(fonts.font_folders()))


@cache
def families(language: str) -> tuple[str, ...]:
    """Families at hand in the order to try: those for `language`, then those in folders that the operator names."""
    at_hand = set(_fonts().families())
    named = tuple(fonts.named_folders())
    own = (font.family for font in _fonts().fonts() if named and font.path and font.path.startswith(named))
    return tuple(name for name in dict.fromkeys((*fonts.families(language), *own)) if name in at_hand)


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
        # A mark without a glyph is named with the blank that it stands on; ASCII has glyphs in every font of the text.
        named = "".join(_unescape(text) for text in _MISSING.findall(error.diagnostic))
        missing = frozenset(character for character in named if not character.isascii())
        if missing:
            raise MissingGlyphs(missing) from error
        raise TypesettingError(error.message) from error
    if not isinstance(result, bytes):
        raise TypesettingError("the typesetter gave no document")
    return result


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)
