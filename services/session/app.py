"""The composition root: the only place where the parts are put together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor import ServiceDescriptor

from kit.auth.grants import GrantSigner
from kit.auth.keys import load_key
from kit.rpc.client import open_channel
from kit.rpc.serve import Part
from kit.runtime import Runtime, build
from kit.times import DAY, MINUTE, SECOND
from prsm.billing.v1 import ledger_pb2_grpc
from prsm.collab.v1 import access_pb2_grpc
from prsm.library.v1 import internal_pb2_grpc as library_pb2_grpc
from prsm.session.v1 import internal_pb2, session_pb2, worker_pb2
from services.session.clients import BillingClient, CollabClient, JetStreamWakeUps, LibraryClient
from services.session.consumers import collab_consumer
from services.session.convert.events import EventWriter
from services.session.domain import Policy
from services.session.drafts import Catalogue, EngineKind
from services.session.internal_servicer import InternalServicer
from services.session.ports import Billing, Collab, Library, WakeUps
from services.session.repository.creations import CreationRepository
from services.session.repository.history import DurationRepository, HistoryRepository
from services.session.repository.lists import ListRepository
from services.session.repository.overdue import OverdueRepository
from services.session.repository.queue import FairQueue
from services.session.repository.sessions import SessionRepository
from services.session.servicer import SessionServicer, UseCases
from services.session.settings import SessionSettings
from services.session.sweeper import Chore, Sweeper
from services.session.tables import KIT
from services.session.usecases.begin_stage import BeginStage
from services.session.usecases.cancel_session import CancelSession
from services.session.usecases.checkpoint import Checkpoint
from services.session.usecases.claim_next import ClaimNext
from services.session.usecases.complete import Complete
from services.session.usecases.create_session import METHOD, CreateSession, Timing
from services.session.usecases.describe_execution import DescribeExecution
from services.session.usecases.estimate_session import EstimateSession
from services.session.usecases.fail import Fail
from services.session.usecases.get_session import GetSession
from services.session.usecases.get_session_history import GetSessionHistory
from services.session.usecases.get_session_metrics import GetSessionMetrics
from services.session.usecases.heartbeat import Heartbeat
from services.session.usecases.list_sessions import ListSessions
from services.session.usecases.look_up_session import LookUpSession
from services.session.usecases.mend_sessions import MendSessions
from services.session.usecases.pause_session import PauseSession
from services.session.usecases.planning import Planner
from services.session.usecases.reconcile_creations import ReconcileCreations
from services.session.usecases.record_collab_event import RecordCollabEvent
from services.session.usecases.release import Release
from services.session.usecases.resume_session import ResumeSession
from services.session.usecases.settle_session import SettleSession
from services.session.usecases.start import Start
from services.session.usecases.top_up_wake_ups import TopUpWakeUps
from services.session.usecases.unit import SessionUnit
from services.session.usecases.watch_session import WatchSession
from services.session.usecases.worker_unit import WorkerUnit
from services.session.watchers import WatchHub, WatchTiming
from services.session.worker_servicer import WorkerCases, WorkerServicer

NAME = "session"
CREATE = session_pb2.DESCRIPTOR.services_by_name["SessionService"].methods_by_name[METHOD]
OWN_IDEMPOTENCY = frozenset({f"{CREATE.containing_service.full_name}/{CREATE.name}"})


@dataclass(frozen=True, slots=True)
class Outside:
    """The other services and the broker, behind the ports."""

    billing: Billing
    library: Library
    collab: Collab
    wake_ups: WakeUps


@dataclass(frozen=True, slots=True)
class App:
    """The service's parts, ready to be served."""

    services: list[tuple[ServiceDescriptor, object]]
    parts: list[Part]
    sweeper: Sweeper
    hub: WatchHub
    record_collab: RecordCollabEvent


def policy_of(settings: SessionSettings) -> Policy:
    return Policy(
        lease=round(settings.lease_seconds * SECOND),
        beat=round(settings.beat_seconds * SECOND),
        write_up_time=settings.write_up_time,
        write_up_money=settings.write_up_money,
        max_failures=settings.max_attempts,
        settle_pause=round(settings.settle_seconds * SECOND),
        init_limit=round(settings.initializing_seconds * SECOND),
    )


def catalogue_of(settings: SessionSettings) -> Catalogue:
    return Catalogue(
        engines={
            name: EngineKind(frozenset(engine.types), engine.pausable) for name, engine in settings.offered().items()
        },
        connectors=frozenset(settings.connectors),
        urls=settings.url_inputs,
        default_time_limit=settings.time_limit_minutes * MINUTE,
    )


def connect(runtime: Runtime, settings: SessionSettings) -> Outside:
    """The other services over gRPC, and JetStream."""
    return Outside(
        billing=BillingClient(
            ledger_pb2_grpc.LedgerServiceStub(open_channel(settings.billing_target)),
            runtime.peer("billing"),
            deadline=settings.billing_deadline_seconds,
        ),
        library=LibraryClient(
            library_pb2_grpc.LibraryInternalServiceStub(open_channel(settings.library_target)),
            runtime.peer("library"),
            deadline=settings.library_deadline_seconds,
        ),
        collab=CollabClient(
            access_pb2_grpc.AccessServiceStub(open_channel(settings.collab_target)),
            runtime.peer("collab"),
            deadline=settings.collab_deadline_seconds,
        ),
        wake_ups=JetStreamWakeUps(runtime.bus),
    )


def assemble(runtime: Runtime, settings: SessionSettings, outside: Outside) -> App:
    """Put the service together on the common parts of its process."""
    db, clock, ids = runtime.db, runtime.clock, runtime.ids
    policy, catalogue, currency = policy_of(settings), catalogue_of(settings), settings.currency
    queue = FairQueue()
    sessions = SessionRepository(runtime.outbox, queue, EventWriter(ids))
    creations, history, durations = CreationRepository(), HistoryRepository(), DurationRepository()
    timing = WatchTiming(settings.watch_poll_seconds, settings.watch_access_seconds, settings.watch_grace_seconds)
    hub = WatchHub(db, sessions, outside.collab, timing)
    unit = SessionUnit(db, clock, sessions, outside.collab, hub, policy, currency)
    settle = SettleSession(unit, outside.billing)
    planner = Planner(db, sessions, outside.library, outside.collab, durations, settings.expected_minutes * MINUTE)
    metrics = GetSessionMetrics(unit)
    cases = UseCases(
        create=CreateSession(
            db=db,
            clock=clock,
            ids=ids,
            creations=creations,
            sessions=sessions,
            planner=planner,
            billing=outside.billing,
            library=outside.library,
            wake_ups=outside.wake_ups,
            catalogue=catalogue,
            currency=currency,
            timing=Timing(
                round(settings.creation_lease_seconds * SECOND),
                settings.idempotency_wait_seconds,
                settings.idempotency_poll_seconds,
            ),
        ),
        estimate=EstimateSession(planner, outside.billing, catalogue, ids),
        get=GetSession(unit),
        list=ListSessions(db, ListRepository(), outside.collab),
        cancel=CancelSession(unit, settle),
        pause=PauseSession(unit),
        resume=ResumeSession(unit, outside.wake_ups),
        metrics=metrics,
        history=GetSessionHistory(unit, history),
        watch=WatchSession(unit, history, hub, settings.keep_alive_seconds),
    )
    worker = WorkerUnit(
        unit=unit,
        settle=settle,
        wake_ups=outside.wake_ups,
        durations=durations,
        grants=GrantSigner(load_key(Path(settings.internal_key)), clock, ttl=settings.grant_seconds),
        grant_ttl=settings.grant_seconds * SECOND,
    )
    worker_cases = WorkerCases(
        claim=ClaimNext(worker, queue, settings.owner_cap),
        start=Start(worker),
        begin_stage=BeginStage(worker),
        heartbeat=Heartbeat(worker),
        checkpoint=Checkpoint(worker),
        complete=Complete(worker),
        fail=Fail(worker),
        release=Release(worker),
    )
    reconcile = ReconcileCreations(
        db=db,
        clock=clock,
        creations=creations,
        billing=outside.billing,
        library=outside.library,
        abort_after=round(settings.creation_abort_seconds * SECOND),
    )

    async def prune() -> None:
        before = clock.now() - 2 * DAY
        await db.write(lambda c: (creations.prune(c, before), runtime.idempotency.prune(c)))

    second = round(settings.sweep_seconds * SECOND)
    top_up = TopUpWakeUps(db, queue, outside.wake_ups)
    mend = MendSessions(unit, OverdueRepository(), settle, outside.wake_ups)
    chores = [
        Chore("sessions", second, mend),
        Chore("creations", second, reconcile),
        Chore("wake-ups", round(settings.wake_up_seconds * SECOND), top_up),
        Chore("prune", round(settings.prune_seconds * SECOND), prune),
    ]
    sweeper = Sweeper(db=db, leases=runtime.leases, clock=clock, ids=ids, chores=chores, pause=settings.sweep_seconds)
    record_collab = RecordCollabEvent(unit, runtime.inbox)
    servicer = SessionServicer(cases, catalogue=catalogue, users=runtime.users, clock=clock, currency=currency)
    internal = InternalServicer(LookUpSession(unit), DescribeExecution(unit, metrics, history), currency)
    heartbeat = round(settings.heartbeat_seconds * SECOND)
    return App(
        services=[
            (session_pb2.DESCRIPTOR.services_by_name["SessionService"], servicer),
            (worker_pb2.DESCRIPTOR.services_by_name["WorkerService"], WorkerServicer(worker_cases, policy, heartbeat)),
            (internal_pb2.DESCRIPTOR.services_by_name["SessionInternalService"], internal),
        ],
        parts=[sweeper, hub, collab_consumer(runtime.bus, record_collab)],
        sweeper=sweeper,
        hub=hub,
        record_collab=record_collab,
    )


async def serve(settings: SessionSettings) -> None:
    """Serve until a signal."""
    runtime = build(NAME, settings, KIT)
    app = assemble(runtime, settings, connect(runtime, settings))
    await runtime.serve(app.services, parts=app.parts, own_idempotency=OWN_IDEMPOTENCY, ending=app.hub.stop)
