"""Language tags (BCP 47): which ones name a language."""

from __future__ import annotations

import re

_TAG = re.compile(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{2,8})*")
_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw
ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_TWO_LETTERS = frozenset(_CODES.split())
"""ISO 639-1."""


def is_well_formed(tag: str) -> bool:
    """Whether it is a language of two or three letters, with further subtags or without."""
    return _TAG.fullmatch(tag) is not None


def is_language(tag: str) -> bool:
    """Whether a tag is well-formed and its language one of ISO 639. Codes of three letters, of which there are
    thousands, are not looked up."""
    found = _TAG.fullmatch(tag)
    return found is not None and (len(found[1]) == 3 or found[1].lower() in _TWO_LETTERS)


def language_fault(tag: str) -> str | None:
    """What is wrong with a tag that should name a language, and the cure; None when nothing is."""
    if is_language(tag):
        return None
    named = f'"{tag}" is no language of ISO 639' if is_well_formed(tag) else "is no language"
    return f'{named}: write a tag such as "en", "de" or "pt-BR"'
