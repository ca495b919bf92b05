"""Titles for a processor that sets them in the case a style asks for, and must not touch what has a case of its own.

A field of the Hayagriva format knows braces and dollars as markup: what stands in braces keeps its case.
"""

from __future__ import annotations

import re

JOINT = "\ue000"
"""A character of our own, which the reader of the processor's page takes out again."""

_MARKUP = re.compile(r"[\\{}$]")
_WORDS = re.compile(r"\s*\S+")
_OWN_CASE = re.compile(r"[^\W\d_].*[A-Z]|[^\W\d_]*[a-z]\d|\w+[.]\w")
_SMALL_WORDS = "a an and as at but by for from if in into nor of off on onto or over per so the to up via vs with yet"
_SMALL = frozenset(_SMALL_WORDS.split())
_LETTER = re.compile(r"[^\W\d_]")
_NOT_LATIN = re.compile(r"[^\W\d_a-zA-Z\u00aa-\u024f\u0370-\u03ff\u1e00-\u1eff]")
_LATIN = re.compile(r"[a-zA-Z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]")
_MARKED = re.compile(r"[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]")
_ENGLISH_WORDS = "a an and are as at between by does for from how in is of on that the to what when why with"
_FOREIGN_WORDS = (
    "au aux avec ces cette comme dans del della delle der des dem den die das ein eine einer el en entre et für il im "
    "la las le les lo los mit nach och om on os para par pour por que sobre sous sul sur til und une uma van von vom "
    "voor y zu zum zur über é è à"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_FOREIGN = frozenset(_FOREIGN_WORDS.split())


def english(language: str, title: str) -> bool:
    """Whether a title is English: by its language where that is told, or else unless its words speak against it. One
    that is mostly in other letters never is, whatever is told of it."""
    if len(_LATIN.findall(title)) * 2 < len(_LETTER.findall(title)):
        return False
    if language:
        return language.lower().partition("-")[0] == "en" or language.lower() in ("eng", "english")
    if _NOT_LATIN.search(title):
        return False
    words = {word.strip(".,:;?!'\"()").lower() for word in title.split()}
    known, foreign = len(words & _ENGLISH), len(words & _FOREIGN)
    return known > foreign or (known == foreign and not _MARKED.search(title))


def verbatim(text: str) -> str:
    """`text` for a field of the format, in its own case."""
    return "{" + _literal(text) + "}" if _LETTER.search(text) else _literal(text)


def protected(text: str) -> str:
    """`text` for a field of the format; words with capitals within them, such as mRNA, keep their case."""
    result: list[str] = []
    before = ""
    for word in _WORDS.findall(text):
        bare = word.strip()
        # After a comma the processor takes a small word for the beginning of a title.
        own = _OWN_CASE.match(bare.lstrip("([“‘\"'")) or len(_LATIN.findall(bare)) < len(_LETTER.findall(bare))
        keeps = own or (before.endswith((",", ";")) and bare in _SMALL)
        result.append("{" + _literal(word) + "}" if keeps else _literal(word))
        before = bare
    joined = "".join(result)
    # A space right after braces that begin the field would be lost.
    return JOINT + joined if len(result) > 1 and joined.startswith("{") else joined


def _literal(text: str) -> str:
    return _MARKUP.sub(lambda match: "\\" + match[0], text.replace(JOINT, "\ufffd"))
