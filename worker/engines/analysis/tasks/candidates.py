"""What `compare_models` compares: the response, its family, and the models to try."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.expressions.coding import Design, build_design
from worker.engines.analysis.expressions.formula import ModelFormula, parse_formula
from worker.engines.analysis.expressions.syntax import ExpressionError, Name
from worker.engines.analysis.numerics import crossval
from worker.engines.analysis.packed import PackedNumbers
from worker.engines.analysis.planning import quoted
from worker.engines.analysis.table import Column, ColumnType, Table, complete_rows
from worker.engines.analysis.tasks.modelling import expand_polynomials, is_two_sided
from worker.engines.analysis.tasks.task import Task, no_column

Vector = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

FAMILIES = ("gaussian", "binomial", "poisson")
_MOST_FEATURES = 20
_MOST_CHOSEN = 8
_MOST_FORMULAS = 20
_MOST_CROSSED = 6
_ROWS_PER_COLUMN = 3
_COUNTS_MEAN = 20.0


@dataclass(frozen=True, slots=True)
class Setting:
    """The response on the rows where everything that any candidate needs is there."""

    response: str
    family: str
    event: str | None
    """For a response with two levels: the level that counts as 1."""
    features: tuple[str, ...]
    formulas: tuple[str, ...] | None
    rows: Rows
    values: Vector
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model; `matrix` has a row for each of the setting's rows."""

    name: str
    formula: str
    matrix: Vector
    fit: crossval.Fitter
    baseline: bool = False


def setting_of(table: Table, task: Task) -> Setting:
    """Response, family and rows. Raises :class:`AnalysisError` for arguments that do not fit the table."""
    column = task.column("response", table)
    two_sided = column.type is ColumnType.BOOLEAN or is_two_sided(column)
    if not column.numeric and not two_sided:
        raise task.fault("response", f"column {column.name!r} is {column.type}; a number or two levels are needed")
    formulas = _formulas(task)
    if formulas is not None and task.arguments.get("features") is not None:
        raise task.fault("features", "give either formulas or features")
    features = [] if formulas is not None else _features(table, task, column)
    used = [column, *features]
    for i, text in enumerate(formulas or ()):
        used += [table[name] for name in _parsed(task, table, column, text, i).columns]
    rows = complete_rows(list({c.name: c for c in used}.values()))
    event = None
    if two_sided:
        codes, levels = column.codes()
        values = (codes[rows] == len(levels) - 1).astype(np.float64)
        event = levels[-1] if levels else None
    else:
        values = column.floats()[rows]
    family = task.choice("family", FAMILIES, "binomial" if two_sided else _family_of(values, column))
    _check(task, family, values, column)
    warnings = [f"{table.rows - len(rows)} of {table.rows} rows are left out: a value is missing"]
    shown = tuple(warnings) if len(rows) < table.rows else ()
    return Setting(column.name, family, event, tuple(c.name for c in features), formulas, rows, values, shown)


def _formulas(task: Task) -> tuple[str, ...] | None:
    value = task.arguments.get("formulas")
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value or not all(isinstance(text, str) for text in value):
        raise task.fault("formulas", "must be a list of formulas")
    if len(value) > _MOST_FORMULAS:
        raise task.fault("formulas", f"at most {_MOST_FORMULAS}")
    return tuple(dict.fromkeys(" ".join(text.split()) for text in value))


def _features(table: Table, task: Task, response: Column) -> list[Column]:
    asked = task.columns("features", table)
    if asked is not None:
        if response in asked:
            raise task.fault("features", f"{response.name!r} is the response")
        if len(asked) > _MOST_FEATURES:
            raise task.fault("features", f"at most {_MOST_FEATURES}")
        for column in asked:
            if column.type is ColumnType.DATE:
                raise task.fault("features", f"column {column.name!r} is a date; give numbers or categories")
        return asked
    usable = [*table.measures(), *table.groupings()]
    chosen = [c for c in usable if c.name != response.name and c.missing <= table.rows / 2][:_MOST_CHOSEN]
    if not chosen:
        raise NotPossible(f"There is no column from which {response.name} could be predicted.")
    return chosen


def _parsed(task: Task, table: Table, response: Column, text: str, i: int) -> ModelFormula:
    try:
        formula = parse_formula(
            expand_polynomials(text if "~" in text else f"{quoted(response.name)} ~ {text}"), table.names()
        )
        for name in formula.columns:
            if table.find(name) is None:
                raise ExpressionError(no_column(name, table))
        if formula.response.columns != [response.name]:
            raise ExpressionError(f"the response of every formula must be {response.name}")
        if not isinstance(formula.response.node, Name) and not _is_log(formula, response):
            raise ExpressionError(f"the response may be {response.name} or log({response.name})")
        if any(response.name in factor.columns for term in formula.terms for factor in term):
            raise ExpressionError(f"{response.name} cannot predict itself")
    except ExpressionError as error:
        raise task.fault(f"formulas[{i}]", str(error)) from None
    return formula


def _is_log(formula: ModelFormula, response: Column) -> bool:
    label = formula.response.label.replace("`", "").replace(" ", "")
    return label == f"log({response.name.replace(' ', '')})"


def _family_of(values: Vector, column: Column) -> str:
    if not len(values):
        return "gaussian"
    low, high = float(values.min()), float(values.max())
    if low == 0 and high == 1 and column.distinct == 2:
        return "binomial"
    counts = column.type is ColumnType.INTEGER and low == 0 and float(values.mean()) < _COUNTS_MEAN
    return "poisson" if counts else "gaussian"


def _check(task: Task, family: str, values: Vector, column: Column) -> None:
    if family == "binomial" and not np.all((values == 0) | (values == 1)):
        raise task.fault("family", f"binomial needs 0 and 1 (or two levels) in {column.name!r}")
    if family == "poisson" and (not np.all(values >= 0) or not np.all(values == np.floor(values))):
        raise task.fault("family", f"poisson needs counts in {column.name!r}")


@dataclass(frozen=True, slots=True)
class _Planned:
    name: str
    text: str
    design: Design
    fit: crossval.Fitter


def candidates_of(table: Table, task: Task, setting: Setting) -> tuple[Setting, list[Candidate], list[str]]:
    """The models to compare, the mean alone first, on the rows where all are defined; and remarks."""
    fit = crossval.fit_gaussian if setting.family == "gaussian" else crossval.fit_family(setting.family)
    numbers, warnings = _with_numbers(table, setting), list[str]()
    planned = (
        _asked(numbers, task, setting, fit) if setting.formulas else _offered(numbers, task, setting, fit, warnings)
    )
    rows = setting.rows
    for item in planned:
        rows = np.intersect1d(rows, item.design.rows, assume_unique=True)
    if len(rows) < len(setting.rows):
        warnings.append(f"{len(setting.rows) - len(rows)} rows are left out: a formula is undefined there")
    kept = np.searchsorted(setting.rows, rows)
    setting = replace(setting, rows=rows, values=setting.values[kept])
    mean = Candidate("mean only", f"{quoted(setting.response)} ~ 1", np.ones((len(rows), 1)), fit, baseline=True)
    out = [mean]
    for item in planned:
        matrix = item.design.matrix[np.searchsorted(np.asarray(item.design.rows), rows)]
        out.append(Candidate(item.name, item.text, matrix, item.fit))
    return setting, out, warnings


def _offered(table: Table, task: Task, setting: Setting, fit: crossval.Fitter, warnings: list[str]) -> list[_Planned]:
    """Linear; quadratic; with interactions; for a gaussian response of its logarithm, and robust."""
    columns = [table[name] for name in setting.features]
    names = [quoted(column.name) for column in columns]
    curved = [q for q, c in zip(names, columns, strict=True) if c.numeric and c.distinct > 2]
    response, straight, n = quoted(setting.response), " + ".join(names), len(setting.rows)
    linear = _design(table, task, f"{response} ~ {straight}")
    out = [_Planned("linear", f"{response} ~ {straight}", linear, fit)]

    def add(name: str, right: str) -> None:
        design = _design(table, task, f"{response} ~ {right}")
        if n < _ROWS_PER_COLUMN * len(design.names):
            warnings.append(f"{name} left out: {len(design.names)} terms for {n} rows")
        elif len(design.rows) < len(linear.rows):
            warnings.append(f"{name} left out: its terms are not defined in every row")
        else:
            out.append(_Planned(name, f"{response} ~ {right}", design, fit))

    if curved:
        add("quadratic", f"{straight} + {' + '.join(f'I({q}**2)' for q in curved)}")
    if 1 < len(names) <= _MOST_CROSSED:
        add("interactions", f"{straight} + {' + '.join(f'{a}:{b}' for a, b in combinations(names, 2))}")
    if setting.family == "gaussian":
        if n and float(setting.values.min()) > 0:
            out.append(_Planned("log response", f"log({response}) ~ {straight}", linear, crossval.fit_log_response))
        out.append(_Planned("robust", f"{response} ~ {straight}", linear, crossval.fit_huber))
    return out


def _asked(table: Table, task: Task, setting: Setting, fit: crossval.Fitter) -> list[_Planned]:
    out = []
    for i, text in enumerate(setting.formulas or ()):
        formula = _parsed(task, table, table[setting.response], text, i)
        logs = not isinstance(formula.response.node, Name)
        if logs and setting.family != "gaussian":
            raise task.fault(f"formulas[{i}]", f"a logarithm of the response does not go with {setting.family}")
        if logs and len(setting.values) and float(setting.values.min()) <= 0:
            raise task.fault(f"formulas[{i}]", f"{setting.response} is not positive everywhere, so it has no logarithm")
        if formula.terms:
            design = _built(table, task, formula, f"formulas[{i}]")
            out.append(_Planned(formula.text, formula.text, design, crossval.fit_log_response if logs else fit))
    if not out:
        raise task.fault("formulas", "none of them has a term")
    return out


def _design(table: Table, task: Task, text: str) -> Design:
    return _built(table, task, parse_formula(text, table.names()), "features")


def _built(table: Table, task: Task, formula: ModelFormula, field: str) -> Design:
    try:
        return build_design(formula, table, exact=False)
    except ExpressionError as error:
        raise task.fault(field, str(error)) from None


def _with_numbers(table: Table, setting: Setting) -> Table:
    """The table with a response of two levels as 0 and 1."""
    if setting.event is None:
        return table
    values = np.full(table.rows, np.nan)
    values[setting.rows] = setting.values
    numbers = replace(table[setting.response], type=ColumnType.NUMBER, cells=PackedNumbers(values))
    return replace(table, columns=tuple(numbers if c.name == numbers.name else c for c in table.columns))
