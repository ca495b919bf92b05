"""What the parameters of a curve are for: read off the formula, to draw starts on the right scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import Enum

from worker.engines.analysis.expressions.syntax import Binary, Call, Name, Negative, Node, Number, names_in


class Role(Enum):
    PLACE = "place"
    """Taken from a column, ``x - b``: somewhere in the column's range."""
    RATE = "rate"
    """Multiplies a column, ``b*x``: about one over the column's range."""
    WIDTH = "width"
    """Divides a place, ``(x - c)/b``: some part of the column's range."""
    EXPONENT = "exponent"
    """The power of a column, ``x**b``."""
    FREQUENCY = "frequency"
    """A rate inside a sine or cosine: from a part of a turn over the column's range to a turn every other row."""
    PERIOD = "period"
    """A width inside a sine or cosine."""


def linear_parameters(node: Node, parameters: Sequence[str]) -> list[str]:
    """Parameters in which the model is linear when the others are held fixed (taken greedily, in order)."""
    chosen: list[str] = []
    for name in parameters:
        if _degree(node, {*chosen, name}) <= 1:
            chosen.append(name)
    return chosen


def _degree(node: Node, names: set[str]) -> float:
    """The polynomial degree in `names`; infinite where it is no polynomial."""
    match node:
        case Number():
            return 0
        case Name(name):
            return 1 if name in names else 0
        case Negative(operand):
            return _degree(operand, names)
        case Call(_, argument):
            return 0 if _degree(argument, names) == 0 else math.inf
        case Binary(operator, left, right):
            a, b = _degree(left, names), _degree(right, names)
            if operator in "+-":
                return max(a, b)
            if operator == "*":
                return a + b
            if operator == "/":
                return a if b == 0 else math.inf
            return 0 if a == 0 and b == 0 else math.inf


def roles(node: Node, parameters: Sequence[str], columns: Sequence[str]) -> dict[str, Role]:
    """The role of each parameter whose place in the formula shows one (the first that does)."""
    found: dict[str, Role] = {}
    wanted, data = set(parameters), set(columns)
    turning = {name for argument in _turned(node) for name in names_in(argument)}
    for part in _binaries(node):
        left, right = set(names_in(part.left)), set(names_in(part.right))
        for mine, other, reversed_ in ((part.left, right, False), (part.right, left, True)):
            name = _lone(mine, wanted)
            if name is None or name in found or not other & data:
                continue
            match part.operator:
                case "+" | "-" if isinstance(part.left if reversed_ else part.right, Name):
                    found[name] = Role.PLACE
                case "*":
                    found[name] = Role.FREQUENCY if name in turning else Role.RATE
                case "/" if reversed_:
                    found[name] = Role.PERIOD if name in turning else Role.WIDTH
                case "**" if reversed_:
                    found[name] = Role.EXPONENT
    return found


def _turned(node: Node) -> Iterator[Node]:
    """What sines, cosines and tangents are taken of."""
    match node:
        case Call(function, argument):
            if function in ("sin", "cos", "tan"):
                yield argument
            yield from _turned(argument)
        case Negative(operand):
            yield from _turned(operand)
        case Binary(_, left, right):
            yield from _turned(left)
            yield from _turned(right)


def _binaries(node: Node) -> Iterator[Binary]:
    """Innermost first, so that the closest neighbour of a parameter decides."""
    match node:
        case Binary(_, left, right):
            yield from _binaries(left)
            yield from _binaries(right)
            yield node
        case Negative(operand) | Call(_, operand):
            yield from _binaries(operand)


def _lone(node: Node, wanted: set[str]) -> str | None:
    """The one parameter that `node` is, up to its sign and a constant power or factor."""
    match node:
        case Name(name):
            return name if name in wanted else None
        case Negative(operand):
            return _lone(operand, wanted)
        case Binary("**", left, Number()):
            return _lone(left, wanted)
        case Binary("*", Number(), right):
            return _lone(right, wanted)
    return None


def exchangeable(node: Node, parameters: Sequence[str]) -> list[list[list[str]]]:
    """Groups of parts of a sum that are alike but for their parameters.

    A part is a term, or terms that share parameters (a sine and a cosine of one period). Each group lists its parts'
    parameters in the order in which they stand, so that swapping two lists leaves the model as it is.
    """
    parts: list[tuple[list[str], list[tuple[bool, Node]]]] = []
    for term in _addends(node, positive=True):
        names = [name for name in names_in(term[1]) if name in parameters]
        joined = [part for part in parts if set(part[0]) & set(names)]
        parts = [part for part in parts if part not in joined]
        together = list(dict.fromkeys([*(name for part in joined for name in part[0]), *names]))
        parts.append((together, [*(earlier for part in joined for earlier in part[1]), term]))
    shapes: dict[str, list[list[str]]] = {}
    for names, terms in parts:
        if names:
            shape = " ".join(f"{positive} {_shape(term, names)}" for positive, term in terms)
            shapes.setdefault(shape, []).append(names)
    return [group for group in shapes.values() if len(group) > 1]


def _addends(node: Node, *, positive: bool) -> Iterator[tuple[bool, Node]]:
    match node:
        case Binary("+" | "-" as operator, left, right):
            yield from _addends(left, positive=positive)
            yield from _addends(right, positive=positive if operator == "+" else not positive)
        case Negative(operand):
            yield from _addends(operand, positive=not positive)
        case _:
            yield positive, node


def _shape(node: Node, names: Sequence[str]) -> str:
    match node:
        case Name(name):
            return f"#{names.index(name)}" if name in names else f"`{name}`"
        case Number(value):
            return str(value)
        case Negative(operand):
            return f"-({_shape(operand, names)})"
        case Call(function, argument):
            return f"{function}({_shape(argument, names)})"
        case Binary(operator, left, right):
            return f"({_shape(left, names)}){operator}({_shape(right, names)})"
