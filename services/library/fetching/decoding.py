"""Bodies as they were before they were sent, bounded before and after: a few bytes may stand for gigabytes."""

from __future__ import annotations

import zlib

_GZIP = zlib.MAX_WBITS | 16
_MEMBER = b"\x1f\x8b"


class TooMuch(Exception):
    """A body is longer than allowed, as sent or decoded."""


class Undecodable(Exception):
    """A body is not what its encoding says; the message goes after the address."""


class Decoder:
    """Takes a body as it comes, by its `Content-Encoding`; holds at most `most` decoded bytes."""

    def __init__(self, encoding: str, most: int) -> None:
        """Raises Undecodable for an encoding that was not asked for."""
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Undecodable("answered in an encoding that was not asked for")
        self._packed = self._encoding not in ("", "identity")
        self._most = most
        self._received = 0
        self._data = bytearray()
        self._zip: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> None:
        """Raises TooMuch, Undecodable."""
        self._received += len(piece)
        if self._received > self._most:
            raise TooMuch
        if not self._packed:
            self._data += piece
            return
        try:
            self._unpack(piece)
        except zlib.error:
            raise Undecodable("broke the encoding that it announced") from None

    def finished(self) -> bytes:
        """All of the body. Raises Undecodable when it is cut short."""
        if self._packed and self._received and not (self._zip is not None and self._zip.eof):
            raise Undecodable("broke off in the middle of its answer")
        return bytes(self._data)

    def _unpack(self, piece: bytes) -> None:
        rest = piece
        while rest:
            if self._zip is not None and self._zip.eof and not rest.startswith(_MEMBER):
                return  # padding
            if self._zip is None or self._zip.eof:
                # The first member of a body, or the next one of a gzip file of several.
                self._zip = self._opened(rest)
            room = self._most - len(self._data)
            # One byte more than there is room for tells that there is more.
            self._data += self._zip.decompress(rest, room + 1)
            if len(self._data) > self._most:
                raise TooMuch
            rest = self._zip.unused_data or self._zip.unconsumed_tail

    def _opened(self, begin: bytes) -> zlib._Decompress:
        if self._encoding != "deflate":
            return zlib.decompressobj(_GZIP)
        # `deflate` means zlib's format (RFC 9110); some send the bare stream, whose first byte is no zlib header.
        bare = begin[0] & 0x0F != 8
        return zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS)
