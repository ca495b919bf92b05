"""Characters that a PDF's fonts do not name, or draw in two parts."""

from __future__ import annotations

import pytest

from services.library.parsing.document import ParseLimits
from services.library.parsing.parse import parse

WORDS = "Penalised least squares represent linear mixed models, and these are fitted quickly."


def drawn(stream: bytes, font: str) -> str:
    """The text of a page that draws `stream` in `font`, a PDF dictionary; object 5 is a glyph's drawing."""
    glyph = "600 0 0 0 500 700 d1 0 0 500 700 re f"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 900 800]/Contents 4 0 R/Resources<</Font<</F 6 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        f"<</Length {len(glyph)}>>stream\n{glyph}\nendstream".encode(),
        font.encode(),
    ]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%s\nendobj\n" % (number, each)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\n"
    data = body + f"{end}startxref\n{len(body)}\n%%EOF".encode()
    return parse(data, "paper.pdf", "", ParseLimits()).text


def bitmap_font(prefix: str) -> str:
    """A font whose glyphs are named by a letter and their number, as TeX's bitmap fonts are."""
    names = "".join(f"/{prefix}{code}" for code in range(1, 256))
    glyphs = "".join(f"/{prefix}{code} 5 0 R" for code in range(1, 256))
    widths = " ".join(["600"] * 255)
    return (
        f"<</Type/Font/Subtype/Type3/FontBBox[0 0 500 700]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 1/LastChar 255"
        f"/Widths[{widths}]/Encoding<</Type/Encoding/Differences[1{names}]>>/CharProcs<<{glyphs}>>>>"
    )


def shown(text: bytes) -> bytes:
    return b"BT /F 10 Tf 50 700 Td (" + text + b") Tj ET"


def test_glyphs_named_by_number_are_letters_and_no_dingbats() -> None:
    assert drawn(shown(WORDS.encode()), bitmap_font("a")) == WORDS
    assert drawn(shown(b"The \\034rst e\\033ect of twenty letters and more"), bitmap_font("a")) == (
        "The first effect of twenty letters and more"
    )


def test_a_few_dingbats_stay_dingbats() -> None:
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[1/a20/a22]>>>>"
    text = drawn(shown(b"\\001 done, and \\002 still open, say the notes of the meeting"), font)
    assert text == "✔ done, and ✖ still open, say the notes of the meeting"


def test_ticks_and_crosses_of_a_table_stay_what_they_are() -> None:
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[1/a20/a22]>>>>"
    row = b"Export \\001\\002\\001\\001 "
    assert drawn(shown(6 * row), font).count("✔✖✔✔") == 6


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"Coe\\036cients di\\033er: \\020\\034t\\021 the \\035ow", "Coefficients differ: “fit” the flow"),
        (b"Coe\\016cients di\\013er in the \\014t", "Coefficients differ in the fit"),
    ],
)
def test_ligatures_of_the_encodings_of_tex(written: bytes, meant: str) -> None:
    assert drawn(shown(written), bitmap_font("C")) == meant


def test_an_accent_over_a_letter_is_part_of_it_and_a_quotation_mark_is_not() -> None:
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    accent = b"BT /F 10 Tf 50 700 Td [(The M) -111 (\\264) 444 (etro of Yucat) -111 (\\264) 444 (an)] TJ ET"
    assert drawn(accent, font) == "The Métro of Yucatán"
    assert drawn(shown(b"Type `echo` or \\264em\\264 here"), font) == "Type `echo` or ´em´ here"
