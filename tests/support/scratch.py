"""Where tests put their files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 8 << 30
"""Bytes of memory that must be left. A run's files take up far less at a time, and those of tests that passed go."""


def keep_in_memory() -> None:
    """Temporary folders of this process, and of all that it starts, lie in memory, where there is enough: databases and
    brokers ask for each of their commits to be on disk, and a run of all tests spent minutes waiting for that alone.
    They still ask, and what is written still outlives the processes. A TMPDIR that is set stays."""
    if "TMPDIR" not in os.environ and _usable(_MEMORY):
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # Found out once, before.


def _usable(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
        information = Path("/proc/meminfo").read_text()
    except OSError:
        return False
    available = [int(line.split()[1]) << 10 for line in information.splitlines() if line.startswith("MemAvailable:")]
    left = min(found.f_bavail * found.f_frsize, _allowed(), *available)
    # Tests write programs, too.
    return left >= _ROOM and not found.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK | os.X_OK)


def _allowed() -> int:
    """What a container may use, in bytes."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return _ROOM  # No bound.
