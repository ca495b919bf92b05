"""Which shape a database has, and whether this release can work on it.

Revisions are numbers of four digits, one after the other, at most one a release and service. A release works on the
shape it was made for and on the next one, which only adds to it: so a database is migrated first, and the processes
are replaced one by one afterwards.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, inspect, text

from kit.db.database import Database

NEWER = 1
"""By how many revisions a database may be ahead of the code."""
_TABLE = "alembic_version"


class WrongRevision(Exception):
    """The database has a shape that this release cannot work on; the message says what to do."""


def revision_of(connection: Connection, schema: str) -> str:
    """The database's revision; "" when it was never migrated. `schema` counts on PostgreSQL only."""
    place = schema if connection.dialect.name == "postgresql" else None
    if not inspect(connection).has_table(_TABLE, schema=place):
        return ""
    table = f'"{place}".{_TABLE}' if place else _TABLE
    return str(connection.execute(text(f"SELECT version_num FROM {table}")).scalar() or "")  # noqa: S608 - no input


def check(found: str, needed: str, service: str) -> None:
    """Raises WrongRevision unless a release made for `needed` works on a database at `found`."""
    if not found:
        raise WrongRevision(f"{service}: the database was never migrated: run prsm migrate --service {service}")
    if not found.isdecimal():
        raise WrongRevision(f"{service}: the database is at {found}, which is no revision of this product")
    ahead = int(found) - int(needed)
    if ahead < 0:
        raise WrongRevision(
            f"{service}: the database is at revision {found}, {needed} is needed: run prsm migrate --service {service}"
        )
    if ahead > NEWER:
        raise WrongRevision(
            f"{service}: the database is at revision {found}, more than {NEWER} after {needed}: run a newer release"
        )


def check_tables(connection: Connection, own: Collection[str], service: str) -> None:
    """Raises WrongRevision for a migrated database that has none of the service's `own` tables. On PostgreSQL each
    service has a schema of its name, so only a file can be another's."""
    if connection.dialect.name != "sqlite":
        return
    if not set(own).intersection(inspect(connection).get_table_names()):
        raise WrongRevision(f"{service}: the database is another service's: look at its URL")


async def require_revision(db: Database, needed: str, service: str) -> None:
    """Raises WrongRevision, or Unavailable when the database does not answer."""
    check(await db.read(lambda connection: revision_of(connection, service)), needed, service)
