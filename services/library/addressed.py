"""Inputs of a session that are addresses on the web: fetched and read, all at the same time and within one limit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from services.library.errors import DocumentUnreadable
from services.library.fetching.fetch import Fetched, FetchFailed
from services.library.fetching.targets import FetchRefused
from services.library.parsing.document import ParsedDocument
from services.library.ports import Fetching, Parser
from services.library.streams import UploadedFile

SWITCHED_OFF = "fetching URLs is not enabled on this deployment"
_ANYTHING = ("application/octet-stream", "binary/octet-stream")
_CURE = ": upload the file instead"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """For all addresses of one session together: seconds to fetch and read them, their bytes, their number."""

    seconds: float = 8.0
    most_bytes: int = 25 * 1024 * 1024
    addresses: int = 20


class Unusable(Exception):
    """An address that gives no document; `issue` is for whoever gave it."""

    def __init__(self, issue: str) -> None:
        super().__init__(issue)
        self.issue = issue


@dataclass(frozen=True, slots=True)
class ReadAddress:
    """What an address gave: the file as it came, and what is in it."""

    file: UploadedFile
    parsed: ParsedDocument


class Addressed:
    """Begins with all addresses at once; use as an async context manager, which ends what is still under way."""

    def __init__(
        self, wanted: Mapping[str, str], fetching: Fetching | None, parser: Parser, limits: FetchLimits
    ) -> None:
        """`wanted` are URLs by the fields that name them."""
        self._wanted = wanted
        self._fetching = fetching
        self._parser = parser
        self._limits = limits
        self._bytes = 0
        self._reading: dict[str, asyncio.Task[ReadAddress]] = {}

    async def __aenter__(self) -> Self:
        if self._fetching is not None:
            self._deadline = asyncio.get_running_loop().time() + self._limits.seconds
            for field, url in [*self._wanted.items()][: self._limits.addresses]:
                self._reading[field] = asyncio.create_task(self._read(self._fetching, url))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def read(self, field: str) -> ReadAddress:
        """Raises Unusable."""
        if self._fetching is None:
            raise Unusable(SWITCHED_OFF + _CURE)
        if field not in self._reading:
            raise Unusable(f"is one of more than {self._limits.addresses} addresses{_CURE}")
        return await self._reading[field]

    async def _read(self, fetching: Fetching, url: str) -> ReadAddress:
        fetched = await self._fetched(fetching, url)
        self._bytes += len(fetched.data)
        if self._bytes > self._limits.most_bytes:
            raise Unusable(f"is over {self._limits.most_bytes:,} bytes together with the others{_CURE}")
        file = UploadedFile("", fetched.filename, fetched.content_type, fetched.data)
        left = max(self._deadline - asyncio.get_running_loop().time(), 0.0)
        try:
            async with asyncio.timeout(left):
                parsed = await self._parser.parse(
                    file.data, filename=file.filename, content_type=_type(file.content_type)
                )
        except TimeoutError:
            raise Unusable(f"cannot be fetched and read within {self._limits.seconds:g} s{_CURE}") from None
        except DocumentUnreadable as error:
            raise Unusable(f"cannot be read: {error.message}") from None
        return ReadAddress(file, replace(parsed, title=parsed.title or file.filename))

    async def _fetched(self, fetching: Fetching, url: str) -> Fetched:
        try:
            return await fetching.fetch(url, most_bytes=self._limits.most_bytes, seconds=self._limits.seconds)
        except FetchRefused as error:
            # What "must" be otherwise says itself how to mend it.
            raise Unusable(error.reason + ("" if error.reason.startswith("must ") else _CURE)) from None
        except FetchFailed as error:
            raise Unusable(error.reason + _CURE) from None


def _type(header: str) -> str:
    """Servers that know no better call everything a stream of bytes: then the name and the content decide."""
    return "" if header.partition(";")[0].strip().lower() in _ANYTHING else header
