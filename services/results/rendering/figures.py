"""Figures: Vega-Lite specifications drawn as SVG and PNG, without ever loading anything.

A specification is someone's data. It may hold its values inline and nothing else: addresses, images and links are
refused before drawing, and the drawing is looked over again afterwards.
"""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import lru_cache
from itertools import islice

import orjson

from services.results.rendering import drawing, typesetting
from services.results.rendering.drawing import DrawingProcess
from services.results.rendering.plain_text import clean, without_selectors
from services.results.rendering.reading import JSON

FONT = "Libertinus Serif, Noto Serif, serif"
"""The faces that the words of a drawing are set in: the report's own."""

MAX_SPEC_BYTES = 4 * 1024 * 1024
MAX_SIDE = 4000.0
"""The largest width or height of a drawing, in CSS pixels."""

PNG_SCALE = 2.5
"""Pixels per CSS pixel."""

_MADE = 64
"""Drawings that are kept."""

_BEGUN = 32
"""Drawings that are begun before they are asked for."""

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


class FigureRefused(ValueError):
    """The specification cannot be drawn, or must not be."""


class _Drawings:
    """Drawings that were made or are being made, by the text of their specification."""

    def __init__(self) -> None:
        self.process: DrawingProcess | None = None
        self._made: OrderedDict[str, str] = OrderedDict()
        self._begun: dict[str, Future[str]] = {}

    def begin(self, sources: Iterable[str]) -> None:
        for future in self._begun.values():
            future.cancel()  # Of a document that came to nothing.
        self._begun.clear()
        for source in sources:
            if self.process is not None and source not in self._made and source not in self._begun:
                self._begun[source] = self.process.begin(source)

    def drawn(self, source: str) -> str:
        """Raises FigureRefused."""
        if source in self._made:
            self._made.move_to_end(source)
            return self._made[source]
        svg = _finished(self._raw(source))
        self._made[source] = svg
        if len(self._made) > _MADE:
            self._made.popitem(last=False)
        return svg

    def _raw(self, source: str) -> str:
        try:
            if self.process is None:
                return drawing.vega_lite(source)
            return (self._begun.pop(source, None) or self.process.begin(source)).result()
        except ValueError as error:
            raise FigureRefused("the specification is not valid Vega-Lite") from error


_drawings = _Drawings()


def draw_in(process: DrawingProcess | None) -> None:
    """Have drawings made by `process` from now on; without one they are made in this process."""
    _drawings.process = process


def begin(specs: Iterable[Mapping[str, JSON]]) -> None:
    """Have what will be drawn for the next document begun, where there is a process for it. Never raises."""
    sources = []
    for spec in islice(specs, _BEGUN):
        with suppress(FigureRefused):
            sources.append(_source(spec))
    _drawings.begin(sources)


def draw(spec: Mapping[str, JSON]) -> str:
    """The drawing as SVG text, the same for the same specification.

    :raises FigureRefused: the specification is faulty, too large, or reaches for something outside itself.
    """
    return _drawings.drawn(_source(spec))


def _source(spec: Mapping[str, JSON]) -> str:
    """The specification as text for the chart library. Raises FigureRefused."""
    _check(spec)
    try:
        source = orjson.dumps(spec, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise FigureRefused("the specification is not JSON") from error
    if len(source) > MAX_SPEC_BYTES:
        raise FigureRefused("the specification is too large")
    return _CONTROL.sub("\\1\ufffd", clean(source.decode()))


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


def _finished(svg: str) -> str:
    """A drawing of the chart library as the report shows it. Raises FigureRefused."""
    if _ACTIVE.search(svg):
        raise FigureRefused("the drawing holds more than marks and text")
    if not all(0 < side <= MAX_SIDE for side in size(svg)):
        raise FigureRefused("the drawing has no usable size")
    # Titles of axes may hold escapes that only the chart library reads, and selectors act on a glyph that a drawing
    # picks by itself.
    svg = without_selectors(clean(svg))
    return svg.replace(f'font-family="{drawing.MEASURED}"', f'font-family="{FONT}"')


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
