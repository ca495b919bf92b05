"""Finding work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from kit.errors import Unavailable
from tests.unit.worker.fakes import claim
from worker.claims import ClaimLoop
from worker.drain import Drain
from worker.model import Claim, EmptyFirst, Ending


@dataclass
class Message:
    engine: str = "research"
    said: list[str] = field(default_factory=list)
    spoken: asyncio.Event = field(default_factory=asyncio.Event)

    async def in_progress(self) -> None:
        self.said.append("in progress")
        self.spoken.set()

    async def done(self) -> None:
        self.said.append("done")

    async def give_back(self) -> None:
        self.said.append("back")


class Work:
    """Wake-ups, claims and a run that ends the drain with the last of them."""

    def __init__(self, messages: list[Message | None], claims: list[Claim | EmptyFirst | Exception | None]) -> None:
        self.messages = messages
        self.claims = claims
        self.asked: list[tuple[str, ...]] = []
        self.in_hand: list[int] = []
        self.ran: list[Claim] = []
        self.drain = Drain(0)
        self.arrived = asyncio.Semaphore(0)
        self.until = asyncio.Event()
        self.until.set()

    async def next(self, timeout: float) -> Message | None:
        return self.messages.pop(0) if self.messages else None

    async def claim_next(self, worker_id: str, engines: Sequence[str], in_hand: int) -> Claim | EmptyFirst | None:
        self.asked.append(tuple(engines))
        self.in_hand.append(in_hand)
        found = self.claims.pop(0)
        if not self.claims:
            self.drain.begin()
        if isinstance(found, Exception):
            raise found
        return found

    async def run(self, given: Claim) -> Ending:
        self.ran.append(given)
        self.arrived.release()
        await self.until.wait()
        return Ending.COMPLETED

    def loop(self, hands: int = 1) -> ClaimLoop:
        return ClaimLoop(
            worker_id="w",
            engines=["analysis", "research"],
            claim_next=self.claim_next,
            run=self.run,
            wake_ups=self,
            drain=self.drain,
            poll=0,
            keep=0,
            hands=hands,
        )


async def test_without_a_wake_up_it_looks_for_every_engine() -> None:
    work = Work([None], [claim()])
    await work.loop().run()
    assert work.asked == [("analysis", "research")]
    assert len(work.ran) == 1


async def test_a_wake_up_is_for_its_engine_and_done_when_the_claim_has_ended() -> None:
    message = Message()
    work = Work([message], [claim()])
    work.until.clear()
    running = asyncio.create_task(work.loop().run())
    await message.spoken.wait()
    assert set(message.said) == {"in progress"}
    work.until.set()
    await running
    assert work.asked == [("research",)]
    assert message.said[-1] == "done"


async def test_a_wake_up_whose_work_is_taken_is_done_with() -> None:
    message = Message()
    work = Work([message], [None])
    await work.loop().run()
    assert (message.said, work.ran) == (["done"], [])


async def test_a_session_service_that_is_away_gives_the_wake_up_back() -> None:
    message = Message()
    work = Work([message, None], [Unavailable(), claim()])
    await work.loop().run()
    assert message.said == ["back"]
    assert len(work.ran) == 1


async def test_a_wake_up_that_comes_into_a_drain_is_given_back() -> None:
    message = Message()
    work = Work([message], [claim()])

    async def late(timeout: float) -> Message | None:
        work.drain.begin()
        return message

    work.next = late  # type: ignore[method-assign]
    await work.loop().run()
    assert work.asked == []
    assert message.said == ["back"]


async def test_a_drain_ends_the_wait_for_a_wake_up() -> None:
    work = Work([], [claim()])

    async def never(timeout: float) -> Message | None:
        work.drain.begin()
        await asyncio.Event().wait()
        return None

    work.next = never  # type: ignore[method-assign]
    await work.loop().run()
    assert work.asked == []


async def test_a_broker_that_cannot_be_told_stops_nothing() -> None:
    class Mute(Message):
        async def done(self) -> None:
            raise ConnectionError("gone")

    work = Work([Mute()], [claim()])
    await work.loop().run()
    assert len(work.ran) == 1


async def test_a_bug_in_running_ends_the_loop() -> None:
    work = Work([None], [claim()])

    async def broken(given: Claim) -> Ending:
        raise RuntimeError("a bug")

    work.run = broken  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await work.loop().run()


async def test_it_takes_as_many_sessions_as_it_has_hands() -> None:
    work = Work([], [claim(), claim(), claim(), None])
    work.until.clear()
    running = asyncio.create_task(work.loop(hands=2).run())

    for _ in range(2):
        await work.arrived.acquire()
    assert len(work.asked) == 2
    work.until.set()
    await running
    assert len(work.ran) == 3


async def test_a_session_that_must_be_alone_keeps_its_worker_to_itself() -> None:
    work = Work([], [replace(claim(), alone=True), claim(), claim()])
    work.until.clear()
    running = asyncio.create_task(work.loop(hands=2).run())
    await work.arrived.acquire()
    for _ in range(20):
        await asyncio.sleep(0)
    assert work.in_hand == [0]
    work.until.set()
    await running
    assert len(work.ran) == 3


async def test_a_worker_that_is_to_empty_itself_takes_nothing_until_it_has() -> None:
    work = Work([], [claim(), claim(), EmptyFirst(), claim(), claim()])
    work.until.clear()
    running = asyncio.create_task(work.loop(hands=3).run())
    for _ in range(2):
        await work.arrived.acquire()
    for _ in range(20):
        await asyncio.sleep(0)
    assert work.in_hand == [0, 1, 2]
    work.until.set()
    await running
    assert work.in_hand[3] == 0
    assert len(work.ran) == 4


async def test_a_drain_waits_for_what_is_under_way() -> None:
    work = Work([], [claim(), claim()])
    work.until.clear()
    running = asyncio.create_task(work.loop(hands=2).run())
    for _ in range(2):
        await work.arrived.acquire()
    assert work.drain.begun
    assert not running.done()
    work.until.set()
    await running
