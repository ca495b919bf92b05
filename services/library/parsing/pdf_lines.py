"""Lines of a PDF page with their place and type, in the order in which the page draws them."""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pypdfium2.raw as pdfium  # type: ignore[import-untyped,unused-ignore]

HYPHEN = "\x02"
"""What PDFium puts in place of a hyphen at which it takes a word to be broken."""
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_LINE = re.compile(f"[^\r\n{HYPHEN}]+{HYPHEN}?")
_BOLD = re.compile(r"bold|black|heavy|medi(?:um)?\b|-b$|cmbx", re.IGNORECASE)
_FURNITURE_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A run of text on one baseline. Coordinates are points, x to the right and y upwards, as read."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    broken: bool
    """True when a word is broken by a hyphen at the end of the line; the hyphen is not in `text`."""


def read_lines(page: object) -> tuple[list[Line], int]:
    """The lines of a text page (a raw PDFium handle) as if upright, and how most of the text runs on the
    page: 0 to the right, 1 up, 2 to the left, 3 down. That is also the quarter turns clockwise by which the
    page has to be turned to be read."""
    count = pdfium.FPDFText_CountChars(page)
    codes = [pdfium.FPDFText_GetUnicode(page, index) for index in range(max(0, count))]
    text = "".join(chr(code) if 0 < code < 0x110000 else " " for code in codes)
    lines: list[tuple[Line, float, float]] = []
    for match in _LINE.finditer(text):
        run = match.group().rstrip(HYPHEN)
        start = match.start() + len(run) - len(run.lstrip())
        end = match.start() + len(run.rstrip()) - 1
        if start > end:
            continue
        x0, y0 = _origin(page, start)
        x1, y1 = _origin(page, end)
        middle = (start + end) // 2
        while text[middle].isspace():  # a space that PDFium adds has no size of its own
            middle += 1
        line = Line(
            text=run.strip().translate(_LIGATURES),
            x0=x0,
            x1=x1,
            y=y0,
            size=_size(page, middle),
            bold=_BOLD.search(_font(page, middle)) is not None,
            broken=match.group().endswith(HYPHEN),
        )
        lines.append((line, x1 - x0, y1 - y0))
    return _upright(lines)


def without_furniture(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Leave out running heads, feet and page numbers: lines at a page's ends that repeat over pages."""
    if len(pages) < 4:
        return list(pages)
    seen: Counter[str] = Counter()
    for lines in pages:
        seen.update({_shape(line) for line in _ends(lines)})
    least = max(3, round(len(pages) * 0.3))
    kept: list[list[Line]] = []
    for lines in pages:
        ends = {id(line) for line in _ends(lines) if seen[_shape(line)] >= least}
        kept.append([line for line in lines if id(line) not in ends])
    return kept


def _ends(lines: list[Line]) -> list[Line]:
    return lines[:_FURNITURE_DEPTH] + lines[_FURNITURE_DEPTH:][-_FURNITURE_DEPTH:]


def _shape(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text.casefold())


def _upright(lines: list[tuple[Line, float, float]]) -> tuple[list[Line], int]:
    across = sum(dx for _, dx, _ in lines)
    up = sum(dy for _, _, dy in lines)
    if abs(up) > abs(across):
        if up > 0:
            return [replace(line, x0=line.y, x1=line.y + dy, y=-line.x0) for line, _, dy in lines], 1
        return [replace(line, x0=-line.y, x1=-line.y - dy, y=line.x0) for line, _, dy in lines], 3
    if across < 0:
        return [replace(line, x0=-line.x0, x1=-line.x1, y=-line.y) for line, _, _ in lines], 2
    return [line for line, _, _ in lines], 0


def _origin(page: object, index: int) -> tuple[float, float]:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(page, index, x, y)
    return x.value, y.value


def _size(page: object, index: int) -> float:
    """Font size in points as the page shows it: the font's own times the scale of the text's matrix."""
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(page, index, matrix)
    scale = math.hypot(matrix.c, matrix.d)
    return max(1.0, float(pdfium.FPDFText_GetFontSize(page, index)) * scale)


def _font(page: object, index: int) -> str:
    name = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(page, index, name, len(name), ctypes.c_int())
    return name.value.decode("utf-8", errors="replace")
