"""Processes as the kernel sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path


def children_of(pid: int) -> set[int]:
    """The children of a process, those that have ended and were not waited for among them."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def alive(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def until(condition: Callable[[], bool]) -> None:
    """Return when the kernel shows it."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - /proc wakes nobody
            await asyncio.sleep(0.002)


async def ended(pid: int) -> None:
    """Return when a process has ended."""
    await until(lambda: not alive(pid))
