"""Which of the library's bytes rows tell of."""

from __future__ import annotations

from kit.blobs import open_blobs
from kit.db.leases import Leases
from kit.orphans import OrphanSweeper
from kit.times import DAY, HOUR, SECOND
from services.library.repository.blobs import PREFIXES, kept_blobs
from services.library.tables import KIT
from tests.integration.library.stand import Stand

LONG = "Peat is made of moss. " * 5_000


async def test_what_was_never_finished_goes_and_what_a_row_tells_of_stays(stand: Stand) -> None:
    blobs = open_blobs(str(stand.folder / "blobs"))
    listed, deleted = [
        (await stand.upload((f"{number}.md", f"{LONG}{number}".encode()))).json["document_id"] for number in range(2)
    ]
    await stand.delete(deleted)
    used = {f"{kind}/{each[-2:]}/{each}" for kind in ("raw", "text") for each in (listed, deleted)}
    assert {item.key async for items in blobs.stored("") for item in items} >= used
    before = {item.key async for items in blobs.stored("") for item in items}
    lost = ["raw/zz/none", "text/zz/none", f"index/{'0' * 32}/none"]
    another = ["raw/readme", "index/readme", "elsewhere/zz/none"]
    for key in (*lost, *another):
        await blobs.put(key, b"1")
    sweeper = OrphanSweeper(
        db=stand.db,
        leases=Leases(KIT),
        blobs=blobs,
        clock=stand.clock,
        ids=stand.ids,
        kept=kept_blobs,
        prefixes=PREFIXES,
        days=30,
    )
    # Files have the machine's time.
    stand.clock.advance(seconds=10 * 365 * DAY / SECOND)
    removed = 0
    for _ in range(3):
        removed += await sweeper.round()
        stand.clock.advance(seconds=HOUR / SECOND)
    assert removed == len(lost)
    assert {item.key async for items in blobs.stored("") for item in items} == {*before, *another}
