"""Message → command → message."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from google.api.httpbody_pb2 import HttpBody
from sqlalchemy import Connection

from kit.db.idempotency import IdempotencyStore, Replay
from kit.paging import DEFAULT_LIMIT, page_of
from kit.rpc.call import Call
from prsm.library.v1 import library_pb2
from services.library.convert import bodies, documents
from services.library.domain import Document
from services.library.usecases.batch_documents import BatchDocuments, LineResult
from services.library.usecases.create_document import CreateDocument
from services.library.usecases.delete_document import DeleteDocument
from services.library.usecases.get_document import GetDocument
from services.library.usecases.get_document_text import GetDocumentText
from services.library.usecases.list_documents import ListDocuments
from services.library.usecases.search_documents import SearchDocuments
from services.library.usecases.upload_documents import UploadDocuments

_JSON = "application/json"
_NDJSON = "application/x-ndjson"
_TEXT = "text/plain; charset=utf-8"
T = TypeVar("T")


class LibraryServicer:
    """`prsm.library.v1.LibraryService`."""

    def __init__(
        self,
        *,
        create: CreateDocument,
        upload: UploadDocuments,
        batch: BatchDocuments,
        search: SearchDocuments,
        listing: ListDocuments,
        get: GetDocument,
        text: GetDocumentText,
        delete: DeleteDocument,
        idempotency: IdempotencyStore,
    ) -> None:
        self._create = create
        self._upload = upload
        self._batch = batch
        self._search = search
        self._listing = listing
        self._get = get
        self._text = text
        self._delete = delete
        self._idempotency = idempotency

    async def CreateDocument(self, request: library_pb2.CreateDocumentRequest, call: Call) -> library_pb2.Document:
        def answer(document: Document) -> library_pb2.Document:
            call.location = _location(document)
            return documents.document_message(document)

        draft = documents.draft_of(request)
        return answer(await self._create(call.principal.user_id, draft, call.recorder(answer)))

    async def UploadDocuments(self, requests: AsyncIterator[HttpBody], call: Call) -> AsyncIterator[HttpBody]:
        owner = call.principal.user_id
        content_type, chunks = await bodies.body_of(requests)
        async with self._upload.received(content_type, chunks) as form:
            single = len(form.files) == 1

            def body(stored: Sequence[Document]) -> bytes:
                call.location = _location(stored[0]) if single else ""
                return bodies.documents_json(stored, single=single)

            async def store() -> bytes:
                return body(await self._upload.store(owner, form, _recorder(call, body)))

            answer = await self._once(call, form.fingerprint, store)
        for piece in bodies.pieces(_JSON, answer):
            yield piece

    async def BatchDocuments(self, requests: AsyncIterator[HttpBody], call: Call) -> AsyncIterator[HttpBody]:
        owner = call.principal.user_id
        content_type, chunks = await bodies.body_of(requests)
        async with self._batch.received(owner, content_type, chunks) as batch:

            async def store() -> bytes:
                recorder = _recorder(call, bodies.results_ndjson)
                results: list[LineResult] = await self._batch.store(owner, batch, recorder)
                return bodies.results_ndjson(results)

            answer = await self._once(call, batch.fingerprint, store)
        for piece in bodies.pieces(_NDJSON, answer):
            yield piece

    async def SearchDocuments(
        self, request: library_pb2.SearchDocumentsRequest, call: Call
    ) -> library_pb2.SearchDocumentsResponse:
        hits = await self._search(
            call.principal.user_id,
            request.query,
            limit=request.limit if request.HasField("limit") else DEFAULT_LIMIT,
            document_ids=request.document_ids,
            passages=request.passages,
        )
        return library_pb2.SearchDocumentsResponse(hits=[documents.hit_message(hit) for hit in hits])

    async def ListDocuments(
        self, request: library_pb2.ListDocumentsRequest, call: Call
    ) -> library_pb2.ListDocumentsResponse:
        page = page_of(
            request.page if request.HasField("page") else None,
            request.limit if request.HasField("limit") else None,
            request.cursor,
        )
        listed, total = await self._listing(call.principal.user_id, page)
        return documents.documents_message(listed, total, page)

    async def GetDocument(self, request: library_pb2.GetDocumentRequest, call: Call) -> library_pb2.Document:
        return documents.document_message(await self._get(call.principal.user_id, request.document_id))

    async def GetDocumentText(self, request: library_pb2.GetDocumentTextRequest, call: Call) -> AsyncIterator[HttpBody]:
        text = await self._text(call.principal, request.document_id)
        for piece in bodies.pieces(_TEXT, text.encode()):
            yield piece

    async def DeleteDocument(
        self, request: library_pb2.DeleteDocumentRequest, call: Call
    ) -> library_pb2.DeleteDocumentResponse:
        await self._delete(call.principal.user_id, request.document_id)
        return library_pb2.DeleteDocumentResponse(document_id=request.document_id, deleted=True)

    async def _once(self, call: Call, fingerprint: str, store: Callable[[], Awaitable[bytes]]) -> bytes:
        """What the pipeline does for unary methods: one effect per key, and the first answer for every retry."""
        if not call.idempotency_key:
            return await store()
        whole = hashlib.sha256(f"{call.method}\0{fingerprint}".encode()).hexdigest()
        begun = await self._idempotency.begin(call.principal.user_id, call.method, call.idempotency_key, whole)
        if isinstance(begun, Replay):
            call.location = begun.location
            return begun.response
        call.ticket = begun
        async with self._idempotency.held(begun):
            return await store()


def _recorder(call: Call, body: Callable[[T], bytes]) -> Callable[[Connection, T], None]:
    ticket = call.ticket

    def record(conn: Connection, outcome: T) -> None:
        if ticket is not None:
            answer = body(outcome)
            ticket.record(conn, answer, call.location)

    return record


def _location(document: Document) -> str:
    return f"/api/v1/documents/{document.document_id}"
