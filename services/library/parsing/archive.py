"""Zip containers (docx, xlsx): what is in them, and a stop before they unpack to too much."""

from __future__ import annotations

import io
import zipfile

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParseLimits

_MAX_MEMBERS = 20_000


def open_archive(data: bytes) -> zipfile.ZipFile:
    """The container, or DocumentUnreadable (`corrupt`) when its directory cannot be read."""
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "Its container cannot be opened.") from error


def check_archive(data: bytes, limits: ParseLimits) -> None:
    """Refuse a container with encrypted members or one that declares more than is allowed.

    A reader never takes more from a member than the directory declares, so the declared sizes bound
    what unpacking can cost; the memory limit of the process stands behind that.
    """
    with open_archive(data) as archive:
        members = archive.infolist()
    if any(member.flag_bits & 0x1 for member in members):
        raise DocumentUnreadable(UnreadableCause.ENCRYPTED)
    if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > limits.unpacked_bytes:
        raise DocumentUnreadable(UnreadableCause.DECOMPRESSION_LIMIT)
