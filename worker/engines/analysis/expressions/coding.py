"""From formula terms to design columns: contrasts for categories, rows without missing values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.expressions.evaluate import evaluate, evaluate_decimal, multiply
from worker.engines.analysis.expressions.formula import Factor, ModelFormula
from worker.engines.analysis.expressions.syntax import ExpressionError, Name
from worker.engines.analysis.table import Column, ColumnType, Table, complete_rows

Vector = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

INTERCEPT = "Intercept"
MAX_COLUMNS = 200
_MAX_LEVELS = 100


@dataclass(frozen=True, slots=True)
class Design:
    """The numbers of a model. `exact_*` are there when they were asked for: decimals, column by column."""

    names: list[str]
    matrix: Vector
    response: Vector
    rows: Rows
    """Which rows of the table are used."""
    exact_columns: list[list[Decimal]] | None
    exact_response: list[Decimal] | None
    references: dict[str, str]
    """For each column that is a contrast of one category: the level that its level is held against."""


Coding = tuple[tuple[Factor, bool], ...]
"""One term's factors; the flag says whether a category keeps all its levels."""


def is_categorical(factor: Factor, table: Table) -> bool:
    if factor.categorical:
        return True
    if not isinstance(factor.node, Name):
        return False
    column = table[factor.node.name]
    return column.type in (ColumnType.CATEGORY, ColumnType.BOOLEAN, ColumnType.TEXT)


def codings(formula: ModelFormula, table: Table) -> list[Coding]:
    """How each term is coded so that the columns span the model once and without repetition.

    A term with categories stands for all its sub-terms; what earlier terms (with the same numeric factors)
    already span is left out, and the rest is put together into as few blocks as possible.
    """
    spanned: dict[frozenset[str], set[frozenset[str]]] = {}
    if formula.intercept:
        spanned[frozenset()] = {frozenset()}
    out: list[Coding] = []
    for term in formula.terms:
        categories = {f.label: f for f in term if is_categorical(f, table)}
        numeric = [f for f in term if f.label not in categories]
        seen = spanned.setdefault(frozenset(f.label for f in numeric), set())
        new = [s for s in _subsets(list(categories)) if s not in seen]
        seen.update(new)
        for reduced, full in _merge(new):
            coded = [(f, f.label in full) for f in term if f.label not in categories or f.label in reduced | full]
            out.append(tuple(coded))
    return out


def _subsets(labels: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset(chosen) for size in range(len(labels) + 1) for chosen in combinations(labels, size)]


def _merge(subsets: Iterable[frozenset[str]]) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Pairs (reduced, full): S and S+c with contrasts are the same as S with all levels of c."""
    blocks = [(subset, frozenset[str]()) for subset in subsets]
    merged = True
    while merged:
        merged = False
        for a, b in combinations(range(len(blocks)), 2):
            (reduced_a, full_a), (reduced_b, full_b) = blocks[a], blocks[b]
            extra = reduced_b - reduced_a
            if full_a == full_b and len(extra) == 1 and reduced_a < reduced_b:
                blocks[b] = (reduced_a, full_b | extra)
                del blocks[a]
                merged = True
                break
    return blocks


def build_design(formula: ModelFormula, table: Table, *, exact: bool) -> Design:
    """Design matrix and response over the rows where everything is present and defined.

    `exact` also computes every column in decimals, where the table has kept them. Raises :class:`ExpressionError`.
    """
    if is_categorical(formula.response, table):
        raise ExpressionError(f"the response {formula.response.label} is not numeric")
    used = [table[name] for name in formula.columns]
    rows = complete_rows(used)
    factors = {f.label: f for f in [formula.response, *(f for term in formula.terms for f in term)]}
    numeric = {label: f for label, f in factors.items() if not is_categorical(f, table)}
    for factor in numeric.values():
        for name in factor.columns:
            if not table[name].numeric:
                raise ExpressionError(f"column {name} is not numeric, so it cannot stand in {factor.label}")
    rows, floats = _float_factors(numeric, table, rows)
    kept = exact and all(table[name].exact for factor in numeric.values() for name in factor.columns)
    decimals = _decimal_factors(numeric, table, rows) if kept else None
    names, columns, exact_columns = [], [], []
    references: dict[str, str] = {}
    if formula.intercept:
        names.append(INTERCEPT)
        columns.append(np.ones(len(rows)))
        exact_columns.append([Decimal(1)] * len(rows))
    for coding in codings(formula, table):
        choices = [_choices(factor, full, table, rows, in_model=factor.label not in numeric) for factor, full in coding]
        if len(names) + int(np.prod([len(c) for c in choices])) > MAX_COLUMNS:
            raise ExpressionError(f"the model has more than {MAX_COLUMNS} columns")
        for choice in product(*choices):
            masks = [chosen for _, _, chosen in choice if chosen is not None]
            mask = np.logical_and.reduce(masks) if masks else np.ones(len(rows), dtype=bool)
            parts = [label for label, level, _ in choice if level is None]
            values = mask.astype(np.float64)
            for label in parts:
                values = values * floats[label]
            names.append(
                ":".join(label if level is None else f"{label}[{level}]" for label, level, _ in _shown(choice, coding))
            )
            if len(choice) == 1 and choice[0][1] is not None and not coding[0][1]:
                category = coding[0][0]
                references[names[-1]] = table[category.columns[0]].codes()[1][_places(category, table, rows)[0]]
            columns.append(values)
            if decimals is not None:
                exact_columns.append(_exact_product([decimals[label] for label in parts], mask))
    matrix = np.column_stack(columns) if columns else np.zeros((len(rows), 0))
    return Design(
        names=names,
        matrix=matrix,
        response=floats[formula.response.label],
        rows=rows,
        exact_columns=exact_columns if decimals is not None else None,
        exact_response=decimals[formula.response.label] if decimals is not None else None,
        references=references,
    )


Choice = tuple[str, str | None, npt.NDArray[np.bool_] | None]
"""A factor's label; for a category also the level and the rows that have it."""


def _choices(factor: Factor, full: bool, table: Table, rows: Rows, *, in_model: bool) -> list[Choice]:
    """A numeric factor is one choice; a category one for each level coded."""
    if not in_model:
        return [(factor.label, None, None)]
    column = table[factor.columns[0]]
    codes, levels = column.codes()
    places = _places(factor, table, rows)
    if len(places) > _MAX_LEVELS:
        raise ExpressionError(f"column {column.name} has more than {_MAX_LEVELS} levels")
    return [(factor.label, levels[place], codes[rows] == place) for place in (places if full else places[1:])]


def _places(factor: Factor, table: Table, rows: Rows) -> list[int]:
    """Which of a category's levels occur in `rows`, by their place."""
    places: list[int] = np.unique(table[factor.columns[0]].codes()[0][rows]).tolist()
    return places


def _shown(choice: Sequence[Choice], coding: Coding) -> list[Choice]:
    """Levels marked ``T.`` where they are treatment contrasts, as R and formulaic users know them."""
    return [
        (label, level if level is None or full else f"T.{level}", cells)
        for (label, level, cells), (_, full) in zip(choice, coding, strict=True)
    ]


def _float_factors(factors: dict[str, Factor], table: Table, rows: Rows) -> tuple[Rows, dict[str, Vector]]:
    columns: dict[str, Column] = {name: table[name] for f in factors.values() for name in f.columns}
    values = {name: column.floats()[rows] for name, column in columns.items()}
    computed = {
        label: np.broadcast_to(np.asarray(evaluate(f.node, values), dtype=np.float64), (len(rows),))
        for label, f in factors.items()
    }
    defined = np.ones(len(rows), dtype=bool)
    for array in computed.values():
        defined &= np.isfinite(array)
    return rows[defined], {label: np.array(array[defined]) for label, array in computed.items()}


def _decimal_factors(factors: dict[str, Factor], table: Table, rows: Rows) -> dict[str, list[Decimal]] | None:
    columns = {name: table[name].decimals() for f in factors.values() for name in f.columns}
    out: dict[str, list[Decimal]] = {}
    for label, factor in factors.items():
        values: list[Decimal] = []
        for row in rows.tolist():
            cells = {name: value for name in factor.columns if (value := columns[name][row]) is not None}
            computed = evaluate_decimal(factor.node, cells)
            if computed is None:
                return None
            values.append(computed)
        out[label] = values
    return out


def _exact_product(parts: Sequence[Sequence[Decimal]], mask: npt.NDArray[np.bool_]) -> list[Decimal]:
    return [multiply([part[i] for part in parts]) if fine else Decimal(0) for i, fine in enumerate(mask.tolist())]
