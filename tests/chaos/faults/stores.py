"""Disks and what lies on them: streams that forget, a disk that is full, a disk that is slow."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path

from cli.stack.environment import SERVICES
from tests.chaos.faults.base import Fault, send


class _OfStore(Fault):
    """The broker is killed while its store is exchanged; it stands still meanwhile, so that it writes nothing."""

    sudden = True

    async def _exchange(self, store: Path | None) -> None:
        await asyncio.to_thread(self._swap, await self.alive("nats"), store)

    def _swap(self, pid: int, store: Path | None) -> None:
        send(pid, signal.SIGSTOP)
        old = self.stack.nats_store.with_name("forgotten")
        self.stack.nats_store.replace(old)
        if store is not None:
            store.replace(self.stack.nats_store)
        send(pid, signal.SIGKILL)
        shutil.rmtree(old)


class WipedStore(_OfStore):
    """All streams and consumers are gone."""

    name = "JetStream store wiped"

    async def inject(self) -> None:
        await self._exchange(None)


class EarlierStore(_OfStore):
    """Streams and consumers are as they were seconds ago: what was acknowledged since then is lost."""

    name = "JetStream store set back"
    shortest, longest = 1.5, 4.0

    async def inject(self) -> None:
        pid = await self.alive("nats")
        copy = self.stack.nats_store.with_name("earlier")
        send(pid, signal.SIGSTOP)
        try:
            await asyncio.to_thread(shutil.copytree, self.stack.nats_store, copy)
        finally:
            send(pid, signal.SIGCONT)
        await asyncio.sleep(self.seconds)
        self.seconds = 0.0
        await self._exchange(copy)


class FullDisk(Fault):
    """No database can store anything more, and nor can the broker or a log."""

    name = "disk full"
    shortest, longest = 1.5, 4.0

    async def inject(self) -> None:
        if self.stack.postgres is not None:
            processes = self.stack.postgres.processes()
        else:
            processes = [await self.alive(service) for service in SERVICES]  # For where there is no small disk.
        await asyncio.to_thread(self.stack.disk.fill, processes)

    async def heal(self) -> None:
        self.stack.disk.free()


class SlowDisk(Fault):
    """Every commit takes a tenth of a second longer or more."""

    name = "disk slow"
    shortest, longest = 2.0, 5.0
    _LONGEST_COMMIT_DELAY = 100_000
    """Microseconds; PostgreSQL knows no longer one."""

    async def inject(self) -> None:
        if self.stack.postgres is not None:
            await self._postgres(self._LONGEST_COMMIT_DELAY)
        for service in SERVICES:
            self.stack.control.knobs(service).commit = self.rng.randint(100_000, 500_000)

    async def heal(self) -> None:
        if self.stack.postgres is not None:
            await self._postgres(0)
        for service in SERVICES:
            self.stack.control.knobs(service).commit = 0

    async def _postgres(self, delay: int) -> None:
        assert self.stack.postgres is not None
        await self.stack.postgres.execute(
            "ALTER SYSTEM SET commit_siblings = 0",
            f"ALTER SYSTEM SET commit_delay = {delay}",
            "SELECT pg_reload_conf()",
        )
