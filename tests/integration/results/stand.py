"""Results as the tests call it. Session and collab stand behind their ports, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import orjson

from kit.access import Access, Shared, Standing, require
from kit.auth.grants import Grant, GrantSigner
from kit.auth.keys import load_key
from kit.auth.principal import Principal
from kit.blobs import Blobs, open_blobs
from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import RandomIds
from kit.levels import Level
from kit.rpc.client import named
from kit.times import DAY, ManualClock
from prsm.results.v1 import artifacts_pb2, artifacts_pb2_grpc, results_pb2, results_pb2_grpc, styles_pb2_grpc
from services.results import tables
from services.results.app import assemble
from services.results.cache.sweeper import Room
from services.results.cache.wiring import KeptRenditions
from services.results.citing.trial import StyleTrial
from services.results.domain import ArtifactKey
from services.results.ports import Execution, Pointer
from services.results.rendering.pool import RenderPool
from services.results.settings import ResultsSettings
from tests.support.serving import Identities, Served, answer, idempotency_store

SESSION = "0192f0aa-1111-7000-8000-000000000001"
OTHER = "0192f0aa-1111-7000-8000-000000000002"
QUOTE = "Salt marshes bury carbon in their soils for centuries."

DOCUMENT: dict[str, Any] = {
    "title": "Carbon in salt marshes",
    "partial": False,
    "summary": "Salt marshes bury carbon. [1]",
    "confidence_score": 0.75,
    "sections": [
        {
            "id": "s1",
            "heading": "Burial",
            "body": "Salt marshes bury carbon in their soils for centuries.",
            "claims": [{"id": "c1", "text": QUOTE, "citations": ["r1"], "support": "supported"}],
        }
    ],
    "key_findings": [{"id": "f1", "text": QUOTE, "quote": QUOTE, "citations": ["r1"], "confidence": 0.8}],
    "tables": [],
    "figures": [],
    "screening": {"identified": 2, "excluded": [{"document_id": "d2", "title": "Else", "reason": "off topic"}]},
    "citations": [
        {
            "id": "r1",
            "document_id": "d1",
            "title": "Marsh soils",
            "authors": ["Rivers, A."],
            "year": 2011,
            "doi": None,
            "url": None,
            "passages": [{"quote": QUOTE, "page": None, "start": 0, "end": len(QUOTE), "sha256": "0" * 64}],
            "csl": {"id": "r1", "type": "article-journal", "title": "Marsh soils"},
        }
    ],
}


HOUSE = """<style xmlns="http://purl.org/net/xbiblio/csl" class="in-text" version="1.0">
  <info><title>House style</title><id>urn:house</id><updated>2026-01-01T00:00:00Z</updated></info>
  <citation><layout prefix="&lt;" suffix="&gt;" delimiter="; "><names variable="author"><name form="short"/></names>
  </layout></citation>
  <bibliography><layout suffix=" in house"><names variable="author"/><text variable="title" prefix=", "/></layout>
  </bibliography>
</style>"""


class Sessions:
    """Who owns which session, and what its end made visible."""

    def __init__(self) -> None:
        self.owners = {SESSION: "ada", OTHER: "ben"}
        self.results: dict[str, ArtifactKey] = {}
        self.styles: dict[str, str] = {}
        self.status = "running"
        self.standings = {"vera": Standing.CURRENT, "fred": Standing.FORMER}

    async def pointer(self, session_id: str) -> Pointer | None:
        if session_id not in self.owners:
            return None
        result = self.results.get(session_id)
        style = self._style(session_id)
        return Pointer(session_id, "What do marshes bury?", result, style, "en", self.status, 40)

    def _style(self, session_id: str) -> str:
        return self.styles.get(session_id, "apa")

    async def execution(self, session_id: str) -> Execution:
        metadata = {"session_id": session_id, "session_type": "research", "finished_at": "2026-01-02T03:04:05Z"}
        return Execution(metadata, [{"decision": "kept d1"}], [{"item": "base", "amount": "1.00"}])

    async def execution_digest(self, session_id: str) -> str:
        return (await self.execution(session_id)).digest()

    async def check(self, session_id: str, principal: Principal) -> Shared:
        standing = self.standings.get(principal.user_id, Standing.STRANGER)
        return Shared(standing, Level.VIEW if standing is Standing.CURRENT else Level.NONE)

    async def require(self, principal: Principal, session_id: str, needed: Level) -> Access:
        return await require(self, principal, session_id, self.owners.get(session_id), needed)


class Stand:
    """A served results service."""

    def __init__(
        self,
        db: Database,
        pool: RenderPool,
        folder: Path,
        *,
        artifact_mb: int = 1,
        split_kb: int = 64,
        blobs: Blobs | None = None,
    ) -> None:
        """Without `blobs` they lie in a directory."""
        self.clock = ManualClock()
        self._store = idempotency_store(db, tables.KIT, self.clock, RandomIds(self.clock))
        self.sessions = Sessions()
        self.identities = Identities(folder, self.clock, ["session", "worker", "collab"])
        self._signer = GrantSigner(load_key(folder / "session.json"), self.clock)
        settings = ResultsSettings.model_validate(
            {
                **{name: "unused" for name, field in ResultsSettings.model_fields.items() if field.is_required()},
                "internal_key": "unused",
                "artifact_mb": artifact_mb,
                "citation_styles": str(self._installed(folder / "styles")),
                "citation_styles_each": 2,
                "split_kb": split_kb,
            }
        )
        self.blobs = blobs or open_blobs(str(folder / "blobs"))
        self.kept = KeptRenditions.of(
            db,
            Leases(tables.KIT),
            self.blobs,
            clock=self.clock,
            ids=RandomIds(self.clock),
            room=Room(unused=30 * DAY, most_bytes=1 << 30),
        )
        self.renderer = self.kept.renderer(pool, version="1", most_bytes=1 << 20, timeout_seconds=30)
        self._services = assemble(
            settings,
            db=db,
            blobs=self.blobs,
            gate=self.sessions,
            sessions=self.sessions,
            renderer=self.renderer,
            clock=self.clock,
            trial=StyleTrial(pool, seconds=30),
        )
        self._worker = self.identities.peer("worker", "results")
        self.collab = self.identities.peer("collab", "results")
        self.session = self.identities.peer("session", "results")

    async def start(self) -> None:
        pipeline = self.identities.pipeline("results", store=self._store, ids=RandomIds(self.clock))
        self._served = await Served.start(pipeline, self._services)
        self.results = results_pb2_grpc.ResultsServiceStub(self._served.channel)
        self.styles = styles_pb2_grpc.CitationStyleServiceStub(self._served.channel)
        self.checks = styles_pb2_grpc.CitationStyleCheckServiceStub(self._served.channel)
        self.artifacts = artifacts_pb2_grpc.ArtifactServiceStub(self._served.channel)

    @property
    def channel(self) -> grpc.aio.Channel:
        return self._served.channel

    @property
    def port(self) -> int:
        return self._served.port

    async def stop(self) -> None:
        await self.renderer.close()
        await self._served.stop()

    @staticmethod
    def _installed(folder: Path) -> Path:
        """The installation's own styles: one that is good, one that the processor refuses, and three that are none."""
        folder.mkdir()
        for name, text in {
            "house": HOUSE,
            "refused": HOUSE.replace('variable="title"', 'variable="no-such-thing"'),
            "apa": HOUSE,
            "Not A Name": HOUSE,
            "empty": "",
        }.items():
            (folder / f"{name}.csl").write_text(text)
        return folder

    def grant(self, session_id: str = SESSION, epoch: int = 1, sessions: tuple[str, ...] = ()) -> dict[str, str]:
        owner = self.sessions.owners[session_id]
        return {"x-prsm-grant": self._signer.sign(Grant(owner, session_id, epoch, sessions=sessions))}

    async def put(self, data: bytes, *, grant: dict[str, str], kind: int = 2, pieces: int = 1) -> str:
        size = -(-len(data) // pieces)

        async def requests() -> AsyncIterator[artifacts_pb2.PutArtifactRequest]:
            for index in range(pieces):
                chunk = data[index * size : (index + 1) * size]
                yield artifacts_pb2.PutArtifactRequest(kind=kind if index == 0 else 0, chunk=chunk)  # type: ignore[arg-type]

        stored = await self._worker.call(self.artifacts.PutArtifact, requests(), timeout=60, extra=grant.items())
        return str(stored.hash)

    async def get(self, epoch: int, hash: str, *, grant: dict[str, str]) -> bytes:
        request = artifacts_pb2.GetArtifactRequest(epoch=epoch, hash=hash)
        parts = self._worker.stream(self.artifacts.GetArtifact, request, timeout=60, extra=grant.items())
        return b"".join([part.chunk async for part in parts])

    async def input_results(self, session_id: str, *, grant: dict[str, str]) -> dict[str, Any]:
        request = artifacts_pb2.GetInputResultsRequest(session_id=session_id)
        parts = self._worker.stream(self.artifacts.GetInputResults, request, timeout=60, extra=grant.items())
        found: dict[str, Any] = orjson.loads(b"".join([part.chunk async for part in parts]))
        return found

    async def complete(self, session_id: str = SESSION) -> None:
        """Store the sample document and point the session at it."""
        hash = await self.put(orjson.dumps(DOCUMENT), grant=self.grant(session_id))
        self.sessions.results[session_id] = ArtifactKey(session_id, 1, hash)

    async def read(self, user: str = "ada", session_id: str = SESSION, **request: Any) -> tuple[str, bytes]:
        message = results_pb2.ReadResultsRequest(session_id=session_id, **request)
        call = self.results.ReadResults(message, metadata=self.identities.user_metadata(user), timeout=60)
        return await _joined(call)

    async def export(
        self, format: str, user: str = "ada", *, raw: bool = False, **request: Any
    ) -> tuple[str, bytes, str]:
        message = results_pb2.ExportResultsRequest(session_id=SESSION, format=format, include_raw_data=raw, **request)
        call = self.results.ExportResults(message, metadata=self.identities.user_metadata(user), timeout=60)
        media_type, body = await _joined(call)
        return media_type, body, str(dict(await call.initial_metadata())["content-disposition"])

    async def typed(self, user: str = "ada", **request: Any) -> results_pb2.GetResultsResponse:
        message = results_pb2.GetResultsRequest(session_id=SESSION, **request)
        metadata = self.identities.user_metadata(user)
        found: results_pb2.GetResultsResponse = await answer(
            self.results.GetResults(message, metadata=metadata, timeout=60)
        )
        return found


async def _joined(call: Any) -> tuple[str, bytes]:
    try:
        messages = [message async for message in call]
    except grpc.aio.AioRpcError as error:
        raise named(error, "test") from error
    return messages[0].content_type, b"".join(message.data for message in messages)
