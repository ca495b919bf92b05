"""Which sentences may stand as statements: whole, plain prose, no headings, reference lists or boilerplate."""

from __future__ import annotations

import re
from functools import lru_cache

from worker.engines.text.terms import written_words
from worker.engines.text.wide import is_wide

MIN_WORDS, MAX_WORDS = 5, 110
_SHORTEST_CLAUSE = 3
"""Words that are enough for a sentence with a verb that is not its first word; a shorter one only names something."""
_UNSTOPPED_WORDS = 8
"""Words that a statement without a stop has at least."""
MAX_CHARACTERS = 800

_BACK_MATTER = re.compile(
    r"^(?:\d+(?:\.\d+)*\.?\s+)?(?:(?:selected |general |further |cited |annotated )?"
    r"(?:references?|bibliography|literature|works|reading|readings|sources|links|notes|footnotes|endnotes)"
    r"(?: (?:cited|list|and notes|and further reading|and links))?|external links|see also|where (?:it|this) comes from"
    r"|acknowledge?ments?|funding(?: statement)?|author (?:contributions|information)|conflicts? of interest"
    r"|competing interests|disclosures?|(?:table of )?contents|index|copyright(?: notice)?|licen[cs]e"
    r"|about (?:the|this) (?:authors?|article|page)|data availability(?: statement)?)\s*:?$",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"all rights reserved|©|\(c\) \d{4}|copyright (?:\d{4}|holders?|notice)|licensed under|creative commons"
    r"|downloaded from|\bcookies?\b"
    r"|privacy policy|terms of (?:use|service)|\bsubscribe\b|click here|\bISBN[: ]|\bISSN[: ]|corresponding author"
    r"|e-?mail:|@\w+\.\w|received:? \d|accepted:? \d|author contributions|declare (?:that they have )?no"
    r"|competing interests?|conflicts? of interest"
    r"|(?:supported|funded) (?:in part )?by (?:a |the |an )?"
    r"(?:grant|contract|nih|nsf|national|office)|we (?:would like to )?(?:thank|acknowledge)"
    r"|table of contents|page intentionally",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"^(?:fig(?:ure|\.)|table|box|plate|scheme|algorithm|listing|equation)\s*\d+", re.IGNORECASE)
_REFERENCE_SIGNS = (
    re.compile(r"\b(?:doi|arxiv|https?|www)\b[:.]?", re.IGNORECASE),
    re.compile(
        r"\b\d{1,4}\s*\(\d{1,4}\)\s*[:,]\s*\d+|\bvol\.?\s*\d+|\bpp?\.\s*\d+|\d+\s*[-–]\s*\d+\.?$",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:proceedings|journal|transactions|press|publishers?|thesis|eds?\.|in:)\b", re.IGNORECASE),
    re.compile(r"(?:[A-Z][\w'’-]+,\s+(?:[A-Z]\.\s?)+|(?:[A-Z]\.\s?)+[A-Z][\w'’-]+\s*(?:,|and|&))"),
    re.compile(r"\(\d{4}[a-z]?\)\.|,\s*(?:19|20)\d{2}[a-z]?\.?$"),
)
_REFERENCE_WORDS = (_REFERENCE_SIGNS[0], _REFERENCE_SIGNS[2], _REFERENCE_SIGNS[3])
_FIGURE = re.compile(r"\d")
_STOPPED = re.compile(r"[.!。！।॥۔։][\"'”’»)\]」』）］]*$")
_FINITE = re.compile(
    r"\b(?:is|are|was|were|am|be|been|has|have|had|do|does|did|can|could|may|might|must|will|would|shall|should|cannot"
    r"|isn't|aren't|wasn't|weren't|doesn't|don't|didn't|can't|won't|shows?|finds?|found|gives?|gave|makes?|takes?|took"
    r"|leads?|led|means?|meant|seems?|appears?|remains?|becomes?|became|depends?|helps?|holds?|held|uses?|tends?|needs?"
    r"|allows?|contains?|requires?|follows?|suggests?|works?|grows?|grew|rises?|rose|falls?|fell|began|begins?|\w{2,}ed"
    r"|\w{3,}(?:ves|zes|ates|ifies|ens|uces|eases|ances|ains|ends))\b",
    re.IGNORECASE,
)
_DEPENDENT = re.compile(
    r"^[\"'“(]?(?:this|that|these|those|it|its|they|their|them|he|she|his|her|such|the (?:former|latter|same|above)"
    r"|both|neither|however|therefore|thus|hence|moreover|furthermore|also|but|and|or|so|yet|nevertheless"
    r"|nonetheless|consequently|accordingly|additionally|instead|otherwise|similarly|likewise|conversely|then|in "
    r"(?:contrast|addition|turn|other words|this (?:case|way|sense|paper|chapter|respect)|particular)|as a result|for "
    r"(?:example|instance|this reason)|on the other hand|at the same time|again|still|finally|second(?:ly)?"
    r"|third(?:ly)?|others?|another|one (?:such|of these)|here|there(?:fore)?|we|our|i|my)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"^(?:this|that|these|those|it|its|they|their|them|he|she|his|her|such|both|neither)\b", re.IGNORECASE
)
_SELF_CONTAINED = re.compile(
    r"^(?:there (?:is|are|was|were|has|have)|it (?:is|was|has been) \w+ (?:that|to)"
    r"|we (?:find|found|show|showed|conclude|observed?|demonstrated?)|our (?:results|findings|data|analysis)"
    r"|this (?:study|article|paper|report|review|book)"
    r"|these (?:results|findings|data))\b",
    re.IGNORECASE,
)
_RESULT_CUE = re.compile(
    r"\b(?:(?:we|it was|was|were|have|has|is) (?:found|shown|observed|demonstrated|established|concluded|known)"
    r"|we (?:find|show|conclude|observe|demonstrate)"
    r"|(?:results?|findings?|evidence|studies|experiments?|analys[ei]s|data) (?:also |further )?"
    r"(?:show|suggest|indicate|demonstrate|support|confirm|reveal|imply)\w*|in (?:conclusion|summary)"
    r"|conclu(?:de|sion)|significant(?:ly)?|associated with|is defined as|refers to|is called|consists? of"
    r"|leads? to|results? in|because|depends? on|(?:in|de)creas(?:es|ed)|improv(?:es|ed)|reduc(?:es|ed))\b",
    re.IGNORECASE,
)
_ORGANISING_CUE = re.compile(
    r"\b(?:this|the|our) (?:paper|article|chapter|section|book|report|volume|present study|review|thesis) "
    r"(?:is|was|will|presents|describes|discusses|reviews|aims|examines|considers|deals|covers|attempts|provides|explains)"
    r"|\b(?:purpose|aim|object|objective|goal) (?:of|is|was)|(?:sections?|chapters?) \d|as follows"
    r"|(?:shown|listed|presented|given|reported|summari[sz]ed|described|see) in (?:the )?(?:table|fig)|will be "
    r"(?:discussed|described|presented)|(?:further|more) research|we (?:will|shall|aim|propose|describe|discuss)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:(?:(?:BACKGROUND|OBJECTIVES?|AIMS?|PURPOSE|METHODS?|DESIGN|SETTING|PATIENTS|PARTICIPANTS|INTERVENTIONS?|RESULTS?"
    r"|FINDINGS|CONCLUSIONS?|INTERPRETATION|IMPORTANCE|RELEVANCE|INTRODUCTION|SIGNIFICANCE|DISCUSSION|LIMITATIONS|CONTEXT"
    r"|SUMMARY|ABSTRACT|RATIONALE|HYPOTHESIS|MAIN|PRINCIPAL|METHODOLOGY|MEASUREMENTS?|AND|OF|/|&)\b[ ,/&]*)+:?\s+"
    r"|(?:Background|Objectives?|Aims?|Purpose|Methods?|Results?|Findings|Conclusions?|Interpretation|Introduction"
    r"|Discussion|Summary|Abstract)(?::\s+|\s*[—–]\s*))(?=[\"“A-Z0-9])"
)
_BRACKETED_NUMBERS = re.compile(r"\s?\[\d+(?:\s?[,–-]\s?\d+)*\]")


def is_back_matter(heading: str) -> bool:
    """Whether a heading opens a part that holds no statements of its own: references, thanks, contents, licence."""
    return bool(_BACK_MATTER.match(" ".join(heading.split())))


def display(quote: str) -> str:
    """A quote for reading: one line, without the source's own bracketed reference numbers and stray marks."""
    line = " ".join(quote.replace("\u00ad\n", "").replace("\ufffe", "").split())
    line = _BRACKETED_NUMBERS.sub("", line)
    return re.sub(r"(?<!\.)\.\.(?!\.)", ".", line)


def label_length(sentence: str) -> int:
    """Characters of a label such as ``CONCLUSIONS:`` before the sentence itself, as structured abstracts have them."""
    match = _LABEL.match(sentence)
    if match is None or (sentence.isupper() and ":" not in match.group()):
        # Among capitals alone a label looks like any other word.
        return 0
    return match.end()


@lru_cache(maxsize=4096)
def is_statement(sentence: str, *, marked: bool = True) -> bool:
    """Whether a sentence (on one line) is a whole declarative sentence of prose that may be quoted as a statement.

    In a text whose sentences are not `marked` (it is in one case) none begins with a capital, and one without a stop at
    its end must be longer and, in English letters, have a verb.
    """
    if not sentence or len(sentence) > MAX_CHARACTERS or sentence.endswith(("...", "…")):
        return False
    if not _STOPPED.search(sentence) and (marked or not _reads_as_one(sentence)):
        return False
    opening = sentence.lstrip("\"'“‘«([「『（")
    if not opening or (marked and opening[0].islower() and not re.match(r"\S?\S?[A-Z0-9]", opening)):
        return False
    if opening[0] in ".,;:!?)]}|=+*/<>":
        return False
    found = written_words(sentence)
    # Scripts without spaces come as single characters, of which two are about a word.
    wide = 0 if sentence.isascii() else sum(map(is_wide, found))
    if len(found) - wide // 2 > MAX_WORDS or (len(found) < MIN_WORDS and not _is_short_clause(sentence, len(found))):
        return False
    letters = sum(map(str.isalpha, sentence)) + sum(map(str.isspace, sentence))
    if 2 * wide >= len(found):
        # A character says as much as three letters, so figures and signs take a larger part.
        if letters < 0.5 * len(sentence):
            return False
    elif letters < 0.75 * len(sentence):
        # A sentence full of figures is one all the same when it has a verb and enough words between them.
        if letters < 0.6 * len(sentence):
            return False
        if (sentence.isascii() or len(found) <= 2 * MIN_WORDS) and (
            len(found) < 2 * MIN_WORDS or not _FINITE.search(sentence)
        ):
            return False
    if sum(len(word) == 1 for word in found) - wide > 0.34 * len(found) and (
        sentence.isascii() or len(found) <= 2 * MIN_WORDS
    ):
        return False
    if marked and sum(map(str.isupper, (word for word in found if len(word) > 1))) > 0.5 * len(found):
        return False
    if _CAPTION.match(sentence) or _BOILERPLATE.search(sentence):
        return False
    return not is_reference(sentence)


def _is_short_clause(sentence: str, count: int) -> bool:
    first = sentence.partition(" ")[0]
    return count >= _SHORTEST_CLAUSE and _FINITE.search(sentence, len(first)) is not None


def _reads_as_one(sentence: str) -> bool:
    if sentence[-1] in "?？؟:;," or len(sentence.split()) < _UNSTOPPED_WORDS:
        return False
    return not sentence.isascii() or _FINITE.search(sentence) is not None


def is_reference(sentence: str) -> bool:
    """Whether a line looks like an entry of a reference list: at least two of its usual signs and no finite verb."""
    # Without a figure it has neither pages nor a year.
    possible = _REFERENCE_SIGNS if _FIGURE.search(sentence) else _REFERENCE_WORDS
    signs = sum(sign.search(sentence) is not None for sign in possible)
    return signs >= 3 or (signs == 2 and not _FINITE.search(sentence))


def is_dependent(sentence: str) -> bool:
    """Whether a sentence leans on the one before it (a pronoun or a connective at its head)."""
    return bool(_DEPENDENT.match(sentence)) and not _SELF_CONTAINED.match(sentence)


def refers_back(sentence: str) -> bool:
    """Whether a sentence opens with a pronoun for something that stands before it. A connective ("however") is none:
    without its neighbours such a sentence still says what it says."""
    return bool(_PRONOUN.match(sentence)) and is_dependent(sentence)


def quality(sentence: str) -> float:
    """How well a sentence reads on its own as a finding: a factor of 0.3 to 1.25, by surface signs only.

    Signs that lower it: no finite verb, talk about the text itself, a dependent opening, extreme length, many digits
    or brackets. A verb of result or definition raises it.
    """
    factor = 1.0
    if not _FINITE.search(sentence):
        factor *= 0.6
    if _ORGANISING_CUE.search(sentence):
        factor *= 0.6
    elif _RESULT_CUE.search(sentence):
        factor *= 1.25
    if is_dependent(sentence):
        factor *= 0.7
    length = len(sentence.split())
    if length < 8 or length > 32:
        factor *= 0.8 if length <= 42 else 0.6
    if sum(character in "()[]=<>/|%0123456789" for character in sentence) > 0.15 * len(sentence):
        factor *= 0.8
    return max(0.3, factor)
