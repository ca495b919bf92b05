"""What the library's use cases need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.paging import Page
from services.library.domain import Document
from services.library.fetching.fetch import Fetched
from services.library.holdings import Arrival, Held, Indexable, LibraryState, Stored
from services.library.index.library_index import LibraryIndex
from services.library.parsing.document import ParsedDocument


class Documents(Protocol):
    """Libraries and their documents. Every method is part of the unit of work whose connection it is given."""

    def store(self, conn: Connection, owner: str, arrivals: Sequence[Arrival]) -> list[Stored]:
        """Put documents into the library, in order; one whose external id is known replaces the other, unless it
        is the same; for a copy of what is there, without an external id, the one that is there is returned. Texts
        come with them where they are small, events always."""
        ...

    def store_for_session(self, conn: Connection, arrivals: Sequence[Arrival]) -> None:
        """Store documents of a session; those that are there stay as they are."""
        ...

    def delete(self, conn: Connection, owner: str, document_id: str) -> bool:
        """Take a document out of the library. False when the owner's library does not hold it."""
        ...

    def find(self, conn: Connection, document_id: str) -> Held | None:
        """Any owner's document, deleted ones and those of sessions included."""
        ...

    def find_many(self, conn: Connection, document_ids: Collection[str]) -> dict[str, Held]:
        """The same for many; unknown ids are left out."""
        ...

    def fetched(self, conn: Connection, session_id: str) -> list[Document]:
        """The documents of a session that came from addresses, in the order of their ids."""
        ...

    def listed(self, conn: Connection, owner: str, page: Page) -> tuple[list[Document], int]:
        """A page of the library, newest first, and how many documents it holds."""
        ...

    def same_works(self, conn: Connection, owner: str, found: Sequence[Document]) -> list[Document]:
        """These documents, each with the first of the library that is the same work, if it is another."""
        ...

    def readable(self, conn: Connection, owner: str, after: tuple[int, str], limit: int) -> list[Document]:
        """Ready documents of the library, oldest first, after (created_at, document_id)."""
        ...

    def state(self, conn: Connection, owner: str) -> LibraryState: ...

    def changes(self, conn: Connection, owner: str, since: int) -> list[Indexable]:
        """What changed after revision `since`, by revision, then id."""
        ...

    def indexable(self, conn: Connection, document_ids: Collection[str]) -> list[Indexable]:
        """Ready documents by id, in the order of their ids."""
        ...

    def set_snapshot(self, conn: Connection, owner: str, key: str, revision: int) -> str | None:
        """Point to a saved index unless there is a newer one. The key that is no longer pointed to, else None."""
        ...

    def purge(self, conn: Connection, before: int, limit: int) -> list[Document]:
        """Remove documents that were deleted before a moment and that no session uses; returns them."""
        ...

    def texts(self, conn: Connection, document_ids: Collection[str]) -> dict[str, str]:
        """The texts that are kept in rows."""
        ...


class Uses(Protocol):
    """Which sessions use which documents, and what was prepared for sessions."""

    def prepare(self, conn: Connection, session_id: str, owner: str) -> bool:
        """Note that inputs are prepared. False when they were discarded, or are another owner's."""
        ...

    def discard(self, conn: Connection, session_id: str, owner: str) -> list[Document]:
        """Leave a tombstone and remove the session's documents, with links and small texts; returns them."""
        ...

    def link(self, conn: Connection, session_id: str, owner: str, document_ids: Collection[str]) -> None:
        """Let whoever may view the session read these documents. Unknown ids are left out."""
        ...

    def linked(self, conn: Connection, session_id: str) -> set[str]:
        """The documents that a session uses."""
        ...

    def used_by(self, conn: Connection, document_id: str, owner: str) -> bool:
        """Whether a session of this owner uses the document."""
        ...

    def sessions_of(self, conn: Connection, document_id: str, before: str, limit: int) -> list[str]:
        """The sessions that use a document, the newest first: those before one, or all when that is empty."""
        ...


class Contents(Protocol):
    """Texts and files, in rows or blobs."""

    async def keep(self, document: Document, text: str, raw: bytes | None) -> None:
        """Store what does not go into rows: a long text, a file as it came. To be done before the rows are committed.
        Raises Unavailable."""
        ...

    async def forget(self, document: Document) -> None:
        """Remove the blobs of a document that is no more."""
        ...

    async def texts(self, document_ids: Collection[str]) -> Mapping[str, str]:
        """Texts of ready documents; what was removed meanwhile is left out."""
        ...

    async def text(self, document: Document) -> str:
        """The stored text, empty for an unreadable document."""
        ...

    async def raw(self, document: Document) -> bytes | None:
        """The bytes as they came, None when the document came as text."""
        ...


class Indexes(Protocol):
    """Indexes that are up to date."""

    async def of_library(self, owner: str) -> LibraryIndex:
        """The index of an owner's library, with every change committed before the call."""
        ...

    async def of_documents(self, document_ids: Collection[str]) -> LibraryIndex:
        """An index of these documents alone."""
        ...

    def changed(self, owner: str) -> None:
        """Tell that a library changed, so that its index is brought up to date before it is asked for."""
        ...


class Parser(Protocol):
    """Reads files."""

    async def parse(self, data: bytes, *, filename: str, content_type: str = "") -> ParsedDocument:
        """Raises DocumentUnreadable."""
        ...


class Fetching(Protocol):
    """Fetches what a URL names."""

    async def fetch(self, url: str, *, most_bytes: int, seconds: float) -> Fetched:
        """Raises FetchRefused, FetchFailed."""
        ...


class Viewers(Protocol):
    """Collab, as the decision about a text needs it."""

    async def may_view_any(self, principal: Principal, session_ids: Sequence[str]) -> bool:
        """Whether a share lets the principal view one of the sessions. Never cached. Raises Unavailable,
        DeadlineExceeded."""
        ...


class Gatherings(Protocol):
    """What connectors answered, and what was gathered for sessions: JSON, as text."""

    def answer(self, conn: Connection, key: str, since: int) -> str | None:
        """An answer that was kept at `since` or later."""
        ...

    def keep_answer(self, conn: Connection, key: str, works: str, now: int) -> None:
        """Keep an answer, in place of an older one."""
        ...

    def prune_answers(self, conn: Connection, before: int, limit: int) -> int:
        """Remove answers kept before a moment; how many."""
        ...

    def gathered(self, conn: Connection, session_id: str, digest: str) -> str | None:
        """What was gathered for a session."""
        ...

    def note(self, conn: Connection, session_id: str, digest: str, gathered: str, now: int) -> bool:
        """Note what was gathered. False when that was noted already: then it stays as it is."""
        ...

    def ids_of_session(self, conn: Connection, session_id: str, owner: str) -> list[str]:
        """Ids of the documents that belong to a session and can be read, sorted."""
        ...

    def of_session(self, conn: Connection, session_id: str, owner: str) -> list[Document]:
        """The documents that belong to a session, in the order of their ids."""
        ...

    def known_works(
        self, conn: Connection, owner: str, keys: Collection[str], among: Collection[str]
    ) -> dict[str, str]:
        """The oldest documents of the library that are works with these keys, by key; only of those in `among`, unless
        that is empty."""
        ...
