"""Which of the one-byte encodings of Latin script a text is in: the one in which its letters are one language's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable

_ENCODINGS = (
    "cp1252", "cp1250", "iso8859_2", "cp1254", "cp1257", "iso8859_15", "mac_roman", "cp850", "cp852",
)  # fmt: skip
"""By how common they are: of those that fit equally the first is taken."""
_ALPHABETS = (
    "äöüß",  # German
    "àâæçéèêëîïôœùûüÿ",  # French
    "áéíñóúüªº",  # Spanish
    "àáâãçéêíóôõúü",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "àçéèíïóòúü",  # Catalan
    "åäöæøéüà",  # Danish, Norwegian, Swedish, Finnish
    "áðéíóúýþæö",  # Icelandic
    "áäéëíïóöúü",  # Dutch, and names in English
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "ăâîşţ",  # Romanian, as these encodings have it
    "čćđšž",  # Croatian, Slovene
    "çğıöşüâîû",  # Turkish
    "āčēģīķļņšūžąęėįųõäöü",  # Latvian, Lithuanian, Estonian
)
_SIGNS = frozenset("“”„‘’‚«»‹›–—…€£°§·•©®™×±µ½¼¾²³¿¡´ \N{NO-BREAK SPACE}\N{SOFT HYPHEN}")
_ICELANDIC = frozenset("áéíóúæÁÉÍÓÚÆ")
_ENOUGH = 100_000
"""Bytes that are looked at."""
_WITHIN_WORDS = frozenset("’´·–—…\N{NO-BREAK SPACE}\N{SOFT HYPHEN}")
"""Signs that stand between two letters also in ordinary text."""
_LETTERS = tuple(frozenset(letters + letters.upper()) | ({"İ"} if "ğ" in letters else set()) for letters in _ALPHABETS)


def is_latin(encoding: str) -> bool:
    """Whether this is an encoding of Latin script with one byte a character."""
    name = encoding.replace("-", "_").lower()
    latin = name.startswith(("iso8859_", "latin_1", "mac_")) or name in (
        "cp437",
        "cp850",
        "cp852",
        "cp858",
        "cp865",
        "cp1250",
        "cp1252",
        "cp1254",
        "cp1257",
        "cp1258",
    )
    return latin and not name.endswith(("_5", "_6", "_7", "_8", "_11", "cyrillic", "greek", "arabic", "farsi"))


def likeliest(sample: bytes) -> str:
    """The encoding in which the largest share of the letters and signs outside ASCII suits one language.

    A sign between two letters suits none unless words are joined by it, nor does a capital after a small letter.
    """
    sample = sample[:_ENOUGH]
    best, best_share = "", -1.0
    for encoding in _ENCODINGS:
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        found = Counter(_in_place(text, match.start()) for match in re.finditer(r"[^\x00-\x7f]", text))
        total = max(1, found.total())
        fits = (sum(n for each, n in found.items() if each in a or each in _SIGNS) for a in _spoken(found))
        share = max(fits) / total
        if share > best_share:
            best, best_share = encoding, share
    return best or "latin-1"


def _spoken(found: Container[str]) -> Iterable[frozenset[str]]:
    """The alphabets that may be meant: without its commonest letters Icelandic is mistaken Turkish."""
    return _LETTERS if any(each in found for each in _ICELANDIC) else [a for a in _LETTERS if "ð" not in a]


def _in_place(text: str, place: int) -> str:
    """The character, or "" where it does not belong between its neighbours."""
    character, before, after = text[place], text[max(0, place - 1) : place], text[place + 1 : place + 2]
    if not character.isalpha():
        return "" if before.isalpha() and after.isalpha() and character not in _WITHIN_WORDS else character
    return "" if character.isupper() and before.isalpha() and (before.islower() or after.islower()) else character
