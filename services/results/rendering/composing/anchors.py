"""Names for places in a document."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


class Anchors:
    """Anchors made of kind and id: safe in every format, and no two alike, also where case does not count: in names of
    files, and of Word's bookmarks.

    The same ids in the same order give the same anchors, so that files can be named by them as well.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, kind: str, id: str) -> str:
        """A new anchor; ids of this product already begin with their kind, which is not said twice."""
        name = _UNSAFE.sub("-", id).strip("-")[:64] or "x"
        base = name if name.startswith(f"{kind}-") else f"{kind}-{name}"
        anchor, count = base, 1
        while anchor.lower() in self._taken:
            count += 1
            anchor = f"{base}-{count}"
        self._taken.add(anchor.lower())
        return anchor
