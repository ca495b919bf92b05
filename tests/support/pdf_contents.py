"""The text of a tagged PDF as its content streams say it: `ActualText` once for what it stands for, and runs from right
to left in the order they are read in.

Readers for people guess at order from positions, and repeat or turn around what they cannot tell: letters of a cluster,
ligatures from right to left, mirrored brackets. What is asked here is what the file says, glyph by glyph.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pikepdf

_CHAR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[([^\]]*)\])")
_BLOCK = re.compile(rb"begin(bfchar|bfrange)(.*?)end\1", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")
_DEPTH = 8

Decode = Callable[[bytes], list[str]]


def pdf_contents(body: bytes) -> str:
    """The text of all pages, pictures' included, without what belongs to the page alone (running heads, page numbers);
    a line ends with each block of text and each run from right to left."""
    with pikepdf.open(io.BytesIO(body)) as pdf:
        fonts: dict[tuple[int, int], Decode] = {}
        return "\n".join(_Contents(fonts).read(page.obj) for page in pdf.pages)


class _Contents:
    def __init__(self, fonts: dict[tuple[int, int], Decode]) -> None:
        self._fonts = fonts
        # One list of pieces for each marked content that is open, and what becomes of it at its end.
        self._open: list[tuple[list[str], str | None, bool]] = [([], None, False)]
        self._font: Decode = _undecoded

    def read(self, page: Any) -> str:
        self._stream(page, page.get("/Resources", {}), 0)
        return "\n".join(_logical("".join(self._open[0][0]).split("\n")))

    def _stream(self, stream: Any, resources: Any, depth: int) -> None:
        for instruction in pikepdf.parse_content_stream(stream):
            operands, operator = list(instruction.operands), str(instruction.operator)
            match operator:
                case "BDC" | "BMC":
                    self._begin(operands)
                case "EMC":
                    self._end()
                case "Tf":
                    self._font = self._decoder(resources["/Font"][operands[0]])
                case "Tj":
                    self._show(bytes(operands[0]))
                case "TJ":
                    for part in operands[0]:
                        if isinstance(part, pikepdf.String):
                            self._show(bytes(part))
                case "ET":
                    self._open[-1][0].append("\n")
                case "Do" if depth < _DEPTH:
                    form = resources["/XObject"][operands[0]]
                    if form.get("/Subtype") == "/Form":
                        self._stream(form, form.get("/Resources", resources), depth + 1)
                case _:
                    pass

    def _begin(self, operands: list[Any]) -> None:
        properties = operands[1] if len(operands) > 1 else None
        actual = properties.get("/ActualText") if isinstance(properties, pikepdf.Dictionary) else None
        tag = str(operands[0])
        said = "" if tag == "/Artifact" else None if actual is None else str(actual)
        self._open.append(([], said, tag == "/ReversedChars"))

    def _end(self) -> None:
        pieces, actual, turned = self._open.pop()
        if actual is not None:
            pieces = [actual]
        self._open[-1][0].extend([*reversed(pieces), "\n"] if turned else pieces)

    def _show(self, codes: bytes) -> None:
        self._open[-1][0].extend(self._font(codes))

    def _decoder(self, font: Any) -> Decode:
        key = font.objgen
        if key not in self._fonts:
            self._fonts[key] = _decoder(font)
        return self._fonts[key]


def _decoder(font: Any) -> Decode:
    width = 2 if font.get("/Subtype") == "/Type0" else 1
    text = _to_unicode(font.ToUnicode.read_bytes()) if "/ToUnicode" in font else {}

    def decode(codes: bytes) -> list[str]:
        numbers = (int.from_bytes(codes[at : at + width]) for at in range(0, len(codes), width))
        return [text.get(number, "\ufffd") for number in numbers]

    return decode


def _logical(blocks: list[str]) -> list[str]:
    """Blocks of text from the left to the right, with those in a row that run from right to left turned around."""
    result: list[str] = []
    row: list[str] = []
    for block in [*blocks, "."]:
        kinds = {unicodedata.bidirectional(letter) for letter in block}
        if kinds & {"R", "AL"} or (row and not kinds & {"L", "EN", "AN"} and block != "."):
            row.append(block)
            continue
        result += [*reversed(row), block]
        row = []
    return result[:-1]


def _undecoded(codes: bytes) -> list[str]:
    return ["\ufffd"] * len(codes)


def _to_unicode(cmap: bytes) -> dict[int, str]:
    """The text of each code (ISO 32000-2, 9.10.3)."""
    found: dict[int, str] = {}
    for kind, block in _BLOCK.findall(cmap):
        if kind == b"bfchar":
            found.update((int(code, 16), _text(value)) for code, value in _CHAR.findall(block))
            continue
        for first, last, start, several in _RANGE.findall(block):
            codes = range(int(first, 16), int(last, 16) + 1)
            if start:
                head, number = start[:-4], int(start[-4:], 16)
                found.update((code, _text(head + b"%04x" % (number + place))) for place, code in enumerate(codes))
            else:
                found.update(zip(codes, map(_text, _HEX.findall(several)), strict=False))
    return found


def _text(value: bytes) -> str:
    return bytes.fromhex(value.decode()).decode("utf-16-be", errors="replace")
