"""Statements of the busiest paths, compiled once.

To execute a statement through SQLAlchemy takes some ten times as long as SQLite itself takes for it. So on SQLite it is
compiled at its first use and then runs on the driver's connection, where this process's transactions begin and end
too. On PostgreSQL, where the network weighs more, it stays `connection.execute`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar, cast

from sqlalchemy import BigInteger, Connection, Delete, Dialect, Insert, Integer, LargeBinary, Select, Text, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType, TypeEngine

Core = Select[Any] | Insert | Update | Delete
Values = Mapping[str, Any]
Row = Sequence[Any]
T = TypeVar("T")
# What the driver takes and gives as it is. NullType is a parameter that stands beside no column, as in LIMIT.
_PLAIN = (Text, Integer, BigInteger, LargeBinary, NullType)


class _Compiled:
    """The text for SQLite, and how the values come into its order."""

    def __init__(self, statement: Core, dialect: Dialect, columns: Sequence[str] | None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.text = str(compiled)
        self.names = tuple(compiled.positiontup or ())
        self.fixed = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
        types: list[TypeEngine[Any]] = [bind.type for bind in compiled.binds.values()]
        types += [column.type for column in statement.exported_columns]
        if any(not isinstance(type_, _PLAIN) for type_ in types) or any(b.expanding for b in compiled.binds.values()):
            raise TypeError(f"only whole numbers, texts and bytes can be prepared: {self.text}")
        pick = itemgetter(*self.names) if self.names else None
        self._pick = pick if len(self.names) != 1 else (lambda values: (values[self.names[0]],))

    def parameters(self, values: Values) -> tuple[Any, ...]:
        if self._pick is None:
            return ()
        return cast(tuple[Any, ...], self._pick({**self.fixed, **values} if self.fixed else values))


class Statement:
    """One statement for both databases. Rows are read by position; what it raises are SQLAlchemy's errors."""

    def __init__(self, statement: Core | Callable[[Connection], Core], columns: Sequence[str] | None = None) -> None:
        """A function builds what differs by dialect, once for each. `columns` are those that an insert without
        `values` fills. Raises TypeError at the first use for types that the driver does not take as they are, and for
        lists in IN."""
        self._source = statement
        self._columns = columns
        self._built: dict[str, Core] = {}
        self._compiled: _Compiled | None = None

    def run(self, db: Connection, values: Values) -> int:
        """How many rows were written."""
        if db.dialect.name != "sqlite":
            return db.execute(self._statement(db), values).rowcount
        return self._execute(db, values, _counted)

    def run_many(self, db: Connection, rows: Sequence[Values]) -> None:
        """Run it for each of `rows`."""
        if db.dialect.name != "sqlite":
            db.execute(self._statement(db), rows)
            return
        compiled = self._compiled or self._compile(db)
        try:
            _driver(db).executemany(compiled.text, [compiled.parameters(values) for values in rows])
        except sqlite3.Error as error:
            raise _named(error, compiled, db) from error

    def first(self, db: Connection, values: Values) -> Row | None:
        """The first row that it returns."""
        rows = self.all(db, values)
        return rows[0] if rows else None

    def all(self, db: Connection, values: Values) -> Sequence[Row]:
        """The rows that it returns."""
        if db.dialect.name != "sqlite":
            return db.execute(self._statement(db), values).all()
        return self._execute(db, values, _fetched)

    def _execute(self, db: Connection, values: Values, outcome: Callable[[sqlite3.Cursor], T]) -> T:
        compiled = self._compiled or self._compile(db)
        try:
            return outcome(_driver(db).execute(compiled.text, compiled.parameters(values)))
        except sqlite3.Error as error:
            raise _named(error, compiled, db) from error

    def _compile(self, db: Connection) -> _Compiled:
        self._compiled = _Compiled(self._statement(db), db.dialect, self._columns)
        return self._compiled

    def _statement(self, db: Connection) -> Core:
        name = db.dialect.name
        built = self._built.get(name)
        if built is None:
            source = self._source
            built = self._built[name] = source(db) if callable(source) else source
        return built


def _counted(cursor: sqlite3.Cursor) -> int:
    return cursor.rowcount


def _fetched(cursor: sqlite3.Cursor) -> Sequence[Row]:
    return cursor.fetchall()


def _driver(db: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, db.connection.driver_connection)


def _named(error: sqlite3.Error, compiled: _Compiled, db: Connection) -> BaseException:
    """The error as SQLAlchemy would raise it; without the values, which belong into no log."""
    return DBAPIError.instance(compiled.text, None, error, sqlite3.Error, dialect=db.dialect)
