"""Formulas of models and fitted curves as mathematics.

A small parser of its own reads the arithmetic of `y ~ x + I(x**2) + a:b` and `b1*(1 - exp(-b2*x))`: numbers, names,
`+ - * / ** ^ : ~`, parentheses and functions of one or more arguments. What it does not know is no formula here, and
stays the plain text that it is. Names are ASCII letters, digits, dots and underscores, so that nothing in them can
mean anything to TeX or typst; both are written from the tree, never from the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.results.rendering.composing.report import Inline, Inlines, Math, Styled, Text

MAX_LENGTH = 200
MAX_DEPTH = 30

_QUOTED = re.compile(r"`([^`\n]{1,200})`")
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_.]{0,63})|(\*\*|[-+*/^:~(),]))")
_WORD = re.compile(r"[^\W\d][\w.]*")
_BETWEEN = re.compile(r"([^\W\d][\w.]*)")
_INDEXED = re.compile(r"([A-Za-z])_?(\d{1,3})")
_BINDING = {"~": 1, "+": 2, "-": 2, "*": 3, "/": 3, ":": 4, "**": 6, "^": 6}
_NEGATION = 5
_ATOM = 7
_NAMED = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh"})
"""Functions that both TeX and typst have a name for."""
_LOGARITHMS = {"log": "", "ln": "", "log10": "10", "log2": "2"}
_GREEK = frozenset({"alpha", "beta", "gamma", "delta", "theta", "lambda", "mu", "pi", "rho", "sigma", "tau", "omega"})


class _Unknown(ValueError):
    """Not a formula of this little language."""


@dataclass(frozen=True, slots=True)
class _Number:
    value: str


@dataclass(frozen=True, slots=True)
class _Name:
    value: str


@dataclass(frozen=True, slots=True)
class _Negative:
    operand: _Node


@dataclass(frozen=True, slots=True)
class _Binary:
    operator: str
    left: _Node
    right: _Node


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    arguments: tuple[_Node, ...]


_Node = _Number | _Name | _Negative | _Binary | _Call


def math(text: str) -> Math | None:
    """The formula as mathematics; None if it is not one this module knows, and the text has to do."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        tree = _Parser(text).whole()
    except _Unknown:
        return None
    tex, typst = (_MODEL_TEX, _MODEL_TYPST) if "~" in text else (_TEX, _TYPST)
    return Math(_written(tree, tex), _written(tree, typst), " ".join(text.split()))


def unquoted(text: str) -> str:
    """`text` without the backticks that a model's formula has around names which are no words. What is no formula keeps
    every character."""
    formula = " ~ " in text and "``" not in text and text.count("`") % 2 == 0
    return _QUOTED.sub(r"\1", text) if formula else text


def written(text: str) -> Inlines:
    """A formula that is no mathematics here: its quoted names, and those of one word, set as code."""
    parts: list[Inline] = []
    for place, piece in enumerate(_QUOTED.split(text)):
        if place % 2:
            parts.append(Styled("mono", (Text(piece),)))
        elif piece:
            parts += [Styled("mono", (Text(word),)) if _WORD.fullmatch(word) else Text(word)
                      for word in _BETWEEN.split(piece) if word]  # fmt: skip
    return tuple(parts)


class _Parser:
    """Precedence climbing; `**` binds to the right and tighter than a sign before it."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None:
                raise _Unknown(text[place:])
            kind = ("number", "name", "sign")[(found.lastindex or 1) - 1]
            self._tokens.append((kind, found[found.lastindex or 1]))
            place = found.end()
        self._at = 0
        self._depth = 0

    def whole(self) -> _Node:
        node = self._expression(0)
        if self._at < len(self._tokens):
            raise _Unknown("more follows")
        return node

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._take() != ("sign", sign):
            raise _Unknown(f"{sign} is missing")

    def _expression(self, least: int) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Unknown("too deep")
        left = self._operand()
        while self._peek()[0] == "sign" and (binding := _BINDING.get(self._peek()[1], 0)) > least:
            sign = self._take()[1]
            right = self._expression(binding - 1 if sign in ("**", "^") else binding)
            left = _Binary("**" if sign == "^" else sign, left, right)
        self._depth -= 1
        return left

    def _operand(self) -> _Node:
        kind, value = self._take()
        if kind == "number":
            return _Number(value)
        if kind == "name":
            return self._call(value) if self._peek() == ("sign", "(") else _Name(value)
        if value == "-":
            return _Negative(self._expression(_NEGATION))
        if value == "(":
            inner = self._expression(0)
            self._expect(")")
            return inner
        raise _Unknown(value)

    def _call(self, name: str) -> _Node:
        self._expect("(")
        arguments = [self._expression(0)]
        while self._peek() == ("sign", ","):
            self._take()
            arguments.append(self._expression(0))
        self._expect(")")
        # In a model formula I(...) only says that arithmetic is meant.
        return arguments[0] if name == "I" and len(arguments) == 1 else _Call(name, tuple(arguments))


@dataclass(frozen=True, slots=True)
class _Language:
    """How one typesetting language writes the parts; `words` is for names of several letters, which are no products."""

    signs: Mapping[str, str]
    fraction: str
    raised: str
    lowered: str
    parentheses: str
    root: str
    size: str
    words: str
    function: str
    logarithm: str
    greek: str
    escaped: Mapping[str, str]


_TEX = _Language(
    signs={"~": r"\sim", "+": "+", "-": "-", "*": r"\cdot", ":": ":"},
    fraction=r"\frac{%s}{%s}",
    raised="%s^{%s}",
    lowered="%s_{%s}",
    parentheses=r"\left(%s\right)",
    root=r"\sqrt{%s}",
    size=r"\left|%s\right|",
    words=r"\mathrm{%s}",
    function=r"\%s",
    logarithm=r"\log",
    greek=r"\%s",
    escaped={"_": r"\_"},
)
_TYPST = _Language(
    signs={"~": "tilde.op", "+": "+", "-": "-", "*": "dot.op", ":": ":"},
    fraction="frac(%s, %s)",
    raised="%s^(%s)",
    lowered="%s_(%s)",
    parentheses="(%s)",
    root="sqrt(%s)",
    size="abs(%s)",
    words='upright("%s")',
    function="%s",
    logarithm="log",
    greek="%s",
    escaped={},
)
# In a model `a*b` is no product but both terms and what they do together.
_MODEL_TEX = replace(_TEX, signs={**_TEX.signs, "*": r"\ast"})
_MODEL_TYPST = replace(_TYPST, signs={**_TYPST.signs, "*": "ast.op"})


def _written(node: _Node, own: _Language) -> str:
    match node:
        case _Number(value):
            return _number(value, own)
        case _Name(value):
            return _name(value, own)
        case _Negative(operand):
            return f"-{_within(operand, _BINDING['*'], own)}"
        case _Binary("/", left, right):
            return own.fraction % (_written(left, own), _written(right, own))
        case _Binary("**", base, exponent):
            return own.raised % (_within(base, _ATOM, own), _written(exponent, own))
        case _Binary(operator, left, right):
            binding = _BINDING[operator]
            # A difference takes no sum on its right without parentheses, and nothing takes a sign there.
            stricter = operator in ("-", ":") or isinstance(right, _Negative)
            after = _within(right, binding + 1 if stricter else binding, own)
            # A sign may lead a product, as in -b x.
            lead = isinstance(left, _Negative) and binding == _BINDING["*"]
            before = _written(left, own) if lead else _within(left, binding, own)
            return f"{before} {own.signs[operator]} {after}"
        case _Call(name, arguments):
            return _call(name, [_written(argument, own) for argument in arguments], own)


def _within(node: _Node, least: int, own: _Language) -> str:
    """The node, in parentheses where what is around it binds tighter. A fraction's rule holds it together, but not
    under an exponent."""
    binding = _ATOM
    if isinstance(node, _Binary):
        binding = _BINDING[":"] if node.operator == "/" else _BINDING[node.operator]
    elif isinstance(node, _Negative):
        binding = _BINDING["+"]
    elif isinstance(node, _Number) and "e" in node.value.lower():
        binding = _BINDING["*"]
    elif isinstance(node, _Call) and node.name not in ("sqrt", "abs"):
        binding = _BINDING["**"]
    written = _written(node, own)
    return written if binding >= least else own.parentheses % written


def _number(value: str, own: _Language) -> str:
    mantissa, _, power = value.lower().partition("e")
    return mantissa if not power else f"{mantissa} {own.signs['*']} {own.raised % ('10', str(int(power)))}"


def _name(value: str, own: _Language) -> str:
    if value in _GREEK:
        return own.greek % value
    if len(value) == 1:
        return value
    if (indexed := _INDEXED.fullmatch(value)) is not None:
        return own.lowered % (indexed[1], indexed[2])
    return own.words % "".join(own.escaped.get(character, character) for character in value)


def _call(name: str, arguments: list[str], own: _Language) -> str:
    inner = ", ".join(arguments)
    if len(arguments) == 1:
        if name == "exp":
            return own.raised % (own.words % "e", inner)
        if name == "sqrt":
            return own.root % inner
        if name == "abs":
            return own.size % inner
        if name in _NAMED:
            return f"{own.function % name} {own.parentheses % inner}"
        if name in _LOGARITHMS:
            base = _LOGARITHMS[name]
            return f"{own.lowered % (own.logarithm, base) if base else own.logarithm} {own.parentheses % inner}"
    return f"{_name(name, own)} {own.parentheses % inner}"
