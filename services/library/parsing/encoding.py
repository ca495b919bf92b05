"""Bytes to characters, for the kinds that do not say their encoding or say it wrongly."""

from __future__ import annotations

import codecs
import re

import charset_normalizer

from kit.latin import is_latin, likeliest
from services.library.errors import DocumentUnreadable, UnreadableCause

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 1024 * 1024
_ENOUGH_HIGH_BYTES = 24
"""Below this many bytes outside ASCII, frequency tells nothing and Latin script is assumed."""
_NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"))
"""Codecs of the language that no file is in; some of them take a time that grows with the square of the size."""
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


def declared_charset(content_type: str) -> str | None:
    """The charset parameter of a content type, or of anything else written `charset=…`."""
    match = _CHARSET.search(content_type)
    return match.group(1) if match else None


def decode_certain(data: bytes, declared: str | None = None) -> str | None:
    """Decode by byte-order mark, declared encoding or strict UTF-8; None when none of them fits."""
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], name)
    if declared is not None and (text := _strict(data, declared)) is not None:
        return text
    return _strict(data, "utf-8")


def decode(data: bytes, declared: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The text of `data` and what the owner should know about how it was read.

    Raises DocumentUnreadable (`unsupported_type`) when the bytes are no text in any encoding.
    """
    text = decode_certain(data, declared)
    problems: tuple[str, ...] = ()
    if text is None or "\0" in text[:_SAMPLE]:
        name = _utf16_without_mark(data) or _guess(data)
        text = data.decode(name, errors="replace")
        problems = (f"The character encoding is not declared; it was read as {name}.",)
    sample = text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > len(sample) * 0.01:
        raise DocumentUnreadable(UnreadableCause.UNSUPPORTED_TYPE, "It is not text.")
    return text, problems


def _strict(data: bytes, name: str) -> str | None:
    try:
        if codecs.lookup(name).name.replace("_", "-") in _NO_CHARSETS:
            return None
        return data.decode(name)
    except (UnicodeError, LookupError):
        return None


def _utf16_without_mark(data: bytes) -> str | None:
    sample = data[:4096]
    half = max(1, len(sample) // 2)
    if sample[1::2].count(0) > half * 0.4 and sample[0::2].count(0) < half * 0.05:
        return "utf-16-le"
    if sample[0::2].count(0) > half * 0.4 and sample[1::2].count(0) < half * 0.05:
        return "utf-16-be"
    return None


def _guess(data: bytes) -> str:
    sample = data[:_SAMPLE]
    if b"\0" in sample:
        return "latin-1"  # binary; the control characters will show it
    if sum(byte >= 0x80 for byte in sample[:65536]) >= _ENOUGH_HIGH_BYTES:
        best = charset_normalizer.from_bytes(sample).best()
        if best is not None:
            # Between encodings that differ in a few accents its frequencies are too coarse.
            return likeliest(sample) if is_latin(best.encoding) else best.encoding
    return likeliest(sample)
