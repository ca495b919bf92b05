"""How a process comes up sooner: what its program loads is neither searched for garbage nor more than it needs.

An entry point takes this in first of all, says `begin` before its other imports and, when they are done, `begun`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """What is imported inside finds these optional modules missing, unless they are here already."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None stands for a module that cannot be had
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# Coloured tracebacks for terminals: our logs are JSON.
with without("rich"):
    import structlog  # noqa: F401


def begin() -> None:
    """Modules stay for good: going through them again and again takes a fifth of the start."""
    gc.disable()


def begun() -> None:
    """All is loaded: from here on garbage is looked for, among what came after."""
    gc.freeze()
    gc.enable()
