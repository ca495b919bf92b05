"""Evaluating expression trees: on arrays of doubles, with derivatives, and on decimals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, DecimalException, localcontext

import numpy as np
import numpy.typing as npt

from worker.engines.analysis.expressions import decimal_functions
from worker.engines.analysis.expressions.syntax import Binary, Call, ExpressionError, Name, Negative, Node, Number
from worker.engines.analysis.lazy import load

Vector = npt.NDArray[np.float64]
Value = Vector | np.float64

DIGITS = 60
"""Digits that decimal evaluation carries: far more than any fit loses again."""

_DECIMAL = Context(prec=DIGITS, Emax=10_000, Emin=-10_000)
_LARGEST_EXPONENT = 300


def _erf(x: Value) -> Value:
    found: Value = load("scipy.special").erf(x)
    return found


_ARRAY_FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {
    "exp": np.exp, "log": np.log, "log10": np.log10, "log2": np.log2, "log1p": np.log1p, "expm1": np.expm1,
    "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin,
    "arccos": np.arccos, "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "erf": _erf,
}  # fmt: skip

_SLOPES: Mapping[str, Callable[[Value], Value]] = {
    "exp": np.exp,
    "log": lambda x: 1 / x,
    "log10": lambda x: 1 / (x * math.log(10)),
    "log2": lambda x: 1 / (x * math.log(2)),
    "log1p": lambda x: 1 / (1 + x),
    "expm1": np.exp,
    "sqrt": lambda x: 0.5 / np.sqrt(x),
    "abs": np.sign,
    "sin": np.cos,
    "cos": lambda x: -np.sin(x),
    "tan": lambda x: 1 / np.cos(x) ** 2,
    "arcsin": lambda x: 1 / np.sqrt(1 - x * x),
    "arccos": lambda x: -1 / np.sqrt(1 - x * x),
    "arctan": lambda x: 1 / (1 + x * x),
    "sinh": np.cosh,
    "cosh": np.sinh,
    "tanh": lambda x: 1 / np.cosh(x) ** 2,
    "erf": lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x),
}


def evaluate(node: Node, values: Mapping[str, Value]) -> Value:
    """The value of `node`; what is undefined is NaN or infinite, silently. Raises on a name not in `values`."""
    with np.errstate(all="ignore"):
        return _dual(node, values, frozenset())[0]


def evaluate_with_slopes(node: Node, values: Mapping[str, Value], parameters: list[str]) -> tuple[Value, list[Value]]:
    """The value and its exact derivative with respect to each parameter (forward differentiation)."""
    with np.errstate(all="ignore"):
        value, slopes = _dual(node, values, frozenset(parameters))
    zero = np.zeros_like(value)
    return value, [np.broadcast_to(slopes.get(name, zero), zero.shape) for name in parameters]


def _dual(node: Node, values: Mapping[str, Value], wanted: frozenset[str]) -> tuple[Value, dict[str, Value]]:
    match node:
        case Number(constant):
            return np.float64(constant), {}
        case Name(name):
            if name not in values:
                raise ExpressionError(f"{name!r} is neither a column nor a parameter")
            return values[name], {name: np.float64(1.0)} if name in wanted else {}
        case Negative(operand):
            value, slopes = _dual(operand, values, wanted)
            return -value, {name: -slope for name, slope in slopes.items()}
        case Call(function, argument):
            value, slopes = _dual(argument, values, wanted)
            outer = _SLOPES[function](value) if slopes else np.float64(0.0)
            return _ARRAY_FUNCTIONS[function](value), {name: outer * slope for name, slope in slopes.items()}
        case Binary(operator, left, right):
            return _binary(operator, _dual(left, values, wanted), _dual(right, values, wanted))


def _binary(
    operator: str, left: tuple[Value, dict[str, Value]], right: tuple[Value, dict[str, Value]]
) -> tuple[Value, dict[str, Value]]:
    (a, da), (b, db) = left, right
    zero = np.float64(0.0)
    names = list(dict.fromkeys([*da, *db]))
    if operator in "+-":
        sign = 1.0 if operator == "+" else -1.0
        return a + sign * b, {n: da.get(n, zero) + sign * db.get(n, zero) for n in names}
    if operator == "*":
        return a * b, {n: da.get(n, zero) * b + a * db.get(n, zero) for n in names}
    if operator == "/":
        quotient = a / b
        return quotient, {n: (da.get(n, zero) - quotient * db.get(n, zero)) / b for n in names}
    power = _power(a, b)
    slopes: dict[str, Value] = {}
    for n in names:
        slope: Value = np.float64(0.0)
        if n in da:
            slope = slope + b * _power(a, b - 1) * da[n]
        if n in db:
            # 0**b does not change with b (b > 0), where the general rule would give 0 * -inf.
            slope = slope + np.where(power == 0, 0.0, power * np.log(a)) * db[n]
        slopes[n] = slope
    return power, slopes


def _power(a: Value, b: Value) -> Value:
    if isinstance(b, np.floating) and float(b).is_integer() and abs(b) <= 64 and np.ndim(a) > 0:
        return np.power(a, int(b)) if b >= 0 else 1 / np.power(a, int(-b))
    return np.power(a, b)


def evaluate_decimal(node: Node, values: Mapping[str, Decimal]) -> Decimal | None:
    """The value to :data:`DIGITS` digits; None where it is undefined or beyond the range of doubles."""
    with localcontext(_DECIMAL):
        try:
            value = _decimal(node, values)
        except (DecimalException, OverflowError):
            return None
    if not value.is_finite() or (value and abs(value.adjusted()) > _LARGEST_EXPONENT):
        return None
    return value


def _decimal(node: Node, values: Mapping[str, Decimal]) -> Decimal:
    match node:
        case Number(value):
            return value
        case Name(name):
            if name not in values:
                raise ExpressionError(f"{name!r} is not a column")
            return values[name]
        case Negative(operand):
            return -_decimal(operand, values)
        case Call(function, argument):
            return _decimal_function(function, _decimal(argument, values))
        case Binary(operator, left, right):
            a, b = _decimal(left, values), _decimal(right, values)
            match operator:
                case "+":
                    return a + b
                case "-":
                    return a - b
                case "*":
                    return a * b
                case "/":
                    return a / b
            return Decimal(1) if not b else a**b  # R and NumPy agree that 0**0 is 1


def _decimal_function(function: str, value: Decimal) -> Decimal:
    match function:
        case "exp":
            return value.exp()
        case "expm1":
            return value.exp() - 1
        case "log":
            return value.ln()
        case "log1p":
            return (1 + value).ln()
        case "log10":
            return value.log10()
        case "log2":
            return value.ln() / Decimal(2).ln()
        case "sqrt":
            return value.sqrt()
        case "abs":
            return abs(value)
    return decimal_functions.FUNCTIONS[function](value)


def multiply(values: Sequence[Decimal]) -> Decimal:
    """The product to :data:`DIGITS` digits; 1 for none."""
    product = Decimal(1)
    for value in values:
        product = _DECIMAL.multiply(product, value)
    return product
