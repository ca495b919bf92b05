"""Bytes to text."""

from __future__ import annotations

import codecs

from worker.engines.analysis.errors import UNREADABLE, AnalysisError, invalid
from worker.engines.analysis.reading.notes import Notes

# Longest first: the UTF-32 mark begins with the UTF-16 one.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = (
    (b"PK\x03\x04", "an Excel workbook or another zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file"),
    (b"SQLite format 3\x00", "a SQLite database"),
)
# Statistical detection needs material; with less than this many bytes outside ASCII it guesses wildly.
_ENOUGH_TO_DETECT = 24
_CANDIDATES = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "koi8_r", "mac_roman",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "utf_16_le", "utf_16_be",
]  # fmt: skip
_SAMPLE = 200_000


def decode(data: bytes, encoding: str | None, notes: Notes) -> str:
    """The text of `data`, without byte order mark.

    `encoding` overrides the guess. Raises :class:`AnalysisError` when the bytes are no text at all.
    """
    if not data.strip():
        raise AnalysisError(UNREADABLE, "the dataset is empty")
    for magic, what in _BINARY:
        if data.startswith(magic):
            raise AnalysisError(UNREADABLE, f"the dataset is {what}; send CSV or JSON")
    if encoding is not None:
        return _decode_as_asked(data, encoding, notes)
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            try:
                text = data[len(mark) :].decode(name)
            except UnicodeDecodeError as error:
                raise AnalysisError(
                    UNREADABLE, f"the dataset begins as {name} but breaks at byte {error.start}"
                ) from None
            notes.decide(f"read as {name}", "the file begins with its byte order mark")
            return text
    if (wide := _utf16_without_mark(data)) is not None:
        notes.decide(f"read as {wide}", "every second byte is zero", "utf-8")
        return data.decode(wide, errors="replace")
    if b"\x00" in data[:_SAMPLE]:
        raise AnalysisError(UNREADABLE, "the dataset holds zero bytes, so it is no text file; send CSV or JSON")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_legacy(data, error.start, notes)
    notes.decide("read as utf-8", "every byte is valid utf-8")
    return text


def _decode_as_asked(data: bytes, encoding: str, notes: Notes) -> str:
    field = "preferences.analysis.read.encoding"
    try:
        text = data.decode(encoding)
    except LookupError:
        raise invalid(field, f"unknown encoding {encoding!r}; write for example utf-8 or cp1252") from None
    except UnicodeDecodeError as error:
        raise invalid(field, f"the dataset is not {encoding}: byte {error.start} does not fit") from None
    notes.decide(f"read as {encoding}", "asked for in the request")
    return text.removeprefix("\ufeff")


def _utf16_without_mark(data: bytes) -> str | None:
    sample = data[:2000]
    half = len(sample) // 2
    if half and sample[1::2].count(0) > 0.7 * half and sample[0::2].count(0) == 0:
        return "utf-16-le"
    if half and sample[0::2].count(0) > 0.7 * half and sample[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _decode_legacy(data: bytes, first_fault: int, notes: Notes) -> str:
    reason = f"not valid utf-8 (byte {first_fault})"
    if sum(byte > 0x7F for byte in data[:_SAMPLE]) >= _ENOUGH_TO_DETECT:
        from charset_normalizer import from_bytes

        best = from_bytes(data[:_SAMPLE], cp_isolation=_CANDIDATES, preemptive_behaviour=False).best()
        if best is not None:
            try:
                text = data.decode(best.encoding)
            except UnicodeDecodeError:
                pass  # The sample ended well, what follows does not fit: fall back below.
            else:
                others = [name for name in best.could_be_from_charset if name != best.encoding][:3]
                notes.decide(f"read as {best.encoding}", f"{reason}; it fits the letters best", *others)
                return text
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        notes.decide("read as latin-1", f"{reason}, and not cp1252; every byte has a meaning in latin-1", "cp1250")
        return data.decode("latin-1")
    notes.decide("read as cp1252", f"{reason}; the commonest encoding of such files", "cp1250", "latin-1")
    return text
