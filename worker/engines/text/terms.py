"""Words, terms and stems."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import Stemmer

from worker.engines.text.families import base_form, family, is_take_up
from worker.engines.text.stopwords import STOP_WORDS
from worker.engines.text.wide import CJK, has_wide, is_wide, wide_spans

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
"""Snowball algorithm by ISO 639-1 language; any other language is read without stemming."""

# A number keeps its decimals, a word its inner apostrophe; hyphenated words fall apart on purpose, so that
# "long-term" and "long term" meet. Scripts without spaces come as single characters; terms join them to pairs.
_SPACED = rf"\d+(?:[.,]\d+)+|(?:(?![{CJK}])[^\W_])+(?:['’](?:(?![{CJK}])[^\W_])+)*"
_WORD = re.compile(rf"[{CJK}]|{_SPACED}")
_RUN = re.compile(rf"[{CJK}]+|{_SPACED}")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it stands in a text; offsets are code points, end exclusive."""

    text: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words of `text`, in order."""
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def written_words(text: str) -> list[str]:
    """The same as they are written, without their places."""
    return _WORD.findall(text)


def _tokens(text: str) -> list[Word]:
    """The words of `text` from which terms are made: those of scripts without spaces as :func:`wide_spans` has them."""
    if not has_wide(text):
        return words(text)
    found: list[Word] = []
    for match in _RUN.finditer(text):
        if is_wide(match.group()):
            found.extend(Word(text[start:end], start, end) for start, end in wide_spans(text, *match.span()))
        else:
            found.append(Word(match.group(), match.start(), match.end()))
    return found


def fold(word: str) -> str:
    """The form in which words are compared: compatibility-normalised, caseless, without a possessive ending."""
    folded = word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold().replace("’", "'")
    return folded.removesuffix("'s")


class Analyzer:
    """Turns text into stems of the given language (ISO 639-1 code, also with a region: ``en-GB``).

    Cheap to make (microseconds). A stemmer must not be used by two threads at once, so none is shared.
    """

    def __init__(self, language: str = "en") -> None:
        self.language = language.replace("_", "-").split("-")[0].lower() or "en"
        self.stop_words = STOP_WORDS.get(self.language, frozenset())
        algorithm = STEMMERS.get(self.language)
        self._stemmer: Any = Stemmer.Stemmer(algorithm) if algorithm else None
        self._stems: dict[str, str] = {}

    def stem(self, folded: list[str]) -> list[str]:
        """Stems of words that were folded before; in English, words of one family get one stem."""
        if self._stemmer is None:
            return list(folded)
        known = self._stems
        for word in folded:
            if word not in known:
                known[word] = self._stem(word)
        return [known[word] for word in folded]

    def _stem(self, folded: str) -> str:
        if self.language == "en":
            return family(str(self._stemmer.stemWord(base_form(folded))))
        return str(self._stemmer.stemWord(folded))

    def content_words(self, text: str) -> list[Word]:
        """The words of `text` that are no function words. "take up" counts as one word."""
        return [word for word, _ in self._content(text)]

    def terms(self, text: str) -> list[str]:
        """Stems of the content words of `text`, in order, with repetitions."""
        return self.stem(self._forms(text))

    def forms(self, text: str) -> list[tuple[str, str]]:
        """(stem, folded word) of each content word of `text`, in order."""
        folded = self._forms(text)
        return list(zip(self.stem(folded), folded, strict=True))

    def _forms(self, text: str) -> list[str]:
        folded = (
            [fold(word.text) for word in _tokens(text)]
            if has_wide(text)
            else [fold(word) for word in _WORD.findall(text)]
        )
        if self.language == "en" and "up" in folded:
            folded = [form for _, form in self._content(text)]
        return [form for form in folded if form not in self.stop_words]

    def surfaces(self, text: str) -> list[tuple[str, str, Word]]:
        """(stem, folded word, word) of each content word of `text`, in order."""
        content = self._content(text)
        stems = self.stem([folded for _, folded in content])
        return [(stem, folded, word) for stem, (word, folded) in zip(stems, content, strict=True)]

    def _content(self, text: str) -> list[tuple[Word, str]]:
        found = _tokens(text)
        folded = [fold(word.text) for word in found]
        if self.language == "en" and "up" in folded:
            found, folded = _joined(text, found, folded)
        return [(word, form) for word, form in zip(found, folded, strict=True) if form not in self.stop_words]


def _joined(text: str, found: list[Word], folded: list[str]) -> tuple[list[Word], list[str]]:
    joined: list[Word] = []
    forms: list[str] = []
    for word, form in zip(found, folded, strict=True):
        if forms and is_take_up(forms[-1], form):
            joined[-1] = Word(text[joined[-1].start : word.end], joined[-1].start, word.end)
            forms[-1] = "uptake"
        else:
            joined.append(word)
            forms.append(form)
    return joined, forms
