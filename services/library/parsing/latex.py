"""LaTeX in bibliographies to plain text: accents, symbols, dashes, raised and lowered figures; braces go."""

from __future__ import annotations

import re
from functools import cache

from pylatexenc.latex2text import LatexNodes2Text

from services.library.parsing.normalise import one_line

_MARKED = re.compile(r"[\\{}$~^_]|--|``|''")
_UNESCAPED = re.compile(r"(?<!\\)([%&#])")
_LONGEST = 100_000
_MATH = re.compile(
    r"(?<!\\)\$\$?((?:[^$\\]|\\.){1,500}?)\$\$?|\\\((.{1,500}?)\\\)"
    r"|\\ensuremath\s*\{((?:[^{}]|\{[^{}]{0,200}\}){1,500})\}",
    re.DOTALL,
)
_SCRIPT = re.compile(r"([_^])\s*(\{(?:[^{}]|\{[^{}]{0,200}\}){0,200}\}|\\[A-Za-z]+(?:\{[^{}]{0,200}\})?|[^\s{}\\$_^])")
_TEXT_SCRIPT = re.compile(r"\\text(sub|super)script\s*(\{[^{}]{0,200}\})")
_WORD = re.compile(r"[^\W\d_]{3}")
_SUBSCRIPTS = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_SUPERSCRIPTS = dict(
    zip("0123456789+-−=()abcdefghijklmnoprstuvwxyz∘°′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ°°′", strict=True)
)


def plain(source: str, *, scripts: bool = True) -> str:
    """`source` on one line without its markup. What is no well-formed LaTeX loses only braces and backslashes. With
    `scripts` simple scripts of formulas become raised and lowered characters (CO₂, ¹³C); others stay `^` and `_`."""
    if not _MARKED.search(source):
        return one_line(source)
    if len(source) <= _LONGEST:
        try:
            if scripts:
                source = _TEXT_SCRIPT.sub(_set_in_text, source)
                source = _MATH.sub(lambda formula: _SCRIPT.sub(_set, formula.group()), source)
            # A bare % begins a comment in LaTeX, but in bibliographies it means per cent.
            return one_line(_converter().latex_to_text(_UNESCAPED.sub(r"\\\1", source)))
        except (RecursionError, ValueError, IndexError, KeyError, AttributeError, TypeError):
            pass
    return one_line(re.sub(r"[{}]|\\(?:[a-zA-Z]+\s*)?", "", source))


def without_formulas(source: str) -> str:
    """A text that is no LaTeX, but may hold formulas between dollars: those as text. An amount of money is none."""
    if "$" not in source or len(source) > _LONGEST:
        return source
    return _MATH.sub(lambda found: plain(found.group()) if _is_formula(found) else found.group(), source)


def _is_formula(found: re.Match[str]) -> bool:
    inside = found.group(1) or ""
    if not inside:
        return False
    return re.search(r"[_^]|\\[A-Za-z]", inside) is not None or re.fullmatch(r"[^\W\d_]", inside) is not None


def _set(found: re.Match[str]) -> str:
    """A script as raised or lowered characters; as it is where one of them has none, or where they spell a word."""
    text = _converter().latex_to_text(f"${found[2].removeprefix('{').removesuffix('}')}$").strip()
    known = _SUBSCRIPTS if found[1] == "_" else _SUPERSCRIPTS
    if text and not _WORD.search(text) and all(character in known for character in text):
        return "".join(known[character] for character in text)
    return f"{found[1]}{{{text}}}" if text.isalnum() else found.group()


def _set_in_text(found: re.Match[str]) -> str:
    sign = "_" if found[1] == "sub" else "^"
    return _SCRIPT.sub(_set, sign + found[2]).removeprefix(sign)


@cache
def _converter() -> LatexNodes2Text:
    return LatexNodes2Text(math_mode="text", keep_comments=False, strict_latex_spaces=False)
