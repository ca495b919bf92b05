"""All databases of a data directory as they are at one moment, while the services go on working."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from cli.errors import Refused

_WAIT = 30.0
"""Seconds to wait for a writer; the services' own wait is ten, and ours holds them up for milliseconds."""


@contextmanager
def cut(databases: Mapping[str, Path]) -> Iterator[dict[str, sqlite3.Connection]]:
    """Connections by name, each inside a read transaction; together they show one moment of all databases.

    Every file's write lock is taken first, so nothing is committed anywhere while the read transactions begin; then the
    locks are let go, and what is written afterwards is in none of them. What the copies hold is therefore what a
    power cut at that moment would have left, which the services' protocols mend. Raises Refused.
    """
    with ExitStack() as held:
        with ExitStack() as locks:
            for path in databases.values():
                locks.callback(_lock(path, locks).rollback)
            shown = {name: _begin(path, held) for name, path in databases.items()}
        yield shown


def copy(connection: sqlite3.Connection, target: Path) -> None:
    """Write what a cut's connection shows into a new file, and see that it is sound. Raises Refused."""
    try:
        with closing(sqlite3.connect(target)) as database:
            connection.backup(database)
            found = [str(row[0]) for row in database.execute("PRAGMA quick_check(1)")]
            # One plain file, with nothing beside it.
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        raise Refused(f"the database {target.name} is damaged: {found[0]}", code=1)


def _open(path: Path, held: ExitStack) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_WAIT)
    except sqlite3.Error as error:
        raise Refused(f"{path} cannot be read: {error}") from error
    held.callback(connection.close)
    return connection


def _lock(path: Path, held: ExitStack) -> sqlite3.Connection:
    connection = _open(path, held)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise Refused(f"{path} cannot be read: {error}", code=1) from error
    return connection


def _begin(path: Path, held: ExitStack) -> sqlite3.Connection:
    connection = _open(path, held)
    connection.execute("BEGIN")
    # The transaction's view is fixed by its first read, not by BEGIN.
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection
