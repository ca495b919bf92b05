"""What was deleted long ago, and nothing cites, is removed for good."""

from __future__ import annotations

from pathlib import Path

from kit.db.leases import Leases
from kit.times import DAY, SECOND
from services.library.sweeper import Sweeper
from services.library.tables import KIT
from tests.integration.library.refusals import refused
from tests.integration.library.stand import SESSION, Stand

LONG = "Peat is made of moss. " * 5_000


def files(folder: Path) -> int:
    return sum(path.is_file() for kind in ("raw", "text") for path in (folder / "blobs" / kind).rglob("*"))


async def test_only_what_is_old_and_unused_goes(stand: Stand) -> None:
    cited, old = [
        (await stand.upload((f"{number}.md", f"{LONG}{number}".encode()))).json["document_id"] for number in range(2)
    ]
    small = await stand.create("Fens are wet.")
    kept = await stand.create("Oaks are tall.")
    await stand.completed(cited)
    for document_id in (cited, old, small.document_id):
        await stand.delete(document_id)
    assert files(stand.folder) == 4
    stand.clock.advance(seconds=29 * DAY / SECOND)
    assert await stand.app.purge_deleted() == 0
    late = await stand.create("Late.")
    await stand.delete(late.document_id)
    stand.clock.advance(seconds=2 * DAY / SECOND)
    assert await stand.app.purge_deleted() == 2
    assert files(stand.folder) == 2
    stand.shares.viewers[SESSION] = {"vera"}
    assert (await stand.text(cited, user="vera")).startswith("Peat")
    for document_id in (old, small.document_id):
        grant = stand.grant(documents=[document_id])
        assert (await refused(stand.content(grant, document_id))).name == "DOCUMENT_NOT_FOUND"
        assert await stand.passages("peat fens", grant) == []
    assert await stand.text(kept.document_id) == "Oaks are tall."
    assert (await stand.content(stand.grant(), late.document_id))[1] == b"Late."


async def test_one_replica_at_a_time_sweeps(stand: Stand) -> None:
    made = await stand.create("Fens are wet.")
    await stand.delete(made.document_id)
    stand.clock.advance(seconds=31 * DAY / SECOND)
    sweepers = [
        Sweeper(stand.db, Leases(KIT), stand.clock, stand.ids, [stand.app.purge_deleted], every=60) for _ in range(2)
    ]
    assert [await sweeper.round() for sweeper in sweepers] == [1, 0]
