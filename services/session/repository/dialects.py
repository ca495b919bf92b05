"""Statements that differ by dialect, built once for each."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Executable


class PerDialect:
    """Builds its statement at the first use on a dialect and keeps it."""

    def __init__(self, build: Callable[[Connection], Executable]) -> None:
        self._build = build
        self._built: dict[str, Executable] = {}

    def __call__(self, db: Connection) -> Executable:
        name = db.dialect.name
        statement = self._built.get(name)
        if statement is None:
            statement = self._built[name] = self._build(db)
        return statement
