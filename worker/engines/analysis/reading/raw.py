"""A table whose cells are text still."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class Written(str):
    """A number that the file's format holds as one, so that its decimal mark is a point and nothing groups it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RawTable:
    """Columns of text cells, before their types are known. `lines` has the line or row number of each row."""

    names: Sequence[str]
    columns: Sequence[Sequence[str]]
    lines: Sequence[int]
    units: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)
    """Types that the file itself declares, by name: `number`, `boolean`, `date`."""
    european: bool = False
    """Whether its dialect is that of places with a decimal comma."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A column's cells while its type is sought. `present` counts the values that are no word for a missing one."""

    name: str
    texts: Sequence[str]
    present: Counter[str]
    tolerance: int
    asked: str | None = None
    declared: str = ""
    pointed: bool = False
    """Whether numbers are among them that the file's format holds as such."""

    @property
    def total(self) -> int:
        return self.present.total()
