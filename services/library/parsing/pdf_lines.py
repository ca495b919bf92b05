"""Lines of a PDF page with their place and type, in the order in which the page draws them."""

from __future__ import annotations

import ctypes
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import pypdfium2.raw as pdfium  # type: ignore[import-untyped,unused-ignore]

from services.library.parsing.pdf_characters import NOTHING, characters

HYPHEN = "\x02"
"""What PDFium puts in place of a hyphen at which it takes a word to be broken."""
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", NOTHING: None}
)
_LINE = re.compile(f"[^\r\n{HYPHEN}]+{HYPHEN}?")
_BOLD = re.compile(r"bold|black|heavy|medi(?:um)?\b|-b$|cmbx", re.IGNORECASE)
_FURNITURE_DEPTH = 2
_SPACES = re.compile(r"[ \t\u00a0]+")
_NARROW = 1.3
"""Font sizes from the origin of one character to that of the next over a space, above which it may be a gap between
columns when others begin at the same place; words of justified text seldom stand further apart."""
_WIDE = 2.8
"""The same, above which it is a gap between columns or cells in any case."""
_MANY = 3
_TITLE = 1.15
"""By how much larger than a running head the same words are set where they are the title."""


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
    apart: bool = False
    """True when this is the rest of a line, to the right of a gap too wide for a space between words."""
    sideways: bool = False
    """True when it runs across the direction of the page's text, as a stamp in the margin does."""


def read_lines(page: object) -> tuple[list[Line], int]:
    """The lines of a text page (a raw PDFium handle) as if upright, and how most of the text runs on the
    page: 0 to the right, 1 up, 2 to the left, 3 down. That is also the quarter turns clockwise by which the
    page has to be turned to be read."""
    text = characters(page)
    runs = [run for match in _LINE.finditer(text) if (run := _Run.of(text, match.start(), match.group())) is not None]
    gaps = [_gaps(page, text, run) for run in runs]
    edges = _edges(gaps)
    lines: list[tuple[Line, float, float]] = []
    for run, found in zip(runs, gaps, strict=True):
        cuts = [gap.after for gap in found if gap.width >= _WIDE or any(abs(gap.x - x) < gap.size / 2 for x in edges)]
        starts = [run.start, *cuts]
        ends = [*(_end_before(text, cut) for cut in cuts), run.end]
        for start, end in zip(starts, ends, strict=True):
            lines.append(_line(page, text, start, end, broken=run.broken and end == run.end, apart=start > run.start))
    return _upright(lines)


@dataclass(frozen=True, slots=True)
class _Run:
    """Characters that PDFium holds for one line: first and last index, white space at the ends left out."""

    start: int
    end: int
    broken: bool

    @classmethod
    def of(cls, text: str, begin: int, matched: str) -> _Run | None:
        run = matched.rstrip(HYPHEN)
        start, end = begin + len(run) - len(run.lstrip()), begin + len(run.rstrip()) - 1
        return cls(start, end, matched.endswith(HYPHEN)) if start <= end else None


@dataclass(frozen=True, slots=True)
class _Gap:
    """A space within a run: the index of what comes after it, where that stands, its distance in font sizes."""

    after: int
    x: float
    width: float
    size: float


def _gaps(page: object, text: str, run: _Run) -> list[_Gap]:
    """The spaces of a run that may be more than spaces between words."""
    found: list[_Gap] = []
    size = 0.0
    for match in _SPACES.finditer(text, run.start, run.end):
        x, y = _origin(page, match.end())
        left, base = _origin(page, match.start() - 1)
        distance = math.hypot(x - left, y - base)
        size = size or _size(page, run.start)
        if distance > _NARROW * size:
            found.append(_Gap(match.end(), x, distance / size, size))
    return found


def _edges(gaps: Sequence[Sequence[_Gap]]) -> list[float]:
    """Where a column begins: places to the right of a gap in several lines."""
    places = sorted(gap.x for found in gaps for gap in found)
    size = max((gap.size for found in gaps for gap in found), default=1.0)
    return [
        x for index, x in enumerate(places) if index + _MANY <= len(places) and places[index + _MANY - 1] - x < size / 4
    ]


def _end_before(text: str, index: int) -> int:
    """The index of the last character before `index` that is no white space."""
    index -= 1
    while text[index].isspace():
        index -= 1
    return index


def _line(page: object, text: str, start: int, end: int, *, broken: bool, apart: bool) -> tuple[Line, float, float]:
    x0, y0 = _origin(page, start)
    x1, y1 = _origin(page, end)
    middle = (start + end) // 2
    while text[middle].isspace():  # a space that PDFium adds has no size of its own
        middle += 1
    line = Line(
        text=text[start : end + 1].translate(_LIGATURES),
        x0=x0,
        x1=x1,
        y=y0,
        size=_size(page, middle),
        bold=_BOLD.search(_font(page, middle)) is not None,
        broken=broken,
        apart=apart,
    )
    return line, x1 - x0, y1 - y0


def without_furniture(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Leave out running heads, feet and page numbers: lines at a page's ends that repeat over pages."""
    if len(pages) < 4:
        return list(pages)
    seen: defaultdict[str, list[float]] = defaultdict(list)
    for lines in pages:
        for shape, size in {_shape(line): line.size for line in _ends(lines)}.items():
            seen[shape].append(size)
    least = max(3, round(len(pages) * 0.3))
    usual = {shape: median(sizes) for shape, sizes in seen.items() if len(sizes) >= least}
    kept: list[list[Line]] = []
    for lines in pages:
        ends = {id(line) for line in _ends(lines) if line.size < _TITLE * usual.get(_shape(line), 0.0)}
        kept.append([line for line in lines if id(line) not in ends])
    return kept


def _ends(lines: list[Line]) -> list[Line]:
    return lines[:_FURNITURE_DEPTH] + lines[_FURNITURE_DEPTH:][-_FURNITURE_DEPTH:]


def _shape(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text.casefold())


def _upright(lines: list[tuple[Line, float, float]]) -> tuple[list[Line], int]:
    """Lines as they stand when the page is turned so that most text runs to the right; what does not, comes last."""
    across = sum(dx for _, dx, _ in lines)
    up = sum(dy for _, _, dy in lines)
    vertical = abs(up) > abs(across)
    turns = (1 if up > 0 else 3) if vertical else (2 if across < 0 else 0)
    turned: list[Line] = []
    aside: list[Line] = []
    for line, dx, dy in lines:
        along, over = (dy, dx) if vertical else (dx, dy)
        if abs(over) > 2 * abs(along):
            aside.append(replace(line, sideways=True))
        elif turns == 0:
            turned.append(line)
        elif turns == 1:
            turned.append(replace(line, x0=line.y, x1=line.y + dy, y=-line.x0))
        elif turns == 2:
            turned.append(replace(line, x0=-line.x0, x1=-line.x1, y=-line.y))
        else:
            turned.append(replace(line, x0=-line.y, x1=-line.y - dy, y=line.x0))
    return turned + aside, turns


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
