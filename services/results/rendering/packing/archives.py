"""Zip archives that are the same for the same content."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

# The earliest moment a zip archive can hold; the real one would make equal content differ.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PACKED_ALREADY = frozenset({".docx", ".pdf", ".png"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive; `sha256` is in hex."""

    path: str
    bytes: int
    sha256: str


class Archive:
    """An archive that is written file by file, each in pieces: nothing is held but what is packed."""

    def __init__(self) -> None:
        self._target = io.BytesIO()
        self._package = zipfile.ZipFile(self._target, "w", zipfile.ZIP_DEFLATED)
        self._entries: list[Entry] = []

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was added, in order."""
        return tuple(self._entries)

    def add(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Add a file.

        :raises ValueError: the path leads out of the archive's folder, or is taken.
        """
        if not _is_safe(path):
            raise ValueError(f"{path!r} is no path within an archive")
        if path in self._package.NameToInfo:
            raise ValueError(f"{path!r} is in the archive already")
        digest, size = hashlib.sha256(), 0
        entry = zipfile.ZipInfo(path, date_time=_EPOCH)
        stored = PurePosixPath(path).suffix in _PACKED_ALREADY
        entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        with self._package.open(entry, "w") as target:
            for piece in (content,) if isinstance(content, bytes) else content:
                target.write(piece)
                digest.update(piece)
                size += len(piece)
        self._entries.append(Entry(path, size, digest.hexdigest()))

    def close(self) -> bytes:
        """The finished archive."""
        self._package.close()
        return self._target.getvalue()


def pack(files: Mapping[str, bytes]) -> bytes:
    """An archive of `files`, by path, in their order."""
    archive = Archive()
    for path, content in files.items():
        archive.add(path, content)
    return archive.close()


def _is_safe(path: str) -> bool:
    parts = path.split("/")
    return (
        bool(path)
        and not any(part in ("", ".", "..") for part in parts)
        and "\\" not in path
        and ":" not in path
        and path.isprintable()
    )
