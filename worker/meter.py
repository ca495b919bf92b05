"""CPU time and peak memory of this process."""

from __future__ import annotations

import time
from pathlib import Path

from kit.peaks import peak_memory

_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class ProcessMeter:
    """Measures from its creation on; of several sessions at a time each is counted the whole process.

    Where the system cannot set the peak back (not Linux), it is that of the process's whole life.
    """

    def __init__(self) -> None:
        self._cpu = time.process_time()
        try:
            _CLEAR_REFS.write_text(_RESET_PEAK)
        except OSError:
            pass  # As the class says.

    def cpu_seconds(self) -> float:
        """CPU seconds of all threads."""
        return time.process_time() - self._cpu

    def peak_memory_mb(self) -> float:
        """Largest resident set, in 10^6 bytes."""
        return peak_memory() / 1e6
