"""A question for how something changed is met by statements of the way it went: it fell, it grew by 7 %.

Only questions in whose wording the change is the verb ("how did yields change", "does light affect growth"), and only
by sentences about most of the same subject; "climate change" is a subject of its own. English alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from worker.engines.text.directions import DOWN, UP
from worker.engines.text.stopwords import QUESTION_WORDS, WEAK_WORDS, word_set
from worker.engines.text.terms import Analyzer, fold, words

_ASKED = re.compile(
    r"\b(?:how|whether|do|does|did|has|have|had|is|are|was|were|will)\b[^?.!;]*?"
    r"(?<!climate )(?<!climatic )(?<!global )(?<!environmental )(?<!land use )(?<!land-use )(?<!land cover )"
    r"\b(?P<word>chang(?:e|es|ed|ing)|var(?:y|ies|ied|ying)|differ(?:s|ed)?|evolve[sd]?|develop(?:s|ed)?|shift(?:s|ed)?)"
    r"\b(?=\s*(?:[?.!,;]|$)|\s+(?:across|after|along|among|and|as|at|before|between|by|during|for|from|in|on|over|since"
    r"|through|throughout|to|under|until|when|while|with|within)\b)",
    re.IGNORECASE,
)
_ACTING = re.compile(
    r"\b(?:how|whether|do|does|did|has|have|had|is|are|was|were|will|can|could|may|might)\b[^?.!;]*?"
    r"\b(?P<word>affect(?:s|ed)?|influenc(?:e|es|ed)|alter(?:s|ed)?)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[^?.!;]+[?.!;]*")
_NEXT = re.compile(
    r",?\s+(?:and|or)\s+(?=(?:how|what|which|why|does|do|did|has|have|is|are|was|were)\b)", re.IGNORECASE
)
_STATEMENT = re.compile(r"[^.!?;\n]+(?:[.]\d[^.!?;\n]*)*")
_BY_SHARE = re.compile(r"\bby (?:\w+ ){0,2}\d[\d.,]*\s*(?:%|per ?cent\b|°)", re.IGNORECASE)
_CLAUSE = re.compile(r"[^,;:()\n]+(?:,\d[^,;:()\n]*)*")
_COMPARATIVES = word_set(
    """
    better fewer greater higher less longer lower more negative negatively positive positively shorter slow slower
    stronger weaker worse
    """
)
_TRENDS = (UP | DOWN) - _COMPARATIVES | word_set(
    """
    cooled cooling deepened doubled freshened halved lengthened lowered narrowed quadrupled shortened thickened thinned
    tripled warmed warming widened
    """
)


_NAMES_ITS_OWN = word_set(
    "cooling decline decrease drop fall gain growth improvement increase loss losses reduction reductions rise warming"
)
"""Of what these are stands behind them: "the rise of prices"."""
_CIRCUMSTANCE = word_set(
    """
    across after along among as at because before between by during for from if in of on over per since through to
    under when where while with within
    """
)
_MOST_BEHIND = 5


@dataclass(frozen=True, slots=True)
class Changes:
    """The words of change that a prompt asks with: the stem of each with those of its subject, of which a sentence must
    hold half at least."""

    subjects: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, prompt: str, analyzer: Analyzer) -> Changes:
        """None for a prompt that asks for no change, or in a language whose words of direction are not known."""
        if analyzer.language != "en":
            return cls({})
        asked: dict[str, frozenset[str]] = {}
        for whole in _QUESTION.findall(prompt):
            for question in _NEXT.split(whole):
                match = _ASKED.search(question) or _ACTING.search(question)
                if match is None:
                    continue
                (stem,) = analyzer.stem([fold(match["word"])])
                subject = {
                    found
                    for found, folded, _ in analyzer.surfaces(question)
                    if folded not in QUESTION_WORDS | WEAK_WORDS and not folded[0].isdigit() and found != stem
                }
                if subject:
                    asked[stem] = frozenset(subject)
        return cls(asked)

    def met(self, sentence: str, stems: Collection[str], analyzer: Analyzer) -> list[str]:
        """The stems of change that a sentence of these stems meets without saying them: half of the subject at least is
        what goes up or down there."""
        asked = [
            stem
            for stem, subject in self.subjects.items()
            if stem not in stems and 2 * len(subject.intersection(stems)) >= len(subject)
        ]
        if not asked:
            return []
        going = _going(sentence, analyzer)
        return [
            stem
            for stem in asked
            if any(2 * len(self.subjects[stem] & what) >= len(self.subjects[stem]) for what in going)
        ]

    def met_in(self, passage: str, analyzer: Analyzer) -> list[str]:
        """The same over the sentences of a passage."""
        if not self.subjects:
            return []
        found: dict[str, None] = {}
        for match in _STATEMENT.finditer(passage):
            found.update(dict.fromkeys(self.met(match.group(), analyzer.terms(match.group()), analyzer)))
        return list(found)


def _going(sentence: str, analyzer: Analyzer) -> list[frozenset[str]]:
    """What goes up or down in a sentence, as stems: what stands before a word of direction in its clause, and what
    follows it but for the circumstances ("rises *with* age")."""
    found: list[frozenset[str]] = []
    for clause in _CLAUSE.findall(sentence):
        folded = [fold(word.text) for word in words(clause)]
        for place, word in enumerate(folded):
            if word not in _TRENDS:
                continue
            behind = folded[place + 1 : place + 1 + _MOST_BEHIND]
            if word in _NAMES_ITS_OWN and behind[:1] in (["in"], ["of"]):
                behind = behind[1:]
            end = next((at for at, other in enumerate(behind) if other in _CIRCUMSTANCE), len(behind))
            found.append(frozenset(analyzer.stem(folded[:place] + behind[:end])))
        share = _BY_SHARE.search(clause)
        if share is not None:
            found.append(frozenset(analyzer.terms(clause[: share.start()])))
    return found
