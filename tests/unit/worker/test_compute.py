"""Work in threads."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
import types
from pathlib import Path

import pytest

from worker.compute import run_interruptible


async def test_the_value_comes_back_and_the_loop_stays_free() -> None:
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(a: int, b: int) -> int:
        # Returns only once the event loop has run in the meantime.
        asyncio.run_coroutine_threadsafe(seen.wait(), loop).result(10)
        return a + b

    running = asyncio.create_task(run_interruptible(work, 2, 3))
    seen.set()
    assert await running == 5


async def test_an_error_comes_back() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await run_interruptible(work)


async def test_cancelling_ends_a_loop_that_catches_everything_it_may() -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    threads: list[threading.Thread] = []

    def stubborn() -> None:
        threads.append(threading.current_thread())
        loop.call_soon_threadsafe(begun.set)
        while True:
            try:
                _ = sum(range(100))
            except Exception:
                continue

    running = asyncio.create_task(run_interruptible(stubborn))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not threads[0].is_alive()


async def test_an_import_is_never_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_to_import.py").write_text("import gates\ngates.begun()\ngates.opened.wait(30)\nDONE = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    gates = types.ModuleType("gates")
    gates.opened = threading.Event()  # type: ignore[attr-defined]
    gates.begun = lambda: loop.call_soon_threadsafe(begun.set)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gates", gates)

    def work() -> None:
        importlib.import_module("slow_to_import")
        while True:
            pass

    running = asyncio.create_task(run_interruptible(work))
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    gates.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sys.modules["slow_to_import"].DONE
    monkeypatch.delitem(sys.modules, "slow_to_import")
