"""Model formulas (``y ~ x + I(x**2) + g:z``): which terms there are.

formulaic parses the operators; the factors inside the terms are parsed by this project's own expression
language, because formulaic would evaluate them as Python.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kit.analysis_formulas import formula_fault
from worker.engines.analysis.expressions.syntax import (
    MAX_LENGTH,
    ExpressionError,
    Name,
    Node,
    names_in,
    parse_expression,
)
from worker.engines.analysis.lazy import load

MAX_TERMS = 100
# Each `*` between terms and each power of a sum multiplies the number of terms.
_MAX_CROSSINGS = 5


@dataclass(frozen=True, slots=True)
class Factor:
    """A column or an expression in columns. `categorical` is forced by ``C(...)``."""

    label: str
    node: Node
    categorical: bool = False

    @property
    def columns(self) -> list[str]:
        return names_in(self.node)


@dataclass(frozen=True, slots=True)
class ModelFormula:
    """``response ~ terms``; a term is a product of factors."""

    text: str
    response: Factor
    terms: tuple[tuple[Factor, ...], ...]
    intercept: bool

    @property
    def columns(self) -> list[str]:
        """All columns used, the response's first."""
        factors = [self.response, *(factor for term in self.terms for factor in term)]
        return list(dict.fromkeys(name for factor in factors for name in factor.columns))


def parse_formula(text: str, available: Sequence[str]) -> ModelFormula:
    """The terms of `text`. A dot stands for the columns in `available` that are not the response.

    Raises :class:`ExpressionError`.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    sides = re.findall(r"(?:`[^`]*`|[^~`])+|~", text)
    if len(sides) != 3 or sides[1] != "~":
        raise ExpressionError("write it as response ~ terms")
    left, _, right = sides
    if not left.strip() or not right.strip():
        raise ExpressionError("both sides of ~ must be given")
    _check_size(right)
    response = _factor(left.strip())
    terms: list[tuple[Factor, ...]] = []
    intercept = False
    others = [name for name in available if name not in response.columns]
    names = list(dict.fromkeys([*re.findall(r"`([^`]*)`", right), *others]))
    source = re.sub(r"`([^`]*)`", lambda match: _placeholder(names, match[1]), right)
    dotted = [
        name if name.isidentifier() and f"`{name}`" not in right else _placeholder(names, name) for name in others
    ]
    for term in _parse_terms(source, dotted):
        literal = [factor.eval_method.value == "literal" for factor in term.factors]
        if all(literal):
            intercept = True
            continue
        terms.append(tuple(_factor(_source_of(factor, names)) for factor in term.factors))
    if len(terms) > MAX_TERMS:
        raise ExpressionError(f"more than {MAX_TERMS} terms")
    if not terms and not intercept:
        raise ExpressionError("the right side has no terms")
    return ModelFormula(text.strip(), response, tuple(terms), intercept)


def _placeholder(names: Sequence[str], name: str) -> str:
    """A plain name for a quoted one: formulaic takes operators inside quotes for operators."""
    return f"_column_{names.index(name)}_"


def _source_of(factor: Any, names: Sequence[str]) -> str:
    """A parsed factor's source, its names in backticks again."""
    expression = str(factor.expr)
    places = {_placeholder(names, name): f"`{name}`" for name in names}
    restored = re.sub(r"_column_[0-9]+_", lambda match: places.get(match[0], match[0]), expression)
    return f"`{expression}`" if restored == expression and factor.eval_method.value == "lookup" else restored


def _check_size(right: str) -> None:
    outside = right
    while (shorter := re.sub(r"[A-Za-z_][A-Za-z0-9_.]*\([^()]*\)|`[^`]*`|\{[^{}]*\}", "f", outside)) != outside:
        outside = shorter
    powers = [int(power) for power in re.findall(r"(?:\*\*|\^)\s*([0-9]+)", outside)]
    crossings = len(re.findall(r"(?<!\*)\*(?!\*)", outside)) + sum(power - 1 for power in powers)
    if crossings > _MAX_CROSSINGS:
        raise ExpressionError(f"more than {_MAX_CROSSINGS} crossings (`*` between terms, powers of sums)")


def _parse_terms(right: str, available: Sequence[str]) -> list[Any]:
    formulaic = load("formulaic")
    try:
        parsed = formulaic.Formula(right, _context={"__formulaic_variables_available__": list(available)})
        terms = list(parsed)
        for term in terms:
            _ = term.factors
    except (RecursionError, MemoryError):
        raise ExpressionError("nested too deeply") from None
    except Exception:  # formulaic raises SyntaxError, AttributeError and classes of its own
        why = formula_fault(right, model=None) or "terms are joined by +, -, *, : and /, as in x + z or x*z"
        raise ExpressionError(f"{right.strip()[:200]!r} is no formula: {why}") from None
    return terms


def _factor(text: str) -> Factor:
    """A factor from its source; ``I(...)`` only protects, ``C(...)`` makes a category."""
    wrapped = re.fullmatch(r"([IC])\((.*)\)", text, flags=re.DOTALL)
    node = parse_expression(wrapped[2] if wrapped else text)
    if wrapped and wrapped[1] == "C":
        if not isinstance(node, Name):
            raise ExpressionError("C() takes one column")
        return Factor(f"C({node.name})", node, categorical=True)
    label = node.name if isinstance(node, Name) else text
    return Factor(label, node)
