"""The checker is fed a good run with one fact of it changed by hand, and must name just that."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cli.stack.environment import SERVICES
from tests.chaos import scenarios, scripts
from tests.chaos.checker import Verdict, check
from tests.chaos.client import Client
from tests.chaos.damage import DAMAGES, Damage
from tests.chaos.damaged_journals import JOURNALS, Line
from tests.chaos.journal import Journal
from tests.chaos.world import World
from tests.support.migrated import Migrations

_PATIENCE = 30.0


async def _paused_once(stage: scenarios.Stage, client: Client, body: Mapping[str, Any]) -> None:
    """Pause and resume exactly once, whatever chance would decide."""
    known = await scenarios.create(stage, client, body)
    assert known is not None
    following = asyncio.create_task(scenarios.follow(stage, client, known))
    await scenarios.until_running(known, following)
    assert await scenarios.act(stage, client, known, "pause")
    assert await scenarios.act(stage, client, known, "resume")
    await following


@pytest_asyncio.fixture(scope="session")
async def good_run(tmp_path_factory: pytest.TempPathFactory, world_files: Migrations) -> Path:
    """A folder with the databases and the journal of a run in which everything went well."""
    folder = tmp_path_factory.mktemp("good")
    (folder / "world").mkdir()
    async with World(folder / "world", world_files) as world:
        await world.begin("worker")
        stage, rng = world.stage(), random.Random(8)
        ada, bob = world.client("ada"), world.client("bob")
        known = await scenarios.create(stage, ada, scripts.parked("A talk"))
        assert known is not None
        await asyncio.gather(
            scenarios.run_through(stage, ada, scripts.plain("One that is completed", rng, pace=0.3)),
            scenarios.run_through(stage, ada, scripts.plain("One that breaks", rng, pace=0.3, broken=True)),
            scenarios.run_through(stage, bob, scripts.plain("One that faints", rng, pace=0.3, faint=4)),
            _paused_once(stage, bob, scripts.plain("One that is paused", rng, pace=2.0)),
            scenarios.begging(stage, world.client("cyd"), lambda: f"One too dear {rng.random()}"),
            *(scenarios.discuss(stage, ada, known) for _ in range(3)),
        )
        await scenarios.act(stage, ada, known, "cancel", again=1)
        await world.client("ada").watch(known.session_id)
        await scenarios.look(ada, known)
        await scenarios.look(ada, known)
        await scenarios.keep_books(ada)
        verdict = await world.verdict(lambda found: found.ok, _PATIENCE)
        assert verdict.ok, verdict.problems
        for service in SERVICES:
            _copied(world.data.databases / f"{service}.db", folder / f"{service}.db")
    shutil.copy(folder / "world" / "journal.jsonl", folder / "journal.jsonl")
    return folder


def _copied(source: Path, target: Path) -> None:
    """Whole, whatever is still in its write-ahead log."""
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()


async def _judged(folder: Path) -> Verdict:
    journal = Journal(folder / "journal.jsonl")
    try:
        return await check({service: f"sqlite:///{folder / f'{service}.db'}" for service in SERVICES}, journal)
    finally:
        journal.close()


@pytest.fixture
def damaged(good_run: Path, tmp_path: Path) -> Path:
    """A copy of the good run to be damaged."""
    for service in SERVICES:
        shutil.copy(good_run / f"{service}.db", tmp_path)
    shutil.copy(good_run / "journal.jsonl", tmp_path)
    return tmp_path


async def test_a_good_run_is_good(good_run: Path) -> None:
    verdict = await _judged(good_run)
    assert verdict.ok, verdict.problems
    assert (verdict.lost, verdict.duplicated, verdict.stale) == (0, 0, 0)


_STREAMED = ("watch", "heard", "broken", "refused")


def _rewrite(folder: Path, change: Callable[[list[Line]], Sequence[Line]]) -> None:
    path = folder / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
async def test_a_damaged_database_is_found(damage: Damage, damaged: Path) -> None:
    # Streams would tell of most changes to a history as well; they have tests of their own.
    _rewrite(damaged, lambda lines: [line for line in lines if line["kind"] not in _STREAMED])
    with sqlite3.connect(damaged / f"{damage.service}.db") as database:
        database.executescript(damage.sql)
        assert database.total_changes, "the damage was not done"
    database.close()
    verdict = await _judged(damaged)
    assert {problem.rule: problem.kind for problem in verdict.problems} == damage.broken, verdict.problems


@pytest.mark.parametrize("name", JOURNALS)
async def test_a_damaged_journal_is_found(name: str, damaged: Path) -> None:
    change, broken = JOURNALS[name]
    _rewrite(damaged, change)
    verdict = await _judged(damaged)
    assert {problem.rule: problem.kind for problem in verdict.problems} == broken, verdict.problems


async def test_a_line_that_was_cut_off_is_left_out(damaged: Path) -> None:
    with (damaged / "journal.jsonl").open("a") as journal:
        journal.write('{"n":')
    assert (await _judged(damaged)).ok
