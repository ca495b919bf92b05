"""What the values of a task's fields may be: a check for each field, which yields what is wrong and the cure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kit.analysis_formulas import formula_fault
from kit.errors import Fault
from kit.near import near

Check = Callable[[Any, str], Iterator[Fault]]
"""The faults of a value (never None) that stands at a path."""


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def text(what: str = "a text", most: int | None = None) -> Check:
    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, str) or not value.strip():
            yield Fault(path, f"must be {what}")
        elif most is not None and len(value) > most:
            yield Fault(path, f"at most {most} characters")

    return check


def choice(choices: tuple[str, ...], also: Mapping[str, str] | None = None) -> Check:
    """One of the words; `also` holds what others call them."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if value not in choices:
            meant = (also or {}).get(value.strip().lower()) if isinstance(value, str) else None
            hint = f"; did you mean {meant!r}?" if meant else near(value, choices)
            yield Fault(path, f"must be one of {', '.join(choices)}{hint}")

    return check


def whole(low: int, high: int) -> Check:
    """A whole number; numbers of a request may come as doubles."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not is_number(value) or value != value // 1 or not low <= value <= high:
            yield Fault(path, f"must be a whole number from {low} to {high}")

    return check


def number(above: float | None = None, most: float | None = None, below: float | None = None) -> Check:
    """A finite number within limits that are left out where None."""
    limits = [f"above {above:g}"] if above is not None else []
    limits += [f"at most {most:g}"] if most is not None else [f"below {below:g}"] if below is not None else []
    said = "must be a number" + (f" {' and '.join(limits)}" if limits else "")

    def check(value: Any, path: str) -> Iterator[Fault]:
        fits = is_number(value) and (above is None or value > above)
        if not fits or (most is not None and value > most) or (below is not None and value >= below):
            yield Fault(path, said)

    return check


def flag(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield Fault(path, "must be true or false")


def level(value: Any, path: str) -> Iterator[Fault]:
    """A value of a category: a text, or a number or truth value that stands for one."""
    if not isinstance(value, bool) and not is_number(value) and not isinstance(value, str):
        yield Fault(path, "must be a value of the column")


def columns(most: int | None = None) -> Check:
    """A list of column names, not empty."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
            yield Fault(path, "must be a list of column names")
        elif most is not None and len(set(value)) > most:
            yield Fault(path, f"at most {most} columns")

    return check


def formula(*, model: bool | None) -> Check:
    """`model`: ``response ~ terms``; not `model`: an expression; None: either."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, str) or not value.strip():
            yield Fault(path, "must be a formula that is not blank")
        elif issue := formula_fault(value, model=model):
            yield Fault(path, issue)

    return check


def formulas(most: int) -> Check:
    one = formula(model=None)

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, list | tuple) or not value:
            yield Fault(path, "must be a list of formulas")
        elif len(value) > most:
            yield Fault(path, f"at most {most}")
        else:
            for i, item in enumerate(value):
                yield from one(item, f"{path}[{i}]")

    return check


def numbers_by_name(what: str) -> Check:
    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, Mapping) or not value:
            yield Fault(path, f"must be an object of {what} and numbers")
            return
        for name, each in value.items():
            if not is_number(each):
                yield Fault(f"{path}.{name}", "must be a number")

    return check
