"""What every process tells of itself: its build, how late its event loop is, and room on its disks."""

from __future__ import annotations

import asyncio
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

from kit.telemetry.metrics import Gauge, Histogram

BUILD = Gauge("prsm_build_info", "1, with the release and the name of the process.", ["process", "version"])
LAG = Histogram("prsm_event_loop_lag_seconds", "How much later than asked for the event loop came back.")
FREE = Gauge("prsm_disk_free_bytes", "Room left where this process stores.", ["volume"])
SIZE = Gauge("prsm_disk_size_bytes", "Size of the file system where this process stores.", ["volume"])
_EVERY = 0.25
_PACKAGE = "prsm-platform"


def release() -> str:
    """The installed release; "unknown" where it runs from a plain checkout."""
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "unknown"


class LoopLag:
    """Run it as a task."""

    async def run(self) -> None:
        while True:
            asked = perf_counter()
            await asyncio.sleep(_EVERY)
            LAG.observe(max(perf_counter() - asked - _EVERY, 0.0))


def local_volumes(blobs: str) -> dict[str, Path]:
    """The blobs' directory, unless they are in an object store."""
    return {} if "://" in blobs else {"blobs": Path(blobs)}


def measure_disk(volume: str, path: Path) -> None:
    """`volume` says what is stored there. Blocks for a moment."""
    usage = shutil.disk_usage(path)
    FREE.labels(volume).set(usage.free)
    SIZE.labels(volume).set(usage.total)
