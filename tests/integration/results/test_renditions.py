"""Finished documents that are kept: made once over all replicas, told apart, cleared away, and never a way in."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from kit.db.database import Database
from kit.errors import Unavailable
from kit.ids import RandomIds
from kit.times import DAY, ManualClock
from services.results.cache.claims import LEASE, Claims
from services.results.cache.index import RenditionIndex, Row
from services.results.cache.key import key_of
from services.results.cache.sweeper import Room
from services.results.errors import ExportTooLarge
from services.results.rendering.pool import (
    DocumentTooLarge,
    RenderingBusy,
    RenderingCrashed,
    RenderingFailed,
    RenderingTimedOut,
)
from services.results.renditions import RenderingRefused
from tests.integration.results.replicas import MADE, ORDER, REQUEST, Replicas, gather


async def test_what_one_replica_made_the_others_serve(replicas: Replicas) -> None:
    assert await replicas.start().render(ORDER, gather) == MADE
    await replicas.settle()
    assert await replicas.start().render(ORDER, gather) == MADE
    assert replicas.press.made == 1
    assert (await replicas.rows())[1] > len(MADE.body)


async def test_replicas_that_are_asked_at_once_make_it_once(replicas: Replicas) -> None:
    replicas.press.open.clear()
    several = [replicas.start() for _ in range(3)]
    asked = [asyncio.create_task(one.render(ORDER, gather)) for one in several for _ in range(4)]
    await replicas.press.started.wait()
    replicas.press.open.set()
    assert await asyncio.gather(*asked) == [MADE] * 12
    assert replicas.press.made == 1


async def test_other_content_options_or_renderers_are_other_documents(replicas: Replicas) -> None:
    one, upgraded = replicas.start(), replicas.start(version="2")
    orders = [
        ORDER,
        replace(ORDER, document="e" * 64),
        replace(ORDER, execution="f"),
        replace(ORDER, raw_data=True),
        replace(ORDER, extra="limit=3"),
        replace(ORDER, request=replace(REQUEST, format="docx")),
        replace(ORDER, request=replace(REQUEST, session_id="s2")),
        replace(ORDER, request=replace(REQUEST, citation_style="ieee")),
        replace(ORDER, request=replace(REQUEST, language="de")),
        replace(ORDER, request=replace(REQUEST, csl="<style/>")),
    ]
    tags = [renderer.tag(order) for order in orders for renderer in (one, upgraded)]
    assert len(set(tags)) == len(tags)
    await one.render(ORDER, gather)
    await replicas.settle()
    await upgraded.render(ORDER, gather)
    assert replicas.press.made == 2


async def test_a_replica_that_dies_between_claim_and_object_holds_nobody_up_for_long(replicas: Replicas) -> None:
    dead = await replicas.kept().claims.take(key_of("1", ORDER), "pdf")
    assert dead is not None
    asked = asyncio.create_task(replicas.start().render(ORDER, gather))
    # Its claim lasts while the clock stands still; after that it counts for nothing.
    assert not await replicas.kept().claims.released(dead.key, within=0.05)
    replicas.clock.advance(seconds=LEASE / 1e6 + 1)
    assert await asked == MADE
    await replicas.settle()
    assert len(replicas.objects()) == 1


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "longer"])
async def test_a_damaged_object_is_made_anew(replicas: Replicas, harm: str) -> None:
    await replicas.start().render(ORDER, gather)
    await replicas.settle()
    [path] = replicas.objects()
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut": whole[:-100],
            "changed": whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:],
            "empty": b"",
            "longer": whole + b"x",
        }[harm]
    )
    assert await replicas.start().render(ORDER, gather) == MADE
    await replicas.settle()
    assert replicas.press.made == 2
    assert path.read_bytes() == whole


async def test_without_the_store_documents_are_made_all_the_same(replicas: Replicas) -> None:
    (replicas.folder / "renditions").write_bytes(b"no folder")
    assert await replicas.start().render(ORDER, gather) == MADE
    await replicas.settle()
    # Nothing is left of the attempt that would stand in the way of the next one.
    assert await replicas.rows() == (0, 0)


async def test_without_the_index_documents_are_made_all_the_same(replicas: Replicas, file_db: Database) -> None:
    await file_db.close()
    assert await replicas.start().render(ORDER, gather) == MADE
    await replicas.settle()
    assert replicas.objects() == []


async def test_who_leaves_before_it_is_begun_costs_no_rendering(replicas: Replicas) -> None:
    replicas.press.open.clear()
    renderer = replicas.start()
    first = asyncio.create_task(renderer.render(ORDER, gather))
    await replicas.press.started.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    replicas.press.open.set()
    await replicas.settle()
    assert replicas.press.made == 0
    assert await renderer.render(ORDER, gather) == MADE


async def test_one_of_several_who_leaves_takes_nothing_from_the_others(replicas: Replicas) -> None:
    replicas.press.open.clear()
    renderer = replicas.start()
    first, second = (asyncio.create_task(renderer.render(ORDER, gather)) for _ in range(2))
    await replicas.press.started.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    replicas.press.open.set()
    assert await second == MADE


async def test_a_document_beyond_a_bound_is_named_with_its_cure_and_not_tried_again_soon(replicas: Replicas) -> None:
    renderer = replicas.start()
    replicas.press.error = DocumentTooLarge("pages", 2000)
    for _ in range(3):
        with pytest.raises(ExportTooLarge) as caught:
            await renderer.render(ORDER, gather)
        assert caught.value.details == {
            "format": "pdf",
            "bound": "pages",
            "limit": 2000,
            "formats": ["markdown", "json"],
        }
        assert caught.value.message == "As pdf the document has more than 2,000 pages: choose markdown or json"
    assert replicas.press.made == 1
    replicas.press.error = None
    replicas.clock.advance(seconds=601)
    assert await renderer.render(ORDER, gather) == MADE


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (RenderingCrashed("died"), Unavailable),
        (RenderingFailed("failed: no"), RenderingRefused),
        (RenderingTimedOut("long"), ExportTooLarge),
    ],
)
async def test_what_fails_is_tried_again_a_minute_later(
    replicas: Replicas, failure: Exception, raised: type[Exception]
) -> None:
    """The edges ask again at once when a service is away: that must not cost one process after the other."""
    renderer = replicas.start()
    replicas.press.error = failure
    for _ in range(3):
        with pytest.raises(raised):
            await renderer.render(ORDER, gather)
    assert replicas.press.made == 1
    await replicas.settle()
    assert await replicas.rows() == (0, 0)
    replicas.press.error = None
    replicas.clock.advance(seconds=61)
    assert await renderer.render(ORDER, gather) == MADE


async def test_a_full_queue_is_told_with_the_seconds_to_wait(replicas: Replicas) -> None:
    replicas.press.error = RenderingBusy(7)
    with pytest.raises(Unavailable) as caught:
        await replicas.start().render(ORDER, gather)
    assert caught.value.retry_after == 7
    replicas.press.error = None
    assert await replicas.start().render(ORDER, gather) == MADE


async def test_the_sweep_removes_what_is_unused_and_what_there_is_no_room_for(replicas: Replicas) -> None:
    await replicas.blobs.put("artifacts/s1/1/abc", b"a result document")
    orders = [replace(ORDER, document=letter * 64) for letter in "abcdef"]
    renderer = replicas.start()
    for order in orders:
        await renderer.render(order, gather)
        await replicas.settle()
        replicas.clock.advance(seconds=DAY / 1e6)
    count, size = await replicas.rows()
    assert (count, len(replicas.objects())) == (6, 6)

    await replicas.kept(Room(unused=5 * DAY - 1, most_bytes=1 << 30)).sweeper.sweep()
    assert (await replicas.rows())[0] == len(replicas.objects()) == 4

    # The oldest was used again: the others go first.
    used = replicas.kept()
    await replicas.start(kept=used).render(orders[2], gather)
    await replicas.settle()
    await replicas.kept(Room(unused=30 * DAY, most_bytes=size // 2 - 1)).sweeper.sweep()
    assert (await replicas.rows())[0] == len(replicas.objects()) == 2
    made = replicas.press.made
    await renderer.render(orders[2], gather)
    assert replicas.press.made == made
    assert await replicas.blobs.get("artifacts/s1/1/abc") == b"a result document"


async def test_a_sweep_leaves_alone_what_is_being_made(replicas: Replicas) -> None:
    claims = replicas.kept().claims
    claim = await claims.take(key_of("1", ORDER), "pdf")
    assert claim is not None
    await replicas.kept(Room(unused=-1, most_bytes=1)).sweeper.sweep()
    assert (await replicas.rows())[0] == 1
    await claims.finish(claim, 5)
    await replicas.kept(Room(unused=-1, most_bytes=1)).sweeper.sweep()
    assert await replicas.rows() == (0, 0)


async def test_objects_that_no_row_tells_of_are_found_and_nothing_else_is_touched(replicas: Replicas) -> None:
    await replicas.start().render(ORDER, gather)
    await replicas.settle()
    await replicas.blobs.put("renditions/ff/" + "f" * 64, b"stray")
    await replicas.blobs.put("artifacts/s1/1/abc", b"a result document")
    sweeper = replicas.kept().sweeper
    await sweeper.remove_strays()
    assert len(replicas.objects()) == 2, "one that is a day old at most may be on its way"
    replicas.clock.jump(seconds=_until_tomorrow(replicas))
    await sweeper.remove_strays()
    assert len(replicas.objects()) == 1
    assert await replicas.blobs.get("artifacts/s1/1/abc") == b"a result document"


async def test_one_replica_sweeps_at_a_time(replicas: Replicas) -> None:
    one, other = replicas.kept().sweeper, replicas.kept().sweeper
    assert await one.is_mine()
    assert not await other.is_mine()
    assert await one.is_mine()
    replicas.clock.advance(seconds=1000)
    assert await other.is_mine()


def _until_tomorrow(replicas: Replicas) -> float:
    """What is stored has the system's time, whatever the test's clock says."""
    return time.time() - replicas.clock.now() / 1e6 + 2 * 86400


@pytest.mark.parametrize("ended", ["finished", "given up", "dead"])
async def test_claims_on_each_database(db: Database, ended: str) -> None:
    clock = ManualClock()
    index = RenditionIndex()
    one, other = (Claims(db, index, clock, RandomIds(clock)) for _ in range(2))
    claim = await one.take("k", "pdf")
    assert claim is not None
    assert claim.size == 0
    assert await other.take("k", "pdf") is None
    if ended == "finished":
        await one.finish(claim, 7)
    elif ended == "given up":
        await one.give_up(claim)
        assert await db.read(index.total) == (0, 0)
    else:
        clock.advance(seconds=LEASE / 1e6 + 1)
    taken = await other.take("k", "pdf")
    assert taken is not None
    assert taken.size == (7 if ended == "finished" else 0)
    # What the first one says now counts for nothing.
    await one.finish(claim, 9)
    await one.give_up(claim)
    assert await one.take("k", "pdf") is None
    now = clock.now()
    assert await db.read(lambda conn: index.least_used(conn, before=now + 1, now=now, lease=LEASE, limit=9)) == []
    await other.finish(taken, 8)
    await db.write(lambda conn: index.use(conn, Row("l", "docx", 5, now - 1)))
    found = await db.read(lambda conn: index.least_used(conn, before=now + 1, now=now, lease=LEASE, limit=9))
    assert [(row.key, row.size) for row in found] == [("l", 5), ("k", 8)]
    await db.write(lambda conn: index.use(conn, Row("l", "docx", 5, now + 1)))
    await db.write(lambda conn: index.forget(conn, found))
    assert await db.read(lambda conn: index.known(conn, ["k", "l", "m"])) == {"l"}
