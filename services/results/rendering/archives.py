"""Zip archives that are the same for the same content."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

# The earliest moment a zip archive can hold; the real one would make equal content differ.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(files: Mapping[str, bytes]) -> bytes:
    """An archive of `files`, by path, in their order."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)
    return target.getvalue()


def repack(archive: bytes) -> bytes:
    """The same files in the same order, without the times they were written at."""
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        return pack({name: package.read(name) for name in package.namelist()})
