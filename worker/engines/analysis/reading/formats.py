"""What a dataset's bytes are."""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum

from worker.engines.analysis.errors import TOO_LARGE, UNREADABLE, AnalysisError

MIB = 1024 * 1024
MAX_UNPACKED = 512 * MIB
_MAX_MEMBERS = 20_000
_OTHERS = (
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file: send what is packed in it"),
    (b"BZh", "a bzip2 file: send what is packed in it"),
    (b"\xfd7zXZ\x00", "an xz file: send what is packed in it"),
    (b"\x28\xb5\x2f\xfd", "a zstd file: send what is packed in it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file: send what is packed in it"),
    (b"Rar!\x1a\x07", "a rar file: send what is packed in it"),
    (b"SQLite format 3\x00", "a SQLite database: send one table as CSV"),
    (b"ARROW1", "an Arrow file: send it as Parquet"),
    (b"ORC", "an ORC file: send it as Parquet"),
    (b"\x89HDF\r\n", "an HDF5 file: send one table as CSV or Parquet"),
    (b"\x89PNG\r\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"PARE", "an encrypted Parquet file: send it without encryption"),
    (b"{\\rtf", "a text document"),
)
_HTML = re.compile(rb"\s*(?:<!doctype html|<html|<table)", re.IGNORECASE)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml ")


class Format(StrEnum):
    """What is read. `xlsx` stands for any zipped workbook that calamine reads: xlsx, xlsm, xlsb, ods."""

    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"
    XLS = "xls"
    PARQUET = "parquet"


def format_of(data: bytes, asked: str | None) -> Format:
    """The format, from the bytes alone unless `asked` says which text format is meant.

    Raises :class:`AnalysisError`, saying what the bytes are, for a format that is not read or a file that would
    unpack to more than is allowed.
    """
    if data.startswith(b"PAR1") and (data.endswith(b"PAR1") or b"\x00" in data[:64]):
        return Format.PARQUET
    if data.startswith(b"PK\x03\x04"):
        return _zipped(data)
    if data.startswith((b"PK\x05\x06", b"PK\x07\x08")):
        raise AnalysisError(UNREADABLE, "the dataset is an empty or split zip file")
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") or re.match(
        rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00", data
    ):
        return Format.XLS
    for magic, what in _OTHERS:
        if data.startswith(magic) and (len(magic) > 3 or b"\x00" in data[:64]):
            raise AnalysisError(UNREADABLE, f"the dataset is {what}")
    if asked in ("xlsx", "xls", "parquet"):
        raise AnalysisError(UNREADABLE, f"the dataset is no {asked} file")
    if asked is not None:
        return Format.CSV if asked == "csv" else Format.JSON
    if _HTML.match(data[:1024]):
        raise AnalysisError(UNREADABLE, "the dataset is a web page (some programs save one as .xls): send CSV or xlsx")
    if _XML.match(data[:1024]):
        raise AnalysisError(UNREADABLE, "the dataset is an XML document: send CSV, JSON, xlsx or Parquet")
    return Format.JSON if _head(data)[:1] in (b"[", b"{") else Format.CSV


def _head(data: bytes) -> bytes:
    """The first bytes that are no space, without byte order mark and the zeros of wide characters."""
    return data[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")


def _zipped(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeDecodeError) as error:
        raise AnalysisError(
            UNREADABLE, "the dataset begins as a zip file or an Excel workbook but is damaged"
        ) from error
    names = {member.filename for member in members}
    if any(member.flag_bits & 0x1 for member in members):
        raise AnalysisError(UNREADABLE, "the dataset is encrypted")
    # A reader never takes more from a member than the directory declares, so that bounds what unpacking can cost.
    if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED:
        raise AnalysisError(TOO_LARGE, f"the workbook unpacks to more than {MAX_UNPACKED // MIB} MiB")
    if not names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
        raise AnalysisError(UNREADABLE, "the dataset is a zip file but no Excel workbook: send what is packed in it")
    return Format.XLSX
