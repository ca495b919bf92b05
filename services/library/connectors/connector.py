"""The interface that every connector has, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.library.connectors.work import Work


class Connector(Protocol):
    """A service that finds works."""

    @property
    def name(self) -> str:
        """As settings and sessions name it."""
        ...

    @property
    def address(self) -> str:
        """Where it is asked: answers of another address are not taken for its own."""
        ...

    async def search(self, query: str, limit: int) -> list[Work]:
        """At most `limit` works with an abstract for a query in plain words, best first. Raises ConnectorFailed."""
        ...

    async def full_text(self, url: str) -> tuple[str, str, bytes]:
        """A full text that the service itself serves: a file's name, its type and its bytes. Raises ConnectorFailed."""
        ...


class ConnectorFailed(Exception):
    """A service could not be asked, or gave no usable answer. The text says why, in words for the session's reader;
    `found` are the works it had given until then."""

    def __init__(self, problem: str, found: Sequence[Work] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.found = tuple(found)
