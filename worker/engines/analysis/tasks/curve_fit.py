"""`curve_fit`: nonlinear least squares of a formula in columns and parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from kit.near import near
from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.expressions.coding import Rows
from worker.engines.analysis.expressions.decimal_functions import PI
from worker.engines.analysis.expressions.evaluate import DIGITS, Vector, evaluate, evaluate_decimal
from worker.engines.analysis.expressions.syntax import (
    Binary,
    Call,
    ExpressionError,
    Name,
    Negative,
    Node,
    Number,
    names_in,
    parse_expression,
)
from worker.engines.analysis.numerics.distributions import t_quantile
from worker.engines.analysis.numerics.nonlinear import Curve, CurveFit, fit_curve, sum_of_squares
from worker.engines.analysis.numerics.starts import find_start
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.tasks.describe import FEW_DIGITS
from worker.engines.analysis.tasks.task import Result, Task, no_column
from worker.engines.analysis.wording import plural

MAX_PARAMETERS = 30
_EXACT_ROWS = 2_000
_ILL_CONDITIONED = 1e8
_ROUNDING = 1e-12
_PI = Number(PI)


def run(table: Table, task: Task) -> Result:
    """Fit ``response ≈ formula``.

    `response` may be an expression in columns (``log(y)``). Names that are no columns are parameters, but ``pi`` is the
    number, and so is ``e`` where it is only raised to powers (``e**(-k*x)``), unless `start` names them. `start` names
    the parameters and gives first values, otherwise they are searched for. Standard errors and the 95 % intervals
    (Student's t) are those of the model made linear at the solution. `digits` of the estimates can be trusted.
    """
    response, model, parameters, start = _request(table, task)
    columns = [name for name in names_in(model) if name not in parameters]
    used = list(dict.fromkeys([*names_in(response), *columns]))
    rows = complete_rows([table[name] for name in used])
    curve = _curve(table, rows, response, model, parameters, columns)
    n = len(curve.response)
    if n < len(parameters):
        raise NotPossible(f"{len(parameters)} parameters cannot be fitted to {n} complete row(s).")
    if start is None:
        point = find_start(curve, task.seed)
        if point is None:
            raise NotPossible(
                "No starting values were found at which the formula is defined for every row; look at the rows where a "
                "logarithm, a root or a quotient of the data is not, or give values in start."
            )
    else:
        point = np.array([start[name] for name in parameters])
        if not math.isfinite(sum_of_squares(curve, point)):
            raise task.fault("start", "the formula is undefined at these values for some row")
    return _result(
        task, curve, fit_curve(curve, point), point, given=start is not None, left_out=table.rows - n, rows=table.rows
    )


def _request(table: Table, task: Task) -> tuple[Node, Node, list[str], dict[str, float] | None]:
    response = _parse(task, "response", task.text("response"))
    for name in names_in(response):
        _check_column(table, task, "response", name)
    if not names_in(response):
        raise task.fault("response", "must name a column")
    formula = task.text("formula")
    if "~" in formula:
        raise task.fault("formula", "write the right side alone; the response has a field of its own")
    start = _start(table, task)
    model = _parse(task, "formula", formula)
    unknown = [name for name in names_in(model) if table.find(name) is None]
    if "pi" in unknown and (start is None or "pi" not in start):
        model = _with_pi(model)
        unknown.remove("pi")
    if "e" in unknown and (start is None or "e" not in start):
        natural = _with_exp(model)
        if "e" not in names_in(natural):
            model = natural
            unknown = [name for name in names_in(model) if name in unknown]
    for name in names_in(model):
        if name not in unknown:
            _check_column(table, task, "formula", name)
    if start is not None:
        for name in unknown:
            if name not in start:
                names = ", ".join(table.names()[:50])
                issue = f"{name!r} is neither a column nor in start; columns are {names}"
                raise task.fault("formula", issue + near(name, [*table.names(), *start]))
        for name in start:
            if name not in unknown:
                raise task.fault(f"start.{name}", "the formula has no such parameter")
    if not unknown:
        raise task.fault("formula", "has no parameter to fit: every name is a column")
    if len(unknown) > MAX_PARAMETERS:
        raise task.fault("formula", f"more than {MAX_PARAMETERS} parameters")
    parameters = list(start) if start is not None else unknown
    return response, model, parameters, start


def _parse(task: Task, field: str, text: str) -> Node:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        raise task.fault(field, str(error)) from None


def _check_column(table: Table, task: Task, field: str, name: str) -> None:
    column = table.find(name)
    if column is None:
        raise task.fault(field, no_column(name, table))
    if not column.numeric:
        raise task.fault(field, f"column {name!r} is {column.type}, a numeric one is needed")


def _start(table: Table, task: Task) -> dict[str, float] | None:
    given = task.arguments.get("start")
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given:
        raise task.fault("start", "must be an object of parameter names and numbers")
    start: dict[str, float] = {}
    for name, value in given.items():
        if table.find(name) is not None:
            raise task.fault(f"start.{name}", "is a column; parameters need other names")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise task.fault(f"start.{name}", "must be a number")
        start[str(name)] = float(value)
    return start


def _with_pi(node: Node) -> Node:
    match node:
        case Name("pi"):
            return _PI
        case Negative(operand):
            return Negative(_with_pi(operand))
        case Call(function, argument):
            return Call(function, _with_pi(argument))
        case Binary(operator, left, right):
            return Binary(operator, _with_pi(left), _with_pi(right))
    return node


def _with_exp(node: Node) -> Node:
    """``e**x`` as ``exp(x)``."""
    match node:
        case Binary("**", Name("e"), exponent):
            return Call("exp", _with_exp(exponent))
        case Negative(operand):
            return Negative(_with_exp(operand))
        case Call(function, argument):
            return Call(function, _with_exp(argument))
        case Binary(operator, left, right):
            return Binary(operator, _with_exp(left), _with_exp(right))
    return node


def _curve(table: Table, rows: Rows, response: Node, model: Node, parameters: list[str], columns: list[str]) -> Curve:
    floats = {name: table[name].floats()[rows] for name in {*names_in(response), *columns}}
    y: Vector = np.array(np.broadcast_to(np.asarray(evaluate(response, floats), dtype=np.float64), (len(rows),)))
    defined = np.isfinite(y)
    kept = rows[defined].tolist()
    data = {name: np.array(floats[name][defined]) for name in columns}
    if len(kept) > _EXACT_ROWS or not all(table[name].exact for name in floats):
        return Curve(model, parameters, data, y[defined])
    decimals = {name: table[name].decimals() for name in floats}
    exact = {name: [decimals[name][row] or Decimal(0) for row in kept] for name in floats}
    exact_y = [evaluate_decimal(response, {name: exact[name][i] for name in floats}) for i in range(len(kept))]
    if any(value is None for value in exact_y):
        return Curve(model, parameters, data, y[defined])
    exact_columns = {name: exact[name] for name in columns}
    return Curve(model, parameters, data, y[defined], exact_columns, [value for value in exact_y if value is not None])


def _result(task: Task, curve: Curve, fit: CurveFit, start: Vector, *, given: bool, left_out: int, rows: int) -> Result:
    reach = t_quantile(0.975, fit.df_residual) if fit.df_residual > 0 else None
    fitted = []
    for i, (name, estimate) in enumerate(zip(curve.parameters, fit.estimates, strict=True)):
        error = fit.std_errors[i] if fit.std_errors is not None else None
        bounds = (
            (None, None) if error is None or reach is None else (estimate - reach * error, estimate + reach * error)
        )
        fitted.append(
            {"name": name, "estimate": estimate, "std_error": error, "ci_low": bounds[0], "ci_high": bounds[1]}
        )
    mean = math.fsum(curve.response.tolist()) / len(curve.response)
    total = math.fsum(((curve.response - mean) ** 2).tolist())
    warnings = []
    if left_out:
        warnings.append(
            f"{left_out} of {rows} rows are left out: a value is missing or the response is undefined there"
        )
    if not fit.converged:
        warnings.append("the fit did not settle; other starting values may find a better one")
    if fit.std_errors is None:
        warnings.append("the data do not determine all parameters, so no standard errors are given")
    elif fit.condition_number > _ILL_CONDITIONED:
        warnings.append(f"the parameters are nearly interchangeable (condition number {fit.condition_number:.1e})")
    smallest = _ROUNDING * float(np.max(np.abs(curve.response), initial=0.0))
    if not fit.refined and fit.residual_sd is not None and fit.residual_sd < smallest:
        warnings.append("the residuals are hardly larger than rounding; their sum and the errors have few digits")
    if fit.digits < FEW_DIGITS:
        warnings.append(f"only {plural(fit.digits, 'digit')} of the estimates can be trusted")
    if not given:
        warnings.append("starting values were searched for; a better fit elsewhere cannot be ruled out")
    return {
        "response": task.text("response"),
        "formula": task.text("formula"),
        "n": len(curve.response),
        "parameters": fitted,
        "residual_ss": fit.residual_ss,
        "residual_sd": fit.residual_sd,
        "df_residual": fit.df_residual,
        "r_squared": 1 - fit.residual_ss / total if total else None,
        "converged": fit.converged,
        "condition_number": fit.condition_number if math.isfinite(fit.condition_number) else None,
        "start": {
            "values": dict(zip(curve.parameters, start.tolist(), strict=True)),
            "source": "given" if given else "searched",
        },
        "arithmetic": f"{DIGITS} digits in the last steps" if fit.refined else "double",
        "digits": fit.digits,
        "warnings": warnings,
    }
