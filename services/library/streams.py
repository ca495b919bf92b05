"""Bodies that come as chunks: multipart/form-data and NDJSON, taken apart while they arrive."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from kit.errors import PayloadTooLarge, UnsupportedMediaType, ValidationError
from services.library.domain import sha256_of_bytes
from services.library.errors import InvalidJson
from services.library.spooling import PartOnDisk, Spool, SpooledFile

MIB = 1024 * 1024
_NAME_MAX = 200
_HEADERS_MAX = 16
_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class MultipartLimits:
    """Bounds in bytes: the whole body, one file, one field that is no file; and how many parts there may be."""

    body: int = 50 * MIB
    file: int = 50 * MIB
    field: int = 64 * 1024
    parts: int = 1_000


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a form, in memory. `filename` is safe to store and show; it is never a path."""

    field: str
    filename: str
    content_type: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def sha256(self) -> str:
        return sha256_of_bytes(self.data)

    def read(self) -> bytes:
        return self.data


File = UploadedFile | SpooledFile
"""What both have is `field`, `filename`, `content_type`, `sha256`, `size` and `read`."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form that is no file."""

    name: str
    value: str


async def parse_multipart(
    chunks: AsyncIterator[bytes],
    content_type: str,
    limits: MultipartLimits | None = None,
    spool: Spool | None = None,
) -> AsyncIterator[File | FormField]:
    """The parts of a form, each as soon as it is whole; one part is held in memory at a time. With a `spool`, all but
    small files go there; they can be read once the form is whole.

    Raises UnsupportedMediaType for another content type, PayloadTooLarge over a limit,
    ValidationError for a body that is malformed or ends early, and Unavailable when the spool is full.
    """
    limits = limits or MultipartLimits()
    form = _Form(_boundary(content_type), limits, spool)
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > limits.body:
            raise PayloadTooLarge(f"The body is over {limits.body:,} bytes.")
        form.feed(chunk)
        if spool is not None and spool.is_due:
            await asyncio.to_thread(spool.flush)
        while form.ready:
            yield form.ready.popleft()
    form.finish()
    if spool is not None:
        await asyncio.to_thread(spool.flush)


def _boundary(content_type: str) -> bytes:
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if media_type != b"multipart/form-data" or not 0 < len(boundary) <= 70:
        raise UnsupportedMediaType("Send the files as multipart/form-data with a boundary.")
    return boundary


class _Form:
    """Collects what the push parser reports; whole parts wait in `ready`."""

    def __init__(self, boundary: bytes, limits: MultipartLimits, spool: Spool | None) -> None:
        self.ready: deque[File | FormField] = deque()
        self._limits = limits
        self._spool = spool
        self._on_disk: PartOnDisk | None = None
        self._parts = 0
        self._ended = False
        self._headers: dict[str, bytes] = {}
        self._name = b""
        self._value = b""
        self._data = bytearray()
        self._largest = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
            max_header_count=_HEADERS_MAX,
            max_header_size=_HEADER_BYTES,
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise ValidationError.of("body", "is no well-formed multipart/form-data") from error

    def finish(self) -> None:
        if not self._ended:
            raise ValidationError.of("body", "ends before its last boundary")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > self._limits.parts:
            raise PayloadTooLarge(f"The form has more than {self._limits.parts:,} parts.")
        self._headers = {}
        self._data = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        disposition, self._options = parse_options_header(self._headers.get("content-disposition", b""))
        if disposition != b"form-data" or b"name" not in self._options:
            raise ValidationError.of("body", "has a part without a form-data name")
        encoding = self._headers.get("content-transfer-encoding", b"binary").strip().lower()
        if encoding not in (b"binary", b"7bit", b"8bit"):
            raise ValidationError.of("body", "has a part with a transfer encoding; send the bytes as they are")
        is_file = b"filename" in self._options
        self._largest = self._limits.file if is_file else self._limits.field

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        held = self._on_disk.size if self._on_disk is not None else len(self._data)
        if held + end - start > self._largest:
            raise PayloadTooLarge(f"A part of the form is over {self._largest:,} bytes.")
        if self._on_disk is not None:
            self._on_disk.write(memoryview(data)[start:end])
            return
        self._data += data[start:end]
        is_file = b"filename" in self._options
        if is_file and self._spool is not None and not self._spool.keeps_in_memory(len(self._data)):
            self._on_disk = PartOnDisk(self._spool, self._data)
            self._data = bytearray()

    def _part_end(self) -> None:
        name = _text(self._options[b"name"])
        if b"filename" in self._options:
            filename = safe_filename(_text(self._options[b"filename"]))
            content_type = self._headers.get("content-type", b"").decode("latin-1").strip()
            self.ready.append(self._file(name, filename, content_type))
        else:
            self.ready.append(FormField(name, _text(bytes(self._data))))
        self._data = bytearray()

    def _file(self, name: str, filename: str, content_type: str) -> File:
        if self._on_disk is not None:
            whole, self._on_disk = self._on_disk.whole(name, filename, content_type), None
            return whole
        if self._spool is not None:
            self._spool.kept(len(self._data))
        return UploadedFile(name, filename, content_type, bytes(self._data))

    def _end(self) -> None:
        self._ended = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def safe_filename(name: str) -> str:
    """The last part of a path, without control and direction characters; its extension survives shortening. All else
    is kept: a name is data, and who writes it into a header or a file escapes it. A name of which nothing is left
    becomes `document`."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    kept = (each if each.isprintable() else " " for each in last)
    clean = " ".join("".join(kept).split()).lstrip(". ").rstrip(". ")
    if len(clean) > _NAME_MAX:
        stem, dot, extension = clean.rpartition(".")
        keep = dot + extension if dot and len(extension) <= 10 else ""
        clean = (stem if keep else clean)[: _NAME_MAX - len(keep)].rstrip() + keep
    return clean or "document"


@dataclass(frozen=True, slots=True)
class NdjsonLimits:
    """Bounds: lines that hold a value, and bytes of one line and of the whole body."""

    lines: int = 20_000
    line: int = MIB
    body: int = 50 * MIB


@dataclass(frozen=True, slots=True)
class NdjsonLine:
    """A value and the number of its line, counted from 1."""

    number: int
    value: Any


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not JSON; the others are no worse for it."""

    number: int
    error: InvalidJson


async def parse_ndjson(
    chunks: AsyncIterator[bytes], limits: NdjsonLimits | None = None
) -> AsyncIterator[NdjsonLine | BadLine]:
    """The lines of a body with one JSON value a line, each as it arrives; empty lines are skipped.

    Raises PayloadTooLarge over a limit.
    """
    limits = limits or NdjsonLimits()
    rest = bytearray()
    received = number = values = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > limits.body:
            raise PayloadTooLarge(f"The body is over {limits.body:,} bytes.")
        begun = len(rest)
        rest += chunk
        start = 0
        # Only the new bytes can hold the end of the line that was begun before.
        while (end := rest.find(b"\n", max(start, begun))) >= 0:
            number += 1
            line = bytes(rest[start:end])
            start = end + 1
            if line.strip():
                values += 1
                yield _line(number, line, values, limits)
        del rest[:start]
        if len(rest) > limits.line:
            raise _too_long(number + 1, limits)
    if rest.strip():
        yield _line(number + 1, bytes(rest), values + 1, limits)


def _line(number: int, line: bytes, values: int, limits: NdjsonLimits) -> NdjsonLine | BadLine:
    if len(line) > limits.line:
        raise _too_long(number, limits)
    if values > limits.lines:
        raise PayloadTooLarge(f"Line {number}: the body has more than {limits.lines:,} documents.")
    try:
        return NdjsonLine(number, orjson.loads(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line))
    except orjson.JSONDecodeError as error:
        return BadLine(number, InvalidJson(f"{error.msg.capitalize()} (character {error.pos + 1}).", line=number))


def _too_long(number: int, limits: NdjsonLimits) -> PayloadTooLarge:
    return PayloadTooLarge(f"Line {number}: is over {limits.line:,} bytes.")
