"""Faults of formulas that are plain without any data and without parsing them whole.

Only what every parser would refuse is told: what is said here is never wrong, but not all that is wrong is said here.
"""

from __future__ import annotations

import re
from itertools import pairwise

from kit.near import near

MOST_CHARACTERS = 2_000
FUNCTIONS = (
    "abs", "acos", "arccos", "arcsin", "arctan", "asin", "atan", "cos", "cosh", "erf", "exp", "expm1", "ln", "log",
    "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip
MODEL_FUNCTIONS = ("C", "I", "poly")
"""What a model's terms may call beside them."""

_TOKEN = re.compile(
    r"(?P<name>`[^`]*`|[^\W\d]\w*(?:\.\w+)*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\w*)"
    r"|(?P<operator>\*\*|[-+*/^:~])"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<other>\S)"
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_SEPARATORS = (",",)
_NEEDS_LEFT = ("**", "*", "/", "^", ":")
"""Operators with a term on their left; + and - may stand alone before one."""


def formula_fault(text: str, *, model: bool | None) -> str | None:
    """What is wrong with a formula, or None. `model`: ``response ~ terms``; False: an expression; None: either."""
    if len(text) > MOST_CHARACTERS:
        return f"longer than {MOST_CHARACTERS} characters"
    tokens = [(str(match.lastgroup), match[0]) for match in _TOKEN.finditer(text)]
    sides = sum(token == ("operator", "~") for token in tokens)
    if model is False and sides:
        return "write the right side alone; the response has a field of its own"
    if sides > 1 or (model and not sides):
        return "write it as response ~ terms"
    if sides and ("operator", "~") in (tokens[0], tokens[-1]):
        return "both sides of ~ must be given"
    return _shape_fault(tokens) or _call_fault(tokens, (*FUNCTIONS, *(MODEL_FUNCTIONS if model is not False else ())))


def _shape_fault(tokens: list[tuple[str, str]]) -> str | None:
    """Brackets without their partner, and operators without a term beside them."""
    opened: list[str] = []
    before = ("open", "")
    for kind, token in tokens:
        if kind == "open":
            opened.append(token)
        elif kind == "close" and (not opened or opened.pop() != _PAIRS[token]):
            return f"{token!r} closes no bracket"
        after_operator = before[0] == "operator"
        if after_operator and (kind == "close" or token in _SEPARATORS):
            return f"a term is missing after {before[1]!r}"
        if kind == "operator" and token in (*_NEEDS_LEFT, "~"):
            if after_operator:
                return f"a term is missing between {before[1]!r} and {token!r}"
            if before[0] == "open":
                return f"a term is missing before {token!r}"
        before = kind, token
    if before[0] == "operator":
        return f"a term is missing after {before[1]!r}, at the end"
    return f"{opened[-1]!r} is never closed" if opened else None


def _call_fault(tokens: list[tuple[str, str]], known: tuple[str, ...]) -> str | None:
    for (kind, token), (_, following) in pairwise(tokens):
        name = token.removeprefix("numpy.").removeprefix("np.")
        if kind == "name" and following in ("(", "[") and not token.startswith("`") and name not in known:
            return f"the function {token[:80]!r} is not offered; there are {', '.join(known)}{near(name, known)}"
    return None
