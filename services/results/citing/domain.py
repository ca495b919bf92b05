"""What a citation style is to who chooses one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from services.results.rendering.citing.styles import Kind


class Source(Enum):
    BUILT_IN = "built-in"
    INSTALLED = "installed"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class CitationStyle:
    """`style_id` is a name, or the id of a user's own. `csl` is None where only the processor has the source;
    `created_at` is in microseconds, of an own style."""

    style_id: str
    title: str
    kind: Kind
    source: Source
    csl: str | None = None
    created_at: int | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A style as a document is rendered in it."""

    name: str
    csl: str | None = None
