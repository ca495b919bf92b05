"""A process and its database's shape: older is refused, one step newer is worked on, and taken back without harm."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import grpc
import pytest
from sqlalchemy import Connection, text

from kit.db.database import Database
from kit.db.migrate import upgrade
from kit.db.revision import WrongRevision
from kit.times import SystemClock
from prsm.billing.v1 import ledger_pb2, ledger_pb2_grpc
from services.billing.tables import KIT
from tests.integration.billing.stand import QUICK
from tests.support.processes import ROOT, ServiceProcess
from tests.support.serving import Identities


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(tmp_path, SystemClock(), ["session", "billing"])


async def set_revision(db: Database, revision: str) -> None:
    await db.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision}))


async def refusal(settings: dict[str, str]) -> tuple[int | None, list[str]]:
    """Status and lines of a process that does not start."""
    given = {f"PRSM_BILLING_{name.upper()}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.billing"),
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}", **given},
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    return process.returncode, errors.decode().splitlines()


@pytest.mark.parametrize("listen", ["nowhere", "192.0.2.1:9464"])
async def test_metrics_that_cannot_listen_end_the_process_with_one_line(
    migrated_file: Path, identities: Identities, listen: str
) -> None:
    settings = {**identities.settings("billing"), "listen": "127.0.0.1:0", "nats_url": "nats://127.0.0.1:1"}
    status, lines = await refusal({**settings, "database_url": f"sqlite:///{migrated_file}", "metrics_listen": listen})
    assert (status, len(lines)) == (2, 1), lines
    assert lines[0].startswith("PRSM_BILLING_METRICS_LISTEN: ")
    assert listen in lines[0]


NEEDED = int(KIT.revision)


def ahead(steps: int) -> str:
    """The revision that is this many steps after the one that the code needs."""
    return f"{NEEDED + steps:04}"


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        (ahead(-1), f"{ahead(0)} is needed: run prsm migrate --service billing"),
        (ahead(2), f"more than 1 after {ahead(0)}: run a newer release"),
    ],
)
async def test_a_process_refuses_a_database_that_it_cannot_work_on(
    fresh_db: Database, database_url: str, identities: Identities, revision: str, words: str
) -> None:
    await set_revision(fresh_db, revision)
    settings = {**identities.settings("billing"), "database_url": database_url, "nats_url": "nats://127.0.0.1:1"}
    line = f"billing: the database is at revision {revision}, {words}"
    assert await refusal({**settings, "listen": "127.0.0.1:0"}) == (2, [line])


async def test_a_database_that_was_never_migrated_is_refused(tmp_path: Path, identities: Identities) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    settings = {**identities.settings("billing"), "database_url": url, "nats_url": "nats://127.0.0.1:1"}
    status, lines = await refusal({**settings, "listen": "127.0.0.1:0"})
    assert (status, lines) == (2, ["billing: the database was never migrated: run prsm migrate --service billing"])


async def test_a_process_works_on_a_database_one_step_newer(
    fresh_db: Database, database_url: str, identities: Identities
) -> None:
    def step(conn: Connection) -> None:
        conn.execute(text("ALTER TABLE holds ADD COLUMN mood TEXT"))
        conn.execute(text("ALTER TABLE transactions ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'"))
        conn.execute(text("CREATE TABLE moods (mood TEXT PRIMARY KEY)"))

    await fresh_db.write(step)
    await set_revision(fresh_db, ahead(1))
    settings = {**identities.settings("billing"), "database_url": database_url, "nats_url": "nats://127.0.0.1:1"}
    async with ServiceProcess("billing", settings) as process, grpc.aio.insecure_channel(process.target) as channel:
        session = identities.peer("session", "billing")
        request = ledger_pb2.PlaceHoldRequest(hold_id="s1", owner="ada", workload=QUICK)
        ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        assert (await session.call(ledger.PlaceHold, request, timeout=60)).held_micros == 524_000
    # Taking the release back leaves the shape that the newer one made.
    assert await asyncio.to_thread(upgrade, "services.billing", database_url) == ahead(1)
    await set_revision(fresh_db, ahead(2))
    with pytest.raises(WrongRevision, match=f"more than 1 after {ahead(0)}"):
        await asyncio.to_thread(upgrade, "services.billing", database_url)


async def test_migrating_again_changes_nothing_and_says_where_the_database_is(database_url: str) -> None:
    assert await asyncio.to_thread(upgrade, "services.billing", database_url) == ahead(0)
    assert await asyncio.to_thread(upgrade, "services.billing", database_url) == ahead(0)
