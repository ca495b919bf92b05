"""Bytes to text."""

from __future__ import annotations

import codecs
import io
import re

from kit.latin import likeliest
from worker.engines.analysis.errors import UNREADABLE, AnalysisError, invalid
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.wording import plural

# Longest first: the UTF-32 mark begins with the UTF-16 one.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CANDIDATES = [
    "cp1251", "cp1253", "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "utf_16_le", "utf_16_be",
]  # fmt: skip
# Words written wholly outside ASCII are of another script, and few of them tell which.
_ENOUGH_OF_A_SCRIPT = 8
_CYRILLIC = frozenset("оеаинтсрвлкмдпуяыьгзбчйхж")
_GREEK = frozenset("αοιετσνηρκπμυλςάίόέή")
_HEBREW = frozenset("יוהלאמרבתשנםדכקחע")
_ARABIC = frozenset("اليمنوربتدةسعفقكحأ")
_COMMON_LETTERS = {
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "cp866": _CYRILLIC,
    "mac_cyrillic": _CYRILLIC,
    "iso8859_5": _CYRILLIC,
    "cp1253": _GREEK,
    "cp1255": _HEBREW,
    "cp1256": _ARABIC,
}
_SAMPLE = 200_000
_ESCAPES = ((b"\x1b$B", "iso2022_jp"), (b"\x1b$@", "iso2022_jp"), (b"\x1b(J", "iso2022_jp"), (b"\x1b$)C", "iso2022_kr"))
_MOST_ZEROS = 0.02
_END_OF_FILE = "\x1a"
"""With it CP/M and DOS, and programs made for them, end a text."""
_WHOLE_PER_BROKEN = 10


def decode(data: bytes, encoding: str | None, notes: Notes) -> tuple[str, str]:
    """The text of `data`, without byte order mark, and the name of its encoding.

    `encoding` overrides the guess. Single zero bytes, and single bytes that break a text in utf-8, are problems at
    their lines. Raises :class:`AnalysisError` when the bytes are no text at all.
    """
    if not data.strip():
        raise AnalysisError(UNREADABLE, "the dataset is empty")
    text, name = _decoded(data, encoding, notes)
    text = text.removesuffix(_END_OF_FILE)
    if "\x00" not in text:
        return text, name
    if text.count("\x00") > _MOST_ZEROS * len(text):
        raise AnalysisError(UNREADABLE, "the dataset holds zero bytes, so it is no text file")
    for line, content in enumerate(io.StringIO(text, newline=None), start=1):
        if "\x00" in content:
            notes.problem(line, f"holds {plural(content.count(chr(0)), 'zero byte')}; read without", "kept")
    return text.replace("\x00", ""), name


def _decoded(data: bytes, encoding: str | None, notes: Notes) -> tuple[str, str]:
    if encoding is not None:
        return _decode_as_asked(data, encoding, notes), encoding
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = _marked(data[len(mark) :], name, notes)
            notes.decide(f"read as {name}", "the file begins with its byte order mark", override="encoding")
            return text, name
    if (wide := _utf16_without_mark(data)) is not None:
        notes.decide(f"read as {wide}", "every second byte is zero", "utf-8", override="encoding")
        text = data.decode(wide, errors="replace")
        _name_broken_lines(text, wide, notes)
        return text, wide
    if (escape := next((name for code, name in _ESCAPES if code in data[:_SAMPLE]), None)) is not None:
        notes.decide(f"read as {escape}", "its escape sequences say so", override="encoding")
        text = data.decode(escape, errors="replace")
        _name_broken_lines(text, escape, notes)
        return text, escape
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_legacy(data, error.start, notes)
    notes.decide("read as utf-8", "every byte is valid utf-8", override="encoding")
    return text, "utf-8"


def _marked(data: bytes, name: str, notes: Notes) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        text = data.decode(name, errors="replace")
        if name != "utf-8" or not _hardly_broken(data, text):
            raise AnalysisError(UNREADABLE, f"the dataset begins as {name} but breaks at byte {error.start}") from None
    _name_broken_lines(text, "utf-8", notes)
    return text


def _hardly_broken(data: bytes, text: str) -> bool:
    """Whether what is valid utf-8 outside ASCII outweighs the rest so far that only some bytes can be damaged."""
    whole = sum(character > "\x7f" and character != "\ufffd" for character in text[:_SAMPLE])
    return whole >= _WHOLE_PER_BROKEN * text[:_SAMPLE].count("\ufffd") > 0


def _name_broken_lines(text: str, name: str, notes: Notes) -> None:
    for line, content in enumerate(io.StringIO(text, newline=None), start=1):
        if "\ufffd" in content:
            notes.problem(line, f"holds bytes that are no {name}; each is read as \ufffd", "kept")


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


def _decode_legacy(data: bytes, first_fault: int, notes: Notes) -> tuple[str, str]:
    text = data.decode("utf-8", errors="replace")
    if _hardly_broken(data, text):
        _name_broken_lines(text, "utf-8", notes)
        notes.decide("read as utf-8", "nearly every byte is valid utf-8", "cp1252", override="encoding")
        return text, "utf-8"
    reason = f"not valid utf-8 (byte {first_fault})"
    # Between digits it is a thousands mark in nearly every encoding, and says nothing about letters.
    sample = re.sub(rb"(?<=[0-9])\xa0(?=[0-9])", b" ", data[:_SAMPLE])
    latin = _latin(sample)
    if not latin and (name := _by_letters(sample)) is not None:
        others = [other for other in _COMMON_LETTERS if other != name][:2]
        notes.decide(f"read as {name}", f"{reason}; it gives the commonest letters", *others, override="encoding")
        text = data.decode(name, errors="replace")
        _name_broken_lines(text, name, notes)
        return text, name
    if latin and (likely := likeliest(sample)) not in ("cp1252", "latin-1"):
        others = [other for other in ("cp1252", "cp1250", "mac_roman") if other != likely]
        notes.decide(f"read as {likely}", f"{reason}; its letters are one language's", *others, override="encoding")
        text = data.decode(likely, errors="replace")
        _name_broken_lines(text, likely, notes)
        return text, likely
    if not latin and sum(byte > 0x7F for byte in sample) >= _ENOUGH_OF_A_SCRIPT:
        from charset_normalizer import from_bytes

        best = from_bytes(sample, cp_isolation=_CANDIDATES, preemptive_behaviour=False).best()
        if best is not None:
            try:
                text = data.decode(best.encoding)
            except UnicodeDecodeError:
                pass  # The sample ended well, what follows does not fit: fall back below.
            else:
                others = [name for name in best.could_be_from_charset if name != best.encoding][:3]
                notes.decide(
                    f"read as {best.encoding}", f"{reason}; it fits the letters best", *others, override="encoding"
                )
                return text, best.encoding
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        reason = f"{reason}, and not cp1252; every byte has a meaning in latin-1"
        notes.decide("read as latin-1", reason, "cp1250", override="encoding")
        return data.decode("latin-1"), "latin-1"
    notes.decide(
        "read as cp1252", f"{reason}; the commonest encoding of such files", "cp1250", "latin-1", override="encoding"
    )
    return text, "cp1252"


def _latin(data: bytes) -> bool:
    """Whether bytes outside ASCII stand alone or in words of ASCII letters, as accented letters of Latin scripts do."""
    runs = sum(map(len, re.findall(rb"[\x80-\xff]{2,}", data)))
    if 2 * runs <= sum(byte > 0x7F for byte in data):
        return True
    letters = b"".join(word for word in re.findall(rb"[A-Za-z\x80-\xff]{2,}", data) if not word.isascii())
    return 2 * sum(byte < 0x80 for byte in letters) > len(letters)


def _by_letters(sample: bytes) -> str | None:
    """The encoding in which the most of what is outside ASCII are its language's commonest small letters."""
    shares = {}
    for name, letters in _COMMON_LETTERS.items():
        outside = [character for character in sample.decode(name, errors="replace") if character > "\x7f"]
        shares[name] = sum(character in letters for character in outside) / max(1, len(outside))
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > 0.6 else None
