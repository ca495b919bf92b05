"""Figures: Vega-Lite specifications drawn as SVG and PNG, without ever loading anything.

A specification is someone's data. It may hold its values inline and nothing else: addresses, images and links are
refused before drawing, and the drawing is looked over again afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from services.results.rendering import typesetting
from services.results.rendering.plain_text import clean
from services.results.rendering.reading import JSON

FONT = "Libertinus Serif, Georgia, serif"
MAX_SPEC_BYTES = 4 * 1024 * 1024
MAX_SIDE = 4000.0
"""The largest width or height of a drawing, in CSS pixels."""

PNG_SCALE = 2.5
"""Pixels per CSS pixel."""

_REFUSED_KEYS = frozenset({"url", "href"})
_INLINE_DATA = frozenset({"values", "datasets"})
_ACTIVE = re.compile(r"<(?:image|a|use|script|foreignObject|style|iframe)\b|<!|<\?", re.IGNORECASE)
_SIZE = re.compile(r'<svg[^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')

# Set as the page around it: the text's own face, hairlines, no frame.
_CONFIG: dict[str, Any] = {
    "font": FONT,
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
    return _draw(clean(source.decode()))


def png(svg: str) -> bytes:
    """The drawing as a PNG picture.

    The typesetter draws it rather than the chart library, which has none of the fonts that the report is set in and
    leaves out text that it has no font for.
    """
    data = {"svg": svg, "width": size(svg)[0]}
    # A length of one point stands for one CSS pixel here.
    return typesetting.png("picture.typ", data, pixels_per_inch=72.0 * PNG_SCALE)


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
    return svg


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
