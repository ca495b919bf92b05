"""A legacy workbook (.xls) written by hand: BIFF5 records in a compound file, as [MS-XLS] and [MS-CFB] say."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_SECTOR = 512
_LEAST = 4096  # shorter streams would need the mini stream
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_BOF, _EOF, _SHEET, _LABEL, _NUMBER = 0x0809, 0x000A, 0x0085, 0x0204, 0x0203
_GLOBALS, _WORKSHEET = 0x0005, 0x0010


def legacy_workbook(name: str, rows: Sequence[Sequence[str | float]]) -> bytes:
    """One sheet of texts (Latin-1) and numbers."""
    cells = b"".join(
        _record(_NUMBER, struct.pack("<HHHd", row, column, 0, value))
        if isinstance(value, int | float)
        else _record(_LABEL, struct.pack("<HHHH", row, column, 0, len(value)) + value.encode("latin-1"))
        for row, line in enumerate(rows)
        for column, value in enumerate(line)
    )
    head = _record(_BOF, struct.pack("<HHHH", 0x0500, _GLOBALS, 0, 0))
    length = len(head) + 4 + 7 + len(name) + 4
    sheet = _record(_SHEET, struct.pack("<IHB", length, 0, len(name)) + name.encode("latin-1"))
    body = _record(_BOF, struct.pack("<HHHH", 0x0500, _WORKSHEET, 0, 0)) + cells + _record(_EOF, b"")
    return _compound("Book", head + sheet + _record(_EOF, b"") + body)


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _compound(name: str, stream: bytes) -> bytes:
    stream = stream.ljust(max(_LEAST, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    sectors = len(stream) // _SECTOR
    fat = [_FAT, _END, *(range(3, 2 + sectors)), _END]
    fat += [_FREE] * (_SECTOR // 4 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, _LEAST, _END, 0, _END, 0)
    header += struct.pack("<I", 0) + struct.pack("<I", _FREE) * 108
    root = _entry("Root Entry", 5, 1, _END, 0)
    directory = root + _entry(name, 2, _FREE, 2, len(stream)) + _entry("", 0, _FREE, 0, 0) * 2
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    written = name.encode("utf-16-le")
    length = len(written) + 2 if name else 0
    body = written.ljust(64, b"\0") + struct.pack("<HBBIII", length, kind, 1, _FREE, _FREE, child)
    return body + bytes(36) + struct.pack("<IQ", start, size)
