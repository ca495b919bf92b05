"""The artifacts' index on both databases."""

from __future__ import annotations

from dataclasses import replace

from kit.db.database import Database
from services.results.domain import Artifact, ArtifactKey, ArtifactKind
from services.results.repository import SqlArtifacts

KEY = ArtifactKey("s", 1, "a" * 64)
ARTIFACT = Artifact(KEY, ArtifactKind.CHECKPOINT, "ada", 10, 1_000_000)


async def test_what_is_stored_is_found_under_its_whole_key(db: Database) -> None:
    index = SqlArtifacts()
    await db.write(lambda conn: index.insert(conn, ARTIFACT))
    assert await db.read(lambda conn: index.find(conn, KEY)) == ARTIFACT
    for other in (replace(KEY, epoch=2), replace(KEY, session_id="t"), replace(KEY, hash="b" * 64)):
        assert await db.read(lambda conn, key=other: index.find(conn, key)) is None  # type: ignore[misc]


async def test_the_first_row_stays(db: Database) -> None:
    index = SqlArtifacts()
    await db.write(lambda conn: index.insert(conn, ARTIFACT))
    await db.write(lambda conn: index.insert(conn, replace(ARTIFACT, created_at=2_000_000)))
    assert await db.read(lambda conn: index.find(conn, KEY)) == ARTIFACT
