"""Which of the one-byte encodings of Latin script a text is in: the one in which its letters are one language's."""

from __future__ import annotations

from collections import Counter

_ENCODINGS = ("cp1252", "cp1250", "iso8859_2", "cp1254", "cp1257", "iso8859_15", "mac_roman")
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
_SIGNS = frozenset("“”„‘’‚«»‹›–—…€£°§·•©®™×±µ½¼¾²³¿¡ \N{NO-BREAK SPACE}")
_LETTERS = tuple(frozenset(letters + letters.upper()) for letters in _ALPHABETS)


def is_latin(encoding: str) -> bool:
    """Whether this is an encoding of Latin script with one byte a character."""
    name = encoding.replace("-", "_").lower()
    latin = name.startswith(("iso8859_", "latin_1", "mac_")) or name in (
        "cp1250",
        "cp1252",
        "cp1254",
        "cp1257",
        "cp1258",
    )
    return latin and not name.endswith(("_5", "_6", "_7", "_8", "_11", "cyrillic", "greek", "arabic", "farsi"))


def likeliest(sample: bytes) -> str:
    """The encoding in which the largest share of the letters and signs outside ASCII suits one language."""
    best, best_share = "", -1.0
    for encoding in _ENCODINGS:
        try:
            counts = Counter(character for character in sample.decode(encoding) if character > "\x7f")
        except UnicodeDecodeError:
            continue
        total = max(1, counts.total())
        share = max(sum(n for each, n in counts.items() if each in letters or each in _SIGNS) for letters in _LETTERS)
        if share / total > best_share:
            best, best_share = encoding, share / total
    return best or "latin-1"
