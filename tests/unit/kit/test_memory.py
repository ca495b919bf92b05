from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit import memory
from kit.memory import Ebb, give_back


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each time that memory was given back, which it really was."""
    times: list[None] = []

    def counted() -> None:
        give_back()
        times.append(None)

    monkeypatch.setattr(memory, "give_back", counted)
    return times


async def closed(ebb: Ebb, numbers: range) -> None:
    """So many are left after each that closes; then everything that follows from it. On a loop that no other test has,
    for its threads are changed."""
    loop = asyncio.get_running_loop()
    # One thread, which does things in their order.
    loop.set_default_executor(ThreadPoolExecutor(1))
    for number in numbers:
        ebb.now(number)
    for _ in range(3):
        await asyncio.sleep(0)
    await loop.run_in_executor(None, lambda: None)


def test_memory_is_given_back_once_most_are_gone(given: list[None]) -> None:
    async def most_go() -> None:
        ebb = Ebb(pause=0)
        await closed(ebb, range(2000, 1000, -1))
        assert len(given) == 0
        await closed(ebb, range(1000, 0, -1))
        assert len(given) == 1
        # What is left is few, whatever it was before.
        await closed(ebb, range(400, 0, -1))
        assert len(given) == 1

    asyncio.run(most_go())


def test_few_are_not_worth_it(given: list[None]) -> None:
    asyncio.run(closed(Ebb(pause=0), range(499, -1, -1)))
    assert given == []
