"""Reading what strangers send: a value of another type than expected counts as absent."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from services.library.parsing.normalise import normalise, one_line

_HEADINGS = "title|h[1-6]"
_BLOCKS = "p|sec|abstract|div|br|li|ul|ol|list|list-item|disp-formula"
_INLINE = (
    "b|i|em|strong|u|sub|sup|span|a|bold|italic|sc|monospace|underline|xref|ext-link|inline-formula|inline-graphic"
    "|tex-math|alternatives|styled-content|named-content|font|small|tt"
)
# Only known tags are taken out, with attributes that look like some: in "a<b and c>d" nothing is a tag.
_HEADING = re.compile(rf"</?(?:jats:)?(?:{_HEADINGS})(?:\s+[\w:.\-]+\s*=[^<>]{{0,500}})?\s*/?>", re.IGNORECASE)
_BLOCK = re.compile(rf"</?(?:jats:)?(?:{_BLOCKS})(?:\s+[\w:.\-]+\s*=[^<>]{{0,500}})?\s*/?>", re.IGNORECASE)
_MATHS = (
    "mml:[a-z]+|math|semantics|mi|mn|mo|mrow|msub|msup|msubsup|mfrac|msqrt|mroot|mtext|mspace|mover|munder|munderover"
    "|mstyle|mtable|mtr|mtd|mfenced|mpadded"
)
_TAG = re.compile(rf"</?(?:(?:jats:)?(?:{_INLINE})|{_MATHS})(?:\s+[\w:.\-]+\s*=[^<>]{{0,500}})?\s*/?>", re.IGNORECASE)
_DROPPED = re.compile(r"<(script|style|annotation)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(r"\A(?:abstract|summary)\s*[:.]?\s*\n+", re.IGNORECASE)
_YEARS = range(1400, 2200)
ABSTRACT_MAX = 20_000
LINE_MAX = 2_000


def mapping(value: object) -> Mapping[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """A string on one line, or an empty one."""
    return one_line(value)[:LINE_MAX] if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """A whole number, also one written as a string."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 12:
        value = int(value)
    return value if type(value) is int else None


def year(value: object) -> int | None:
    """A year that may be one."""
    number = whole(value)
    return number if number in _YEARS else None


def line_of(markup: object) -> str:
    """The text of a title: without tags (HTML, JATS, MathML) and character references, on one line."""
    return one_line(_without_tags(markup, " ")) if isinstance(markup, str) else ""


def text_of(markup: object) -> str:
    """The text of an abstract, its paragraphs apart, without its own heading "Abstract"; at most 20,000 characters."""
    return paragraphs_of(_without_tags(markup[: 4 * ABSTRACT_MAX], "\n\n")) if isinstance(markup, str) else ""


def paragraphs_of(plain: str) -> str:
    """The same of a text without markup."""
    paragraphs = (one_line(part) for part in re.split(r"\n\s*\n", normalise(plain)))
    return _LABEL.sub("", "\n\n".join(part for part in paragraphs if part))[:ABSTRACT_MAX].strip()


def _without_tags(markup: str, between: str) -> str:
    text = markup
    # Some publishers deposit what they had escaped already.
    for _ in range(2):
        text = _DROPPED.sub(" ", text)
        text = _BLOCK.sub(between, _HEADING.sub(between, text))
        text = html.unescape(_TAG.sub("", text))
    return _TAG.sub("", _BLOCK.sub(between, _HEADING.sub(between, text)))
