"""The library put together; nowhere else are its parts joined."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from kit.blob_settings import opened_blobs
from kit.blobs import Blobs
from kit.db.database import Database
from kit.db.idempotency import IdempotencyStore
from kit.db.inbox import Inbox
from kit.db.outbox import Outbox
from kit.ids import Ids
from kit.orphans import OrphanSweeper
from kit.rpc.serve import Part
from kit.runtime import Runtime, build
from kit.telemetry.process import local_volumes
from kit.times import Clock
from prsm.collab.v1 import access_pb2_grpc
from prsm.library.v1 import internal_pb2, library_pb2
from services.library import tables
from services.library.addressed import FetchLimits
from services.library.clients import CollabViewers
from services.library.connectors.asking import Asking
from services.library.connectors.connector import Connector
from services.library.connectors.fulltext import FullTexts, Terms
from services.library.connectors.guarded import GuardedFetching
from services.library.connectors.kept import KeptAnswers
from services.library.connectors.registry import connectors_of
from services.library.consumers import session_consumer
from services.library.contents import StoredContents
from services.library.convert.events import document_changed
from services.library.dense.encoding import DenseEncoding
from services.library.fetching.fetch import Fetcher
from services.library.fetching.targets import Policy
from services.library.granted import GrantedDocuments
from services.library.indexing import LibraryIndexes
from services.library.internal_servicer import LibraryInternalServicer
from services.library.metrics import readings
from services.library.parsing.document import ParseLimits
from services.library.parsing.pool import ParserPool
from services.library.ports import Parser, Viewers
from services.library.quoting import Quoter
from services.library.repository.blobs import PREFIXES, kept_blobs
from services.library.repository.documents import SqlDocuments
from services.library.repository.gatherings import SqlGatherings
from services.library.repository.uses import SqlUses
from services.library.servicer import LibraryServicer
from services.library.settings import LibrarySettings
from services.library.spooling import Room, SpoolRoom
from services.library.streams import MultipartLimits, NdjsonLimits
from services.library.sweeper import Sweeper
from services.library.usecases.batch_documents import BatchDocuments
from services.library.usecases.create_document import CreateDocument
from services.library.usecases.delete_document import DeleteDocument
from services.library.usecases.describe_documents import DescribeDocuments
from services.library.usecases.discard_inputs import DiscardInputs
from services.library.usecases.gather_works import GatherWorks
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
_BATCHES = 4
"""How many of the largest batches may be under way at a time."""
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
    prune_answers: KeptAnswers


def _dense_encoding() -> DenseEncoding:
    """Made at the start: without its packages the service does not start, and says what is missing."""
    return DenseEncoding()


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
    connectors: Mapping[str, Connector] | None = None,
    fetcher: Fetcher | None = None,
) -> App:
    """The service without its process. `connectors` are those that are enabled, by name; without a `fetcher` nothing
    is fetched but what they serve themselves."""
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
        dense=_dense_encoding() if settings.dense else None,
    )
    quoter = Quoter(db, documents, contents)
    gatherings = SqlGatherings()
    granted = GrantedDocuments(db, documents, gatherings)
    answers = KeptAnswers(db, gatherings, clock, hours=settings.connector_cache_hours)
    asking = Asking(connectors or {}, answers, seconds=settings.connector_deadline_seconds)
    full_texts = FullTexts(asking, GuardedFetching(fetcher) if fetcher else None, parser, _terms(settings))
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
            room=SpoolRoom(settings.upload_spool_mb * _MIB, settings.upload_spool),
            # While the parsers have all they can read, another form or two are being stored.
            at_once=settings.parser_processes + 2,
        ),
        batch=BatchDocuments(
            db,
            documents,
            contents,
            indexes,
            clock,
            ids,
            NdjsonLimits(lines=settings.batch_lines, body=body),
            room=Room(_BATCHES * body),
        ),
        search=SearchDocuments(indexes, quoter),
        listing=ListDocuments(db, documents),
        get=GetDocument(db, documents),
        text=GetDocumentText(db, documents, uses, contents, viewers),
        delete=DeleteDocument(db, documents, indexes),
        idempotency=idempotency,
    )
    internal = LibraryInternalServicer(
        prepare=PrepareInputs(
            db,
            documents,
            uses,
            contents,
            parser,
            clock,
            fetching=fetcher,
            limits=FetchLimits(settings.fetch_seconds, settings.fetch_mb * _MIB, settings.fetch_addresses),
        ),
        discard=DiscardInputs(db, uses, contents),
        search=SearchPassages(indexes, quoter, granted),
        describe=DescribeDocuments(granted),
        read=ReadContent(granted, contents),
        gather=GatherWorks(db, documents, uses, contents, gatherings, asking, full_texts, clock),
        connectors=asking.enabled,
    )
    services = (
        (library_pb2.DESCRIPTOR.services_by_name["LibraryService"], public),
        (internal_pb2.DESCRIPTOR.services_by_name["LibraryInternalService"], internal),
    )
    purge = PurgeDeleted(db, documents, contents, clock, after_days=settings.purge_days)
    return App(services, RecordCitations(db, inbox, uses), indexes, purge, answers)


def _terms(settings: LibrarySettings) -> Terms:
    return Terms(
        licences=frozenset(settings.connector_licences),
        most=settings.connector_full_texts,
        most_bytes=settings.upload_mb * _MIB,
        seconds=settings.connector_request_seconds,
        seconds_for_all=settings.connector_deadline_seconds,
    )


@dataclass(slots=True)
class Keeper:
    """Ends what is under way with the service."""

    close: Callable[[], Awaitable[None]]

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()


def _fetcher(settings: LibrarySettings) -> Fetcher | None:
    if not settings.fetch:
        return None
    policy = Policy(tuple(settings.fetch_networks), frozenset(settings.fetch_ports))
    return Fetcher(policy, at_once=settings.fetch_at_once)


def _orphans(runtime: Runtime, settings: LibrarySettings, blobs: Blobs) -> OrphanSweeper:
    return OrphanSweeper(
        db=runtime.db,
        leases=runtime.leases,
        blobs=blobs,
        clock=runtime.clock,
        ids=runtime.ids,
        kept=kept_blobs,
        prefixes=PREFIXES,
        days=settings.blobs_orphan_days,
    )


async def serve(settings: LibrarySettings) -> None:
    """Serve until a signal."""
    runtime = build(NAME, settings, tables.KIT)
    limits = ParseLimits(
        seconds=settings.parse_seconds,
        memory_bytes=settings.parse_memory_mb * _MIB,
        file_bytes=settings.upload_mb * _MIB,
    )
    blobs = await opened_blobs(settings)
    pool = ParserPool(size=settings.parser_processes, limits=limits)
    collab = access_pb2_grpc.AccessServiceStub(runtime.channel(settings.collab_target, reads=[_CHECK]))
    connectors = connectors_of(settings, runtime.clock)
    fetcher = _fetcher(settings)
    app = assemble(
        settings,
        db=runtime.db,
        blobs=blobs,
        outbox=runtime.outbox,
        inbox=runtime.inbox,
        idempotency=runtime.idempotency,
        parser=pool,
        viewers=CollabViewers(collab, runtime.peer("collab"), deadline=settings.collab_deadline_seconds),
        clock=runtime.clock,
        ids=runtime.ids,
        connectors=connectors.by_name,
        fetcher=fetcher,
    )
    async with pool:
        parts: list[Part] = [
            Keeper(app.indexes.close),
            Keeper(connectors.close),
            *([Keeper(fetcher.close)] if fetcher else []),
            session_consumer(runtime.bus, app.record_citations),
            # A use that is noted stays noted: applied once more, the same citations make no difference.
            runtime.inbox_pruner(),
            Sweeper(
                runtime.db,
                runtime.leases,
                runtime.clock,
                runtime.ids,
                [app.purge_deleted, app.prune_answers],
                every=settings.sweep_seconds,
            ),
            *([_orphans(runtime, settings, blobs)] if settings.blobs_orphan_days else []),
        ]
        await runtime.serve(
            app.services,
            parts=parts,
            own_idempotency=OWN_IDEMPOTENCY,
            readings=readings(app.indexes.sizes),
            volumes=local_volumes(settings.blobs),
        )
