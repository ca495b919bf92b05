"""Scripts in Word: the direction of paragraphs and runs, and the fonts and languages of other scripts than Latin."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Iterator

from services.results.rendering.composing.block_labels import worded_in
from services.results.rendering.plain_text import direction
from services.results.rendering.spoken import spoken
from services.results.rendering.word.xml import Element, properties, put, q, set_paragraph, style_of, text_of, w

_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_HAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u30ff\u3130-\u318f\u31a0-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7ff]")
_HEBREW, _ARABIC = re.compile("[\u0590-\u05ff]"), re.compile("[\u0600-\u06ff]")
_COMPLEX = {
    "Nirmala UI": re.compile("[\u0900-\u0dff\ua8e0-\ua8ff]"),
    "Leelawadee UI": re.compile("[\u0e00-\u0eff\u1780-\u17ff]"),
    "Microsoft Himalaya": re.compile("[\u0f00-\u0fff]"),
    "Myanmar Text": re.compile("[\u1000-\u109f]"),
}
"""Scripts that Word sets as complex though they run from left to right: of India and Ceylon; of Thailand, Laos and
Cambodia; of Tibet; of Burma. Each with a face that has it, for the one of Arabic and Hebrew does not."""


_REGIONS = {
    "en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT", "pt": "pt-PT", "nl": "nl-NL",
    "pl": "pl-PL", "ru": "ru-RU", "el": "el-GR", "sv": "sv-SE", "da": "da-DK", "fi": "fi-FI", "nb": "nb-NO",
    "cs": "cs-CZ", "tr": "tr-TR", "uk": "uk-UA", "ja": "ja-JP", "ko": "ko-KR", "zh": "zh-CN", "zh-hant": "zh-TW",
    "zh-hans": "zh-CN", "ar": "ar-SA", "he": "he-IL", "fa": "fa-IR", "ur": "ur-PK", "hi": "hi-IN", "th": "th-TH",
}  # fmt: skip
"""The regions that the proofing tools of Word are named by."""

_KINDS = {"ko": "eastAsia", "he": "bidi", "th": "bidi"}
"""Where Word looks for the language of scripts that are not Latin, Greek or Cyrillic."""

_EAST_ASIAN = {
    "ja": "Yu Mincho",
    "ko": "Batang",
    "zh-TW": "PMingLiU",
    "zh-HK": "PMingLiU",
    "zh-MO": "PMingLiU",
    "zh": "SimSun",
}
_COMPLEX_LANGUAGES = frozenset(
    {"ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "dv", "hi", "bn", "ta", "te", "th", "lo", "km"}
)
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "sd", "ug", "dv"})


def right_to_left(language: str) -> bool:
    """Whether a language (BCP 47) is written from right to left."""
    return language.lower().partition("-")[0] in _RIGHT_TO_LEFT


def languages(language: str, text: str) -> dict[str, str]:
    """The attributes of `w:lang` for a report in `language` that holds `text`; Latin letters are first of all those of
    the fixed words."""
    own = worded_in(language)
    tag = _REGIONS.get(language.lower(), language)
    primary = tag.lower().partition("-")[0]
    hebrew = _HEBREW.search(text) is not None and _ARABIC.search(text) is None
    named = {
        "val": _REGIONS.get(own.lower(), own),
        "eastAsia": _east_asian_language(tag, primary, text),
        "bidi": "he-IL" if hebrew else "ar-SA",
    }
    if primary in _COMPLEX_LANGUAGES:
        named["bidi"] = tag
    return named


def east_asian_font(tag: str) -> str:
    """The face for a language of East Asia that an office program has on every system."""
    return _EAST_ASIAN.get(tag) or _EAST_ASIAN.get(tag.partition("-")[0], "SimSun")


def _east_asian_language(tag: str, primary: str, text: str) -> str:
    if primary in ("ja", "ko", "zh"):
        return tag
    # Han characters alone do not say whose they are.
    return "ja-JP" if _KANA.search(text) else "ko-KR" if _HANGUL.search(text) else "zh-CN"


def mark_scripts(root: Element, *, right: bool) -> None:
    """Give paragraphs their base direction and runs their scripts.

    :param right: whether the report's own language runs from right to left; paragraphs without letters then do so too.
    """
    for paragraph in root.iter(q("p")):
        text = text_of(paragraph)
        if text.isascii() and not right:
            continue
        # Numbers run from left to right in every script, and stand at the right for their points to meet.
        style = style_of(paragraph)
        base = style != "TableNumber" and (direction(text) == "rtl" or (right and not _strong(text)))
        if base:
            set_paragraph(paragraph, w("bidi"))
            _align_with_numbers(paragraph)
            if style == "BlockText":
                # Indents turn with the paragraph; its rule would stay on the left (17.3.1.17).
                set_paragraph(paragraph, w("pStyle", val="BlockTextRight"))
        elif right and style in ("TableText", "TableHeading"):
            # Cells of one column begin on the same side, whatever their script.
            set_paragraph(paragraph, w("jc", val="right"))
        for run in list(paragraph.iter(q("r"))):
            _mark(run, base)


def _align_with_numbers(paragraph: Element) -> None:
    """In a paragraph from right to left, `right` is where lines end, on the left: they begin at the right anyway."""
    settings = properties(paragraph, "pPr")
    jc = settings.find(q("jc"))
    if jc is not None and jc.get(q("val")) == "right":
        settings.remove(jc)


def mark_languages(root: Element, report_language: str) -> None:
    """Give paragraphs that are plainly in another language than the report's words their own, for proofing and for
    reading aloud."""
    own = report_language.partition("-")[0].lower()
    for paragraph in root.iter(q("p")):
        language = spoken(text_of(paragraph))
        if language is None or language == own:
            continue
        tag = _REGIONS[language]
        for run in paragraph.iter(q("r")):
            settings = properties(run, "rPr")
            if settings.find(q("lang")) is None:
                put(settings, w("lang", **{_KINDS.get(language, "val"): tag}))


def _strong(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("L", "R", "AL") for character in text)


def _mark(run: Element, base: bool) -> None:
    part = run.find(q("t"))
    if part is None or not part.text or part.text.isascii():
        return
    text = part.text
    if _RIGHT.search(text):
        pieces = list(_pieces(text, base))
        for piece, right in pieces[:-1]:
            before = copy.deepcopy(run)
            before.tail = None
            run.addprevious(before)
            _set(before, piece, right)
        _set(run, *pieces[-1])
    elif face := next((face for face, script in _COMPLEX.items() if script.search(text)), None):
        _fonts(run).set(q("cs"), face)
        put(properties(run, "rPr"), w("cs"))
    elif _HAN.search(text):
        _fonts(run).set(q("hint"), "eastAsia")


def _fonts(run: Element) -> Element:
    settings = properties(run, "rPr")
    if settings.find(q("rFonts")) is None:
        put(settings, w("rFonts"))
    return settings.find(q("rFonts"))


def _set(run: Element, text: str, right: bool) -> None:
    part = run.find(q("t"))
    assert part is not None, "only runs of text are parted"
    part.text = text
    if right:
        put(properties(run, "rPr"), w("rtl"))


def _pieces(text: str, base: bool) -> Iterator[tuple[str, bool]]:
    """Stretches of one direction, each with whether it runs from right to left. Numbers go with what stands before
    them; characters without a direction go with both neighbours or with the paragraph (rules N1 and N2)."""
    rights: list[bool] = []
    last, pending = base, 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            right = kind != "L"
        elif kind in ("EN", "AN", "NSM"):
            right = last
        else:
            pending += 1
            continue
        rights.extend([right if right == last else base] * pending)
        rights.append(right)
        last, pending = right, 0
    rights.extend([base] * pending)
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or rights[index] != rights[start]:
            yield text[start:index], rights[start]
            start = index
