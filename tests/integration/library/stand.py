"""The library as the tests call it. Collab stands behind its port, in memory."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
from google.api.httpbody_pb2 import HttpBody
from sqlalchemy import Connection, select

from kit.auth.grants import METADATA_KEY as GRANT_KEY
from kit.auth.grants import Grant, GrantSigner
from kit.auth.keys import load_key
from kit.auth.principal import Principal
from kit.blobs import open_blobs
from kit.db.database import Database
from kit.db.inbox import Inbox
from kit.db.outbox import Outbox
from kit.errors import Unavailable
from kit.ids import RandomIds
from kit.rpc.client import named
from kit.times import ManualClock
from prsm.events.v1 import events_pb2
from prsm.library.v1 import internal_pb2, internal_pb2_grpc, library_pb2, library_pb2_grpc
from services.library.app import OWN_IDEMPOTENCY, assemble
from services.library.connectors.registry import connectors_of
from services.library.convert.events import citations_of
from services.library.fetching.fetch import Fetcher
from services.library.ports import Parser
from services.library.settings import LibrarySettings
from services.library.tables import KIT
from tests.support.serving import Identities, Served, answer, idempotency_store

SESSION = "0192f0aa-1111-7000-8000-000000000001"
OTHER_SESSION = "0192f0aa-1111-7000-8000-000000000002"
UNKNOWN = "0192f0aa-1111-7000-8000-00000000000f"
BOUNDARY = "frontier"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
NDJSON = "application/x-ndjson"
File = tuple[str, bytes]


class Shares:
    """Who may view which sessions by a share."""

    def __init__(self) -> None:
        self.viewers: dict[str, set[str]] = {}
        self.asked: list[Sequence[str]] = []
        self.away = False

    async def may_view_any(self, principal: Principal, session_ids: Sequence[str]) -> bool:
        self.asked.append(session_ids)
        if self.away:
            raise Unavailable()
        return any(principal.user_id in self.viewers.get(session_id, ()) for session_id in session_ids)


def library_settings(**changes: Any) -> LibrarySettings:
    required = {
        name: "unused"
        for name, field in LibrarySettings.model_fields.items()
        if field.is_required() and field.annotation is str
    }
    return LibrarySettings.model_validate({**required, "internal_key": "unused", **changes})


class Stand:
    """A served library."""

    def __init__(
        self, db: Database, parser: Parser, folder: Path, *, fetcher: Fetcher | None = None, **settings: Any
    ) -> None:
        """Stands in the same folder and on the same database are replicas, or one after a restart."""
        self.db = db
        self.clock = ManualClock()
        self.ids = RandomIds(self.clock)
        self.shares = Shares()
        self.folder = folder
        self.store = idempotency_store(db, KIT, self.clock, self.ids)
        self.connectors = connectors_of(library_settings(**settings), self.clock)
        self.app = assemble(
            library_settings(**settings),
            db=db,
            blobs=open_blobs(str(folder / "blobs")),
            outbox=Outbox(KIT),
            inbox=Inbox(KIT),
            idempotency=self.store,
            parser=parser,
            viewers=self.shares,
            clock=self.clock,
            ids=self.ids,
            fetcher=fetcher,
            connectors=self.connectors.by_name,
        )
        keys = Path(tempfile.mkdtemp(dir=folder, prefix="keys-"))
        self.identities = Identities(keys, self.clock, ["session", "worker", "results"])
        self._signer = GrantSigner(load_key(keys / "session.json"), self.clock)
        self._session = self.identities.peer("session", "library")
        self._worker = self.identities.peer("worker", "library")

    async def start(self) -> None:
        pipeline = self.identities.pipeline("library", store=self.store, ids=self.ids, own_idempotency=OWN_IDEMPOTENCY)
        self._served = await Served.start(pipeline, self.app.services)
        self.library = library_pb2_grpc.LibraryServiceStub(self._served.channel)
        self.internal = internal_pb2_grpc.LibraryInternalServiceStub(self._served.channel)

    async def stop(self) -> None:
        await self._served.stop()
        await self.app.indexes.close()
        await self.connectors.close()

    def headers(self, user: str, key: str = "") -> tuple[tuple[str, str], ...]:
        more = (("idempotency-key", key),) if key else ()
        return (*self.identities.user_metadata(user), *more)

    async def create(
        self, text: str, *, title: str = "", user: str = "ada", key: str = "", **more: Any
    ) -> library_pb2.Document:
        metadata = more.pop("metadata", None)
        request = library_pb2.CreateDocumentRequest(title=title, text=text, **more)
        if metadata is not None:
            request.metadata.update(metadata)
        call = self.library.CreateDocument(request, metadata=self.headers(user, key), timeout=60)
        found: library_pb2.Document = await answer(call)
        return found

    async def upload(self, *files: File, user: str = "ada", key: str = "") -> Answer:
        return await self.send(self.library.UploadDocuments, FORM, pieces(form(*files)), user=user, key=key)

    async def batch(self, *lines: object, user: str = "ada", key: str = "") -> list[dict[str, Any]]:
        body = b"".join(line if isinstance(line, bytes) else orjson.dumps(line) + b"\n" for line in lines)
        found = await self.send(self.library.BatchDocuments, NDJSON, pieces(body), user=user, key=key)
        assert found.content_type == NDJSON
        return [orjson.loads(line) for line in found.body.splitlines()]

    async def send(
        self, method: Any, content_type: str, body: Iterable[bytes], *, user: str = "ada", key: str = ""
    ) -> Answer:
        """Stream a body and collect the answer."""

        async def requests() -> AsyncIterator[HttpBody]:
            first = content_type
            for piece in body:
                yield HttpBody(content_type=first, data=piece)
                first = ""

        return await collected(method(requests(), metadata=self.headers(user, key), timeout=60))

    async def search(self, query: str, *, user: str = "ada", **more: Any) -> list[library_pb2.Hit]:
        request = library_pb2.SearchDocumentsRequest(query=query, **more)
        call = self.library.SearchDocuments(request, metadata=self.headers(user), timeout=60)
        return list((await answer(call)).hits)

    async def listed(self, *, user: str = "ada", **more: Any) -> library_pb2.ListDocumentsResponse:
        request = library_pb2.ListDocumentsRequest(**more)
        found: library_pb2.ListDocumentsResponse = await answer(
            self.library.ListDocuments(request, metadata=self.headers(user), timeout=60)
        )
        return found

    async def get(self, document_id: str, *, user: str = "ada") -> library_pb2.Document:
        request = library_pb2.GetDocumentRequest(document_id=document_id)
        found: library_pb2.Document = await answer(
            self.library.GetDocument(request, metadata=self.headers(user), timeout=60)
        )
        return found

    async def text(self, document_id: str, *, user: str = "ada") -> str:
        request = library_pb2.GetDocumentTextRequest(document_id=document_id)
        call = self.library.GetDocumentText(request, metadata=self.headers(user), timeout=60)
        found = await collected(call)
        assert found.content_type == "text/plain; charset=utf-8"
        return found.body.decode()

    async def delete(self, document_id: str, *, user: str = "ada") -> None:
        request = library_pb2.DeleteDocumentRequest(document_id=document_id)
        found = await answer(self.library.DeleteDocument(request, metadata=self.headers(user), timeout=60))
        assert (found.document_id, found.deleted) == (document_id, True)

    async def prepare(
        self,
        *,
        documents: Sequence[internal_pb2.DocumentSource] = (),
        datasets: Sequence[internal_pb2.DatasetSource] = (),
        session: str = SESSION,
        owner: str = "ada",
        **more: Any,
    ) -> internal_pb2.PrepareInputsResponse:
        request = internal_pb2.PrepareInputsRequest(
            session_id=session, owner=owner, documents=documents, datasets=datasets, **more
        )
        found: internal_pb2.PrepareInputsResponse = await self._session.call(
            self.internal.PrepareInputs, request, timeout=30
        )
        return found

    async def discard(self, session: str = SESSION, owner: str = "ada") -> None:
        request = internal_pb2.DiscardInputsRequest(session_id=session, owner=owner)
        await self._session.call(self.internal.DiscardInputs, request, timeout=60)

    def grant(
        self,
        *,
        owner: str = "ada",
        session: str = SESSION,
        documents: Sequence[str] = (),
        datasets: Sequence[str] = (),
    ) -> str:
        return self._signer.sign(Grant(owner, session, 1, tuple(documents), tuple(datasets)))

    async def passages(self, query: str, grant: str, *, limit: int = 20, **more: Any) -> list[library_pb2.Hit]:
        request = internal_pb2.SearchPassagesRequest(query=query, limit=limit, **more)
        extra = ((GRANT_KEY, grant),)
        return list((await self._worker.call(self.internal.SearchPassages, request, timeout=60, extra=extra)).hits)

    async def works(self, grant: str, query: str, **more: Any) -> list[internal_pb2.GatherWorksResponse]:
        request = internal_pb2.GatherWorksRequest(query=query, **{"limit_each": 10, "full_text": True, **more})
        pages = self._worker.stream(self.internal.GatherWorks, request, timeout=60, extra=((GRANT_KEY, grant),))
        return [page async for page in pages]

    async def cards(self, grant: str, *document_ids: str) -> list[internal_pb2.Card]:
        request = internal_pb2.DescribeDocumentsRequest(document_ids=document_ids)
        pages = self._worker.stream(self.internal.DescribeDocuments, request, timeout=60, extra=((GRANT_KEY, grant),))
        return [card async for page in pages for card in page.cards]

    async def content(self, grant: str, document_id: str, *, raw: bool = False) -> File:
        form_ = internal_pb2.ReadContentRequest.FORM_RAW if raw else internal_pb2.ReadContentRequest.FORM_TEXT
        request = internal_pb2.ReadContentRequest(document_id=document_id, form=form_)
        parts = self._worker.stream(self.internal.ReadContent, request, timeout=60, extra=((GRANT_KEY, grant),))
        found = [part async for part in parts]
        return found[0].name, b"".join(part.chunk for part in found)

    async def completed(self, *cited: str, session: str = SESSION, owner: str = "ada", version: int = 9) -> None:
        """The event of a session's completion, as it is consumed."""
        message = events_pb2.SessionChanged(
            session_id=session, version=version, owner=owner, status="completed", cited_document_ids=cited
        )
        event = citations_of(message.SerializeToString())
        assert event is not None
        await self.app.record_citations(event)

    async def events(self) -> list[events_pb2.DocumentChanged]:
        """All events so far, in order."""

        def stored(conn: Connection) -> list[bytes]:
            return list(conn.execute(select(KIT.outbox.c.payload).order_by(KIT.outbox.c.id)).scalars())

        return [events_pb2.DocumentChanged.FromString(payload) for payload in await self.db.read(stored)]


class Answer:
    """A streamed answer with its headers."""

    def __init__(self, content_type: str, body: bytes, headers: dict[str, str], largest: int) -> None:
        self.content_type = content_type
        self.body = body
        self.headers = headers
        self.largest = largest
        """Bytes of the largest piece."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


async def collected(call: Any) -> Answer:
    """All pieces of a stream. Raises the named error that the service raised."""
    import grpc

    try:
        parts = [part async for part in call]
        headers = {key: str(value) for key, value in await call.initial_metadata()}
    except grpc.aio.AioRpcError as error:
        raise named(error, "test") from error
    body = b"".join(part.data for part in parts)
    return Answer(parts[0].content_type, body, headers, max(len(part.data) for part in parts))


def form(*files: File) -> bytes:
    """The body of a form with these files."""
    body = b""
    for name, content in files:
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain'
        body += b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), head.encode(), content)
    return body + b"--%s--\r\n" % BOUNDARY.encode()


def pieces(body: bytes, size: int = 1 << 18) -> list[bytes]:
    """A body as it travels; at least one piece."""
    return [body[begin : begin + size] for begin in range(0, max(1, len(body)), size)]
