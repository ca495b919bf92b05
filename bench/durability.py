"""What it costs that nothing acknowledged is lost: each choice beside the cheaper one, through the product's own code.

    python -m bench.durability [--seconds 2] [--json FILE]

Events go through the relay's publisher, one by one and 256 at a time; commits of two rows through `Database.write`, by
one writer and by 16.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import nats.errors
from sqlalchemy import Connection, TextClause, event, text
from sqlalchemy.pool import Pool

from bench import processes
from bench.targets import free_port
from kit.bus.cloud_event import message_of
from kit.bus.connection import Bus
from kit.bus.publisher import Ack, Message, Publisher
from kit.db.database import Database, open_database
from kit.db.durability import durability
from kit.db.outbox import Event, StoredEvent
from kit.errors import Unavailable
from kit.ids import RandomIds
from kit.logging import configure
from kit.times import SystemClock
from tests.support.databases import PostgresCluster

_READY_SECONDS = 30.0
_PAYLOAD = b"x" * 1024
_ROW = {"a": "x" * 200, "b": "y" * 200}
_BATCH = 256
_WRITERS = (1, 16)
Step = Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table; times in milliseconds, of one batch or one commit."""

    what: str
    setting: str
    how: str
    per_second: float
    p50: float
    p99: float


async def timed(what: str, setting: str, how: str, steps: Sequence[Step], seconds: float) -> Measured:
    """Run each step again and again, all beside each other; a step says how many things it did."""
    times: list[float] = []
    done = 0
    began = time.perf_counter()

    async def loop(step: Step) -> None:
        nonlocal done
        while (at := time.perf_counter()) < began + seconds:
            did = await step()
            done += did
            times.append((time.perf_counter() - at) * 1000)

    await asyncio.gather(*(step() for step in steps))  # Connections, caches.
    began = time.perf_counter()
    await asyncio.gather(*(loop(step) for step in steps))
    took = time.perf_counter() - began
    times.sort()
    found = Measured(what, setting, how, done / took, times[len(times) // 2], times[len(times) * 99 // 100])
    print(row(found), flush=True)
    return found


@asynccontextmanager
async def brokers(folder: Path, number: int, sync: str) -> AsyncIterator[str]:
    """So many nats-servers as one cluster; its URL."""
    ports = [(free_port(), free_port()) for _ in range(number)]
    routes = [f"nats://127.0.0.1:{inner}" for _, inner in ports]
    running: list[asyncio.subprocess.Process] = []
    try:
        for each, (outer, inner) in enumerate(ports):
            config = {
                "host": "127.0.0.1",
                "port": outer,
                "server_name": f"n{each}",
                "jetstream": {"store_dir": str(folder / f"n{each}"), "sync_interval": sync},
            }
            if number > 1:
                config["cluster"] = {"name": "bench", "host": "127.0.0.1", "port": inner, "routes": routes}
            file = folder / f"n{each}.conf"
            file.write_text(json.dumps(config))
            running.append(
                await asyncio.create_subprocess_exec(
                    *(str(Path(sys.executable).parent / "nats-server"), "-c", str(file)),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
            )
        yield ",".join(f"nats://127.0.0.1:{outer}" for outer, _ in ports)
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
            await process.wait()


@asynccontextmanager
async def connected(url: str, replicas: int) -> AsyncIterator[Bus]:
    """A bus whose streams are there; a new cluster takes seconds to choose who leads it."""
    bus = Bus(url, name="bench", replicas=replicas)
    bus.start()
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await bus.ready()
            while True:
                try:
                    await bus.ensure_streams()
                    break
                except (nats.errors.Error, TimeoutError, Unavailable):
                    await asyncio.sleep(0.2)
        yield bus
    finally:
        await bus.close()


def message(ids: RandomIds) -> Message:
    told = Event(ids.new(), "session.bench", "prsm.events.session.bench", ids.new(), _PAYLOAD, SystemClock().now())
    return message_of(StoredEvent(0, told), "prsm/bench", None)


async def _publish(publisher: Publisher, ids: RandomIds, count: int) -> int:
    outcomes = await publisher.publish([message(ids) for _ in range(count)])
    return sum(isinstance(outcome, Ack) for outcome in outcomes)


async def events(folder: Path, seconds: float) -> list[Measured]:
    """JetStream: the default against `sync_interval: always`, on one server and on three."""
    found = []
    ids = RandomIds(SystemClock())
    for number in (1, 3):
        for sync, name in (("2m", "default (2m)"), ("always", "always")):
            inside = folder / f"{number}-{sync}"
            inside.mkdir()
            async with brokers(inside, number, sync) as url, connected(url, number) as bus:
                publisher = Publisher(bus)

                setting = f"sync_interval {name}, R{number}"
                for count, how in ((1, "one by one"), (_BATCH, f"{_BATCH} at a time")):
                    step = partial(_publish, publisher, ids, count)
                    found.append(await timed("JetStream, acknowledged events", setting, how, [step], seconds))
    return found


async def commits(
    db: Database, what: str, setting: str, seconds: float, first: Callable[[Connection], None] | None = None
) -> list[Measured]:
    """Two rows a commit; `first` is done in each transaction before them."""
    insert = text("INSERT INTO bench (a, b) VALUES (:a, :b)")
    await db.write(lambda db: db.execute(text("CREATE TABLE IF NOT EXISTS bench (a TEXT, b TEXT)")))

    def write(connection: Connection) -> None:
        if first is not None:
            first(connection)
        connection.execute(insert, _ROW)
        connection.execute(insert, _ROW)

    async def step() -> int:
        await db.write(write)
        return 1

    return [
        await timed(what, setting, f"{writers} writer{'s' if writers > 1 else ''}", [step] * writers, seconds)
        for writers in _WRITERS
    ]


async def sqlite(folder: Path, seconds: float) -> list[Measured]:
    """WAL with synchronous NORMAL, which may lose the last commits with the machine, against FULL."""
    found = []
    for level in ("normal", "full"):

        def choose(connection: sqlite3.Connection, *_: object, level: str = level) -> None:
            # The product itself knows no other level than FULL.
            connection.execute(f"PRAGMA synchronous={level}")

        event.listen(Pool, "checkout", choose)
        db = open_database(f"sqlite:///{folder / f'{level}.db'}", schema="bench")
        if (await durability(db))["synchronous"] != level:
            raise SystemExit(f"the database did not take synchronous={level}")
        found += await commits(db, "SQLite, commits", f"synchronous {level.upper()}", seconds)
        await db.close()
        event.remove(Pool, "checkout", choose)
    return found


def _execute(statement: TextClause, connection: Connection) -> None:
    connection.execute(statement)


async def postgres(folder: Path, seconds: float) -> list[Measured]:
    """synchronous_commit off, which may lose the last commits with the server, against on."""
    cluster = await asyncio.to_thread(PostgresCluster, folder / "postgres")
    found = []
    try:
        for value in ("off", "on"):
            db = open_database(cluster.url("postgres"), schema="public")
            # Also where it changes nothing, so that both have as many statements.
            first = partial(_execute, text(f"SET LOCAL synchronous_commit = {value}"))
            found += await commits(db, "PostgreSQL, commits", f"synchronous_commit {value}", seconds, first)
            await db.close()
    finally:
        await asyncio.to_thread(cluster.stop)
    return found


def row(measured: Measured) -> str:
    """Markdown."""
    cells = (measured.what, measured.setting, measured.how, f"{measured.per_second:.0f}")
    return "| " + " | ".join([*cells, f"{measured.p50:.2f}", f"{measured.p99:.2f}"]) + " |"


async def measure(seconds: float, folder: Path) -> list[Measured]:
    return [*await events(folder, seconds), *await sqlite(folder, seconds), *await postgres(folder, seconds)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    args = parser.parse_args()
    # A broker that is still starting is nothing to tell of.
    configure("bench", "error")
    print(processes.machine())
    print("| what | setting | how | per s | p50 ms | p99 ms |\n|---|---|---|---|---|---|", flush=True)
    # On a real disk, where the data directory would be; a temporary folder may be memory.
    with tempfile.TemporaryDirectory(prefix=".run-bench-", dir=Path.cwd()) as folder:
        Path(folder).chmod(0o755)
        found = asyncio.run(measure(args.seconds, Path(folder)))
    if args.json:
        args.json.write_text(json.dumps([asdict(each) for each in found], indent=1))


if __name__ == "__main__":
    main()
