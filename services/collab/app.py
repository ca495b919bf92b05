"""Collab put together; nowhere else are its parts joined."""

from __future__ import annotations

from google.protobuf.descriptor import ServiceDescriptor

from kit.db.database import Database
from kit.db.idempotency import IdempotencyStore
from kit.db.outbox import Outbox
from kit.ids import Ids
from kit.rpc.sessions import SessionDirectory, SessionGate
from kit.runtime import build
from kit.times import Clock
from prsm.collab.v1 import access_pb2, collab_pb2
from prsm.results.v1 import artifacts_pb2_grpc
from prsm.session.v1 import internal_pb2_grpc
from services.collab import convert, tables
from services.collab.clients import RESULTS_READS, SESSION_READS, ResultsReferencePoints
from services.collab.ports import ReferencePoints
from services.collab.repository.announcements import OutboxAnnouncer
from services.collab.repository.comments import SqlComments
from services.collab.repository.shares import SqlShares
from services.collab.servicer import OWN_IDEMPOTENCY, AccessServicer, CollabServicer, ShareAnswers
from services.collab.settings import CollabSettings
from services.collab.tokens import ShareTokens, read_secret
from services.collab.usecases.add_comment import AddComment
from services.collab.usecases.check_access import CheckAccess
from services.collab.usecases.delete_comment import DeleteComment
from services.collab.usecases.list_comments import ListComments
from services.collab.usecases.list_shared import ListShared
from services.collab.usecases.list_shares import ListShares
from services.collab.usecases.open_share import OpenShare
from services.collab.usecases.revoke_share import RevokeShare
from services.collab.usecases.share_session import ShareSession
from services.collab.usecases.update_comment import UpdateComment

NAME = "collab"

Services = tuple[tuple[ServiceDescriptor, object], ...]


def assemble(
    settings: CollabSettings,
    *,
    db: Database,
    outbox: Outbox,
    idempotency: IdempotencyStore,
    sessions: SessionDirectory,
    references: ReferencePoints,
    clock: Clock,
    ids: Ids,
) -> Services:
    """The service without its process."""
    shares, comments = SqlShares(), SqlComments()
    announcer = OutboxAnnouncer(outbox, ids, convert.collab_changed)
    tokens = ShareTokens(read_secret(settings.share_secret, settings.internal_key), settings.share_url_base)
    check_access = CheckAccess(db, shares, clock)
    gate = SessionGate(sessions, check_access)
    collab = CollabServicer(
        share_answers=ShareAnswers(idempotency, gate, tokens.url),
        share_session=ShareSession(
            db,
            shares,
            gate=gate,
            sessions=sessions,
            tokens=tokens,
            announcer=announcer,
            clock=clock,
            ids=ids,
            lifetime=settings.share_lifetime,
        ),
        list_shares=ListShares(db, shares, gate),
        revoke_share=RevokeShare(db, shares, gate, announcer, clock),
        open_share=OpenShare(db, shares, sessions, tokens, clock),
        add_comment=AddComment(
            db,
            comments,
            gate=gate,
            sessions=sessions,
            references=references,
            announcer=announcer,
            clock=clock,
            ids=ids,
        ),
        list_comments=ListComments(db, comments, gate),
        update_comment=UpdateComment(db, comments, gate, announcer, clock),
        delete_comment=DeleteComment(db, comments, gate, announcer, clock),
        gate=gate,
        clock=clock,
    )
    access = AccessServicer(check_access, ListShared(db, shares, clock))
    return (
        (collab_pb2.DESCRIPTOR.services_by_name["CollabService"], collab),
        (access_pb2.DESCRIPTOR.services_by_name["AccessService"], access),
    )


async def serve(settings: CollabSettings) -> None:
    """Serve until a signal."""
    runtime = build(NAME, settings, tables.KIT)
    session_channel = runtime.channel(settings.session_target, reads=SESSION_READS)
    results_channel = runtime.channel(settings.results_target, reads=RESULTS_READS)
    async with session_channel, results_channel:
        services = assemble(
            settings,
            db=runtime.db,
            outbox=runtime.outbox,
            idempotency=runtime.idempotency,
            sessions=SessionDirectory(
                internal_pb2_grpc.SessionInternalServiceStub(session_channel), runtime.peer("session")
            ),
            references=ResultsReferencePoints(
                artifacts_pb2_grpc.ArtifactServiceStub(results_channel), runtime.peer("results")
            ),
            clock=runtime.clock,
            ids=runtime.ids,
        )
        await runtime.serve(services, own_idempotency=OWN_IDEMPOTENCY)
