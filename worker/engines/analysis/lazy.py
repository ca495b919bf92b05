"""Heavy libraries, imported where they are first used: importing the engine must stay cheap."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(module: str) -> Any:
    """The module of that name; untyped, since the scientific libraries' own types do not help here."""
    return import_module(module)
