"""One unit of work, one commit: a synchronous function of a connection, with nothing foreign awaited inside.

`await db.write(fn)` runs `fn(connection)` in a transaction and returns its value once that is durable; if it raises,
nothing of it stays. `await db.read(fn)` runs it on one consistent snapshot. The same functions run on SQLite and on
PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """A service's own database."""

    dialect: str

    async def write(self, fn: Callable[[Connection], T]) -> T: ...

    async def read(self, fn: Callable[[Connection], T]) -> T: ...

    async def scan(self, fn: Callable[[Connection], T]) -> T:
        """A read that may take long: nothing else waits for it."""
        ...

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` on the event loop after each commit; it must be quick and must not raise."""
        ...

    async def ping(self) -> None:
        """Raises Unavailable when the database does not answer."""
        ...

    async def close(self) -> None: ...


def open_database(url: str, *, schema: str, longest: float = 30) -> Database:
    """Open `sqlite:///path` or `postgresql://...` (then `schema` is the service's own, and no statement takes
    longer than `longest` seconds). Call on the event loop."""
    if url.startswith("sqlite"):
        from kit.db.sqlite import SqliteDatabase

        return SqliteDatabase(url)
    if url.startswith("postgresql"):
        from kit.db.postgres import PostgresDatabase

        return PostgresDatabase(url, schema=schema, longest=longest)
    raise ValueError("the database URL must start with sqlite:// or postgresql://")
