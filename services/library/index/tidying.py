"""Views kept few and full: which segments of an index are written anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.library.index.merge import merge
from services.library.index.scoring import View
from services.library.index.segment import Segment

_DEAD_SHARE = 0.3


def whole(segment: Segment) -> View:
    """A view in which all documents live."""
    return View(segment, np.ones(segment.documents, dtype=np.bool_))


def tidied(views: Sequence[View]) -> list[View]:
    """Rewrite segments with many dead, then merge neighbours so that sizes at least halve along the
    list: there are few segments, and each document is rewritten a logarithmic number of times."""
    kept: list[View] = []
    for view in views:
        if not view.live_documents:
            continue
        dead = view.segment.documents - view.live_documents
        kept.append(_merged([view]) if dead > _DEAD_SHARE * view.segment.documents else view)
    # From the end, for a delete may have shrunk any of them. A merged segment is larger than what follows it still.
    for place in range(len(kept) - 1, 0, -1):
        if kept[place - 1].live_passages < 2 * kept[place].live_passages:
            kept[place - 1 : place + 1] = [_merged(kept[place - 1 : place + 1])]
    return kept


def _merged(views: Sequence[View]) -> View:
    return whole(merge([(view.segment, view.live) for view in views]))
