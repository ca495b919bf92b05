"""Formulae of Word documents (Office Math) as a line of text, in the notation of :mod:`.mathml`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_INTEGRAL = "∫"
"""The sign of an n-ary operator that names none (ECMA-376 part 1, 22.1.2.20)."""

Read = Callable[[Any], str]


def formula_part(node: Any, read: Read) -> str | None:
    """The text of a structure of a formula, `read` giving that of what it holds; None for what is no structure."""
    writer = _WRITERS.get(node.tag)
    return None if writer is None else writer(node, read)


def _text(node: Any, name: str, read: Read) -> str:
    part = node.find(f"{_M}{name}")
    return "" if part is None else read(part).strip()


def _group(node: Any, name: str, read: Read) -> str:
    """A part in brackets when it is more than one name or number."""
    text = _text(node, name, read)
    single = len(text) < 2 or text.isalnum() or (text[0] == "(" and text.find(")") == len(text) - 1)
    return text if single else f"({text})"


def _property(node: Any, name: str, otherwise: str) -> str:
    properties = node.find(f"{node.tag}Pr")
    found = None if properties is None else properties.find(f"{_M}{name}")
    return otherwise if found is None else str(found.get(f"{_M}val") or "")


def _scripts(node: Any, read: Read) -> str:
    base, sub, sup = _text(node, "e", read), _group(node, "sub", read), _group(node, "sup", read)
    return base + (f"_{sub}" if sub else "") + (f"^{sup}" if sup else "")


def _operator(node: Any, read: Read) -> str:
    sign = _property(node, "chr", _INTEGRAL)
    sub, sup = _group(node, "sub", read), _group(node, "sup", read)
    return sign + (f"_{sub}" if sub else "") + (f"^{sup}" if sup else "") + f" {_text(node, 'e', read)}"


def _root(node: Any, read: Read) -> str:
    degree, inner = _text(node, "deg", read), _text(node, "e", read)
    return f"({inner})^(1/{degree})" if degree else f"√({inner})"


def _fenced(node: Any, read: Read) -> str:
    between = _property(node, "sepChr", "|")
    inner = between.join(read(part).strip() for part in node.findall(f"{_M}e"))
    return f"{_property(node, 'begChr', '(')}{inner}{_property(node, 'endChr', ')')}"


def _limit(node: Any, read: Read) -> str:
    return f"{_text(node, 'e', read)}_{_group(node, 'lim', read)} "


def _matrix(node: Any, read: Read) -> str:
    rows = ([read(cell).strip() for cell in row.findall(f"{_M}e")] for row in node.findall(f"{_M}mr"))
    return "; ".join(", ".join(row) for row in rows)


_WRITERS: dict[str, Callable[[Any, Read], str]] = {
    f"{_M}f": lambda node, read: f"{_group(node, 'num', read)}/{_group(node, 'den', read)}",
    f"{_M}sSup": _scripts,
    f"{_M}sSub": _scripts,
    f"{_M}sSubSup": _scripts,
    f"{_M}rad": _root,
    f"{_M}nary": _operator,
    f"{_M}d": _fenced,
    f"{_M}func": lambda node, read: f"{_text(node, 'fName', read)} {_text(node, 'e', read)}",
    f"{_M}limLow": _limit,
    f"{_M}limUpp": lambda node, read: f"{_text(node, 'e', read)}^{_group(node, 'lim', read)} ",
    f"{_M}m": _matrix,
    f"{_M}eqArr": lambda node, read: "; ".join(read(part).strip() for part in node.findall(f"{_M}e")),
}
