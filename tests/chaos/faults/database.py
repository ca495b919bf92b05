"""What happens to a PostgreSQL server."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from tests.chaos.faults.base import Fault, send
from tests.chaos.stack import ChaosStack
from tests.support.postgres import PostgresServer


class _OfPostgres(Fault):
    @classmethod
    def targets(cls, stack: ChaosStack) -> Sequence[str]:
        return ("postgres",) if stack.postgres is not None else ()

    @property
    def server(self) -> PostgresServer:
        assert self.stack.postgres is not None
        return self.stack.postgres


class KilledBackend(_OfPostgres):
    """The server takes its shared memory for damaged, ends all connections and recovers from its log."""

    name = "kill -9 of a PostgreSQL backend"
    sudden = True

    async def inject(self) -> None:
        if backends := self.server.backends():
            send(self.rng.choice(backends), signal.SIGKILL)


class KilledPostmaster(_OfPostgres):
    """Everything is gone but the files."""

    name = "kill -9 of PostgreSQL's postmaster"
    sudden = True

    async def inject(self) -> None:
        send(await self.alive("postgres"), signal.SIGKILL)


class StoppedPostgres(_OfPostgres):
    """Every process of it stands still."""

    name = "SIGSTOP of PostgreSQL"
    shortest, longest = 1.0, 5.0

    async def inject(self) -> None:
        self._pids = self.server.processes()
        for pid in self._pids:
            send(pid, signal.SIGSTOP)

    async def heal(self) -> None:
        for pid in self._pids:
            send(pid, signal.SIGCONT)


class TerminatedBackends(_OfPostgres):
    """pg_terminate_backend for every connection, as a fail-over does it."""

    name = "pg_terminate_backend of all connections"
    sudden = True

    async def inject(self) -> None:
        await self.server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'prsm-%'"
        )
