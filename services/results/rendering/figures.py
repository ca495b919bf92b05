"""Figures: Vega-Lite specifications drawn as SVG and PNG, without ever loading anything.

A specification is someone's data. It may hold its values inline and nothing else: addresses, images and links are
refused before drawing, and the drawing is looked over again afterwards.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from services.results.rendering import typesetting
from services.results.rendering.plain_text import clean, without_selectors
from services.results.rendering.reading import JSON

FONT = "Libertinus Serif, Noto Serif, serif"
"""The faces that the words of a drawing are set in: the report's own."""

# What the chart library measures words with: a face that it carries within itself. It has none of the report's, and one
# of the system would place the words differently on every machine, and be mapped into memory anew for each of them.
# Its letters are wider than the report's, so that what fits in it fits.
_MEASURED = "Liberation Sans"
MAX_SPEC_BYTES = 4 * 1024 * 1024
MAX_SIDE = 4000.0
"""The largest width or height of a drawing, in CSS pixels."""

PNG_SCALE = 2.5
"""Pixels per CSS pixel."""

_REFUSED_KEYS = frozenset({"url", "href"})
_INLINE_DATA = frozenset({"values", "datasets"})
_ACTIVE = re.compile(r"<(?:image|a|use|script|foreignObject|style|iframe)\b|<!|<\?", re.IGNORECASE)
# A control character as JSON writes it; the chart library ends the process at one that XML has no place for.
_CONTROL = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:[bf]|u00(?:0[0-8bcefBCEF]|1[0-9a-fA-F]|7[fF]))")
# Hebrew points to Mongolian but Georgian and Ethiopic, what joins letters, and the forms of Arabic letters.
_SHAPED = re.compile(
    "[\u0590-\u109f\u1700-\u1cff\u200c\u200d\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufeff\U00010a00-\U00011fff]"
)
_SIZE = re.compile(r'<svg[^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')

# Set as the page around it: hairlines, no frame.
_CONFIG: dict[str, Any] = {
    "font": _MEASURED,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": "#e4e7ea",
        "domainColor": "#5b6670",
        "tickColor": "#5b6670",
        "labelColor": "#333b42",
        "titleColor": "#1d2329",
        "titlePadding": 8,
    },
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal"},
    "header": {"labelFontSize": 11, "titleFontSize": 12},
    "title": {"fontSize": 13, "fontWeight": "normal", "anchor": "start"},
    "range": {"category": ["#1f5f7a", "#c2703d", "#5a8f5c", "#8a5a83", "#b5a03c", "#6b7780"]},
    "mark": {"color": "#1f5f7a"},
}


class FigureRefused(ValueError):
    """The specification cannot be drawn, or must not be."""


def draw(spec: Mapping[str, JSON]) -> str:
    """The drawing as SVG text, the same for the same specification.

    :raises FigureRefused: the specification is faulty, too large, or reaches for something outside itself.
    """
    _check(spec)
    try:
        source = orjson.dumps(spec, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise FigureRefused("the specification is not JSON") from error
    if len(source) > MAX_SPEC_BYTES:
        raise FigureRefused("the specification is too large")
    return _draw(_CONTROL.sub("\\1\ufffd", clean(source.decode())))


def png(svg: str) -> bytes:
    """The drawing as a PNG picture.

    The typesetter draws it rather than the chart library, which has none of the fonts that the report is set in and
    leaves out text that it has no font for.
    """
    data = {"svg": svg, "width": size(svg)[0]}
    # A length of one point stands for one CSS pixel here.
    return typesetting.png("picture.typ", data, pixels_per_inch=72.0 * PNG_SCALE)


def shaped(svg: str) -> bool:
    """Whether the drawing holds words whose letters join or change places: of these an archivable document must tell
    the characters of every glyph, which the typesetter cannot within a drawing."""
    return not svg.isascii() and _SHAPED.search(svg) is not None


@lru_cache(maxsize=16)
def pictured(svg: str) -> str:
    """The drawing as an SVG that holds it as a picture of dots."""
    width, height = size(svg)
    picture = base64.b64encode(png(svg)).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{picture}"/></svg>'
    )


@lru_cache(maxsize=64)
def _draw(source: str) -> str:
    # Imported late: it starts a JavaScript engine, which a document without figures need not wait for.
    import vl_convert

    try:
        svg = vl_convert.vegalite_to_svg(source, config=_CONFIG, allowed_base_urls=[])
    except ValueError as error:
        raise FigureRefused("the specification is not valid Vega-Lite") from error
    if _ACTIVE.search(svg):
        raise FigureRefused("the drawing holds more than marks and text")
    if not all(0 < side <= MAX_SIDE for side in size(svg)):
        raise FigureRefused("the drawing has no usable size")
    # Titles of axes may hold escapes that only the chart library reads, and selectors act on a glyph that a drawing
    # picks by itself.
    svg = without_selectors(clean(svg))
    return svg.replace(f'font-family="{_MEASURED}"', f'font-family="{FONT}"')


def _check(value: JSON) -> None:
    """Refuse anything outside the inline data that names a place to load from or to link to."""
    stack: list[JSON] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            for key, member in item.items():
                if key in _REFUSED_KEYS:
                    raise FigureRefused(f"the specification may not contain {key!r}")
                if key in ("width", "height") and isinstance(member, (int, float)) and member > MAX_SIDE:
                    raise FigureRefused("the drawing would be too large")
                if key not in _INLINE_DATA:
                    stack.append(member)
            if item.get("type") == "image" or item.get("mark") == "image":
                raise FigureRefused("the specification may not contain pictures")
        elif isinstance(item, list):
            stack.extend(item)


def size(svg: str) -> tuple[float, float]:
    """Width and height of a drawing that `draw` gave, in CSS pixels."""
    found = _SIZE.search(svg)
    if found is None:
        raise FigureRefused("the drawing has no usable size")
    return float(found[1]), float(found[2])
