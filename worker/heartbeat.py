"""The heartbeat: keeps the lease, reports what is done, and brings directives back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from kit.errors import PrsmError
from kit.telemetry import scope
from kit.telemetry.scope import Scope
from worker import metrics
from worker.attempt import Attempt
from worker.errors import LeaseLost
from worker.model import Beat
from worker.ports import Sessions

log = structlog.get_logger("heartbeat")


class Heartbeat:
    """Beats at the pace that the claim asks for."""

    def __init__(self, sessions: Sessions, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._monotonic = monotonic

    async def beat(self, attempt: Attempt) -> None:
        """Run beside the work until the session is no longer ours, then return."""
        claim = attempt.claim
        # One a second for hours: the session's trace is better off without them, its logs have the session's id.
        scope.enter(Scope(session_id=claim.lease.session_id))
        held_until = self._monotonic() + claim.lease_seconds
        while True:
            await asyncio.sleep(claim.heartbeat_seconds)
            sent = self._monotonic()
            stage = attempt.stage
            beat = Beat(claim.lease, stage.name, stage.done, dict(stage.usage), attempt.resources())
            try:
                answer = await self._sessions.heartbeat(beat)
            except LeaseLost:
                metrics.HEARTBEATS.labels("lost").inc()
                return
            except PrsmError as error:
                metrics.HEARTBEATS.labels("failed").inc()
                # The service may be restarting. The work goes on while the lease lasts; then another worker has it.
                if self._monotonic() >= held_until:
                    log.warning("the lease ran out", cause=repr(error))
                    return
                continue
            metrics.HEARTBEATS.labels("answered").inc()
            held_until = sent + answer.lease_seconds
            attempt.grant = answer.grant or attempt.grant
            if not attempt.heed(answer.directive):
                return
