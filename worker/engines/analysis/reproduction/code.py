"""Python source out of names, values and formulas."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from worker.engines.analysis.expressions.coding import INTERCEPT, codings
from worker.engines.analysis.expressions.formula import ModelFormula
from worker.engines.analysis.expressions.syntax import Binary, Call, Name, Negative, Node, Number
from worker.engines.analysis.table import Column, ColumnType, Table

_SPECIAL = {"erf": "special.erf"}


def literal(value: Any) -> str:
    """A value as source: floats with all digits, text with what is not ASCII escaped where it could not be seen."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, float) and not math.isfinite(value):
        return "math.nan"
    return repr(value)


def said(text: str) -> str:
    """Text for a comment: one line, nothing that could end it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def check(label: str, here: str, there: Any, *, tolerance: float | None = None, scale: str = "") -> str:
    """A line that compares; `scale` is source for the size that counts where the number may be near zero."""
    more = f", tolerance={tolerance!r}" if tolerance is not None else ""
    more += f", scale={scale}" if scale else ""
    return f"check({literal(label)}, {here}, {literal(there)}{more})"


def check_p(label: str, here: str, there: Any, *, tolerance: float | None = None) -> str:
    """A line that compares p-values."""
    return check(label, here, there, tolerance=tolerance).replace("check(", "check_p(", 1)


def expression(node: Node, named: Mapping[str, str]) -> str:
    """`node` in numpy; `named` gives the source that stands for each name."""
    match node:
        case Number(value):
            return repr(float(value))
        case Name(name):
            return named[name]
        case Negative(operand):
            return f"(-{expression(operand, named)})"
        case Binary(operator, left, right):
            return f"({expression(left, named)} {operator} {expression(right, named)})"
        case Call(function, argument):
            return f"{_SPECIAL.get(function, f'np.{function}')}({expression(argument, named)})"


def design_source(formula: ModelFormula, columns: Mapping[str, str], terms: Sequence[str]) -> dict[str, str] | None:
    """Source of each column of the model matrix, by its name; None where the names are not those of the formula.

    `columns` gives the types of the table's columns. The source speaks of ``d``, a frame of the complete rows.
    """
    table = Table("", tuple(Column(name, ColumnType(kind), ()) for name, kind in columns.items()), 0, "")
    factors = {f.label: f for term in formula.terms for f in term}
    named = {name: f"d[{literal(name)}]" for name in columns}
    source: dict[str, str] = {}
    for term in terms:
        if term == INTERCEPT:
            source[term] = "np.ones(len(d))"
            continue
        parts = _parts(term, factors)
        if parts is None:
            return None
        pieces = []
        for label, level in parts:
            if level is None:
                pieces.append(expression(factors[label].node, named))
            else:
                column = factors[label].columns[0]
                pieces.append(f"(d[{literal(column)}] == {_level(level, columns[column])}).astype(float)")
        source[term] = " * ".join(pieces)
    return source if codings(formula, table) or INTERCEPT in terms else None


def _level(level: str, kind: str) -> str:
    return repr(float(level)) if kind in ("number", "integer") else literal(level)


def _parts(term: str, labels: Iterable[str]) -> list[tuple[str, str | None]] | None:
    """The factors of a matrix column's name, each with its level; a level may hold any sign."""
    for label in sorted(labels, key=len, reverse=True):
        if term == label:
            return [(label, None)]
        if term.startswith(f"{label}:") and (rest := _parts(term[len(label) + 1 :], labels)) is not None:
            return [(label, None), *rest]
        if not term.startswith(f"{label}["):
            continue
        inner = term[len(label) + 1 :]
        for end in (i for i, letter in enumerate(inner) if letter == "]"):
            level = inner[:end].removeprefix("T.")
            if end == len(inner) - 1:
                return [(label, level)]
            if inner[end + 1] == ":" and (rest := _parts(inner[end + 2 :], labels)) is not None:
                return [(label, level), *rest]
    return None
