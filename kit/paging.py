"""Pages and cursors over lists ordered by time of creation, newest first, then id."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

from kit.errors import ValidationError

DEFAULT_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of the page before: the next page starts after it."""

    created_at: int
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is wanted: by number, or after a position."""

    number: int = 1
    limit: int = DEFAULT_LIMIT
    after: Position | None = None

    @property
    def offset(self) -> int:
        return 0 if self.after else (self.number - 1) * self.limit


def encode_cursor(position: Position) -> str:
    raw = struct.pack(">q", position.created_at) + position.id.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(text: str) -> Position:
    """Raises ValidationError naming `cursor`."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        (created_at,) = struct.unpack(">q", raw[:8])
        position = Position(created_at, raw[8:].decode("ascii"))
        if not position.id.isprintable():
            raise ValueError("PostgreSQL takes no NUL")
        return position
    except (binascii.Error, struct.error, UnicodeDecodeError, ValueError):
        raise ValidationError.of("cursor", "use a next_cursor as it was answered") from None


def page_of(number: int | None, limit: int | None, cursor: str) -> Page:
    """Read the paging parameters of a request, whose ranges protovalidate has checked."""
    after = decode_cursor(cursor) if cursor else None
    return Page(number or 1, limit or DEFAULT_LIMIT, after)


def next_cursor(page: Page, rows: int, last: Position | None, total: int) -> str | None:
    """The cursor for the page after this one, or None at the end. `rows` is how many this page holds."""
    if last is None or rows < page.limit:
        return None
    if page.after is None and page.offset + rows >= total:
        return None
    return encode_cursor(last)
