"""What results' use cases need."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection

from kit.access import Access
from kit.auth.principal import Principal
from kit.levels import Level
from services.results.citing.domain import CitationStyle
from services.results.domain import Artifact, ArtifactKey
from services.results.large.flow import Flow
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import Rendition


class Artifacts(Protocol):
    """The index of what is stored; a row is written after its bytes are durable."""

    def insert(self, conn: Connection, artifact: Artifact) -> None:
        """Storing the same again changes nothing."""
        ...

    def find(self, conn: Connection, key: ArtifactKey) -> Artifact | None: ...


class Styles(Protocol):
    """Users' own citation styles, and copies of installed ones that sessions use."""

    def insert(self, conn: Connection, owner: str, style: CitationStyle) -> None: ...

    def count(self, conn: Connection, owner: str) -> tuple[int, int]:
        """How many the owner's list has, and how many are kept with those that sessions use."""
        ...

    def list(self, conn: Connection, owner: str) -> list[CitationStyle]: ...

    def find(self, conn: Connection, owner: str, style_id: str) -> CitationStyle | None: ...

    def use(self, conn: Connection, owner: str, style_id: str) -> bool: ...

    def keep(self, conn: Connection, style: CitationStyle, now: int) -> None: ...

    def source(self, conn: Connection, style_id: str) -> str | None: ...

    def delete(self, conn: Connection, owner: str, style_id: str) -> bool: ...


class Store(Protocol):
    """The bytes. Raises Unavailable."""

    async def put(self, key: str, data: bytes) -> None: ...

    async def get(self, key: str) -> bytes | None: ...


class RangeStore(Store, Protocol):
    """The bytes of what is too large to be held."""

    async def put_stream(self, key: str, pieces: AsyncIterator[bytes], *, within: float) -> None:
        """Also raises what `pieces` raises; then nothing is stored."""
        ...

    async def rename(self, key: str, to: str) -> None: ...

    async def delete(self, key: str) -> None: ...

    async def size(self, key: str) -> int | None: ...

    async def get_range(self, key: str, start: int, end: int) -> bytes: ...


class Gate(Protocol):
    """The access decision."""

    async def require(self, principal: Principal, session_id: str, needed: Level) -> Access:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Pointer:
    """A session as results sees it. `result` is the artifact that its end made visible; `progress` is from 0 to 100."""

    session_id: str
    prompt: str
    result: ArtifactKey | None
    citation_style: str
    language: str
    status: str
    progress: int


@dataclass(frozen=True, slots=True)
class Execution:
    """How a session ran, as JSON objects."""

    metadata: Mapping[str, Any]
    decisions: list[Any]
    usage: list[Any]

    def digest(self) -> str:
        """Changes with any of it."""
        parts = [self.metadata, self.decisions, self.usage]
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


class Sessions(Protocol):
    """The session service. Raises Unavailable, DeadlineExceeded."""

    async def pointer(self, session_id: str) -> Pointer | None: ...

    async def execution(self, session_id: str) -> Execution: ...

    async def execution_digest(self, session_id: str) -> str:
        """The digest of `execution`, without asking for it again once the session has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """A document as it is asked for, known by what goes into it without reading any of that.

    :param request: the options; its content is left out.
    :param document: the sha256 of the result document.
    :param execution: the digest of the execution, "" if nothing of it is shown.
    :param extra: options of a format that the request does not hold.
    """

    request: RenderRequest
    document: str
    execution: str = ""
    raw_data: bool = False
    extra: str = ""


Gather = Callable[[], Awaitable[RenderRequest]]
"""Reads what is to be rendered; asked for only when it is."""

Ready = Callable[[], Awaitable[None]]
"""Returns when gathering will not take long any more."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A document that the caller may have. `tag` is its strong entity tag; `fetch` gets or makes it."""

    tag: str
    fetch: Callable[[], Awaitable[Rendition | Flow]]


class Renderer(Protocol):
    """Documents, made in bounded processes and kept."""

    def tag(self, order: Order) -> str:
        """The entity tag of what `render` gives: equal tags mean equal bytes."""
        ...

    async def render(self, order: Order, gather: Gather, ready: Ready | None = None) -> Rendition:
        """`ready` is awaited first where the document has to be made, while it takes no process from others. Raises
        Unavailable, DeadlineExceeded, RenderingRefused, ExportTooLarge, and what `gather` and `ready` raise."""
        ...
