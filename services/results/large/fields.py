"""What a reader asks for of a session's results: members by their names, a page of one list by a cursor."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

import orjson

from kit.errors import Fault, ValidationError
from services.results.large.excerpt import Path

MOST_FIELDS = 50
DEFAULT_LIMIT = 100
_WRONG_CURSOR = "use a next_cursor as it was answered"


@dataclass(frozen=True, slots=True)
class Asked:
    """`fields` are members with their names' parts, none for all of them. `limit` of None takes lists whole; `offset`
    is of the one list in `fields`."""

    fields: tuple[tuple[str, ...], ...] = ()
    limit: int | None = None
    offset: int | None = None
    seal: str = ""
    """Of the results that the cursor was made for."""

    @property
    def extra(self) -> str:
        """What tells one answer from another, for its tag."""
        return repr((self.fields, self.limit, self.offset)) if self.anything else ""

    @property
    def anything(self) -> bool:
        return bool(self.fields) or self.limit is not None


@dataclass(frozen=True, slots=True)
class Parts:
    """The parameters as they came."""

    fields: str = ""
    limit: int | None = None
    cursor: str = ""


def read_asked(parameters: Parts, *, format: str) -> Asked:
    """Read the parameters. Raises ValidationError naming each that is wrong."""
    fields, limit, cursor = parameters.fields, parameters.limit, parameters.cursor
    faults: list[Fault] = []
    given = {"fields": bool(fields), "limit": limit is not None, "cursor": bool(cursor)}
    if format != "json":
        faults += [Fault(name, "goes with format=json alone") for name, is_given in given.items() if is_given]
    names = [name.strip() for name in fields.split(",")] if fields else []
    parts = tuple(tuple(unquote(part) for part in name.split(".")) for name in names)
    if len(names) > MOST_FIELDS or len(set(parts)) < len(names) or not all(names):
        faults.append(Fault("fields", f"give up to {MOST_FIELDS} different names, with commas between them"))
    elif within := _within(parts):
        faults.append(Fault("fields", f"{_short(names[within[0]])} is part of {_short(names[within[1]])}: give one"))
    if cursor and len(names) != 1:
        faults.append(Fault("cursor", "goes with the one field that it was answered for"))
    if len(parts) > 1 and any(part.isdecimal() for name in parts for part in name):
        faults.append(Fault("fields", "a field inside an item of a list goes alone"))
    seal, offset = "", None
    if cursor and len(names) == 1:
        decoded = _decoded(cursor)
        if decoded is None:
            faults.append(Fault("cursor", _WRONG_CURSOR))
        elif decoded[1] != names[0]:
            faults.append(Fault("cursor", f"it was answered for another field than {_short(names[0])}"))
        else:
            seal, _, offset = decoded
    if faults:
        raise ValidationError(faults)
    return Asked(parts, limit if limit is not None or not cursor else DEFAULT_LIMIT, offset, seal)


def encode_cursor(seal: str, field: str, offset: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([seal, field, offset])).rstrip(b"=").decode()


def _within(fields: Sequence[tuple[str, ...]]) -> tuple[int, int] | None:
    """The places of a field and of another one that it is part of: it would take the place of the rest of that."""
    places = {field: place for place, field in enumerate(fields)}
    for place, field in enumerate(fields):
        for size in range(1, len(field)):
            if (whole := places.get(field[:size])) is not None:
                return place, whole
    return None


def _decoded(text: str) -> tuple[str, str, int] | None:
    """None for what was not made here."""
    try:
        raw = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        seal, field, offset = raw
    except (binascii.Error, ValueError, TypeError):
        return None
    is_sound = isinstance(seal, str) and isinstance(field, str) and type(offset) is int and offset >= 0
    return (seal, field, offset) if is_sound else None


def wrong_cursor() -> ValidationError:
    return ValidationError.of("cursor", _WRONG_CURSOR)


def unknown(field: str, choices: Iterable[str]) -> ValidationError:
    """The error for a field that these results do not have."""
    return ValidationError.of("fields", f"{_short(field)} is none of {', '.join(sorted(choices))}")


def written(path: Path) -> str:
    """A path as the name of a field: names that have dots or the like stand in it as in a URL."""
    return ".".join(quote(str(part), safe="").replace(".", "%2E") for part in path)


def _short(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:80]}…")
