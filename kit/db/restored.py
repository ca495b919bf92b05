"""What a database needs once it was set back to an earlier moment."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from kit.db.outbox import Outbox
from kit.db.tables import KitTables


def mark_restored(connection: Connection, tables: KitTables) -> int:
    """Have every event that is still kept published again; how many there are.

    An event may have been published before the moment and not have reached every consumer by then, and the stream that
    held it is gone or tells of what never happened. Consumers apply only what is news to them, so that telling all of
    it again changes nothing else.
    """
    connection.execute(delete(tables.stream_marks))
    return Outbox(tables).republish_since(connection, since=-1)
