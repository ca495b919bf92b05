"""What was committed is on disk: on each database, whatever the server's defaults are, in every running service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cli.stack.environment import SERVICES
from kit.db.database import open_database
from kit.db.durability import durability, lacking, tell
from tests.support.databases import PostgresCluster
from tests.support.stack import RunningStack

_WAL_VERSIONS = b"\x02\x02"


def test_what_counts_as_lacking() -> None:
    assert lacking({"journal_mode": "wal", "synchronous": "full"}) == []
    assert lacking({"synchronous": "extra"}) == []
    assert lacking({"journal_mode": "wal", "synchronous": "normal"}) == ["synchronous"]
    assert lacking({"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}) == []
    assert lacking({"synchronous_commit": "remote_apply"}) == []
    weak = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "local"}
    assert lacking(weak) == ["fsync", "full_page_writes", "synchronous_commit"]


async def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'test.db'}", schema="kit")
    assert await durability(db) == {"journal_mode": "wal", "synchronous": "full"}
    await db.close()


@pytest.mark.parametrize("scope", ["DATABASE {name}", "ROLE {user} IN DATABASE {name}"])
@pytest.mark.parametrize("default", ["off", "local"])
async def test_a_weaker_default_of_postgresql_does_not_count(
    postgres_cluster: PostgresCluster, postgres_url: str, scope: str, default: str
) -> None:
    name = postgres_url.split("?")[0].rpartition("/")[2]
    target = scope.format(name=name, user="postgres")
    postgres_cluster.psql(f"ALTER {target} SET synchronous_commit = {default};")
    db = open_database(postgres_url, schema="kit")
    found = await durability(db)
    await db.close()
    assert found["synchronous_commit"] == "on"
    assert lacking(found) == []


@pytest.fixture
def torn_pages(postgres_cluster: PostgresCluster) -> Iterator[None]:
    """A server that does not guard against pages that were half written."""
    postgres_cluster.psql("ALTER SYSTEM SET full_page_writes = off;")
    postgres_cluster.psql("SELECT pg_reload_conf();")
    yield
    postgres_cluster.psql("ALTER SYSTEM RESET full_page_writes;")
    postgres_cluster.psql("SELECT pg_reload_conf();")


@pytest.mark.usefixtures("torn_pages")
async def test_a_server_that_may_lose_commits_is_warned_of(postgres_url: str) -> None:
    db = open_database(postgres_url, schema="kit")
    with capture_logs() as logged:
        # The server reads its configuration again in its own time.
        while (await durability(db))["full_page_writes"] == "on":
            pass
        await tell(db)
    await db.close()
    ((event, level, missing),) = [(line["event"], line["log_level"], line["lacking"]) for line in logged]
    assert (event, level, missing) == ("the database may lose what it has committed", "warning", ["full_page_writes"])


@pytest.mark.parametrize("service", SERVICES)
async def test_every_running_service_waits_for_the_disk(stack: RunningStack, service: str) -> None:
    header = (stack.data.databases / f"{service}.db").read_bytes()[18:20]
    assert header == _WAL_VERSIONS
    said = [line for line in (stack.data.logs / f"{service}.log").read_text().splitlines() if "durable" in line]
    # Once for each start; other tests may have made it start again.
    assert said
    for line in said:
        assert "synchronous" in line
        assert "full" in line
