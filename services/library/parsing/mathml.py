"""Formulae as a line of text: Presentation MathML, and the TeX that journals put beside it."""

from __future__ import annotations

import re
from typing import Any

from services.library.parsing.latex import plain

_SIMPLE = re.compile(r"^[\w.,′'∞∂Δ∇]*$")
_BODY = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)
_SPACED = frozenset("=<>≤≥≈≠≡∼≃→←⇒⇔∈∉⊂⊆∪∩+−±×·∝")
_INVISIBLE = re.compile("[\u2061-\u2064]")
_SCRIPTS = {"msub": "_", "munder": "_", "msup": "^", "mover": "^"}
_PAIRED = frozenset(("msubsup", "munderover"))
_LEAVES = frozenset(("mi", "mn", "mtext", "ms"))
_LEFT_OUT = frozenset(("annotation", "annotation-xml", "mphantom", "none", "mprescripts"))


def formula(node: Any) -> str:
    """The text of an lxml `math` element: fractions as `(a)/(b)`, scripts by `^` and `_`, roots by `√`."""
    return " ".join(_INVISIBLE.sub("", _linear(node)).split())


def tex(source: str) -> str:
    """The text of a `tex-math` element, whose document around the formula is left out."""
    body = _BODY.search(source)
    inner = (body.group(1) if body else source).strip().strip("$").strip()
    return plain(f"${inner}$", scripts=False) if inner else ""


def _linear(node: Any) -> str:
    name = _name(node)
    children = [child for child in node if isinstance(child.tag, str) and _name(child) not in _LEFT_OUT]
    if name in _LEAVES:
        return "".join(node.itertext()).strip()
    if name == "mo":
        sign = "".join(node.itertext()).strip()
        return f" {sign} " if sign in _SPACED else sign
    parts = [_linear(child) for child in children]
    if name == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if name == "msqrt":
        return f"√({''.join(parts).strip()})"
    if name == "mroot" and len(parts) == 2:
        return f"{_grouped(parts[0])}^(1/{parts[1].strip()})"
    if name in _SCRIPTS and len(parts) == 2:
        return f"{parts[0]}{_SCRIPTS[name]}{_grouped(parts[1])}" if parts[1].strip() else parts[0]
    if name in _PAIRED and len(parts) == 3:
        return f"{parts[0]}_{_grouped(parts[1])}^{_grouped(parts[2])}"
    if name == "mfenced":
        return f"{node.get('open', '(')}{', '.join(part.strip() for part in parts)}{node.get('close', ')')}"
    if name == "mtable":
        return "; ".join(part.strip() for part in parts)
    if name == "mtr":
        return ", ".join(part.strip() for part in parts if part.strip())
    if name == "mspace":
        return " "
    return "".join(parts) if parts else (node.text or "").strip()


def _grouped(part: str) -> str:
    part = part.strip()
    return part if _SIMPLE.match(part) else f"({part})"


def _name(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]
