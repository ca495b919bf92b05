"""A process is killed at each point of what it does; then somebody asks again, or nobody does and hours go by.

The processes are real, their end is SIGKILL, and what they leave is what is on disk. Points are around every call of a
port, before, inside and after every unit of work of session's and billing's databases, and, in a second round, wherever
a call waits for anything.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kit.errors import PrsmError
from kit.times import SECOND, ManualClock
from tests.integration.crash.forks import Died, Forks
from tests.integration.crash.node import Node, Place
from tests.integration.crash.scenes import SCENES, Given
from tests.integration.crash.soundness import faults_in_the_end, faults_now
from tests.support.databases import PostgresCluster
from tests.support.migrated import Migrations

JOB = "tests.integration.crash.scenes:act"
ASKED_AGAIN = 16.0
"""By then the leases of the dead have run out."""
GIVEN_UP = 150.0


@pytest.fixture
def shelter() -> Iterator[Path]:
    """A folder in memory where there is one: what is killed is a process, never the machine."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="prsm-crash-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def postgres_urls(migrations: Migrations, postgres_cluster: PostgresCluster) -> dict[str, str]:
    """Migrated databases by service."""
    return {name: migrations.postgres(f"services.{name}", postgres_cluster) for name in ("session", "billing")}


@pytest_asyncio.fixture(scope="module")
async def forks(tmp_path_factory: pytest.TempPathFactory, migrations: Migrations) -> AsyncIterator[Forks]:
    folder = tmp_path_factory.mktemp("forks")
    async with Forks(folder) as made:
        for scene in ("CreateSession", "CancelSession", "Complete"):
            # What is made at first use is made before the forks.
            files = Files(folder / scene, stage := Stage(folder / scene, scene, made))
            await made.warm_up(JOB, **stage.job(await files.prepare(migrations)))
        yield made


class Stage:
    """A scene, its databases, and who plays it."""

    def __init__(self, folder: Path, scene: str, forks: Forks) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self._name, self._forks = folder, scene, forks
        self.scene = SCENES[scene]
        self._given: Given = {}
        self._seconds = 0.0

    async def set_at(self, place: Place) -> None:
        """Bring it to where the scene begins."""
        node = Node(place, grant=self.scene.grant)
        self._given = await self.scene.prepare(node)
        self._seconds = (node.clock.now() - ManualClock().now()) / SECOND + self.scene.seconds
        await node.close()

    def job(self, place: Place, deadly: int = 0, *, every_suspension: bool = False) -> dict[str, Any]:
        given = {"scene": self._name, "place": asdict(place), "given": self._given, "seconds": self._seconds}
        return {**given, "deadly": deadly, "every_suspension": every_suspension}

    async def points(self, place: Place, *, every_suspension: bool = False) -> list[str]:
        """What is passed when nobody dies."""
        return list((await self._forks.do(JOB, **self.job(place, every_suspension=every_suspension)))["points"])

    async def die(self, place: Place, number: int, *, every_suspension: bool = False) -> None:
        with pytest.raises(Died) as died:
            await self._forks.do(JOB, **self.job(place, number, every_suspension=every_suspension))
        assert died.value.signal == signal.SIGKILL, str(died.value)

    async def go_on(self, place: Place, *, again: bool) -> list[str]:
        """What is wrong after a death, when somebody asks again or nobody does."""
        node = Node(place, seconds=self._seconds + (ASKED_AGAIN if again else GIVEN_UP), grant=self.scene.grant)
        try:
            found = [f"at once: {fault}" for fault in await faults_now(node)]
            told = None
            if again:
                told = await self._ask(node)
            else:
                await node.sweep(10)
            await self.scene.check(node, self._given, told)
            node.clock.advance(seconds=GIVEN_UP)
            await node.sweep(10)
            found += await faults_in_the_end(node)
        except AssertionError as error:
            found = [f"in the end: {error}"]
        finally:
            await node.close()
        return [f"asked again: {fault}" if again else f"left alone: {fault}" for fault in found]

    async def _ask(self, node: Node) -> str:
        """What is told who asks again; while something is swept up, once more."""
        try:
            return await self.scene.act(node, self._given)
        except PrsmError as error:
            if error.name != "IDEMPOTENCY_KEY_IN_USE":
                raise
            await node.sweep(2)
            return await self.scene.act(node, self._given)


class Files:
    """SQLite: prepared once, copied for each death, and again for each way to go on. What another death has left
    behind before is not gone on with again."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self._folder = folder
        self._stage = stage
        self.left: set[str] = set()

    async def prepare(self, migrations: Migrations) -> Place:
        (self._folder / "prepared").mkdir(parents=True)
        for service in ("session", "billing"):
            migrations.file(f"services.{service}", self._folder / "prepared" / f"{service}.db")
        await self._stage.set_at(self._place("prepared"))
        return self._place("prepared")

    def _place(self, name: str) -> Place:
        folder = self._folder / name
        return Place(f"sqlite:///{folder / 'session.db'}", f"sqlite:///{folder / 'billing.db'}", str(folder))

    def copy(self, source: str, target: str) -> Place:
        shutil.copytree(self._folder / source, self._folder / target)
        return self._place(target)

    async def die(self, number: int, *, every_suspension: bool = False) -> list[str]:
        """Die there, and go on in each way: what is wrong then."""
        await self._stage.die(self.copy("prepared", "dead"), number, every_suspension=every_suspension)
        left = contents(self._folder / "dead")
        found: list[str] = []
        if left not in self.left:
            self.left.add(left)
            for again in (True, False) if self._stage.scene.again else (False,):
                found += await self._stage.go_on(self.copy("dead", "alive"), again=again)
                shutil.rmtree(self._folder / "alive")
        shutil.rmtree(self._folder / "dead")
        return found


def contents(folder: Path) -> str:
    """A digest of what is in a folder's databases and which files there are."""
    digest = hashlib.sha256(repr(sorted(path.name for path in folder.glob("*/*"))).encode())
    for file in sorted(folder.glob("*.db")):
        with closing(sqlite3.connect(file)) as db:
            for line in db.iterdump():
                digest.update(line.encode())
    return digest.hexdigest()


@pytest.mark.parametrize("scene", SCENES)
async def test_wherever_it_dies(scene: str, forks: Forks, migrations: Migrations, shelter: Path) -> None:
    files = Files(shelter, stage := Stage(shelter, scene, forks))
    await files.prepare(migrations)
    points = await stage.points(files.copy("prepared", "whole"))
    found = {f"{n} {name}": faults for n, name in enumerate(points, 1) if (faults := await files.die(n))}
    assert not found
    # It dies before anything was done and when all was.
    assert len(points) > len(files.left) > 1


@pytest.mark.parametrize("scene", ["CreateSession", "CancelSession", "Complete", "SweeperSettles"])
async def test_wherever_it_waits(scene: str, forks: Forks, migrations: Migrations, shelter: Path) -> None:
    """The same at each suspension, and at each return from one. There a unit of work may be under way."""
    files = Files(shelter, stage := Stage(shelter, scene, forks))
    await files.prepare(migrations)
    points = await stage.points(files.copy("prepared", "whole"), every_suspension=True)
    found = {
        f"{n} {name}": faults
        for n, name in enumerate(points, 1)
        if (faults := await files.die(n, every_suspension=True))
    }
    assert not found
    assert len(points) > len(files.left) > 1


@pytest.mark.parametrize("scene", ["CreateSession", "Complete"])
async def test_wherever_it_dies_with_postgresql(
    scene: str, forks: Forks, migrations: Migrations, postgres_urls: dict[str, str], shelter: Path
) -> None:
    """The same around each commit: what was not committed is undone by another process there."""
    stage = Stage(shelter, scene, forks)

    async def prepared(name: str) -> Place:
        for service, url in postgres_urls.items():
            await (await migrations.emptied(f"services.{service}", url)).close()
        place = Place(postgres_urls["session"], postgres_urls["billing"], str(shelter / name))
        await stage.set_at(place)
        return place

    points = await stage.points(await prepared("whole"))
    found = {}
    for number, name in enumerate(points, 1):
        if "the commit" in name:
            place = await prepared(str(number))
            await stage.die(place, number)
            # The files have shown that the two ways end alike; here they take turns.
            found[f"{number} {name}"] = await stage.go_on(place, again=number % 2 == 0)
    assert len(found) >= 6
    assert not {name: faults for name, faults in found.items() if faults}
