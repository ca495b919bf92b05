"""Near matches for words that are not known."""

from __future__ import annotations

import difflib
from collections.abc import Collection


def near(name: object, known: Collection[str]) -> str:
    """``; did you mean 'height'?`` for a name that is like a known one, else nothing."""
    if not isinstance(name, str) or not name:
        return ""
    lower = {item.lower(): item for item in known}
    found = difflib.get_close_matches(name.strip().lower(), lower, n=2, cutoff=0.7)
    return f"; did you mean {' or '.join(repr(lower[item]) for item in found)}?" if found else ""
