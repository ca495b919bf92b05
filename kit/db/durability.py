"""What stands between a commit that was answered and the disk, as the database itself says it."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import Connection, text

from kit.db.database import Database

log = structlog.get_logger("database")
_SQLITE_LEVELS = ("off", "normal", "full", "extra")
_POSTGRES = text("SELECT name, setting FROM pg_settings WHERE name IN (:a, :b, :c)").bindparams(
    a="fsync", b="full_page_writes", c="synchronous_commit"
)


async def durability(db: Database) -> Mapping[str, str]:
    """The settings by which the connection that writes keeps what it commits. Raises Unavailable."""
    return await db.write(_sqlite if db.dialect == "sqlite" else _postgres)


def _sqlite(connection: Connection) -> dict[str, str]:
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    return {"journal_mode": str(mode), "synchronous": _SQLITE_LEVELS[int(level)]}


def _postgres(connection: Connection) -> dict[str, str]:
    return {str(name): str(setting) for name, setting in connection.execute(_POSTGRES)}


def lacking(settings: Mapping[str, str]) -> list[str]:
    """Of what `durability` found, the settings with which a crash of the machine may lose or tear what was committed.

    https://www.sqlite.org/pragma.html#pragma_synchronous, https://www.postgresql.org/docs/current/runtime-config-wal.html
    """
    unsafe = {"synchronous": ("off", "normal"), "fsync": ("off",), "full_page_writes": ("off",)}
    unsafe["synchronous_commit"] = ("off", "local", "remote_write")
    return [name for name, value in settings.items() if value in unsafe.get(name, ())]


async def tell(db: Database) -> None:
    """Log how durable commits are: a warning where they are not. The server's own settings are its operator's."""
    settings = await durability(db)
    if missing := lacking(settings):
        log.warning("the database may lose what it has committed", lacking=missing, **settings)
    else:
        log.info("commits are durable", **settings)
