"""What the four connectors have in common: a narrow search and then a wide one, page by page, each work once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson

from services.library.connectors.connector import ConnectorFailed
from services.library.connectors.http import Http, Unusable
from services.library.connectors.wording import expressions, words_of
from services.library.connectors.work import Work

MOST_PAGES = 4
"""Of one search: what is asked for stands on the first pages."""


class Paged(ABC):
    """A connector over HTTP."""

    name: str

    def __init__(self, http: Http, address: str, *, contact: str = "", page_size: int = 100) -> None:
        """`address` is where the service's API begins; `contact` is an e-mail address that the service is told."""
        self._http = http
        self._contact = contact
        self._page_size = page_size
        self.address = address.rstrip("/")

    async def search(self, query: str, limit: int) -> list[Work]:
        found: dict[str, Work] = {}
        try:
            for expression in self.expressions(words_of(query)):
                async for works in self.pages(expression, limit):
                    for work in works:
                        if work.title and work.abstract and not work.retracted:
                            found.setdefault(work.keys[0], work.bounded())
                    if len(found) >= limit:
                        return list(found.values())[:limit]
        except ConnectorFailed as failure:
            raise ConnectorFailed(failure.problem, list(found.values())[:limit]) from failure
        return list(found.values())

    def expressions(self, words: tuple[str, ...]) -> Sequence[str]:
        """The searches to make one after the other, until there is enough; none when there are no words."""
        return expressions(words) if words else ()

    @abstractmethod
    def pages(self, expression: str, limit: int) -> AsyncIterator[list[Work]]:
        """Pages of works for one search, best first, an empty one where there are no more. Raises ConnectorFailed."""

    async def full_text(self, url: str) -> tuple[str, str, bytes]:
        raise ConnectorFailed("serves no full texts itself")

    def _sizes(self, limit: int) -> int:
        return max(1, min(self._page_size, limit))


def json_object(body: bytes) -> Mapping[str, Any]:
    """Raises Unusable."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unusable("no JSON") from None
    if not isinstance(value, dict):
        raise Unusable("no JSON object")
    return value


def display_name(given: str, family: str) -> str:
    """A name as it is shown."""
    return " ".join(part for part in (given, family) if part)
