"""Two library processes on one PostgreSQL and one store of blobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from kit.db.migrate import upgrade
from kit.times import SystemClock
from prsm.library.v1 import library_pb2, library_pb2_grpc
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities, answer

CLOCK = SystemClock()
_LONG = "Peat is made of moss. " * 5_000
"""Too long for a row: its text is a blob."""


class Replica:
    """A process of the library, as ada calls it."""

    def __init__(self, process: ServiceProcess, channel: grpc.aio.Channel, identities: Identities) -> None:
        self.process = process
        self._stub: Any = library_pb2_grpc.LibraryServiceStub(channel)
        self._identities = identities

    async def create(self, text: str, *, key: str = "") -> str:
        request = library_pb2.CreateDocumentRequest(text=text)
        more = (("idempotency-key", key),) if key else ()
        metadata = (*self._identities.user_metadata("ada"), *more)
        return str((await answer(self._stub.CreateDocument(request, metadata=metadata, timeout=60))).document_id)

    async def delete(self, document_id: str) -> None:
        request = library_pb2.DeleteDocumentRequest(document_id=document_id)
        metadata = self._identities.user_metadata("ada")
        await answer(self._stub.DeleteDocument(request, metadata=metadata, timeout=60))

    async def found(self, query: str) -> set[str]:
        request = library_pb2.SearchDocumentsRequest(query=query)
        metadata = self._identities.user_metadata("ada")
        answered = await answer(self._stub.SearchDocuments(request, metadata=metadata, timeout=60))
        return {hit.document_id for hit in answered.hits}


@pytest.fixture
async def replicas(postgres_url: str, tmp_path: Path) -> AsyncIterator[list[Replica]]:
    identities = Identities(tmp_path, CLOCK, ["library"])
    await asyncio.to_thread(upgrade, "services.library", postgres_url)
    settings = {
        **identities.settings("library"),
        "database_url": postgres_url,
        "nats_url": "nats://127.0.0.1:1",
        "blobs": str(tmp_path / "blobs"),
        "collab_target": "127.0.0.1:1",
        "parser_processes": "1",
        "snapshot_documents": "2",
    }
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            process = await stack.enter_async_context(ServiceProcess("library", settings))
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(process.target))
            made.append(Replica(process, channel, identities))
        yield made


async def test_replicas_find_the_same_and_one_goes_on_without_the_other(replicas: list[Replica]) -> None:
    one, two = replicas
    first = await one.create(_LONG)
    assert await two.found("peat") == await one.found("peat") == {first}
    second = await two.create("Peat burns.")
    assert await one.found("peat") == {first, second}
    same = await asyncio.gather(*(replica.create("Peat grows.", key="k") for replica in (one, two, one, two)))
    assert len(set(same)) == 1
    await two.delete(second)
    assert await one.found("peat") == await two.found("peat") == {first, same[0]}
    # Saved indexes are replaced by whoever comes first; the other goes on with its own.
    more = await asyncio.gather(*(replica.create(f"Moss {n}.") for n in range(4) for replica in replicas))
    assert await one.found("moss") == await two.found("moss") == {first, *more}
    await one.process.kill()
    last = await two.create("Peat smells.")
    assert await two.found("peat") == {first, same[0], last}
