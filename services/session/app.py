"""The composition root: the only place where the parts are put together."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from kit.auth.grants import GrantSigner
from kit.db.idempotency import IdempotencyStore
from kit.identity import own_key
from kit.rpc.serve import Part
from kit.runtime import Runtime, build
from kit.settings import name_of
from kit.times import MINUTE, SECOND
from prsm.billing.v1 import ledger_pb2_grpc
from prsm.collab.v1 import access_pb2_grpc
from prsm.library.v1 import internal_pb2_grpc as library_pb2_grpc
from prsm.results.v1 import styles_pb2_grpc
from prsm.session.v1 import admin_pb2, internal_pb2, session_pb2, worker_pb2
from services.session.admin_servicer import SessionAdminServicer
from services.session.clients import (
    BILLING_CALLS,
    COLLAB_CALLS,
    LIBRARY_CALLS,
    RESULTS_CALLS,
    BillingClient,
    CollabClient,
    JetStreamWakeUps,
    LibraryClient,
    ResultsClient,
)
from services.session.consumers import collab_consumer
from services.session.convert.events import EventWriter
from services.session.domain import Policy
from services.session.drafts import Catalogue, EngineKind
from services.session.internal_servicer import InternalServicer
from services.session.ports import Billing, Collab, Library, Styles, WakeUps
from services.session.readings import readings
from services.session.repository.creations import CreationRepository
from services.session.repository.failures import FailureRepository
from services.session.repository.figures import Figures
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
from services.session.usecases.get_attention import GetAttention
from services.session.usecases.get_session import GetSession
from services.session.usecases.get_session_history import GetSessionHistory
from services.session.usecases.get_session_metrics import GetSessionMetrics
from services.session.usecases.heartbeat import Heartbeat
from services.session.usecases.list_failed_sessions import ListFailedSessions
from services.session.usecases.list_sessions import ListSessions
from services.session.usecases.look_up_session import LookUpSession
from services.session.usecases.mend_sessions import MendSessions
from services.session.usecases.pause_session import PauseSession
from services.session.usecases.planning import Planner
from services.session.usecases.reconcile_creations import ReconcileCreations
from services.session.usecases.record_collab_event import RecordCollabEvent
from services.session.usecases.release import Release
from services.session.usecases.requeue_session import RequeueSession
from services.session.usecases.require_level import RequireLevel
from services.session.usecases.resume_session import ResumeSession
from services.session.usecases.settle_ended import SettleEnded
from services.session.usecases.settle_session import ALARM_PAUSE, SettleSession
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
    styles: Styles


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
        urls=settings.url_inputs,
        default_time_limit=settings.time_limit_minutes * MINUTE,
        model=settings.model,
    )


def connect(runtime: Runtime, settings: SessionSettings) -> Outside:
    """The other services over gRPC, and JetStream."""
    return Outside(
        billing=BillingClient(
            ledger_pb2_grpc.LedgerServiceStub(runtime.channel(settings.billing_target, reads=BILLING_CALLS)),
            runtime.peer("billing"),
            deadline=settings.billing_deadline_seconds,
        ),
        library=LibraryClient(
            library_pb2_grpc.LibraryInternalServiceStub(runtime.channel(settings.library_target, reads=LIBRARY_CALLS)),
            runtime.peer("library"),
            deadline=settings.library_deadline_seconds,
        ),
        collab=CollabClient(
            access_pb2_grpc.AccessServiceStub(runtime.channel(settings.collab_target, reads=COLLAB_CALLS)),
            runtime.peer("collab"),
            deadline=settings.collab_deadline_seconds,
        ),
        wake_ups=JetStreamWakeUps(runtime.bus),
        styles=ResultsClient(
            styles_pb2_grpc.CitationStyleCheckServiceStub(
                runtime.channel(settings.results_target, reads=RESULTS_CALLS)
            ),
            runtime.peer("results"),
            deadline=settings.results_deadline_seconds,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Core:
    """What the groups of use cases share."""

    runtime: Runtime
    settings: SessionSettings
    outside: Outside
    policy: Policy
    catalogue: Catalogue
    queue: FairQueue
    sessions: SessionRepository
    creations: CreationRepository
    history: HistoryRepository
    durations: DurationRepository
    hub: WatchHub
    unit: SessionUnit
    settle: SettleSession
    metrics: GetSessionMetrics


def _core(runtime: Runtime, settings: SessionSettings, outside: Outside) -> _Core:
    policy, queue = policy_of(settings), FairQueue()
    sessions = SessionRepository(runtime.outbox, queue, EventWriter(runtime.ids))
    timing = WatchTiming(
        poll=settings.watch_poll_seconds,
        access=settings.watch_access_seconds,
        grace=settings.watch_grace_seconds,
        keep_alive=settings.keep_alive_seconds,
    )
    hub = WatchHub(runtime.db, runtime.clock, sessions, outside.collab, timing)
    unit = SessionUnit(runtime.db, runtime.clock, sessions, outside.collab, hub, policy, settings.currency)
    return _Core(
        runtime=runtime,
        settings=settings,
        outside=outside,
        policy=policy,
        catalogue=catalogue_of(settings),
        queue=queue,
        sessions=sessions,
        creations=CreationRepository(),
        history=HistoryRepository(),
        durations=DurationRepository(),
        hub=hub,
        unit=unit,
        settle=SettleSession(unit, outside.billing),
        metrics=GetSessionMetrics(unit),
    )


def _client_cases(core: _Core) -> UseCases:
    runtime, settings, outside, unit = core.runtime, core.settings, core.outside, core.unit
    planner = Planner(
        runtime.db,
        core.sessions,
        outside.library,
        outside.collab,
        outside.styles,
        core.durations,
        settings.expected_minutes * MINUTE,
    )
    create = CreateSession(
        db=runtime.db,
        clock=runtime.clock,
        ids=runtime.ids,
        creations=core.creations,
        sessions=core.sessions,
        planner=planner,
        billing=outside.billing,
        library=outside.library,
        wake_ups=outside.wake_ups,
        catalogue=core.catalogue,
        currency=settings.currency,
        timing=Timing(
            round(settings.creation_lease_seconds * SECOND),
            settings.creation_extend_seconds,
            settings.idempotency_wait_seconds,
            settings.idempotency_poll_seconds,
        ),
    )
    return UseCases(
        create=create,
        estimate=EstimateSession(planner, outside.billing, core.catalogue, runtime.ids),
        get=GetSession(unit),
        list=ListSessions(runtime.db, ListRepository(), outside.collab),
        cancel=CancelSession(unit, core.settle),
        pause=PauseSession(unit),
        resume=ResumeSession(unit, outside.wake_ups),
        metrics=core.metrics,
        history=GetSessionHistory(unit, core.history),
        require_level=RequireLevel(unit),
        watch=WatchSession(unit, core.history, core.hub),
    )


def _admin(core: _Core, create: CreateSession) -> SessionAdminServicer:
    db, failures = core.runtime.db, FailureRepository()
    return SessionAdminServicer(
        ListFailedSessions(db, failures),
        GetAttention(db, failures, core.runtime.clock),
        RequeueSession(core.unit, create, core.catalogue.engines),
    )


def _worker_cases(core: _Core) -> WorkerCases:
    settings = core.settings
    setting = "grant_key" if settings.grant_key else "internal_key"
    key = own_key(settings.signing_key, NAME, name_of(settings, setting))
    worker = WorkerUnit(
        unit=core.unit,
        settle=core.settle,
        wake_ups=core.outside.wake_ups,
        durations=core.durations,
        grants=GrantSigner(key, core.runtime.clock, ttl=settings.grant_seconds),
        grant_ttl=settings.grant_seconds * SECOND,
    )
    return WorkerCases(
        claim=ClaimNext(worker, core.queue, settings.owner_cap),
        start=Start(worker),
        begin_stage=BeginStage(worker),
        heartbeat=Heartbeat(worker),
        checkpoint=Checkpoint(worker),
        complete=Complete(worker),
        fail=Fail(worker),
        release=Release(worker),
    )


def _sweeper(core: _Core) -> Sweeper:
    runtime, settings, outside = core.runtime, core.settings, core.outside
    reconcile = ReconcileCreations(
        db=runtime.db,
        clock=runtime.clock,
        creations=core.creations,
        billing=outside.billing,
        library=outside.library,
        lease=round(settings.creation_lease_seconds * SECOND),
        abort_after=round(settings.creation_abort_seconds * SECOND),
    )

    async def prune() -> None:
        before = runtime.clock.now() - IdempotencyStore.KEPT
        await runtime.db.write(lambda db: core.creations.prune(db, before))

    second = round(settings.sweep_seconds * SECOND)
    # A gap between two rounds must never look like a lease's worth of silence.
    longest_step = min(2 * second, core.policy.lease // 3)
    overdue = OverdueRepository()
    settle_ended = SettleEnded(core.unit, overdue, core.settle, longest_step=longest_step, patience=ALARM_PAUSE)
    chores = [
        Chore("sessions", second, MendSessions(core.unit, overdue, outside.wake_ups, longest_step)),
        Chore("settlements", second, settle_ended),
        Chore("creations", second, reconcile),
        Chore(
            "wake-ups",
            round(settings.wake_up_seconds * SECOND),
            TopUpWakeUps(runtime.db, core.queue, outside.wake_ups),
        ),
        Chore("prune", round(settings.prune_seconds * SECOND), prune),
    ]
    return Sweeper(
        db=runtime.db,
        leases=runtime.leases,
        clock=runtime.clock,
        ids=runtime.ids,
        chores=chores,
        pause=settings.sweep_seconds,
    )


def assemble(runtime: Runtime, settings: SessionSettings, outside: Outside) -> App:
    """Put the service together on the common parts of its process."""
    core = _core(runtime, settings, outside)
    cases = _client_cases(core)
    client = SessionServicer(
        cases,
        catalogue=core.catalogue,
        users=runtime.users,
        clock=runtime.clock,
        currency=settings.currency,
    )
    worker = WorkerServicer(_worker_cases(core), core.policy, round(settings.heartbeat_seconds * SECOND))
    describe = DescribeExecution(core.unit, core.metrics, core.history)
    admin = _admin(core, cases.create)
    internal = InternalServicer(LookUpSession(core.unit), describe, settings.currency)
    record_collab = RecordCollabEvent(core.unit, runtime.inbox)
    sweeper = _sweeper(core)
    return App(
        services=[
            (session_pb2.DESCRIPTOR.services_by_name["SessionService"], client),
            (worker_pb2.DESCRIPTOR.services_by_name["WorkerService"], worker),
            (internal_pb2.DESCRIPTOR.services_by_name["SessionInternalService"], internal),
            (admin_pb2.DESCRIPTOR.services_by_name["SessionAdminService"], admin),
        ],
        parts=[sweeper, core.hub, collab_consumer(runtime.bus, record_collab)],
        sweeper=sweeper,
        hub=core.hub,
        record_collab=record_collab,
    )


async def serve(settings: SessionSettings) -> None:
    """Serve until a signal."""
    runtime = build(NAME, settings, KIT)
    app = assemble(runtime, settings, connect(runtime, settings))
    figures = readings(runtime.db, Figures(), runtime.clock, list(settings.offered()))
    await runtime.serve(
        app.services,
        parts=app.parts,
        own_idempotency=OWN_IDEMPOTENCY,
        ending=app.hub.stop,
        readings=figures,
    )
