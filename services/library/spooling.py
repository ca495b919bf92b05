"""Uploads on disk while they are under way, so that what many send at once does not stand in memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kit.errors import Unavailable

IN_MEMORY = 64 * 1024
"""Bytes of a file that stay in memory."""
_FORM_IN_MEMORY = 1024 * 1024
FLUSH = 512 * 1024


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A file of a form, on disk until the form's spool is closed. `filename` is safe to store and show."""

    field: str
    filename: str
    content_type: str
    sha256: str
    size: int
    spool: Spool
    begin: int

    def read(self) -> bytes:
        """All of it. Blocks."""
        return self.spool.read(self.begin, self.size)


class Room:
    """What the bodies under way in this process may take together, in bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self.taken = 0

    def take(self, size: int) -> None:
        """Raises Unavailable when there is no more room."""
        if self.taken + size > self._most:
            raise Unavailable("Too much is being uploaded just now; try again in a moment")
        self.taken += size

    def give_back(self, size: int) -> None:
        self.taken -= size


class SpoolRoom(Room):
    """The disk that the uploads of this process may take together."""

    def __init__(self, most_bytes: int, folder: str = "") -> None:
        """`folder` is made; when empty, the system's folder for temporary files is used."""
        super().__init__(most_bytes)
        self._folder = folder or None
        if folder:
            os.makedirs(folder, exist_ok=True)

    def open(self) -> Spool:
        """A spool for one form; to be closed."""
        return Spool(self, self._folder)


class Spool:
    """The larger files of one form, one after the other in a file without a name: however the process ends, it leaves
    nothing behind. One thread at a time writes; what was flushed can be read from any."""

    def __init__(self, room: SpoolRoom, folder: str | None) -> None:
        self._room = room
        self._folder = folder
        self._file: int | None = None
        self._closed = False
        self._taken = 0
        self._pending = bytearray()
        self._written = 0
        self._in_memory = 0
        # Threads may still be at it when the form is given up; then the descriptor's number may mean another file.
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def position(self) -> int:
        """Where the next byte goes."""
        return self._written + len(self._pending)

    @property
    def is_due(self) -> bool:
        """Whether it is time for a flush."""
        return len(self._pending) >= FLUSH

    def keeps_in_memory(self, size: int) -> bool:
        """Whether a file of this size, as far as it has come, may stay in memory."""
        return size <= IN_MEMORY and self._in_memory + size <= _FORM_IN_MEMORY

    def kept(self, size: int) -> None:
        """A whole file stays in memory."""
        self._in_memory += size

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Raises Unavailable when there is no more room."""
        self._room.take(len(data))
        self._taken += len(data)
        self._pending += data

    def flush(self) -> None:
        """Put on disk what is not there yet. Blocks; raises Unavailable where the disk is full."""
        with self._lock:
            pending, self._pending = self._pending, bytearray()
            try:
                if pending and not self._closed:
                    self._put(pending)
            except OSError as error:
                raise Unavailable("There is no room for the upload just now") from error

    def _put(self, data: bytearray) -> None:
        if self._file is None:
            with tempfile.TemporaryFile(dir=self._folder, prefix="upload-") as opened:
                self._file = os.dup(opened.fileno())
        view = memoryview(data)
        while view:
            count = os.pwrite(self._file, view, self._written)
            self._written += count
            view = view[count:]

    def read(self, begin: int, size: int) -> bytes:
        """What was written and flushed, `size` bytes from `begin`. Raises ValueError after the spool was closed."""
        pieces: list[bytes] = []
        with self._lock:
            if self._file is None:
                raise ValueError("the spool is closed")
            while size and (piece := os.pread(self._file, size, begin)):
                pieces.append(piece)
                begin += len(piece)
                size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Remove it all."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                os.close(self._file)
                self._file = None
        self._room.give_back(self._taken)
        self._taken = 0


class PartOnDisk:
    """A file of a form on its way into a spool."""

    def __init__(self, spool: Spool, begun: bytearray) -> None:
        self._spool = spool
        self._begin = spool.position
        self._digest = hashlib.sha256()
        self.size = 0
        self.write(begun)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._digest.update(data)
        self._spool.write(data)
        self.size += len(data)

    def whole(self, field: str, filename: str, content_type: str) -> SpooledFile:
        return SpooledFile(field, filename, content_type, self._digest.hexdigest(), self.size, self._spool, self._begin)
