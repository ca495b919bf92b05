"""Full texts: fetched where the licence allows it, read in a parser's process, and left where anything goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from services.library.connectors.asking import Asking
from services.library.connectors.connector import ConnectorFailed
from services.library.connectors.licences import allowed
from services.library.connectors.work import Found, FullText
from services.library.errors import DocumentUnreadable
from services.library.parsing.document import ParsedDocument
from services.library.ports import Parser
from services.library.streams import UploadedFile, safe_filename

log = structlog.get_logger("connectors")
_AT_ONCE = 3
_MOST_TRIED = 2
"""Addresses of one work."""


class Fetched(Protocol):
    """What is fetched from an address."""

    @property
    def filename(self) -> str: ...

    @property
    def content_type(self) -> str: ...

    @property
    def data(self) -> bytes: ...


class Fetching(Protocol):
    """Fetches what a stranger's address names, if it may be asked."""

    async def fetch(self, url: str, *, most_bytes: int, seconds: float) -> Fetched: ...


class FetchingFailed(Exception):
    """An address may not be asked, or gave nothing. The text says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Licences under which a text is fetched, by their short names; how many texts of one gathering at most, of how
    many bytes each; seconds for one, and for all together."""

    licences: Collection[str]
    most: int
    most_bytes: int
    seconds: float
    seconds_for_all: float


@dataclass(frozen=True, slots=True)
class ReadText:
    """A full text that was read."""

    source: FullText
    file: UploadedFile
    parsed: ParsedDocument


class FullTexts:
    """Fetches and reads the full texts of works."""

    def __init__(self, asking: Asking, fetching: Fetching | None, parser: Parser, terms: Terms) -> None:
        """`fetching` is for other addresses than the connectors' own; without it these are left out."""
        self._asking = asking
        self._fetching = fetching
        self._parser = parser
        self._terms = terms

    async def __call__(self, found: list[Found]) -> dict[int, ReadText]:
        """Full texts by the number of the work, of the first works that offer one under an allowed licence."""
        wanted = [number for number, each in enumerate(found) if self._sources(each)][: self._terms.most]
        texts: dict[int, ReadText] = {}
        turns = asyncio.Semaphore(_AT_ONCE)

        async def read(number: int) -> None:
            async with turns:
                text = await self._read(found[number])
            if text is not None:
                texts[number] = text

        try:
            async with asyncio.timeout(self._terms.seconds_for_all):
                await asyncio.gather(*(read(number) for number in wanted))
        except TimeoutError:
            log.warning("full texts left out", read=len(texts), wanted=len(wanted))
        return texts

    def _sources(self, found: Found) -> list[FullText]:
        usable = (each for each in found.work.full_texts if each.own or self._fetching is not None)
        sources = (each for each in usable if allowed(each.licence, self._terms.licences))
        # What a connector serves itself is made for machines.
        return sorted(sources, key=lambda source: not source.own)[:_MOST_TRIED]

    async def _read(self, found: Found) -> ReadText | None:
        for source in self._sources(found):
            try:
                file = await self._fetched(source, found)
                parsed = await self._parser.parse(file.data, filename=file.filename, content_type=file.content_type)
            except (ConnectorFailed, FetchingFailed, DocumentUnreadable) as failure:
                log.info("full text left out", host=_host(source.url), cause=str(failure))
                continue
            # A page about the work is no text of it.
            if not parsed.is_dataset and len(parsed.text) > len(found.work.abstract):
                return ReadText(source, file, parsed)
        return None

    async def _fetched(self, source: FullText, found: Found) -> UploadedFile:
        if source.own or self._fetching is None:
            filename, content_type, data = await self._own(source, found)
        else:
            fetched = await self._fetching.fetch(
                source.url, most_bytes=self._terms.most_bytes, seconds=self._terms.seconds
            )
            filename, content_type, data = fetched.filename, fetched.content_type, fetched.data
        return UploadedFile("", safe_filename(filename), content_type, data)

    async def _own(self, source: FullText, found: Found) -> tuple[str, str, bytes]:
        for name in found.connectors:
            if name in self._asking.enabled and source.url.startswith(self._asking[name].address + "/"):
                return await self._asking[name].full_text(source.url)
        raise ConnectorFailed("the connector that serves it is not enabled")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # an address that is none
        return ""
