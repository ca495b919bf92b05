"""The real product under the harness: `prsm up`'s own stack, hosted here, so that each process is known."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from cli.stack.environment import SERVICES
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, load_user_key
from cli.stack.options import StackOptions
from cli.stack.part import Patience
from cli.stack.stack import Stack
from kit.auth.tokens import TokenRules, mint
from kit.times import DAY, SECOND, SystemClock
from tests.chaos import scripts
from tests.chaos.control import Control
from tests.chaos.disk import SmallDisk, made
from tests.chaos.proxy import Link
from tests.support.postgres import PostgresServer

ROOT = Path(__file__).resolve().parent.parent.parent
_LAST_LINES = 25
_PAUSE = 0.05

SETTINGS: Mapping[str, str] = {
    "PRSM_GATEWAY_RATE_LIMIT": "100000",
    "PRSM_GATEWAY_RATE_BURST": "100000",
    **scripts.SETTINGS,
    "PRSM_SESSION_SWEEP_SECONDS": "0.3",
    "PRSM_SESSION_HEARTBEAT_SECONDS": "0.5",
    # Short, so that workers which are stopped wake up after theirs, often.
    "PRSM_SESSION_LEASE_SECONDS": "3",
    "PRSM_SESSION_OWNER_CAP": "64",
    "PRSM_SESSION_MAX_ATTEMPTS": "4",
    "PRSM_SESSION_WAKE_UP_SECONDS": "3",
    "PRSM_SESSION_CREATION_LEASE_SECONDS": "3",
    "PRSM_SESSION_CREATION_ABORT_SECONDS": "5",
    "PRSM_WORKER_CONCURRENCY": "16",
    "PRSM_WORKER_POLL_SECONDS": "0.5",
    "PRSM_WORKER_ENGINES": json.dumps(["rehearsal"]),
    # Nobody asks for a document or uploads a file.
    "PRSM_RESULTS_WARM_AFTER_SECONDS": "100000",
    "PRSM_LIBRARY_PARSER_PROCESSES": "1",
}
"""What the parts are told: an engine that rehearses work, short intervals, room for many sessions at a time."""
_PEERS: Mapping[str, Sequence[str]] = {
    "gateway": SERVICES,
    "session": ("billing", "library", "collab"),
    "results": ("session", "collab"),
    "collab": ("session", "results"),
    "billing": (),
    "library": ("collab",),
    "worker": ("session", "results", "library"),
}
"""Whom each kind of part calls."""


class ChaosStack:
    """Use as an async context manager, in the main thread. Entering returns when every part is healthy."""

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "sqlite",
        workers: int = 2,
        mutants: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        initial_grant: str = scripts.GRANT,
        disk_mib: int = 0,
    ) -> None:
        """`database` is `sqlite` or `postgresql`; `mutants` are faults that each part has from the beginning. With
        `disk_mib` all data, logs too, lie on a disk of that size, where this machine lets us make one."""
        self.folder = folder
        self.database_kind = database
        self.control = Control(folder / "control", mutants)
        self.said: list[str] = []
        self._settings = {**SETTINGS, **(settings or {})}
        self._workers = 0
        # Everybody must be able to walk to the database's folder: its server runs as another user when we are root.
        self._public = made()
        self._public.chmod(0o711)
        self.disk = SmallDisk(self._public / "disk", disk_mib)
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        self.postgres: PostgresServer | None = None
        if database == "postgresql":
            self.postgres = PostgresServer(self.disk.folder / "postgres", folder / "logs" / "postgres.log")
        options = StackOptions(
            data_dir=self.disk.folder / "data",
            port=0,
            workers=workers,
            database_url=self.postgres.url if self.postgres else "",
            initial_grant=initial_grant,
        )
        # Parts that are killed all the time must not be punished for it.
        patience = Patience(startup=90, first_backoff=0.1, longest_backoff=1.0, steady=5.0)
        self._stack = Stack(options, say=self._say, patience=patience, program=self._program)
        self.links: dict[tuple[str, str], Link] = {}
        for part in ("gateway", *SERVICES, *(f"worker-{number + 1}" for number in range(workers))):
            self._connect(part)

    def _connect(self, part: str) -> None:
        kind = part.partition("-")[0]
        peers = [*_PEERS[kind], *(["nats"] if kind != "gateway" else [])]
        if self.postgres is not None and kind in SERVICES:
            peers.append("postgres")
        for peer in peers:
            self.links[part, peer] = Link(f"{part}->{peer}", lambda peer=peer: self._port(peer))  # type: ignore[misc]

    def _port(self, peer: str) -> int:
        if peer == "postgres":
            assert self.postgres is not None
            return self.postgres.port
        addresses = self._stack.addresses
        return addresses.nats if peer == "nats" else addresses.services[peer]

    def _program(self, module: str) -> tuple[str, ...]:
        part = module.rpartition(".")[2]
        if part == "worker":
            self._workers += 1
            part = f"worker-{self._workers}"
        folder = self.control.folder(part)
        return (sys.executable, "-P", "-m", "tests.chaos.program", str(folder), module)

    def _say(self, line: str) -> None:
        self.said.append(f"{time.time():.3f} {line}")

    async def __aenter__(self) -> Self:
        try:
            self.disk.mount()
            if self.postgres is not None:
                await self.postgres.start()
            for link in self.links.values():
                await link.start()
            for part, _ in self.links:
                ports = {peer: link.port for (owner, peer), link in self.links.items() if owner == part}
                self.control.route(part, ports)
            with _told(self._settings):
                await self._stack.start()
        except BaseException:
            await self._end(kill=True)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._end(kill=kind is not None)

    async def _end(self, *, kill: bool) -> None:
        try:
            await (self._stack.kill() if kill else self._stack.stop())
            for link in self.links.values():
                await link.close()
            if self.postgres is not None:
                await self.postgres.stop()
        finally:
            self.keep_logs()
            self.control.close()
            self.disk.unmount()
            shutil.rmtree(self._public, ignore_errors=True)

    def keep_logs(self) -> None:
        """Copy what the parts logged to the folder."""
        for log in self._stack.data.logs.glob("*.log"):
            shutil.copy(log, self.folder / "logs" / log.name)
        (self.folder / "logs" / "supervisor.log").write_text("\n".join(self.said) + "\n")

    async def keep_databases(self) -> None:
        """Copy what the databases hold to the folder, as evidence."""
        to = self.folder / "databases"
        if self.postgres is not None:
            await self.postgres.dump(to.with_suffix(".sql"))
        else:
            await asyncio.to_thread(shutil.copytree, self._stack.data.databases, to, dirs_exist_ok=True)

    @property
    def url(self) -> str:
        """Where the REST API answers."""
        return self._stack.url

    @property
    def parts(self) -> list[str]:
        """The names of all parts; `postgres` is not among them."""
        return list(self._stack.parts)

    @property
    def nats_store(self) -> Path:
        """Where the broker keeps its streams."""
        return self._stack.data.nats / "store"

    @property
    def nats(self) -> tuple[str, str]:
        """URL and token of the broker, reached without a link."""
        return f"nats://127.0.0.1:{self._stack.addresses.nats}", self._stack.data.nats_token.read_text().strip()

    def token(self, user: str) -> str:
        """A user's token, good for longer than any clock jumps."""
        rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
        claims: dict[str, object] = {"sub": user, "email": f"{user}@example.org", "email_verified": True}
        return mint(load_user_key(self._stack.data), rules, SystemClock(), ttl=30 * DAY // SECOND, claims=claims)

    def database(self, service: str) -> str:
        """The URL of a service's database, as `open_database` takes it; no link is in between."""
        return self.postgres.url if self.postgres else f"sqlite:///{self._stack.data.databases / f'{service}.db'}"

    @property
    def databases(self) -> dict[str, str]:
        return {service: self.database(service) for service in SERVICES}

    def pid(self, part: str) -> int | None:
        """The id of a part's process while it lives."""
        if part == "postgres":
            return self.postgres.pid if self.postgres is not None else None
        return self._stack.parts[part].pid

    async def healthy(self, part: str) -> bool:
        """Whether a part answers its probe now."""
        if part == "postgres":
            return self.postgres is not None and await self.postgres.answers()
        spec = self._stack.parts[part].spec
        if self.pid(part) is None or not await spec.probe():
            return False
        return spec.beyond_help is None or not await spec.beyond_help()

    async def unhealthy(self) -> list[str]:
        """The parts that do not answer their probes."""
        names = [*self.parts, *(["postgres"] if self.postgres is not None else [])]
        well = await asyncio.gather(*(self.healthy(name) for name in names))
        return [name for name, good in zip(names, well, strict=True) if not good]

    async def settled(self, timeout: float) -> None:
        """Return when all parts are healthy at the same time. Raises AssertionError with the last lines of their
        logs."""
        until = time.monotonic() + timeout
        while ill := await self.unhealthy():
            if time.monotonic() > until:
                raise AssertionError(f"not healthy after {timeout:g} s: {', '.join(ill)}\n{self.report(ill)}")
            await asyncio.sleep(_PAUSE)

    def report(self, parts: Sequence[str]) -> str:
        """The last lines of these parts' logs."""
        self.keep_logs()
        said = []
        for part in [*parts, "supervisor"]:
            log = self.folder / "logs" / f"{part}.log"
            lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
            said.append("\n".join([f"--- {part}", *(line[:400] for line in lines)]))
        return "\n".join(said)


@contextmanager
def _told(settings: Mapping[str, str]) -> Iterator[None]:
    """The environment that parts inherit, for as long as they are begun."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("PRSM_"):
            del os.environ[name]
    os.environ |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}", **settings}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
