"""The most memory that this process has held."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_memory() -> int:
    """Largest resident set of this process, in bytes.

    Linux counts in getrusage(2) also what the process that started this one had held by then, which stays over exec;
    VmHWM in proc_pid_status(5) begins anew there. Where there is none, it is as getrusage tells.
    """
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # Below is the next best.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
