"""Text to index terms: words, folded, without stop words, stemmed."""

from __future__ import annotations

import re
import unicodedata

import Stemmer  # type: ignore[import-not-found,unused-ignore]

ANALYSIS = "english/1"
"""Names this way of making terms; an index made in another way is rebuilt."""

_TOKEN = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"  # scripts without spaces: taken two characters at a time
    r"|\d+(?:[.,]\d+)+"
    "|[^\\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:['’][^\\W_]+)*"
)
_LONGEST = 64
_CACHED = 200_000

_STOP_WORDS = (
    "a about above after again against all also am among an and any are aren't as at be because been before "
    "being below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't "
    "down during each either else etc few for from further had hadn't has hasn't have haven't having he her "
    "here hers herself him himself his how however i if in into is isn't it it's its itself just let me more "
    "most mustn't my myself neither no nor not of off on once only or other ought our ours ourselves out "
    "over own same shall shan't she should shouldn't so some such than that that's the their theirs them "
    "themselves then there there's therefore these they this those through thus to too under until up upon "
    "us very was wasn't we were weren't what when where whether which while who whom whose why will with "
    "won't would wouldn't yet you your yours yourself yourselves"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())


class Analyzer:
    """Makes terms. Holds a cache of stems, so one instance serves one thread at a time."""

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english", 0)
        self._stems: dict[str, str] = {}

    def terms(self, text: str) -> list[str]:
        """The terms of `text` in order, repeated as often as they occur."""
        folded = text.lower() if text.isascii() else _fold(text)
        found: list[str] = []
        stems = self._stems
        for token in _TOKEN.findall(folded):
            stem = stems.get(token)
            if stem is None:
                if token[0] >= "\u3040" and token[0] <= "\ud7af" and not token[0].isascii():
                    found.extend(_pairs(token))
                    continue
                stem = self._stem(token)
            if stem:
                found.append(stem)
        return found

    def _stem(self, token: str) -> str:
        word = token.replace("’", "'")
        dropped = word in STOP_WORDS or len(word) > _LONGEST
        stem = "" if dropped else str(self._stemmer.stemWord(word)).replace("'", "")
        if len(self._stems) >= _CACHED:
            self._stems.clear()
        self._stems[token] = stem
        return stem


def _fold(text: str) -> str:
    """Lower case without accents; Greek letters, digits and other scripts stay themselves."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", plain)


def _pairs(run: str) -> list[str]:
    if len(run) == 1:
        return [run]
    return [run[index : index + 2] for index in range(len(run) - 1)]
