"""The fonts that come with the product have the letters of the scripts that people write in."""

from __future__ import annotations

import pytest

from services.results.rendering import fonts, typesetting

# A word or two of each.
_WRITTEN = {
    "Armenian": "Հայաստան",
    "Bengali": "বাংলা",
    "Burmese": "မြန်မာဘာသာ",
    "Cherokee": "ᏣᎳᎩ",
    "Chinese": "漢字 汉字",
    "Devanagari": "हिन्दी",
    "Ethiopic": "አማርኛ",
    "Georgian": "საქართველო",
    "Gujarati": "ગુજરાતી",
    "Gurmukhi": "ਪੰਜਾਬੀ",
    "Hangul": "한국어",
    "Hebrew": "עברית",
    "Inuktitut": "ᐃᓄᒃᑎᑐᑦ",
    "Japanese": "日本語 ひらがな カタカナ",
    "Javanese": "ꦧꦱꦗꦮ",
    "Kannada": "ಕನ್ನಡ",
    "Khmer": "ភាសាខ្មែរ",
    "Lao": "ພາສາລາວ",
    "Malayalam": "മലയാളം",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ",
    "NKo": "ߒߞߏ",
    "Odia": "ଓଡ଼ିଆ",
    "Sinhala": "සිංහල",
    "Syriac": "ܠܫܢܐ",
    "Tamil": "தமிழ்",
    "Telugu": "తెలుగు",
    "Thaana": "ދިވެހި",
    "Thai": "ภาษาไทย",
    "Tifinagh": "ⵜⴰⵎⴰⵣⵉⵖⵜ",
    "Yi": "ꆈꌠꉙ",
}


def _without_glyph(text: str) -> frozenset[str]:
    values = {"fonts": fonts.families("en"), "text": " ".join(sorted(set(text)))}
    try:
        typesetting.pdf("glyphs.typ", values, standards=["a-3a"], timestamp=0)
    except typesetting.MissingGlyphs as missing:
        return missing.characters
    return frozenset()


@pytest.mark.parametrize("script", _WRITTEN)
def test_letters_have_a_glyph(script: str) -> None:
    assert _without_glyph(_WRITTEN[script]) == frozenset()


def test_a_letter_that_no_font_has_is_named() -> None:
    assert _without_glyph("a𓀀") == {"𓀀"}
