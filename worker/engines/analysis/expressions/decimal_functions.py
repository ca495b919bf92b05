"""Elementary functions of decimals that the standard library lacks, to the digits of the current context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, getcontext, localcontext

PI = Decimal(
    "3.1415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421170679821480865"
)
_GUARD = 10
_FARTHEST = 30  # Beyond 1e30 radians the digits of PI above no longer place the argument in its turn.
_HALVINGS = 4


def sine(x: Decimal) -> Decimal:
    """Of radians; undefined (NaN) beyond 1e30."""
    return _turned(x, Decimal(0))


def cosine(x: Decimal) -> Decimal:
    """Of radians; undefined (NaN) beyond 1e30."""
    return _turned(x, Decimal(1))


def tangent(x: Decimal) -> Decimal:
    return sine(x) / cosine(x)


def _turned(x: Decimal, quarters: Decimal) -> Decimal:
    """The sine of `x` plus so many quarter turns."""
    if x and x.adjusted() > _FARTHEST:
        return Decimal("NaN")
    with localcontext() as context:
        context.prec += _GUARD + max(0, x.adjusted())
        half = PI / 2
        turns = (x / half).to_integral_value()
        rest = x - turns * half
        turn = int((turns + quarters) % 4)
        value = _series(rest, 0 if turn % 2 else 1)
        value = -value if turn % 4 in (2, 3) else value
    return +value


def _series(x: Decimal, first: int) -> Decimal:
    """Taylor's series of the sine (`first` 1) or cosine (0) for arguments up to about 1."""
    square, term = x * x, x if first else Decimal(1)
    total, k = term, first
    while term and term.adjusted() > (total.adjusted() if total else 0) - getcontext().prec - 1:
        term = -term * square / ((k + 1) * (k + 2))
        total += term
        k += 2
    return total


def arctangent(x: Decimal) -> Decimal:
    """By halving the angle until the series is short."""
    with localcontext() as context:
        context.prec += _GUARD
        if abs(x) > 1:
            return _rounded(PI / 2 * (1 if x > 0 else -1) - arctangent(1 / x), context.prec - _GUARD)
        for _ in range(_HALVINGS):
            x = x / (1 + (1 + x * x).sqrt())
        square, power, total, k = x * x, x, x, 1
        while power and power.adjusted() > total.adjusted() - context.prec - 1:
            power = -power * square
            k += 2
            total += power / k
        total *= 1 << _HALVINGS
    return +total


def _rounded(value: Decimal, digits: int) -> Decimal:
    with localcontext() as context:
        context.prec = digits
        return +value


def arcsine(x: Decimal) -> Decimal:
    """NaN outside −1 to 1."""
    if abs(x) > 1:
        return Decimal("NaN")
    if abs(x) == 1:
        return +(PI / 2 * x)
    return arctangent(x / ((1 - x) * (1 + x)).sqrt())


def arccosine(x: Decimal) -> Decimal:
    """NaN outside −1 to 1."""
    return PI / 2 - arcsine(x)


def hyperbolic_sine(x: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec += max(0, -x.adjusted()) if x else 0
        value = (x.exp() - (-x).exp()) / 2
    return +value


def hyperbolic_cosine(x: Decimal) -> Decimal:
    return (x.exp() + (-x).exp()) / 2


def hyperbolic_tangent(x: Decimal) -> Decimal:
    return hyperbolic_sine(x) / hyperbolic_cosine(x)


def error_function(x: Decimal) -> Decimal:
    """2/√π times the integral of exp(−t²) from 0 to `x`, by the series in which no term cancels another."""
    with localcontext() as context:
        context.prec += _GUARD
        if x * x > context.prec * Decimal("2.31"):  # what is missing to 1 is below the last digit
            return Decimal(1).copy_sign(x)
        term = total = x
        k = 1
        while term and term.adjusted() > total.adjusted() - context.prec - 1:
            k += 2
            term = term * 2 * x * x / k
            total += term
        value = 2 / PI.sqrt() * (-x * x).exp() * total
    return +value


FUNCTIONS: Mapping[str, Callable[[Decimal], Decimal]] = {
    "sin": sine,
    "cos": cosine,
    "tan": tangent,
    "arcsin": arcsine,
    "arccos": arccosine,
    "arctan": arctangent,
    "sinh": hyperbolic_sine,
    "cosh": hyperbolic_cosine,
    "tanh": hyperbolic_tangent,
    "erf": error_function,
}
