"""Servers that these tests may stop, kill and freeze."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest_asyncio

from tests.support.postgres import PostgresServer


class Interruptible(PostgresServer):
    """A PostgreSQL server that goes away and comes back."""

    async def down(self) -> None:
        """End it, connections and all."""
        await self.stop()

    async def up(self) -> None:
        """Have it run again; returns when it answers."""
        self._watcher = asyncio.create_task(self._watch(), name="watch postgres")
        await self.answering()

    async def killed(self) -> None:
        """Kill it where it stands; returns when the next one answers."""
        assert self._process is not None
        old = self._process
        old.kill()
        await old.wait()
        await self.answering()

    async def answering(self) -> None:
        """Return when it answers queries."""
        async with asyncio.timeout(60):
            while not await self.answers():  # noqa: ASYNC110 - a server that starts tells nobody
                await asyncio.sleep(0.02)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of it stands still, connections and all."""
        pids = self.processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@pytest_asyncio.fixture(scope="module")
async def postgres() -> AsyncIterator[Interruptible]:
    """A server of this module's own."""
    with tempfile.TemporaryDirectory(prefix="prsm-outage-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        server = Interruptible(Path(folder) / "data", Path(folder) / "postgres.log")
        await server.start()
        yield server
        await server.stop()
