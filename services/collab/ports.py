"""What collab's use cases need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from kit.access import Access
from kit.auth.principal import Principal
from kit.levels import Level
from kit.paging import Page
from services.collab.domain import Change, Comment, CommentChange, CommentType, Entry, Share

Record = Callable[[Connection, Share], None]
RecordComment = Callable[[Connection, Comment], None]


class Shares(Protocol):
    """Shares, as parts of a unit of work."""

    def add(self, conn: Connection, share: Share, principals: Sequence[str], token_hash: str) -> None: ...

    def get(self, conn: Connection, session_id: str, share_id: str) -> Share | None: ...

    def by_token(self, conn: Connection, token_hash: str) -> tuple[Share, frozenset[str]] | None:
        """The share of a token and the principals it is for."""
        ...

    def revoke(self, conn: Connection, share_id: str, now: int) -> Share | None:
        """The share as it is once revoked; None when it was so already."""
        ...

    def page(self, conn: Connection, session_id: str, page: Page, shared_by: str | None) -> tuple[list[Share], int]:
        """A page of a session's shares, newest first, and how many there are; only those of one maker if named."""
        ...

    def entries(
        self, conn: Connection, session_ids: Sequence[str], principals: Sequence[str]
    ) -> dict[tuple[str, str], list[Entry]]:
        """What each (session, principal) has, or had."""
        ...

    def sessions_of(self, conn: Connection, principals: Sequence[str], now: int, limit: int) -> list[str]:
        """The sessions with a share in force for any of the principals, the newest of them first."""
        ...


class Comments(Protocol):
    """Comments, as parts of a unit of work. A deleted comment is none."""

    def add(self, conn: Connection, comment: Comment) -> None: ...

    def get(self, conn: Connection, session_id: str, comment_id: str) -> Comment | None: ...

    def change(
        self, conn: Connection, session_id: str, comment_id: str, change: CommentChange, now: int, author: str | None
    ) -> Comment | None:
        """The comment once changed; None where there is none, or none of that author if one is named."""
        ...

    def delete(
        self, conn: Connection, session_id: str, comment_id: str, now: int, author: str | None
    ) -> Comment | None:
        """What was deleted; None where there is none, or none of that author if one is named."""
        ...

    def page(
        self, conn: Connection, session_id: str, page: Page, comment_type: CommentType | None
    ) -> tuple[list[Comment], int]:
        """A page of a session's comments, newest first, and how many there are; of one type if named."""
        ...


class Announcer(Protocol):
    """Puts events into the unit of work that they tell of."""

    def announce(self, conn: Connection, change: Change) -> None: ...


class SessionCard(Protocol):
    """What is told of a session."""

    @property
    def owner(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def session_type(self) -> str: ...
    @property
    def prompt(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def stages(self) -> tuple[str, ...]: ...


class Sessions(Protocol):
    """The session service. Raises Unavailable, DeadlineExceeded."""

    async def find(self, session_id: str) -> SessionCard | None: ...

    async def owner(self, session_id: str) -> str | None: ...


class ReferencePoints(Protocol):
    """What of a session's results a comment may refer to, e.g. section:s1; nothing before there are results.

    Raises Unavailable, DeadlineExceeded.
    """

    async def of(self, session_id: str) -> frozenset[str]: ...


class Gate(Protocol):
    """The access decision."""

    async def require(self, principal: Principal, session_id: str, needed: Level) -> Access:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        ...


class Tokens(Protocol):
    """Share tokens."""

    def token(self, share_id: str) -> str: ...

    def hash_of(self, token: str) -> str: ...
