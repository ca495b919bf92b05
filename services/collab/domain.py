"""Shares and comments. Moments are microseconds since the epoch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from kit.access import Access, Shared, Standing
from kit.errors import Fault
from kit.levels import Level
from kit.times import DAY, parse_rfc3339

LONGEST_SHARE = 366 * DAY
"""A year, whichever it is."""
MILLISECOND = 1000
PERMISSIONS: Mapping[str, Level] = MappingProxyType(
    {"view": Level.VIEW, "edit": Level.EDIT, "collaborate": Level.COLLABORATE}
)
REFERENCES = ("section", "claim", "citation", "figure", "stage")
_REFERENCE = re.compile(rf"(?P<kind>{'|'.join(REFERENCES)}):(?P<name>\S.*)")


class Status(Enum):
    """What a share is at a moment."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Share:
    """A level of access for some recipients until a moment. `recipients` are shown as they were sent; `version` counts
    the share's changes."""

    share_id: str
    session_id: str
    shared_by: str
    recipients: tuple[str, ...]
    permissions: str
    message: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None
    version: int = 1

    def status(self, now: int) -> Status:
        if self.revoked_at is not None:
            return Status.REVOKED
        return Status.ACTIVE if self.expires_at > now else Status.EXPIRED


@dataclass(frozen=True, slots=True)
class Entry:
    """One share of a session as it concerns one principal."""

    level: Level
    expires_at: int
    revoked: bool


def standing(entries: Iterable[Entry], now: int) -> Shared:
    """What the shares of a session come to: the best level in force, and when it ends."""
    known = list(entries)
    current = [entry for entry in known if not entry.revoked and entry.expires_at > now]
    if current:
        best = max(current, key=lambda entry: (entry.level, entry.expires_at))
        return Shared(Standing.CURRENT, best.level, best.expires_at)
    return Shared(Standing.FORMER if known else Standing.STRANGER)


def moment_faults(text: str) -> list[Fault]:
    """A fault for what is no RFC 3339 moment; an empty text is none."""
    try:
        if text:
            parse_rfc3339(text)
    except ValueError:
        return [Fault("expiration", "must be an RFC 3339 moment such as 2026-01-31T12:00:00Z")]
    return []


def expiry(text: str, *, now: int, default: int, access: Access) -> tuple[int, list[Fault]]:
    """When a new share ends, in whole milliseconds, and what is wrong with the moment asked for.

    Without one it ends after `default`, or with the sharer's own access if that ends before. Raises ValueError for a
    text that `moment_faults` finds fault with.
    """
    own_end = access.expires_at if access.level < Level.OWNER else None
    if not text:
        ends = now + default if own_end is None else min(now + default, own_end)
        return ends // MILLISECOND * MILLISECOND, []
    ends = parse_rfc3339(text) // MILLISECOND * MILLISECOND
    if ends <= now:
        return 0, [Fault("expiration", "must be in the future")]
    if ends > now + LONGEST_SHARE:
        return 0, [Fault("expiration", "must be within a year")]
    if own_end is not None and ends > own_end:
        return 0, [Fault("expiration", "must not be past the end of your own access")]
    return ends, []


def permitted(permissions: str, access: Access) -> list[Fault]:
    """A fault when a share would give more than its maker has."""
    if PERMISSIONS[permissions] > access.level:
        return [Fault("permissions", "must not be above your own")]
    return []


class CommentType(Enum):
    NOTE = "note"
    QUESTION = "question"
    INSIGHT = "insight"


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a comment, as their token described them then."""

    user_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Comment:
    """`reference_point` and `parent_id` are None for a comment on the session as a whole. `version` counts changes."""

    comment_id: str
    session_id: str
    content: str
    comment_type: CommentType
    author: Author
    created_at: int
    updated_at: int
    reference_point: str | None = None
    parent_id: str | None = None
    resolved: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class CommentChange:
    """What a comment is changed to; None leaves a part as it is."""

    content: str | None = None
    comment_type: CommentType | None = None
    resolved: bool | None = None

    @property
    def is_the_authors(self) -> bool:
        """Whether only the author may make it."""
        return self.content is not None or self.comment_type is not None


def reference_kind(text: str) -> str | None:
    """What a reference point is, such as section for section:s1; None for what has no known form."""
    match = _REFERENCE.fullmatch(text)
    return match["kind"] if match else None


def content_faults(content: str) -> list[Fault]:
    """A fault when there is nothing to see in a comment; one without any character is refused before."""
    return [Fault("content", "must not be blank")] if content and not content.strip() else []


def reference_faults(text: str) -> list[Fault]:
    """A fault for a reference point of no known form; an empty one is none."""
    if not text or reference_kind(text) is not None:
        return []
    return [Fault("reference_point", f"must be one of {', '.join(f'{kind}:…' for kind in REFERENCES)}")]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a share or a comment, for the event that tells of it."""

    type: str
    session_id: str
    subject_id: str
    version: int
    actor: str
    at: int
    comment_type: str = ""
    permissions: str = ""
    recipients: int = 0
