"""ListReferencePoints: what a comment may point at inside a session's results."""

from __future__ import annotations

import orjson

from kit.errors import ResultsNotAvailable, SessionNotFound
from services.results.rendering.document import ResultDocument
from services.results.usecases.load_result import LoadResult


class ListReferencePoints:
    def __init__(self, load: LoadResult) -> None:
        self._load = load

    async def __call__(self, session_id: str) -> tuple[str, ...]:
        """Nothing while there are no results. Raises Unavailable."""
        try:
            loaded = await self._load.visible(session_id)
        except (ResultsNotAvailable, SessionNotFound):
            return ()
        return ResultDocument.parse(orjson.loads(loaded.document)).reference_points()
