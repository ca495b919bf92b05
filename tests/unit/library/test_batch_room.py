from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from kit.errors import PayloadTooLarge, Unavailable
from kit.ids import RandomIds
from kit.times import ManualClock
from services.library.spooling import Room
from services.library.streams import NdjsonLimits
from services.library.usecases.batch_documents import BatchDocuments

NDJSON = "application/x-ndjson"
LINE = b'{"text": "Peat is made of moss."}\n'


async def sent(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def batches(room: Room) -> BatchDocuments:
    """For receiving alone."""
    none, clock = cast(Any, None), ManualClock()
    return BatchDocuments(none, none, none, none, clock, RandomIds(clock), NdjsonLimits(body=10 * len(LINE)), room=room)


async def test_batches_under_way_are_bounded_together() -> None:
    room = Room(3 * len(LINE))
    use = batches(room)
    async with use.received("ada", NDJSON, sent(LINE, LINE)) as first:
        assert [line.number for line in first.lines] == [1, 2]
        assert room.taken == 2 * len(LINE)
        with pytest.raises(Unavailable):
            async with use.received("ben", NDJSON, sent(LINE, LINE)):
                pass
        async with use.received("ben", NDJSON, sent(LINE)) as second:
            assert len(second.lines) == 1
    assert room.taken == 0
    async with use.received("ben", NDJSON, sent(LINE, LINE)) as third:
        assert len(third.lines) == 2


async def test_a_batch_that_is_given_up_gives_its_room_back() -> None:
    room = Room(100 * len(LINE))
    with pytest.raises(PayloadTooLarge):
        async with batches(room).received("ada", NDJSON, sent(*[LINE] * 11)):
            pass
    with pytest.raises(ZeroDivisionError):
        async with batches(room).received("ada", NDJSON, sent(LINE)) as batch:
            _ = len(batch.lines) / 0
    assert room.taken == 0
