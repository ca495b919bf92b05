"""The library put together; nowhere else are its parts joined."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from kit.blobs import Blobs, open_blobs
from kit.db.database import Database
from kit.db.idempotency import IdempotencyStore
from kit.db.inbox import Inbox
from kit.db.outbox import Outbox
from kit.ids import Ids
from kit.rpc.serve import Part
from kit.runtime import build
from kit.telemetry.process import local_volumes
from kit.times import Clock
from prsm.collab.v1 import access_pb2_grpc
from prsm.library.v1 import internal_pb2, library_pb2
from services.library import tables
from services.library.clients import CollabViewers
from services.library.consumers import session_consumer
from services.library.contents import StoredContents
from services.library.convert.events import document_changed
from services.library.granted import GrantedDocuments
from services.library.indexing import LibraryIndexes
from services.library.internal_servicer import LibraryInternalServicer
from services.library.metrics import readings
from services.library.parsing.document import ParseLimits
from services.library.parsing.pool import ParserPool
from services.library.ports import Parser, Viewers
from services.library.quoting import Quoter
from services.library.repository.documents import SqlDocuments
from services.library.repository.uses import SqlUses
from services.library.servicer import LibraryServicer
from services.library.settings import LibrarySettings
from services.library.streams import MultipartLimits, NdjsonLimits
from services.library.sweeper import Sweeper
from services.library.usecases.batch_documents import BatchDocuments
from services.library.usecases.create_document import CreateDocument
from services.library.usecases.delete_document import DeleteDocument
from services.library.usecases.describe_documents import DescribeDocuments
from services.library.usecases.discard_inputs import DiscardInputs
from services.library.usecases.get_document import GetDocument
from services.library.usecases.get_document_text import GetDocumentText
from services.library.usecases.list_documents import ListDocuments
from services.library.usecases.prepare_inputs import PrepareInputs
from services.library.usecases.purge_deleted import PurgeDeleted
from services.library.usecases.read_content import ReadContent
from services.library.usecases.record_citations import RecordCitations
from services.library.usecases.search_documents import SearchDocuments
from services.library.usecases.search_passages import SearchPassages
from services.library.usecases.upload_documents import UploadDocuments

NAME = "library"
OWN_IDEMPOTENCY = frozenset(
    f"prsm.library.v1.LibraryService/{method}" for method in ("UploadDocuments", "BatchDocuments")
)
"""Streams, whose keys the servicer handles itself."""
_MIB = 1024 * 1024
_ROW_BYTES = 64 * 1024
"""Texts up to this size are rows, longer ones are blobs."""
_CHECK = ("prsm.collab.v1.AccessService", "CheckAccessBulk")


@dataclass(frozen=True, slots=True)
class App:
    """What a process serves, what it does with events, and the indexes to close at its end."""

    services: tuple[tuple[ServiceDescriptor, object], ...]
    record_citations: RecordCitations
    indexes: LibraryIndexes
    purge_deleted: PurgeDeleted


def assemble(
    settings: LibrarySettings,
    *,
    db: Database,
    blobs: Blobs,
    outbox: Outbox,
    inbox: Inbox,
    idempotency: IdempotencyStore,
    parser: Parser,
    viewers: Viewers,
    clock: Clock,
    ids: Ids,
) -> App:
    """The service without its process."""
    body = settings.upload_mb * _MIB
    documents = SqlDocuments(outbox=outbox, ids=ids, clock=clock, encode=document_changed, row_bytes=_ROW_BYTES)
    uses = SqlUses(clock)
    contents = StoredContents(db, documents, blobs, row_bytes=_ROW_BYTES, cache_bytes=settings.text_cache_mb * _MIB)
    indexes = LibraryIndexes(
        db,
        documents,
        contents,
        blobs,
        ids,
        most_bytes=settings.index_mb * _MIB,
        snapshot_after=settings.snapshot_documents,
    )
    quoter = Quoter(db, documents, contents)
    granted = GrantedDocuments(db, documents)
    public = LibraryServicer(
        create=CreateDocument(db, documents, contents, indexes, clock, ids),
        upload=UploadDocuments(
            db,
            documents,
            contents,
            indexes,
            parser,
            clock,
            ids,
            MultipartLimits(body=body, file=body, parts=settings.upload_files),
        ),
        batch=BatchDocuments(
            db, documents, contents, indexes, clock, ids, NdjsonLimits(lines=settings.batch_lines, body=body)
        ),
        search=SearchDocuments(indexes, quoter),
        listing=ListDocuments(db, documents),
        get=GetDocument(db, documents),
        text=GetDocumentText(db, documents, uses, contents, viewers),
        delete=DeleteDocument(db, documents, indexes),
        idempotency=idempotency,
    )
    internal = LibraryInternalServicer(
        prepare=PrepareInputs(db, documents, uses, contents, parser, clock),
        discard=DiscardInputs(db, uses, contents),
        search=SearchPassages(indexes, quoter),
        describe=DescribeDocuments(granted),
        read=ReadContent(granted, contents),
    )
    services = (
        (library_pb2.DESCRIPTOR.services_by_name["LibraryService"], public),
        (internal_pb2.DESCRIPTOR.services_by_name["LibraryInternalService"], internal),
    )
    purge = PurgeDeleted(db, documents, contents, clock, after_days=settings.purge_days)
    return App(services, RecordCitations(db, inbox, uses), indexes, purge)


@dataclass(slots=True)
class IndexKeeper:
    """Ends what the indexes have under way, with the service."""

    indexes: LibraryIndexes

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self.indexes.close()


async def serve(settings: LibrarySettings) -> None:
    """Serve until a signal."""
    runtime = build(NAME, settings, tables.KIT)
    limits = ParseLimits(
        seconds=settings.parse_seconds,
        memory_bytes=settings.parse_memory_mb * _MIB,
        file_bytes=settings.upload_mb * _MIB,
    )
    pool = ParserPool(size=settings.parser_processes, limits=limits)
    collab = access_pb2_grpc.AccessServiceStub(runtime.channel(settings.collab_target, reads=[_CHECK]))
    app = assemble(
        settings,
        db=runtime.db,
        blobs=open_blobs(settings.blobs),
        outbox=runtime.outbox,
        inbox=runtime.inbox,
        idempotency=runtime.idempotency,
        parser=pool,
        viewers=CollabViewers(collab, runtime.peer("collab"), deadline=settings.collab_deadline_seconds),
        clock=runtime.clock,
        ids=runtime.ids,
    )
    async with pool:
        parts: list[Part] = [
            IndexKeeper(app.indexes),
            session_consumer(runtime.bus, app.record_citations),
            # A use that is noted stays noted: applied once more, the same citations make no difference.
            runtime.inbox_pruner(),
            Sweeper(
                runtime.db,
                runtime.leases,
                runtime.clock,
                runtime.ids,
                [app.purge_deleted],
                every=settings.sweep_seconds,
            ),
        ]
        await runtime.serve(
            app.services,
            parts=parts,
            own_idempotency=OWN_IDEMPOTENCY,
            readings=readings(app.indexes.sizes),
            volumes=local_volumes(settings.blobs),
        )
