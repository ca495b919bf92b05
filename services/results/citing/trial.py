"""Trying a citation style out on a few works, in a rendering process, before anybody's report depends on it."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import orjson

from kit.errors import DeadlineExceeded, Unavailable
from services.results.rendering.pool import (
    DocumentTooLarge,
    RenderingBusy,
    RenderingCrashed,
    RenderingFailed,
    RenderingTimedOut,
)
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import Rendition

_AUTHORS = [{"family": "Adams", "given": "Ida Rose"}, {"family": "Berg", "given": "Otto"}]
_WORKS: tuple[dict[str, Any], ...] = (
    {"type": "article-journal", "container-title": "Annals", "volume": "3", "issue": "2", "page": "7-19"},
    {"type": "book", "publisher": "A press", "publisher-place": "Town", "edition": "2"},
    {"type": "chapter", "container-title": "A whole", "editor": _AUTHORS[:1], "page": "1-5", "publisher": "A press"},
    {"type": "paper-conference", "container-title": "Proceedings", "page": "1-5"},
    {"type": "report", "number": "7", "publisher": "An institute"},
    {"type": "webpage", "URL": "https://example.org/", "accessed": {"date-parts": [[2020, 1, 2]]}},
    {"type": "document"},
)


class StyleRefused(Exception):
    """The processor cannot use the style; the message says why."""


class Pool(Protocol):
    async def render(self, request: RenderRequest) -> Rendition: ...


class StyleTrial:
    """Formats a few works."""

    def __init__(self, pool: Pool, *, seconds: float) -> None:
        """`seconds` is the longest that a trial may take, with the wait for a process."""
        self._pool = pool
        self._seconds = seconds

    async def __call__(self, csl: str) -> None:
        """Raises StyleRefused, Unavailable, DeadlineExceeded."""
        request = RenderRequest("markdown", _DOCUMENT, "trial", citation_style="trial", csl=csl)
        try:
            async with asyncio.timeout(self._seconds):
                rendition = await self._pool.render(request)
        except RenderingFailed as error:
            raise StyleRefused(f"the citation processor refuses it: {_reason(error)}") from error
        except (RenderingTimedOut, DocumentTooLarge) as error:
            raise StyleRefused("the citation processor takes too long or too much memory with it") from error
        except TimeoutError as error:
            raise DeadlineExceeded("Trying the style took too long") from error
        except RenderingBusy as error:
            raise Unavailable("Too many documents are being made", retry_after=error.retry_after) from error
        except RenderingCrashed as error:
            raise Unavailable("The style cannot be tried just now") from error
        if len(rendition.body) > _LARGEST:
            raise StyleRefused("it writes more than a citation can be")


def _reason(error: RenderingFailed) -> str:
    _, _, told = str(error).partition(": ")
    return told.removeprefix("TypesettingError: ")[:300] or "no reason given"


def _document() -> bytes:
    citations: list[dict[str, Any]] = [
        {
            "id": f"k{index}",
            "title": f"Work {index}",
            "authors": [],
            "year": None if work["type"] == "document" else 2000 + index // 2,
            "doi": "10.5555/12345" if work["type"] == "article-journal" else None,
            "url": work.get("URL"),
            "csl": {**work, "title": f"Work {index}", "author": _AUTHORS[: 1 + index % 2]},
        }
        for index, work in enumerate(_WORKS)
    ]
    ids = [str(citation["id"]) for citation in citations]
    claims = [{"id": "c", "text": "One.", "citations": ids[:2]}, {"id": "d", "text": "Two.", "citations": ids[2:]}]
    section = {"id": "s", "heading": "Trial", "body": "", "claims": claims}
    return orjson.dumps({"title": "Trial", "sections": [section], "citations": citations})


_DOCUMENT = _document()
_LARGEST = 256 * 1024
