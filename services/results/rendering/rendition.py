"""What rendering takes and gives. Nothing here loads a rendering library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Format = Literal["pdf", "docx", "markdown", "json"]

MEDIA_TYPES: Mapping[Format, tuple[str, str]] = {
    "pdf": ("application/pdf", "pdf"),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    "markdown": ("text/markdown; charset=utf-8", "md"),
    "json": ("application/json", "json"),
}
"""Media type and file name extension of each format."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A finished file. `filename` is safe to offer for download."""

    media_type: str
    filename: str
    body: bytes
