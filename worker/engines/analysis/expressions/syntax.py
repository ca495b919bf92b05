"""Parsing: a user's expression becomes a tree of five node types, or an error that says what is not allowed."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

MAX_LENGTH = 2_000
MAX_NODES = 500

FUNCTIONS = {
    "exp": "exp", "log": "log", "ln": "log", "log10": "log10", "log2": "log2", "log1p": "log1p",
    "expm1": "expm1", "sqrt": "sqrt", "abs": "abs", "sin": "sin", "cos": "cos", "tan": "tan",
    "arcsin": "arcsin", "asin": "arcsin", "arccos": "arccos", "acos": "arccos", "arctan": "arctan",
    "atan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "erf": "erf",
}  # fmt: skip
"""What may be called, and the one name it goes by inside."""

# Names in backticks, and words that Python keeps for itself: a column may well be called class.
_NO_IDENTIFIER = re.compile(rf"`([^`]+)`|\b(?:{'|'.join(keyword.kwlist)})\b")

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}


class ExpressionError(ValueError):
    """The expression is not one of this language; the message says why."""


@dataclass(frozen=True, slots=True)
class Number:
    value: Decimal


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    argument: Node


Node = Number | Name | Negative | Binary | Call


def parse_expression(text: str) -> Node:
    """The tree of `text`. ``^`` is a power, square brackets are parentheses (``exp[-b*x]``, as papers write it), and
    names that are no identifiers stand in backticks.

    Raises :class:`ExpressionError`.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    source, quoted = _without_backticks(text)
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{text.strip()[:200]!r} is no expression") from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ExpressionError(f"more than {MAX_NODES} parts")
    return _node(tree.body, quoted)


def _without_backticks(text: str) -> tuple[str, dict[str, str]]:
    """The source with a placeholder for each name that Python's grammar would not take, and what they stand for."""
    quoted: dict[str, str] = {}

    def place(match: re.Match[str]) -> str:
        name = f"_quoted_{len(quoted)}_"
        quoted[name] = match[1] or match[0]
        return name

    source = _NO_IDENTIFIER.sub(place, text)
    return source.replace("^", "**").replace("[", "(").replace("]", ")"), quoted


def _node(node: ast.expr, quoted: dict[str, str]) -> Node:
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
            number = Decimal(repr(value))
            if not number.is_finite():
                raise ExpressionError("a number is too large")
            return Number(number)
        case ast.Name(id=name):
            return Name(quoted.get(name, name))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Negative(_node(operand, quoted))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _node(operand, quoted)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return Binary(_OPERATORS[type(operator)], _node(left, quoted), _node(right, quoted))
        case ast.Call(func=function, args=[argument], keywords=[]):
            return Call(_function(function), _node(argument, quoted))
        case ast.Call(func=function):
            raise ExpressionError(f"{_function(function)} takes one argument")
    raise ExpressionError(f"{ast.unparse(node)[:80]!r} is not allowed; use numbers, names, + - * / ** and functions")


def _function(node: ast.expr) -> str:
    name = ""
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
        name = node.attr
    if name not in FUNCTIONS:
        shown = name or ast.unparse(node)[:80]
        raise ExpressionError(f"the function {shown!r} is not offered; there are {', '.join(sorted(FUNCTIONS))}")
    return FUNCTIONS[name]


def names_in(node: Node) -> list[str]:
    """The names used, in order of first appearance."""
    return list(dict.fromkeys(_walk_names(node)))


def _walk_names(node: Node) -> Iterator[str]:
    match node:
        case Name(name):
            yield name
        case Negative(operand):
            yield from _walk_names(operand)
        case Binary(_, left, right):
            yield from _walk_names(left)
            yield from _walk_names(right)
        case Call(_, argument):
            yield from _walk_names(argument)
