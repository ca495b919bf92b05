"""Texts as Markdown that every reader takes literally: CommonMark and the extensions in wide use."""

from __future__ import annotations

import re
import unicodedata

# What begins markup in the middle of a line: an underscore within a word and a bare "<" or "!" do not.
_SPECIAL = re.compile(
    r"[\\`*\[\]{}|~$^]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=#?\w+;)|!(?=\[|\Z)|(?<!\w)@(?=[\w{])"
    # Bare addresses would become links, and words between colons pictures.
    r"|(?<=\w):(?=//)|:(?=(?:[a-z+\-][\w+\-]*|100|1234|8ball):)|(?i:(?<=www)\.(?=\w))"
)
# What would begin a heading, a quotation, a list, a rule or a definition at the start of a line.
_BLOCK_START = re.compile(
    r"^(?:(\d{1,9}|[A-Za-z]|[ivxlcdm]{2,9}|[IVXLCDM]{2,9})(?=[.)](?:\s|\Z))"
    r"|(?=[#>])|(?=[+\-][+\-\s]|[+\-]\Z|:[:\s]|\((?:\w{1,9}|@)\)\s))"
)
_RAISED = str.maketrans("0123456789+-−=()in", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁱⁿ")
_BETWEEN_RAISED = frozenset(" ,;–")


def escape(text: str) -> str:
    """`text` so that it is shown as it is, in the middle of a line."""
    return _SPECIAL.sub(lambda match: "\\" + match[0], text)


def at_line_start(line: str) -> str:
    """A line of Markdown that begins a block, so that it does not begin one of another kind."""
    return _BLOCK_START.sub(r"\1\\", line.lstrip(" "), count=1)


def heading(text: str) -> str:
    """`text` for a heading's line, at whose end a row of # would be taken as its closing."""
    return escape(text).replace("#", "\\#")


def code(text: str) -> str:
    """`text` as a code span, where it can be searched for as it is; escaped where a span cannot hold it."""
    return escape(text) if not text.strip() or "`" in text or "|" in text else f"`{text}`"


def raised(text: str) -> str:
    """`text` in superscript characters, as CommonMark has no superscript; as it is where there are none for it."""
    done = text.translate(_RAISED)
    fits = all(now != was or was in _BETWEEN_RAISED for was, now in zip(text, done, strict=True))
    return done if fits else text


def emphasis(inner: str, mark: str, before: str, after: str) -> str:
    """Markdown between emphasis marks. Without them where they would not be taken as such: beside a letter outside,
    when there is punctuation inside (CommonMark 0.31, 6.2).

    :param before: what stands on the line before it.
    :param after: what comes after it.
    """
    core = inner.strip()
    if not core or not (_opens(before[-1:], core[0]) and _opens(after[:1], core[-1])):
        return inner
    lead, _, trail = inner.partition(core)
    return f"{lead}{mark}{core}{mark}{trail}"


def _opens(outside: str, inside: str) -> bool:
    return not _is_punctuation(inside) or not outside or outside.isspace() or _is_punctuation(outside)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
