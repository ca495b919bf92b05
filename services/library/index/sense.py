"""What two passages of nearly the same words must have in common to say the same: numbers with what follows them,
denials, and words of direction.

Terms cannot tell it: denials are stop words, and in a long passage one number or one "rises" for "falls" is hardly any
difference.
"""

from __future__ import annotations

import hashlib
import re

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)*)\s*(%|‰|°\s?[a-z]?|[^\W\d_]+)?")
_MINUS = re.compile(r"(?:^|[^\w.)\]])[-−]$")
"""Before a number; a hyphen after a word or a number is none."""
_WIDE_DENIAL = re.compile("[不没沒未無无非]|ない|なく|なかっ|ません")
"""In scripts that write no space between words."""

_DENIALS = """
    not no never none neither nor without fail fails failed unable lack lacks lacked absence hardly unlikely
    nicht kein keine keinem keinen keiner keines nie niemals ohne weder kaum
    ne pas aucun aucune jamais sans ni nullement
    nunca ningún ninguna ninguno sin tampoco jamás
"""
_SPELT = """
    two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand million billion half third thirds quarter quarters twice
"""
_UP = """
    accelerate accelerated accelerates above better boost boosted boosts elevate elevated elevates enhance enhanced
    enhances enhancing expand expanded expands gain gained gains greater grew grow grows growth higher improve improved
    improves improving improvement improvements increase increased increases increasing longer more positive positively
    promote promoted promotes raise raised raises raising rise risen rises rising rose strengthen strengthened
    strengthens stronger
"""
_DOWN = """
    below cut cuts decline declined declines declining decrease decreased decreases decreasing diminish diminished
    diminishes drop dropped drops fall fallen falling falls fell fewer harm harmed harms impair impaired impairs inhibit
    inhibited inhibits less lose loses losing loss losses lost lower lowered lowering lowers negative negatively prevent
    prevented prevents reduce reduced reduces reducing reduction reductions shorter shrank shrink shrinks slow slowed
    slower slows suppress suppressed suppresses weaken weakened weakens weaker worse worsen worsened worsens
"""
_SIGNS = {
    **{word: word for word in f"{_DENIALS} {_SPELT}".split()},
    **dict.fromkeys(_UP.split(), "+"),
    **dict.fromkeys(_DOWN.split(), "-"),
}


def sense_of(text: str) -> int:
    """64 bits that two texts have in common where their numbers, denials and directions are the same, each as often."""
    lowered = text.lower().replace("’", "'").replace("n't", " not").replace("cannot", " not")
    told = [_SIGNS[word] for word in _WORD.findall(lowered) if word in _SIGNS]
    for number in _NUMBER.finditer(lowered):
        negative = _MINUS.search(lowered, max(0, number.start() - 2), number.start())
        told.append(f"{'-' if negative else ''}{number[1]} {number[2] or ''}")
    if not text.isascii():
        told += _WIDE_DENIAL.findall(text)
    digest = hashlib.blake2b("\n".join(sorted(told)).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
