"""What results' use cases need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from kit.access import Access
from kit.auth.principal import Principal
from kit.levels import Level
from services.results.domain import Artifact, ArtifactKey
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import Rendition


class Artifacts(Protocol):
    """The index of what is stored; a row is written after its bytes are durable."""

    def insert(self, conn: Connection, artifact: Artifact) -> None:
        """Storing the same again changes nothing."""
        ...

    def find(self, conn: Connection, key: ArtifactKey) -> Artifact | None: ...


class Store(Protocol):
    """The bytes. Raises Unavailable."""

    async def put(self, key: str, data: bytes) -> None: ...

    async def get(self, key: str) -> bytes | None: ...


class Gate(Protocol):
    """The access decision."""

    async def require(self, principal: Principal, session_id: str, needed: Level) -> Access:
        """Raises SessionNotFound, SessionNotAccessible, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Pointer:
    """A session as results sees it. `result` is the artifact that its end made visible."""

    session_id: str
    prompt: str
    result: ArtifactKey | None
    citation_style: str
    language: str


@dataclass(frozen=True, slots=True)
class Execution:
    """How a session ran, as JSON objects."""

    metadata: Mapping[str, Any]
    decisions: list[Any]
    usage: list[Any]


class Sessions(Protocol):
    """The session service. Raises Unavailable, DeadlineExceeded."""

    async def pointer(self, session_id: str) -> Pointer | None: ...

    async def execution(self, session_id: str) -> Execution: ...


class Renderer(Protocol):
    """Documents, made in bounded processes."""

    async def render(self, request: RenderRequest) -> Rendition:
        """Raises Unavailable, DeadlineExceeded, RenderingRefused."""
        ...
