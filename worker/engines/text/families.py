"""English words that belong together although a stemmer keeps them apart: irregular forms, and Latin verbs whose nouns
change the stem (emit, emission; reduce, reduction)."""

from __future__ import annotations

_IRREGULAR = {
    form: base
    for base, forms in {
        "break": "broke broken", "child": "children", "choose": "chose chosen",
        "draw": "drew drawn",
        "drive": "drove driven", "eat": "ate eaten", "fall": "fell fallen", "feed": "fed", "foot": "feet",
        "freeze": "froze frozen", "grow": "grew grown growth", "hold": "held", "learn": "learnt",
        "lose": "lost loss losses",
        "man": "men", "melt": "molten", "mouse": "mice", "pay": "paid", "rise": "rose risen", "sell": "sold",
        "send": "sent",
        "shrink": "shrank shrunk", "sink": "sank sunk", "sleep": "slept", "speak": "spoke spoken speech",
        "spend": "spent",
        "store": "storage", "swim": "swam swum", "teach": "taught", "think": "thought", "tooth": "teeth",
        "wear": "wore worn",
        "win": "won", "woman": "women", "write": "wrote written",
    }.items()
    for form in forms.split()
}  # fmt: skip

_ALTERNATIONS = (
    ("miss", "mit"),
    ("sorpt", "sorb"),
    ("cept", "ceiv"),
    ("duct", "duc"),
    ("solut", "solv"),
    ("volut", "volv"),
    ("script", "scrib"),
    ("clus", "clud"),
    ("cis", "cid"),
    ("sumpt", "sum"),
    ("pans", "pand"),
    ("vis", "vid"),
)
"""Ends of Snowball stems of nouns, and of the verbs they come from."""

_TAKE = frozenset({"take", "takes", "taking", "took", "taken"})


def base_form(folded: str) -> str:
    """The base form of an irregular English word; other words as they are."""
    return _IRREGULAR.get(folded, folded)


def family(stem: str) -> str:
    """The stem of the verb for the stem of its noun; other stems as they are."""
    for noun, verb in _ALTERNATIONS:
        if stem.endswith(noun) and len(stem) > len(noun):
            return stem[: -len(noun)] + verb
    return stem


def is_take_up(left: str, right: str) -> bool:
    """Whether two folded words are a form of "take up", which meets "uptake"."""
    return right == "up" and left in _TAKE
