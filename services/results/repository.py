"""The artifacts' index in SQL."""

from __future__ import annotations

from sqlalchemy import Connection, select

from kit.db.upsert import insert_for
from services.results.domain import Artifact, ArtifactKey, ArtifactKind
from services.results.tables import artifacts


class SqlArtifacts:
    """Behind `ports.Artifacts`."""

    def insert(self, conn: Connection, artifact: Artifact) -> None:
        key = artifact.key
        statement = insert_for(conn, artifacts).values(
            session_id=key.session_id,
            epoch=key.epoch,
            hash=key.hash,
            kind=artifact.kind.value,
            owner=artifact.owner,
            size=artifact.size,
            created_at=artifact.created_at,
        )
        conn.execute(statement.on_conflict_do_nothing())

    def find(self, conn: Connection, key: ArtifactKey) -> Artifact | None:
        t = artifacts
        row = conn.execute(
            select(t.c.kind, t.c.owner, t.c.size, t.c.created_at).where(
                t.c.session_id == key.session_id, t.c.epoch == key.epoch, t.c.hash == key.hash
            )
        ).one_or_none()
        return None if row is None else Artifact(key, ArtifactKind(row.kind), row.owner, row.size, row.created_at)
