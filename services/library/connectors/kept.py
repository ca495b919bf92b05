"""Answers of connectors, kept in the database for a time."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from kit.db.database import Database
from kit.times import HOUR, Clock
from services.library.connectors.work import Work
from services.library.ports import Gatherings

_PRUNED = 500
"""Answers removed at a time."""


class KeptAnswers:
    """Behind `asking.Answers`; as a chore, it removes what is too old."""

    def __init__(self, db: Database, gatherings: Gatherings, clock: Clock, *, hours: float) -> None:
        """Answers are good for so many hours."""
        self._db = db
        self._gatherings = gatherings
        self._clock = clock
        self._age = round(hours * HOUR)

    async def get(self, key: str) -> list[Work] | None:
        since = self._clock.now() - self._age
        kept = await self._db.read(lambda conn: self._gatherings.answer(conn, key, since))
        return None if kept is None else [Work.of(each) for each in orjson.loads(kept)]

    async def put(self, key: str, works: Sequence[Work]) -> None:
        body = orjson.dumps([work.as_json() for work in works]).decode()
        now = self._clock.now()
        await self._db.write(lambda conn: self._gatherings.keep_answer(conn, key, body, now))

    async def __call__(self) -> int:
        """Remove answers that are too old; how many there were."""
        before = self._clock.now() - self._age
        removed = 0
        while True:
            some = await self._db.write(lambda conn: self._gatherings.prune_answers(conn, before, _PRUNED))
            removed += some
            if some < _PRUNED:
                return removed
