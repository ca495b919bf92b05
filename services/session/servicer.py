"""SessionService: message → command → message, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from google.api import httpbody_pb2

from kit.auth.tokens import TokenVerifier
from kit.errors import Fault, PrsmError
from kit.rpc.admission import bearer
from kit.rpc.call import Call
from kit.rpc.pipeline import fingerprint_of
from kit.rpc.reasons import error_json
from kit.times import Clock
from prsm.session.v1 import session_pb2
from services.session.convert import analytics, requests, sessions
from services.session.domain import HistoryRow
from services.session.drafts import Catalogue, rules
from services.session.usecases.cancel_session import CancelSession
from services.session.usecases.create_session import CreateSession
from services.session.usecases.estimate_session import EstimateSession
from services.session.usecases.get_session import GetSession
from services.session.usecases.get_session_history import GetSessionHistory
from services.session.usecases.get_session_metrics import GetSessionMetrics
from services.session.usecases.list_sessions import ListSessions
from services.session.usecases.pause_session import PauseSession
from services.session.usecases.require_level import RequireLevel
from services.session.usecases.resume_session import ResumeSession
from services.session.usecases.watch_session import Progress, WatchSession

_pb = session_pb2


@dataclass(frozen=True, slots=True)
class UseCases:
    """One for each RPC."""

    create: CreateSession
    estimate: EstimateSession
    get: GetSession
    list: ListSessions
    cancel: CancelSession
    pause: PauseSession
    resume: ResumeSession
    metrics: GetSessionMetrics
    history: GetSessionHistory
    watch: WatchSession
    require_level: RequireLevel


class SessionServicer:
    def __init__(
        self, cases: UseCases, *, catalogue: Catalogue, users: TokenVerifier, clock: Clock, currency: str
    ) -> None:
        self._do = cases
        self._catalogue = catalogue
        self._users = users
        self._clock = clock
        self._currency = currency

    async def admit(self, session_id: str, call: Call) -> None:
        """Before an answer is given again."""
        await self._do.require_level(call.principal, session_id, call.level)

    def faults_CreateSession(self, request: _pb.CreateSessionRequest) -> list[Fault]:
        """What is wrong beyond the rules in the proto, to be told together with that."""
        return list(rules(requests.draft_of(request), self._catalogue))

    def faults_EstimateSession(self, request: _pb.EstimateSessionRequest) -> list[Fault]:
        return list(rules(requests.draft_of(request), self._catalogue))

    async def CreateSession(self, request: _pb.CreateSessionRequest, call: Call) -> _pb.CreateSessionResponse:
        draft = requests.draft_of(request)
        fingerprint = fingerprint_of(call.method, request)
        created = await self._do.create(call.principal, draft, call.idempotency_key, fingerprint)
        call.location = f"/api/v1/sessions/{created.session_id}"
        return sessions.created_message(created)

    async def EstimateSession(self, request: _pb.EstimateSessionRequest, call: Call) -> _pb.EstimateSessionResponse:
        estimated = await self._do.estimate(call.principal, requests.draft_of(request))
        return _pb.EstimateSessionResponse(
            cost_estimate=sessions.estimate_message(estimated.estimate), estimated_duration=estimated.minutes
        )

    async def GetSession(self, request: _pb.GetSessionRequest, call: Call) -> _pb.Session:
        return sessions.session_message(await self._do.get(call.principal, request.session_id))

    async def ListSessions(self, request: _pb.ListSessionsRequest, call: Call) -> _pb.ListSessionsResponse:
        listed = await self._do.list(call.principal, requests.list_query_of(request))
        return sessions.listed_message(listed, self._currency)

    async def CancelSession(self, request: _pb.CancelSessionRequest, call: Call) -> _pb.CancelSessionResponse:
        record = call.recorder(sessions.cancelled_message)
        session = await self._do.cancel(call.principal, request.session_id, request.reason, record)
        return sessions.cancelled_message(session)

    async def PauseSession(self, request: _pb.PauseSessionRequest, call: Call) -> _pb.PauseSessionResponse:
        record = call.recorder(sessions.paused_message)
        return sessions.paused_message(await self._do.pause(call.principal, request.session_id, record))

    async def ResumeSession(self, request: _pb.ResumeSessionRequest, call: Call) -> _pb.ResumeSessionResponse:
        record = call.recorder(sessions.resumed_message)
        return sessions.resumed_message(await self._do.resume(call.principal, request.session_id, record))

    async def GetSessionMetrics(
        self, request: _pb.GetSessionMetricsRequest, call: Call
    ) -> _pb.GetSessionMetricsResponse:
        metrics = await self._do.metrics(call.principal, request.session_id)
        return analytics.metrics_message(metrics, self._currency)

    async def GetSessionHistory(
        self, request: _pb.GetSessionHistoryRequest, call: Call
    ) -> _pb.GetSessionHistoryResponse:
        rows = await self._do.history(call.principal, request.session_id)
        return analytics.history_message(request.session_id, rows)

    async def StreamEvents(self, request: _pb.StreamEventsRequest, call: Call) -> AsyncIterator[httpbody_pb2.HttpBody]:
        after = requests.resume_after(call.metadata.get("last-event-id"), request)
        call.headers["cache-control"] = "no-cache"
        content_type = "text/event-stream"
        watched = self._do.watch(call.principal, request.session_id, after, await self._token_ends(call))
        async with aclosing(watched):
            try:
                async for item in watched:
                    # The first message's content type becomes the stream's.
                    yield httpbody_pb2.HttpBody(content_type=content_type, data=analytics.frame_of(item))
                    content_type = ""
            except PrsmError as error:
                if content_type:
                    raise
                # The status has left long ago; the stream itself has to tell why it ends.
                body = error_json(error, now=self._clock.now(), request_id=call.request_id)
                yield httpbody_pb2.HttpBody(data=analytics.error_frame(body))

    async def WatchSession(
        self, request: _pb.WatchSessionRequest, call: Call
    ) -> AsyncIterator[_pb.WatchSessionResponse]:
        watched = self._do.watch(call.principal, request.session_id, request.after_seq, await self._token_ends(call))
        async with aclosing(watched):
            async for item in watched:
                if isinstance(item, HistoryRow):
                    yield analytics.watched_message(item)
                elif isinstance(item, Progress):
                    yield analytics.progress_message(item)

    async def _token_ends(self, call: Call) -> int:
        # Asked once: there may be more streams than the verifier remembers tokens.
        return await self._users.ends(bearer(call.metadata))
