"""What all runs of the machine stand on: a served service, its database, and the event loop that both live on."""

from __future__ import annotations

from random import Random

from kit.db.database import Database
from tests.integration.session.model.driver import Driver
from tests.integration.session.stand import Stand
from tests.support.migrated import Migrations
from tests.support.modelling import Loop

AUDITED = 8
"""Everything is read after so many commands; the sessions' rows and billing's books after each."""


class Floor(Loop):
    """The machine runs in a thread of its own, and everything that it drives on the loop."""

    def __init__(
        self, stand: Stand, migrations: Migrations, randomness: Random, faults: list[str], *, strict: bool
    ) -> None:
        """Call it on the loop. `randomness` makes the stand's ids, `faults` are what it logged as errors; `strict`:
        read everything after each command."""
        super().__init__()
        self._migrations = migrations
        self._randomness = randomness
        self.stand = stand
        self.faults = faults
        self.audited = 1 if strict else AUDITED

    @property
    def db(self) -> Database:
        return self.stand.db

    async def renew(self) -> Driver:
        """Everything as new, for the next run."""
        await self._migrations.empty("services.session", self.db)
        self.faults.clear()
        # Ids decide which of two equals comes first.
        self._randomness.seed(0)
        self.stand.clock.advance(seconds=1)
        return Driver(self.stand)
