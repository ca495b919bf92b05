"""What stands where in a stored text besides its pages: tables, and the works a bibliography lists.

Offsets are code points of the stored text, end exclusive, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CSL = Mapping[str, Any]
"""A work as a CSL-JSON item (the Citation Style Language's data model): only what is known of it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the text. `page` is None where the kind has no pages; `caption` is "" when there is none;
    `rows` and `columns` count what is shown, a heading row included."""

    start: int
    end: int
    page: int | None
    caption: str
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Work:
    """The part of a bibliography's text that describes one work, and that work."""

    start: int
    end: int
    csl: CSL
