"""An SQLite file is for one process: its replicas would wait for each other's locks, and each thinks that it alone
writes. A second one is turned away at its start."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

_SCHEME = "sqlite:///"


class InUse(Exception):
    """Another process serves from the file; the message says so."""


class SoleUse:
    """Held from its making until `release`, or the end of the process."""

    def __init__(self, url: str) -> None:
        """For `sqlite:///path`; databases that are servers need nothing. Raises InUse, OSError."""
        self._file: int | None = None
        if not url.startswith(_SCHEME):
            return
        path = url.removeprefix(_SCHEME).partition("?")[0]
        # Beside the file, not on it: closing a second handle of the file itself would drop SQLite's own locks.
        lock = Path(f"{path}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise InUse(f"{path} is in use by another process: several replicas of a service need PostgreSQL") from None
        self._file = descriptor

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
