"""The process with its broker and a collab that answers over gRPC: the whole way once, and an orderly end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import orjson
import pytest
from google.api.httpbody_pb2 import HttpBody

from kit.auth.grants import METADATA_KEY as GRANT_KEY
from kit.auth.grants import Grant, GrantSigner
from kit.auth.keys import load_key
from kit.bus.connection import Bus
from kit.errors import RemoteError
from kit.ids import RandomIds
from kit.rpc.call import Call
from kit.rpc.serve import GrpcServer
from kit.times import SystemClock
from prsm.collab.v1 import access_pb2
from prsm.events.v1 import events_pb2
from prsm.library.v1 import internal_pb2, internal_pb2_grpc, library_pb2, library_pb2_grpc
from prsm.options.v1 import options_pb2
from tests.integration.library.stand import NDJSON, SESSION, collected
from tests.support.nats import NatsServer
from tests.support.processes import ServiceProcess
from tests.support.serving import Identities

TEXTS = [f"Peat of bog {number} is made of moss and keeps its carbon." for number in range(3)]


class Collab:
    """Vera has a share of the one session."""

    async def CheckAccess(self, request: access_pb2.CheckAccessRequest, call: Call) -> access_pb2.CheckAccessResponse:
        return access_pb2.CheckAccessResponse(grant=self._grant(request))

    async def CheckAccessBulk(
        self, request: access_pb2.CheckAccessBulkRequest, call: Call
    ) -> access_pb2.CheckAccessBulkResponse:
        return access_pb2.CheckAccessBulkResponse(grants=[self._grant(check) for check in request.checks])

    async def ListShared(self, request: access_pb2.ListSharedRequest, call: Call) -> access_pb2.ListSharedResponse:
        return access_pb2.ListSharedResponse()

    @staticmethod
    def _grant(check: access_pb2.CheckAccessRequest) -> access_pb2.Grant:
        if (check.session_id, check.principal.user_id) == (SESSION, "vera"):
            return access_pb2.Grant(
                standing=access_pb2.Grant.STANDING_CURRENT, level=options_pb2.Rule.LEVEL_VIEW, expires_at_us=2**60
            )
        return access_pb2.Grant(standing=access_pb2.Grant.STANDING_STRANGER)


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(tmp_path, SystemClock(), ["session", "library", "worker"])


@pytest.fixture
async def collab(identities: Identities) -> AsyncIterator[str]:
    """The address of a served collab."""
    pipeline = identities.pipeline("collab", store=None, ids=RandomIds(SystemClock()))
    service = access_pb2.DESCRIPTOR.services_by_name["AccessService"]
    server = GrpcServer("127.0.0.1:0", pipeline, [(service, Collab())])
    await server.start()
    yield f"127.0.0.1:{server.port}"
    await server.stop(0)


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A broker of the test's own."""
    server = NatsServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def bus(nats: NatsServer) -> AsyncIterator[Bus]:
    bus = Bus(nats.url, name="test")
    bus.start()
    await bus.ready()
    await bus.ensure_streams()
    yield bus
    await bus.close()


async def test_the_whole_way(
    identities: Identities, collab: str, nats: NatsServer, bus: Bus, migrated_file: Path, tmp_path: Path
) -> None:
    database = shutil.copy(migrated_file, tmp_path / "process.db")
    settings = {
        **identities.settings("library"),
        "database_url": f"sqlite:///{database}",
        "nats_url": nats.url,
        "blobs": str(tmp_path / "blobs"),
        "collab_target": collab,
        "collab_deadline_seconds": "10",
    }
    stored = await bus.client.subscribe("prsm.events.library.stored")
    await bus.client.flush()
    async with ServiceProcess("library", settings) as process:
        async with grpc.aio.insecure_channel(process.target) as channel:
            ids = await batched(channel, identities)
            first = events_pb2.DocumentChanged.FromString((await stored.next_msg(timeout=60)).data)
            assert (first.document_id, first.owner, first.type) == (ids[0], "ada", "document.stored")
            assert await searched_and_read(channel, identities, tmp_path) == set(ids)
            event = events_pb2.SessionChanged(
                session_id=SESSION, version=9, owner="ada", status="completed", cited_document_ids=ids[:1]
            )
            await bus.jetstream().publish("prsm.events.session.completed", event.SerializeToString())
            async with asyncio.timeout(60):
                text = None
                while text is None:
                    text = await text_for(channel, identities, "vera", ids[0])
            assert text == TEXTS[0]
            assert await text_for(channel, identities, "vera", ids[1]) is None
            assert await text_for(channel, identities, "mallory", ids[0]) is None
        assert await process.stop() == 0


async def batched(channel: grpc.aio.Channel, identities: Identities) -> list[str]:
    """The ids of three documents, stored as one batch."""
    stub = library_pb2_grpc.LibraryServiceStub(channel)
    body = b"".join(orjson.dumps({"text": text}) + b"\n" for text in TEXTS)

    async def requests() -> AsyncIterator[HttpBody]:
        yield HttpBody(content_type=NDJSON, data=body)

    found = await collected(stub.BatchDocuments(requests(), metadata=identities.user_metadata("ada"), timeout=60))
    return [orjson.loads(line)["document_id"] for line in found.body.splitlines()]


async def searched_and_read(channel: grpc.aio.Channel, identities: Identities, folder: Path) -> set[str]:
    """What a worker finds and reads with the grant of a prepared session that works on the library."""
    internal = internal_pb2_grpc.LibraryInternalServiceStub(channel)
    session, worker = identities.peer("session", "library"), identities.peer("worker", "library")
    inputs = internal_pb2.PrepareInputsRequest(session_id=SESSION, owner="ada", use_library=True)
    prepared = await session.call(internal.PrepareInputs, inputs, timeout=60)
    assert prepared.library_documents == len(TEXTS)
    grant = GrantSigner(load_key(folder / "session.json"), SystemClock()).sign(Grant("ada", SESSION, 1))
    extra = ((GRANT_KEY, grant),)
    query = internal_pb2.SearchPassagesRequest(query="carbon of peat", limit=10, passages=True)
    hits = (await worker.call(internal.SearchPassages, query, timeout=60, extra=extra)).hits
    request = internal_pb2.ReadContentRequest(
        document_id=hits[0].document_id, form=internal_pb2.ReadContentRequest.FORM_TEXT
    )
    parts = [part async for part in worker.stream(internal.ReadContent, request, timeout=60, extra=extra)]
    text = b"".join(part.chunk for part in parts).decode()
    assert text[hits[0].start : hits[0].end] == hits[0].quote
    return {hit.document_id for hit in hits}


async def text_for(channel: grpc.aio.Channel, identities: Identities, user: str, document_id: str) -> str | None:
    """A document's text, or None where it is not found."""
    stub = library_pb2_grpc.LibraryServiceStub(channel)
    request = library_pb2.GetDocumentTextRequest(document_id=document_id)
    call = stub.GetDocumentText(request, metadata=identities.user_metadata(user), timeout=60)
    try:
        return (await collected(call)).body.decode()
    except RemoteError as error:
        if error.name != "DOCUMENT_NOT_FOUND":
            raise
        return None
