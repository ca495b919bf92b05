"""A stage's sources: the library's documents and other sessions' results, as far as the session's grant goes."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import grpc
import orjson

from kit.auth.grants import METADATA_KEY
from kit.rpc.client import Peer
from prsm.library.v1 import internal_pb2, internal_pb2_grpc, library_pb2
from prsm.results.v1 import artifacts_pb2, artifacts_pb2_grpc
from worker.clients import joined
from worker.engines.base import (
    JSON,
    AskedConnector,
    DocumentRecord,
    EngineError,
    FoundWork,
    GatheredWorks,
    Hit,
    WorkSpan,
)
from worker.patience import insist
from worker.ports import Grant

T = TypeVar("T")
NO_ROOM = "dataset_too_large"
_FOLDER = "temporary folder (TMPDIR)"
_SEARCH = 30.0
_TRANSFER = 120.0
_GATHERING = 150.0
"""Longer than the library waits for connectors and their full texts."""


class SourceClient:
    """Opens sources; one for the whole process. A service that is away is waited for, up to `patience` seconds."""

    def __init__(
        self,
        *,
        library: grpc.aio.Channel,
        library_peer: Peer,
        results: grpc.aio.Channel,
        results_peer: Peer,
        patience: float,
    ) -> None:
        self._library = internal_pb2_grpc.LibraryInternalServiceStub(library)
        self._library_peer = library_peer
        self._artifacts = artifacts_pb2_grpc.ArtifactServiceStub(results)
        self._results_peer = results_peer
        self._patience = patience

    def open(self, grant: Grant) -> GrantedSources:
        """The sources that a grant opens."""
        return GrantedSources(self, grant)

    async def search(self, grant: Grant, request: internal_pb2.SearchPassagesRequest) -> list[library_pb2.Hit]:
        async def call() -> list[library_pb2.Hit]:
            extra = ((METADATA_KEY, grant()),)
            answer = await self._library_peer.call(self._library.SearchPassages, request, timeout=_SEARCH, extra=extra)
            return list(answer.hits)

        return await self._insist(call)

    async def works(
        self, grant: Grant, request: internal_pb2.GatherWorksRequest
    ) -> list[internal_pb2.GatherWorksResponse]:
        async def call() -> list[internal_pb2.GatherWorksResponse]:
            extra = ((METADATA_KEY, grant()),)
            pages = self._library_peer.stream(self._library.GatherWorks, request, timeout=_GATHERING, extra=extra)
            return [page async for page in pages]

        return await self._insist(call)

    async def cards(self, grant: Grant, document_ids: Sequence[str]) -> list[internal_pb2.Card]:
        request = internal_pb2.DescribeDocumentsRequest(document_ids=document_ids)

        async def call() -> list[internal_pb2.Card]:
            extra = ((METADATA_KEY, grant()),)
            pages = self._library_peer.stream(self._library.DescribeDocuments, request, timeout=_TRANSFER, extra=extra)
            return [card async for page in pages for card in page.cards]

        return await self._insist(call)

    async def content(self, grant: Grant, request: internal_pb2.ReadContentRequest) -> tuple[str, bytes]:
        """Name and bytes."""

        async def call() -> tuple[str, bytes]:
            extra = ((METADATA_KEY, grant()),)
            parts = [
                part
                async for part in self._library_peer.stream(
                    self._library.ReadContent, request, timeout=_TRANSFER, extra=extra
                )
            ]
            return (str(parts[0].name) if parts else ""), b"".join(part.chunk for part in parts)

        return await self._insist(call)

    async def save(self, grant: Grant, request: internal_pb2.ReadContentRequest, path: Path) -> str:
        """The name; the bytes go to a file, whatever it held before."""

        async def call() -> str:
            extra = ((METADATA_KEY, grant()),)
            parts = self._library_peer.stream(self._library.ReadContent, request, timeout=_TRANSFER, extra=extra)
            name = ""
            with path.open("wb") as file:
                async for part in parts:
                    name = name or str(part.name)
                    await asyncio.to_thread(file.write, part.chunk)
            return name

        return await self._insist(call)

    async def results(self, grant: Grant, session_id: str) -> bytes:
        request = artifacts_pb2.GetInputResultsRequest(session_id=session_id)

        async def call() -> bytes:
            extra = ((METADATA_KEY, grant()),)
            parts = self._results_peer.stream(self._artifacts.GetInputResults, request, timeout=_TRANSFER, extra=extra)
            return await joined(parts)

        return await self._insist(call)

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        return await insist(call, seconds=self._patience)


class GrantedSources:
    """Sources for one session."""

    def __init__(self, client: SourceClient, grant: Grant) -> None:
        self._client = client
        self._grant = grant
        self._folder: TemporaryDirectory[str] | None = None
        self._files: dict[str, tuple[str, str]] = {}

    async def search(
        self, query: str, *, limit: int, document_ids: Sequence[str] = (), passages: bool = True
    ) -> list[Hit]:
        request = internal_pb2.SearchPassagesRequest(
            query=query, limit=limit, document_ids=document_ids, passages=passages
        )
        return [_hit(hit) for hit in await self._client.search(self._grant, request)]

    async def documents(self, document_ids: Sequence[str] = ()) -> list[DocumentRecord]:
        """Data sets are left out, unless they are named."""
        cards = await self._client.cards(self._grant, document_ids)
        return records(cards, datasets=bool(document_ids))

    async def gather_works(
        self, query: str, *, connectors: Sequence[str], limit_each: int, full_text: bool
    ) -> GatheredWorks:
        request = internal_pb2.GatherWorksRequest(
            query=query, connectors=connectors, limit_each=limit_each, full_text=full_text
        )
        pages = await self._client.works(self._grant, request)
        return GatheredWorks(
            works=tuple(_found(work) for page in pages for work in page.works),
            asked=tuple(
                AskedConnector(each.connector, each.found, each.held, each.problem)
                for page in pages
                for each in page.asked
            ),
        )

    async def text(self, document_id: str) -> str:
        form = internal_pb2.ReadContentRequest.FORM_TEXT
        request = internal_pb2.ReadContentRequest(document_id=document_id, form=form)
        # Decoded as a whole: a chunk may end inside a character.
        return (await self._client.content(self._grant, request))[1].decode()

    async def dataset(self, document_id: str) -> tuple[str, bytes]:
        form = internal_pb2.ReadContentRequest.FORM_RAW
        request = internal_pb2.ReadContentRequest(document_id=document_id, form=form)
        return await self._client.content(self._grant, request)

    async def dataset_file(self, document_id: str) -> tuple[str, str]:
        if document_id not in self._files:
            if self._folder is None:
                self._folder = TemporaryDirectory(prefix="prsm-datasets-")
            path = Path(self._folder.name) / str(len(self._files))
            form = internal_pb2.ReadContentRequest.FORM_RAW
            request = internal_pb2.ReadContentRequest(document_id=document_id, form=form)
            try:
                name = await self._client.save(self._grant, request, path)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise EngineError(NO_ROOM, f"the dataset does not fit the worker's {_FOLDER}") from None
                raise
            self._files[document_id] = name, str(path)
        return self._files[document_id]

    async def close(self) -> None:
        folder, self._folder = self._folder, None
        self._files.clear()
        if folder is not None:
            await asyncio.to_thread(folder.cleanup)

    async def session_results(self, session_id: str) -> dict[str, JSON]:
        document: dict[str, Any] = orjson.loads(await self._client.results(self._grant, session_id))
        return document


def _hit(hit: library_pb2.Hit) -> Hit:
    page = hit.page if hit.HasField("page") else None
    return Hit(hit.document_id, hit.title, hit.score, hit.quote, page, hit.start, hit.end)


def _found(work: internal_pb2.GatheredWork) -> FoundWork:
    return FoundWork(_record(work.card, ()), tuple(work.connectors), work.full_text)


def records(cards: Sequence[internal_pb2.Card], *, datasets: bool) -> list[DocumentRecord]:
    """Cards of the same document come one after the other: the first is whole, the others have more of its works."""
    grouped = [list(of_one) for _, of_one in groupby(cards, key=lambda card: card.document_id)]
    return [
        _record(first, tuple(_work(work) for card in (first, *more) for work in card.works))
        for first, *more in grouped
        if datasets or not first.dataset
    ]


def _work(work: internal_pb2.CardWork) -> WorkSpan:
    return WorkSpan(work.start, work.end, _item(work.csl))


def _item(csl: bytes) -> dict[str, JSON]:
    item: dict[str, Any] = orjson.loads(csl) if csl else {}
    return item


def _record(card: internal_pb2.Card, works: tuple[WorkSpan, ...]) -> DocumentRecord:
    return DocumentRecord(
        document_id=card.document_id,
        title=card.title,
        kind=card.kind,
        characters=card.characters,
        pages=card.pages,
        authors=tuple(card.authors),
        year=card.year if card.HasField("year") else None,
        doi=card.doi if card.HasField("doi") else None,
        url=card.url if card.HasField("url") else None,
        csl=_item(card.csl),
        works=works,
    )
