"""Starting values for a curve fit, found from the data when none are given."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from worker.engines.analysis.expressions.evaluate import Vector
from worker.engines.analysis.numerics.nonlinear import Curve, search, sum_of_squares
from worker.engines.analysis.numerics.roles import Role, exchangeable, linear_parameters, roles

_CANDIDATES = 1_500
_PROMISING = 24
_SHORT = 150
_SCANNED = 3
_SCAN = 40
_TURNING_SCAN = 600
_ROUNDS = 2
_CLEARLY = 0.99
_ROWS = 2_000

Candidate = tuple[float, Vector]
"""A sum of squares and where it is reached."""


def find_start(curve: Curve, seed: int) -> Vector | None:
    """The best of many starts, each completed by linear least squares and followed a little way.

    Scales come from the columns: rates of about one over their range, places within it, exponents near one. The best of
    the random draws are improved one parameter at a time before they are followed: a single peak or frequency in its
    place already shows. The best of all is improved in the same way, for a part of a sum may be wasted there. Of long
    data evenly spaced rows are searched. None if the model is undefined at every candidate.
    """
    whole, curve = curve, _thinned(curve)
    linear = linear_parameters(curve.node, curve.parameters)
    free = [name for name in curve.parameters if name not in linear]
    known = roles(curve.node, curve.parameters, list(curve.columns))
    rng = np.random.default_rng(seed)
    candidates: list[Candidate] = []
    for _ in range(_CANDIDATES if free else 1):
        drawn = {name: _draw(curve, known.get(name) or _any_role(rng), rng) for name in free}
        if (found := _complete(curve, linear, drawn)) is not None:
            candidates.append(found)
    candidates.sort(key=lambda candidate: candidate[0])
    moves = _moves(curve, free)
    tried = [*candidates[:_SCANNED], *_spread(candidates)[_PROMISING // 2 :][:_SCANNED]]
    scanned = [_scan(curve, linear, moves, known, each, rng) for each in tried]
    followed = [_follow(curve, point) for _, point in [*scanned, *_spread(candidates)]]
    if not followed:
        return None
    best = min(followed, key=lambda candidate: candidate[0])
    for _ in range(_ROUNDS):
        moved = _scan(curve, linear, moves, known, best, rng)
        if moved[0] >= _CLEARLY * best[0]:
            break
        best = min(best, _follow(curve, moved[1]), key=lambda candidate: candidate[0])
    return _in_order(whole, linear, best[1]) if math.isfinite(sum_of_squares(whole, best[1])) else None


def _follow(curve: Curve, point: Vector) -> Candidate:
    reached = search(curve, point, methods=("lm",), evaluations=_SHORT)
    return sum_of_squares(curve, reached), reached


def _moves(curve: Curve, free: list[str]) -> list[list[str]]:
    """What is changed at a time: each nonlinear parameter alone, and those of each part of a sum of like parts."""
    parts = [part for group in exchangeable(curve.node, curve.parameters) for part in group]
    together = [[name for name in part if name in free] for part in parts]
    return [[name] for name in free] + [names for names in together if len(names) > 1]


def _thinned(curve: Curve) -> Curve:
    """At most so many rows, evenly spaced in the order of the first column, so that none of its range is lost."""
    n = len(curve.response)
    if n <= _ROWS or not curve.columns:
        return curve
    order = np.argsort(next(iter(curve.columns.values())), kind="stable")
    rows = np.sort(order[np.linspace(0, n - 1, _ROWS).astype(np.intp)])
    columns = {name: column[rows] for name, column in curve.columns.items()}
    return dataclasses.replace(
        curve, columns=columns, response=curve.response[rows], exact_columns=None, exact_response=None
    )


def _in_order(curve: Curve, linear: list[str], point: Vector) -> Vector:
    """One of several equal solutions: signs that make no difference are positive, and parts that could change places
    stand in ascending order of their first nonlinear parameter; descending where it divides a column, so that the
    slowest comes first whether a formula is written in rates or in times."""
    known = roles(curve.node, curve.parameters, list(curve.columns))
    for i in np.flatnonzero(point < 0):
        mirrored = point.copy()
        mirrored[i] = -point[i]
        if sum_of_squares(curve, mirrored) == sum_of_squares(curve, point):
            point = mirrored
    values = dict(zip(curve.parameters, point.tolist(), strict=True))
    for group in exchangeable(curve.node, curve.parameters):
        key = next((i for i, name in enumerate(group[0]) if name not in linear), 0)
        ordered = sorted(([values[name] for name in names] for names in group), key=lambda term: term[key])
        if known.get(group[0][key]) in (Role.WIDTH, Role.PERIOD):
            ordered.reverse()
        for names, term in zip(group, ordered, strict=True):
            values |= dict(zip(names, term, strict=True))
    return np.array([values[name] for name in curve.parameters])


def _spread(candidates: list[Candidate]) -> list[Candidate]:
    """The best half, and others evenly over the better part of the rest, so that one valley does not take all."""
    head = candidates[: _PROMISING // 2]
    rest = candidates[_PROMISING // 2 : max(_PROMISING, len(candidates) // 4)]
    step = max(1, len(rest) // (_PROMISING // 2))
    return head + rest[::step][: _PROMISING // 2]


def _scan(
    curve: Curve,
    linear: list[str],
    moves: list[list[str]],
    known: dict[str, Role],
    start: Candidate,
    rng: np.random.Generator,
) -> Candidate:
    """`start` with the parameters of each move in turn at the best of many values, the others held."""
    best = start
    for _ in range(_ROUNDS):
        before = best[0]
        for names in moves:
            at = dict(zip(curve.parameters, best[1].tolist(), strict=True))
            held = {name: value for name, value in at.items() if name not in linear}
            columns = [_values(curve, known.get(name), rng, together=len(names) > 1) for name in names]
            for values in zip(*columns, strict=True):
                found = _complete(curve, linear, held | dict(zip(names, values, strict=True)))
                if found is not None and found[0] < best[0]:
                    best = found
        if best[0] > _CLEARLY * before:
            break
    return best


def _values(curve: Curve, role: Role | None, rng: np.random.Generator, *, together: bool) -> list[float]:
    """Frequencies alone evenly, close enough that no peak of the spectrum lies between two; others drawn."""
    if together or role not in (Role.FREQUENCY, Role.PERIOD):
        return [_draw(curve, role or _any_role(rng), rng) for _ in range(3 * _SCAN if together else _SCAN)]
    column = _column_beside(curve, rng)
    width = float(column.max() - column.min()) or 1.0
    count = min(_TURNING_SCAN // 2, 2 * len(column))
    turns = np.linspace(0.25, 0.25 * count, count) / width
    if role is Role.PERIOD:
        return [*(1 / turns).tolist(), *(2 * math.pi / turns).tolist()]
    return [*turns.tolist(), *(2 * math.pi * turns).tolist()]


def _any_role(rng: np.random.Generator) -> Role:
    return (Role.PLACE, Role.RATE, Role.WIDTH, Role.EXPONENT)[int(rng.integers(4))]


def _draw(curve: Curve, role: Role, rng: np.random.Generator) -> float:
    column = _column_beside(curve, rng)
    low, high = float(column.min()), float(column.max())
    width = (high - low) or 1.0
    sign = -1.0 if rng.random() < 0.2 else 1.0
    match role:
        case Role.PLACE:
            return float(rng.uniform(low - 0.1 * width, high + 0.1 * width))
        case Role.RATE:
            return float(sign * 10 ** rng.uniform(-1.5, 1.7) / width)
        case Role.WIDTH:
            return float(width * 10 ** rng.uniform(-2.0, 0.5))
        case Role.FREQUENCY:
            return float(10 ** rng.uniform(-0.5, math.log10(math.pi * max(2, len(column)))) / width)
        case Role.PERIOD:
            return float(width * 10 ** rng.uniform(math.log10(2 / max(2, len(column))), 0.5))
        case Role.EXPONENT:
            return float(sign * 10 ** rng.uniform(-1.0, 1.0))


def _column_beside(curve: Curve, rng: np.random.Generator) -> Vector:
    columns = list(curve.columns.values())
    return columns[int(rng.integers(len(columns)))] if columns else np.zeros(1)


def _complete(curve: Curve, linear: list[str], drawn: dict[str, float]) -> Candidate | None:
    """`drawn` with the linear parameters at their least-squares values; None where the model is undefined."""
    point = np.array([drawn.get(name, 0.0) for name in curve.parameters])
    residuals, part = curve.residuals_and_slopes(point, linear)
    if not (np.all(np.isfinite(residuals)) and np.all(np.isfinite(part))):
        return None
    if linear:
        step = np.linalg.lstsq(part, residuals, rcond=None)[0]
        point[[curve.parameters.index(name) for name in linear]] = step
        with np.errstate(all="ignore"):
            residuals = residuals - part @ step
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(residuals @ residuals)
    return (total, point) if math.isfinite(total) else None
