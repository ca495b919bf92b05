"""Billing, library, collab and the wake-up stream behind the ports."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import structlog
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from kit.access import Shared
from kit.auth.principal import Principal
from kit.bus.connection import Bus
from kit.bus.names import JOBS_STREAM, job_subject
from kit.errors import Fault
from kit.rpc.client import Peer
from kit.rpc.sessions import CollabShares, principal_message, shared_of
from prsm.billing.v1 import ledger_pb2, ledger_pb2_grpc
from prsm.collab.v1 import access_pb2, access_pb2_grpc
from prsm.library.v1 import internal_pb2, internal_pb2_grpc
from prsm.results.v1 import styles_pb2, styles_pb2_grpc
from services.session.domain import Price
from services.session.drafts import DatasetDraft, DocumentDraft, Drafted
from services.session.ports import Estimate, EstimateItem, PlacedHold, Prepared, PreparedInput, Workload

# What may be sent again when a replica is away: holds and inputs are told apart by the session's id, so that a second
# time changes nothing.
BILLING_CALLS = [("prsm.billing.v1.LedgerService", name) for name in ("Estimate", "PlaceHold", "Settle", "VoidHold")]
LIBRARY_CALLS = [("prsm.library.v1.LibraryInternalService", name) for name in ("PrepareInputs", "DiscardInputs")]
RESULTS_CALLS = [("prsm.results.v1.CitationStyleCheckService", "UseCitationStyle")]
COLLAB_CALLS = [("prsm.collab.v1.AccessService", name) for name in ("CheckAccess", "CheckAccessBulk", "ListShared")]

log = structlog.get_logger("clients")
_BULK = 1000


class BillingClient:
    """Deadlines in seconds."""

    def __init__(self, stub: ledger_pb2_grpc.LedgerServiceAsyncStub, peer: Peer, *, deadline: float) -> None:
        self._stub = stub
        self._peer = peer
        self._deadline = deadline

    async def estimate(self, workload: Workload) -> Estimate:
        request = ledger_pb2.EstimateRequest(workload=_workload(workload))
        answer = await self._peer.call(self._stub.Estimate, request, timeout=self._deadline)
        return _estimate(answer.estimate)

    async def place_hold(self, hold_id: str, owner: str, workload: Workload, limit: int | None) -> PlacedHold:
        request = ledger_pb2.PlaceHoldRequest(
            hold_id=hold_id, owner=owner, workload=_workload(workload), limit_micros=limit
        )
        answer = await self._peer.call(self._stub.PlaceHold, request, timeout=self._deadline)
        return PlacedHold(_estimate(answer.estimate), answer.held_micros)

    async def settle(self, hold_id: str, captured: int, released: int) -> None:
        request = ledger_pb2.SettleRequest(hold_id=hold_id, captured_micros=captured, released_micros=released)
        await self._peer.call(self._stub.Settle, request, timeout=self._deadline)

    async def void_hold(self, hold_id: str, owner: str) -> None:
        request = ledger_pb2.VoidHoldRequest(hold_id=hold_id, owner=owner)
        await self._peer.call(self._stub.VoidHold, request, timeout=self._deadline)


def _workload(workload: Workload) -> ledger_pb2.Workload:
    return ledger_pb2.Workload(
        session_type=workload.session_type,
        depth=workload.depth,
        documents=workload.documents,
        characters=workload.characters,
        datasets=workload.datasets,
        dataset_bytes=workload.dataset_bytes,
        sessions=workload.sessions,
        max_documents=workload.max_documents,
        model=workload.model,
    )


def _estimate(message: ledger_pb2.Estimate) -> Estimate:
    return Estimate(
        amount=message.amount_micros,
        least=message.min_micros,
        most=message.max_micros,
        currency=message.currency,
        items=tuple(
            EstimateItem(i.item, i.unit, i.quantity_micros, i.unit_price_micros, i.amount_micros) for i in message.items
        ),
        prices={p.item: Price(p.unit, p.unit_price_micros) for p in message.prices},
    )


class LibraryClient:
    """Storing inline inputs parses them, so `deadline` is longer than for other calls."""

    def __init__(self, stub: internal_pb2_grpc.LibraryInternalServiceAsyncStub, peer: Peer, *, deadline: float) -> None:
        self._stub = stub
        self._peer = peer
        self._deadline = deadline

    async def prepare(self, session_id: str, owner: str, draft: Drafted, *, dry_run: bool) -> Prepared:
        request = internal_pb2.PrepareInputsRequest(
            session_id=session_id,
            owner=owner,
            documents=[_document(document) for document in draft.documents],
            datasets=[_dataset(dataset) for dataset in draft.datasets],
            use_library=draft.uses_library,
            dry_run=dry_run,
        )
        answer = await self._peer.call(self._stub.PrepareInputs, request, timeout=self._deadline)
        return Prepared(
            documents=tuple(_prepared(message) for message in answer.documents),
            datasets=tuple(_prepared(message) for message in answer.datasets),
            faults=tuple(Fault(message.field, message.issue) for message in answer.faults),
            library_documents=answer.library_documents,
            library_characters=answer.library_characters,
            connectors=tuple(answer.connectors),
        )

    async def discard(self, session_id: str, owner: str) -> None:
        request = internal_pb2.DiscardInputsRequest(session_id=session_id, owner=owner)
        await self._peer.call(self._stub.DiscardInputs, request, timeout=self._deadline)


def _document(draft: DocumentDraft) -> internal_pb2.DocumentSource:
    if draft.document_id is not None:
        return internal_pb2.DocumentSource(document_id=draft.document_id)
    if draft.url is not None:
        return internal_pb2.DocumentSource(url=draft.url)
    return internal_pb2.DocumentSource(
        inline=internal_pb2.InlineDocument(title=draft.title or "", text=draft.text or "")
    )


def _dataset(draft: DatasetDraft) -> internal_pb2.DatasetSource:
    if draft.document_id is not None:
        return internal_pb2.DatasetSource(document_id=draft.document_id)
    if draft.url is not None:
        return internal_pb2.DatasetSource(url=draft.url)
    if draft.rows is not None:
        content, kind = orjson.dumps(draft.rows), "json"
    else:
        content, kind = (draft.csv or "").encode(), "csv"
    inline = internal_pb2.InlineDataset(name=draft.name or "", content=content, kind=kind)
    return internal_pb2.DatasetSource(inline=inline)


def _prepared(message: internal_pb2.PreparedInput) -> PreparedInput:
    return PreparedInput(message.document_id, message.title, message.characters, message.bytes)


class ResultsClient:
    """A style of the installation's is tried out when it is first used, so `deadline` is longer than for a look."""

    def __init__(
        self, stub: styles_pb2_grpc.CitationStyleCheckServiceAsyncStub, peer: Peer, *, deadline: float
    ) -> None:
        self._stub = stub
        self._peer = peer
        self._deadline = deadline

    async def use(self, owner: str, style: str, *, dry_run: bool) -> str:
        request = styles_pb2.UseCitationStyleRequest(owner=owner, style=style, dry_run=dry_run)
        answer = await self._peer.call(self._stub.UseCitationStyle, request, timeout=self._deadline)
        return "" if answer.usable else answer.issue


class CollabClient(CollabShares):
    """The kit's single check, and what only session asks."""

    def __init__(self, stub: access_pb2_grpc.AccessServiceAsyncStub, peer: Peer, *, deadline: float) -> None:
        super().__init__(stub, peer)
        self._access = stub
        self._collab = peer
        self._bulk_deadline = deadline

    async def check_many(self, checks: Sequence[tuple[str, Principal]]) -> list[Shared]:
        answers: list[Shared] = []
        for first in range(0, len(checks), _BULK):
            request = access_pb2.CheckAccessBulkRequest(
                checks=[
                    access_pb2.CheckAccessRequest(session_id=session_id, principal=principal_message(principal))
                    for session_id, principal in checks[first : first + _BULK]
                ]
            )
            answer = await self._collab.read(self._access.CheckAccessBulk, request, timeout=self._bulk_deadline)
            answers.extend(shared_of(grant) for grant in answer.grants)
        return answers

    async def shared_with(self, principal: Principal) -> list[str]:
        request = access_pb2.ListSharedRequest(principal=principal_message(principal))
        answer = await self._collab.read(self._access.ListShared, request, timeout=self._bulk_deadline)
        return list(answer.session_ids)


class JetStreamWakeUps:
    """Says in the jobs stream that there is work; what goes wrong here costs time and nothing else."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def announce(self, engine: str, count: int = 1) -> None:
        if not self._bus.connected:
            return
        subject = job_subject(engine)
        try:
            for _ in range(count):
                # Plain NATS: the stream stores it all the same, and nobody waits for an ack.
                await self._bus.client.publish(subject, b"")
        except NatsError as error:
            log.warning("wake-up not sent", engine=engine, cause=repr(error))

    async def announced(self, engine: str) -> int:
        """Raises Unavailable while the broker is away."""
        subject = job_subject(engine)
        try:
            info = await self._bus.jetstream().stream_info(JOBS_STREAM, subjects_filter=subject)
        except NotFoundError:
            await self._bus.ensure_streams()
            return 0
        return int((info.state.subjects or {}).get(subject, 0))
