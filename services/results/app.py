"""Results put together; nowhere else are its parts joined."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import structlog
from google.protobuf.descriptor import ServiceDescriptor

from kit.blob_settings import opened_blobs
from kit.blobs import Blobs
from kit.db.database import Database
from kit.ids import RandomIds
from kit.orphans import OrphanSweeper
from kit.rpc.sessions import CollabShares, SessionDirectory, SessionGate
from kit.runtime import Runtime, build
from kit.telemetry.process import local_volumes
from kit.times import DAY, Clock
from prsm.collab.v1 import access_pb2_grpc
from prsm.results.v1 import artifacts_pb2, results_pb2, styles_pb2
from prsm.session.v1 import internal_pb2_grpc
from services.results import tables
from services.results.artifact_servicer import ArtifactServicer
from services.results.cache.key import renderer_version
from services.results.cache.sweeper import Room
from services.results.cache.wiring import KeptRenditions
from services.results.citing.installed import installed_styles
from services.results.citing.repository import SqlStyles
from services.results.citing.trial import StyleTrial
from services.results.clients import GrpcSessions
from services.results.large.shelf import Shelf
from services.results.large.splitting import Splitter
from services.results.ports import Gate, Renderer, Sessions
from services.results.rendering.pool import PoolSettings, RenderingCrashed, RenderPool
from services.results.renditions import CachedRenderer
from services.results.repository import SqlArtifacts
from services.results.servicer import ResultsServicer
from services.results.settings import ResultsSettings
from services.results.style_servicer import StyleCheckServicer, StyleServicer
from services.results.usecases.citation_styles import CitationStyles
from services.results.usecases.export_results import ExportResults
from services.results.usecases.get_artifact import GetArtifact, GetInputResults
from services.results.usecases.list_reference_points import ListReferencePoints
from services.results.usecases.load_result import LoadResult
from services.results.usecases.put_artifact import PutArtifact
from services.results.usecases.read_parts import ReadParts
from services.results.usecases.read_results import ReadResults

NAME = "results"
log = structlog.get_logger(NAME)
Services = tuple[tuple[ServiceDescriptor, object], ...]
_MIB = 1024 * 1024
_LOOK_UP = ("prsm.session.v1.SessionInternalService", "LookUpSession")
_DESCRIBE = ("prsm.session.v1.SessionInternalService", "DescribeExecution")
_CHECK = ("prsm.collab.v1.AccessService", "CheckAccess")


def assemble(
    settings: ResultsSettings,
    *,
    db: Database,
    blobs: Blobs,
    gate: Gate,
    sessions: Sessions,
    renderer: Renderer,
    clock: Clock,
    trial: StyleTrial,
) -> Services:
    """The service without its process."""
    artifacts = SqlArtifacts()
    splitter = Splitter(memory=settings.render_memory_mb * _MIB, seconds=settings.split_seconds)
    shelf = Shelf(blobs, splitter, threshold=settings.split_kb * 1024)
    load = LoadResult(gate, sessions, blobs)
    styles = CitationStyles(
        db,
        SqlStyles(),
        installed_styles(settings.citation_styles),
        trial,
        clock,
        RandomIds(clock),
        most=settings.citation_styles_each,
    )
    parts = ReadParts(load, shelf)
    public = ResultsServicer(
        ReadResults(load, sessions, renderer, styles, parts), ExportResults(load, sessions, renderer, styles, parts)
    )
    internal = ArtifactServicer(
        PutArtifact(db, artifacts, blobs, shelf, clock, RandomIds(clock), largest=settings.artifact_mb * _MIB),
        GetArtifact(db, artifacts, blobs),
        GetInputResults(sessions, blobs),
        ListReferencePoints(load, shelf, blobs),
    )
    return (
        (results_pb2.DESCRIPTOR.services_by_name["ResultsService"], public),
        (artifacts_pb2.DESCRIPTOR.services_by_name["ArtifactService"], internal),
        (styles_pb2.DESCRIPTOR.services_by_name["CitationStyleService"], StyleServicer(styles)),
        (styles_pb2.DESCRIPTOR.services_by_name["CitationStyleCheckService"], StyleCheckServicer(styles)),
    )


@dataclass(slots=True)
class WarmPool:
    """Warms the rendering processes once the service runs, and ends them with it."""

    pool: RenderPool
    renderer: CachedRenderer
    after: float
    """Seconds to leave to what starts beside; who renders earlier starts a process at once."""

    async def run(self) -> None:
        try:
            await asyncio.sleep(self.after)
            try:
                await self.pool.start()
            except RenderingCrashed as error:
                # Each request tries again; results as JSON do without.
                log.error("no rendering process", cause=repr(error))
            await asyncio.Event().wait()
        finally:
            closing = asyncio.create_task(self._close())
            while not closing.done():
                # Who ends this asks again every quarter of a second; it takes some seconds at most.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.shield(closing)

    async def _close(self) -> None:
        try:
            await self.renderer.close()
        finally:
            await self.pool.close()


async def serve(settings: ResultsSettings) -> None:
    """Serve until a signal."""
    runtime = build(NAME, settings, tables.KIT)
    pool = RenderPool(
        PoolSettings(
            processes=settings.render_processes,
            timeout_seconds=settings.render_seconds,
            memory_bytes=settings.render_memory_mb * _MIB,
            waiting=settings.render_waiting,
            output_bytes=settings.render_output_mb * _MIB,
            pages=settings.render_pages,
        )
    )
    blobs = await opened_blobs(settings)
    kept = KeptRenditions.of(
        runtime.db, runtime.leases, blobs, clock=runtime.clock, ids=runtime.ids, room=_room(settings)
    )
    renderer = kept.renderer(
        pool,
        version=renderer_version(),
        most_bytes=settings.cached_mb * _MIB,
        timeout_seconds=settings.render_seconds,
    )
    gate, sessions = _peers(runtime, settings)
    services = assemble(
        settings,
        db=runtime.db,
        blobs=blobs,
        gate=gate,
        sessions=sessions,
        renderer=renderer,
        clock=runtime.clock,
        trial=StyleTrial(pool, seconds=settings.render_seconds),
    )
    await runtime.serve(
        services,
        parts=[
            WarmPool(pool, renderer, settings.warm_after_seconds),
            kept.sweeper,
            *([_orphans(runtime, settings, blobs)] if settings.blobs_orphan_days else []),
        ],
        readings=[kept.reading()],
        volumes=local_volumes(settings.blobs),
    )


def _orphans(runtime: Runtime, settings: ResultsSettings, blobs: Blobs) -> OrphanSweeper:
    return OrphanSweeper(
        db=runtime.db,
        leases=runtime.leases,
        blobs=blobs,
        clock=runtime.clock,
        ids=runtime.ids,
        kept=SqlArtifacts().kept,
        prefixes=["artifacts"],
        days=settings.blobs_orphan_days,
    )


def _room(settings: ResultsSettings) -> Room:
    return Room(unused=settings.renditions_days * DAY, most_bytes=settings.renditions_mb * _MIB)


def _peers(runtime: Runtime, settings: ResultsSettings) -> tuple[SessionGate, GrpcSessions]:
    session = runtime.channel(settings.session_target, reads=[_LOOK_UP, _DESCRIBE])
    stub = internal_pb2_grpc.SessionInternalServiceStub(session)
    peer = runtime.peer("session")
    directory = SessionDirectory(stub, peer)
    collab = access_pb2_grpc.AccessServiceStub(runtime.channel(settings.collab_target, reads=[_CHECK]))
    return SessionGate(directory, CollabShares(collab, runtime.peer("collab"))), GrpcSessions(directory, stub, peer)
