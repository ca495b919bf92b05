"""Characters of a PDF page as they are meant, where its fonts do not say so.

Three things come from TeX. Bitmap fonts name their glyphs by number (``a101``), which by the PDF specification are the
names of Zapf's dingbats. Fonts without a table of characters give the codes of TeX's own encodings, in which ligatures
and quotation marks stand where others have control codes. And letters with accents are drawn as two glyphs.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Sequence

import pypdfium2.raw as pdfium  # type: ignore[import-untyped,unused-ignore]

NOTHING = "\uffff"
"""Stands for a glyph that is part of the character beside it, so that places in the text stay what they are."""

# Zapf Dingbats: the character of each glyph a1, a2, ... in order; a space where there is none.
_ZAPF = (
    "✁✂✄☎✆✝✞✟✠✡☛☞✌✍✎✏✑✒✓✔✕✖✗✘✙✚✛✜✢✣✤✥✦✧★✩✪✫✬✭✮✯✰✱✲✳✴✵✶✷✸✹✺✻✼✽✾✿❀❁❂❃❄❅❆❇❈❉❊❋●❍■❏❑▲▼◆❖ "
    "◗❘❙❚❯❱❲❳❨❩❬❭❪❫❴❵❛❜❝❞❡❢❣❤✐❥❦❧♠♥♦♣    ✉✈✇①②③④⑤⑥⑦⑧⑨⑩❶❷❸❹❺❻❼❽❾❿➀➁➂➃➄➅➆➇➈➉➊➋➌➍➎➏➐➑➒➓"
    "➔→➣↔↕➙➛➜➝➞➟➠➡➢➤➥➦➧➨➩➫➭➯➲➳➵➸➺➻➼➽➾➚➪➶➹➘➴➷➬➮➱✃❐❒❮❰"
)
_CODES = {ord(character): code for code, character in enumerate(_ZAPF, 1) if character != " "}
_LEAST_SHARE = 0.25
_LEAST = 20
_LEAST_DIFFERENT = 10
"""Ticks, stars and bullets of a table are few different ones, the letters of a text many."""

_CORK = {
    0x10: "“", 0x11: "”", 0x12: "„", 0x13: "«", 0x14: "»", 0x15: "–", 0x16: "—", 0x19: "ı",
    0x1B: "ﬀ", 0x1C: "ﬁ", 0x1D: "ﬂ", 0x1E: "ﬃ", 0x1F: "ﬄ",
}  # fmt: skip
"""T1, which TeX's fonts of 256 characters have."""
_KNUTH = {
    0x0B: "ﬀ", 0x0C: "ﬁ", 0x0D: "ﬂ", 0x0E: "ﬃ", 0x0F: "ﬄ", 0x10: "ı", 0x12: "`", 0x13: "´", 0x14: "ˇ",
    0x15: "˘", 0x16: "¯", 0x17: "˚", 0x18: "¸", 0x19: "ß", 0x1A: "æ", 0x1B: "œ", 0x1C: "ø", 0x1D: "Æ", 0x1E: "Œ",
    0x1F: "Ø",
}  # fmt: skip
"""OT1, which those of 128 have."""
_BULLET = 0x88
_ACCENTS = {
    "`": "\u0300", "´": "\u0301", "ˆ": "\u0302", "˜": "\u0303", "¯": "\u0304", "˘": "\u0306", "˙": "\u0307",
    "¨": "\u0308", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c", "¸": "\u0327", "˛": "\u0328",
}  # fmt: skip
_DOTLESS = {"ı": "i", "ȷ": "j"}


def characters(page: object) -> str:
    """The text of a text page (a raw PDFium handle), one character for each of PDFium's."""
    count = max(0, pdfium.FPDFText_CountChars(page))
    codes = [pdfium.FPDFText_GetUnicode(page, index) for index in range(count)]
    numbered = _by_number(codes)
    texts = [chr(code) if 0 < code < 0x110000 else " " for code in (numbered or codes)]
    _name_codes(page, texts, known=bool(numbered))
    _compose(page, texts)
    return "".join(texts)


def _by_number(codes: Sequence[int]) -> list[int] | None:
    """The codes of glyphs that are named by number, where so many are that the page cannot be meant so."""
    found = [code for code in codes if code in _CODES]
    if len(found) < _LEAST or len(set(found)) < _LEAST_DIFFERENT:
        return None
    if len(found) < _LEAST_SHARE * sum(code > 0x20 for code in codes):
        return None
    return [_CODES.get(code, code) for code in codes]


def _name_codes(page: object, texts: list[str], *, known: bool) -> None:
    """Puts characters in the place of codes that have none."""
    places = [
        index
        for index, text in enumerate(texts)
        if (text < " " and text not in "\t\n\r\x02" and (known or pdfium.FPDFText_HasUnicodeMapError(page, index) == 1))
        or (text == "\r" and texts[index + 1 : index + 2] != ["\n"] and not pdfium.FPDFText_IsGenerated(page, index))
    ]
    if places:
        low = sum(0x0B <= ord(texts[index]) <= 0x0F and _in_word(texts, index) for index in places)
        high = sum(0x1B <= ord(texts[index]) <= 0x1F and _in_word(texts, index) for index in places)
        table = _KNUTH if low > high else _CORK
        for index in places:
            texts[index] = table.get(ord(texts[index]), texts[index])
    for index, text in enumerate(texts):
        if ord(text) == _BULLET and not _in_word(texts, index):
            texts[index] = "•"


def _in_word(texts: Sequence[str], index: int) -> bool:
    return any(text.isalpha() for text in (*texts[max(0, index - 1) : index], *texts[index + 1 : index + 2]))


def _compose(page: object, texts: list[str]) -> None:
    """Letters with their accents as one character each, where the accent stands over or under the letter."""
    for index, text in enumerate(texts):
        if text not in _ACCENTS:
            continue
        for place in (index + 1, index - 1):
            base = texts[place] if 0 <= place < len(texts) else ""
            whole = unicodedata.normalize("NFC", _DOTLESS.get(base, base) + _ACCENTS[text])
            if base.isalpha() and len(whole) == 1 and _over(page, index, place):
                texts[place], texts[index] = whole, NOTHING
                break


def _over(page: object, accent: int, letter: int) -> bool:
    """Whether the middle of one glyph lies over or under the other."""
    left, right = _sides(page, accent)
    begin, end = _sides(page, letter)
    middle = (left + right) / 2
    return right > left and begin <= middle <= end and right - left <= 1.2 * (end - begin)


def _sides(page: object, index: int) -> tuple[float, float]:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(page, index, left, right, bottom, top)
    return left.value, right.value
