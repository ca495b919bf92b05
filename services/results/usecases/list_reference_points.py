"""ListReferencePoints: what a comment may point at inside a session's results."""

from __future__ import annotations

import contextlib

import orjson

from kit.errors import ResultsNotAvailable, SessionNotFound
from services.results.large.points import points_of
from services.results.large.shelf import Shelf
from services.results.ports import Store
from services.results.rendering.document import ResultDocument
from services.results.usecases.load_result import Found, LoadResult


class ListReferencePoints:
    def __init__(self, load: LoadResult, shelf: Shelf, store: Store) -> None:
        self._load = load
        self._shelf = shelf
        self._store = store

    async def __call__(self, session_id: str) -> tuple[str, ...]:
        """Nothing while there are no results. Raises Unavailable."""
        try:
            found = await self._load.visible(session_id)
        except (ResultsNotAvailable, SessionNotFound):
            return ()
        if await self._shelf.is_large(found.result):
            return await self._of_large(found)
        loaded = await self._load.document(found)
        return ResultDocument.parse(orjson.loads(loaded.document)).reference_points()

    async def _of_large(self, found: Found) -> tuple[str, ...]:
        """Listed once, then kept beside the document."""
        place = f"{found.result.blob}.points"
        if (kept := await self._store.get(place)) is not None:
            # One that is damaged is made anew.
            with contextlib.suppress(ValueError):
                return tuple(orjson.loads(kept))
        points = await points_of(await self._shelf.open(found.result))
        await self._store.put(place, orjson.dumps(points))
        return points
