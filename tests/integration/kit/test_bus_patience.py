"""Events that cannot be handled wait longer and longer, keep nobody out, and are taken once they can be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from google.protobuf.message import DecodeError
from nats.js.api import ConsumerInfo
from structlog.testing import capture_logs

from kit.bus.consumer import EVENTS, Consumer, Received
from kit.bus.names import EVENTS_STREAM
from kit.bus.patience import Patience
from kit.db.database import Database
from kit.tasks import end
from tests.integration.kit.bus_rig import Rig, until
from tests.support.nats import NatsServer


class Quick(Patience):
    """Waits next to nothing, and notes how long it would have waited."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.waits: list[tuple[str, int]] = []

    def delay(self, outcome: str, delivered: int) -> float:
        self.waits.append((outcome, delivered))
        return 0.001 * super().delay(outcome, delivered)


class Reader:
    """Cannot read versions below `knows`."""

    def __init__(self, knows: int) -> None:
        self.knows = knows
        self.read: list[int] = []

    async def __call__(self, received: Received) -> None:
        version = int(received.payload)
        if version < self.knows:
            raise DecodeError("a field of another sort")
        self.read.append(version)


def consumer(rig: Rig, handler: Reader, patience: Patience) -> asyncio.Task[None]:
    made = Consumer(
        rig.bus, durable="reader", subjects=["prsm.events.test.>"], handler=handler, wait=0.25, patience=patience
    )
    return asyncio.create_task(made.run())


async def test_what_cannot_be_read_is_reported_once_and_read_by_a_newer_release(
    nats: NatsServer, bus_db: Database
) -> None:
    reader, patience = Reader(knows=2), Quick()
    counted = EVENTS.labels("reader", "undecodable").value
    with capture_logs() as logs:
        async with Rig(nats, bus_db) as rig:
            task = consumer(rig, reader, patience)
            await rig.append("a", 1, 2, 3)
            await until(lambda: len(patience.waits) >= 4 and len(reader.read) >= 2)
            assert sorted(reader.read) == [2, 3]
            reader.knows = 0
            await until(lambda: 1 in reader.read)
            await end([task])
    assert patience.waits[:4] == [("undecodable", attempt) for attempt in (1, 2, 3, 4)]
    assert len([entry for entry in logs if entry["event"] == "event not decodable"]) == 1
    assert EVENTS.labels("reader", "undecodable").value - counted == len(patience.waits)


async def test_any_number_of_events_that_nobody_can_read_keeps_no_other_out(nats: NatsServer, bus_db: Database) -> None:
    reader = Reader(knows=9_000)
    async with Rig(nats, bus_db) as rig:
        task = consumer(rig, reader, Patience())
        await rig.append("a", *range(1, 1_201))
        await rig.append("a", 9_000)
        await until(lambda: reader.read)

        async def all_others_wait() -> bool:
            # The broker may not have the word yet that this one is done with.
            waiting: ConsumerInfo = await rig.js.consumer_info(EVENTS_STREAM, "reader")
            return waiting.num_ack_pending == 1_200

        await until(all_others_wait)
        await end([task])
    assert reader.read == [9_000]


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        ("failed", [1, 2, 4, 8, 16, 32, 60, 60]),
        ("undecodable", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]),
    ],
)
def test_waits_grow_up_to_minutes(outcome: str, waits: Sequence[float]) -> None:
    patience = Patience(lambda: 0.0)
    assert [patience.delay(outcome, attempt) for attempt in range(1, len(waits) + 1)] == waits
    halves = Patience(lambda: 1.0)
    assert [halves.delay(outcome, attempt) for attempt in range(1, len(waits) + 1)] == [wait / 2 for wait in waits]


def test_reports_are_remembered_to_a_bound() -> None:
    patience = Patience()
    assert [patience.is_news(id_) for id_ in ("a", "b", "a")] == [True, True, False]
    assert all(patience.is_news(str(number)) for number in range(5_000))
    assert patience.is_news("a")
