"""The artifacts' index in SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, select

from kit.db.upsert import insert_for
from services.results.domain import Artifact, ArtifactKey, ArtifactKind
from services.results.tables import artifacts

_BLOB = re.compile(r"artifacts/([^/]+)/(\d{1,18})/(?:([0-9a-f]{64})(?:\.index|\.canonical|\.points)?|incoming-[^/]+)")


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

    def kept(self, conn: Connection, blobs: Sequence[str]) -> frozenset[str]:
        """Those of the blobs that rows tell of, with what lies beside them; and those that are none of artifacts."""
        t = artifacts
        named = {blob: _BLOB.fullmatch(blob) for blob in blobs}
        sessions = {found[1] for found in named.values() if found}
        hashes = {found[3] for found in named.values() if found and found[3]}
        wanted = t.c.session_id.in_(sessions) & t.c.hash.in_(hashes)
        rows = conn.execute(select(t.c.session_id, t.c.epoch, t.c.hash).where(wanted))
        known = {(row.session_id, row.epoch, row.hash) for row in rows}
        return frozenset(
            blob for blob, found in named.items() if not found or (found[1], int(found[2]), found[3]) in known
        )

    def find(self, conn: Connection, key: ArtifactKey) -> Artifact | None:
        t = artifacts
        row = conn.execute(
            select(t.c.kind, t.c.owner, t.c.size, t.c.created_at).where(
                t.c.session_id == key.session_id, t.c.epoch == key.epoch, t.c.hash == key.hash
            )
        ).one_or_none()
        return None if row is None else Artifact(key, ArtifactKind(row.kind), row.owner, row.size, row.created_at)
