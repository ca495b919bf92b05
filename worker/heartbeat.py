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
from worker.patience import Backoff
from worker.ports import Sessions

log = structlog.get_logger("heartbeat")


class Heartbeat:
    """Beats at the pace that the claim asks for."""

    def __init__(
        self, sessions: Sessions, *, patience: float = 0.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`patience` is how many seconds past the lease the work goes on while nobody answers. The service does not
        count the time in which it was away itself, and no write of a lost lease does harm."""
        self._sessions = sessions
        self._patience = patience
        self._monotonic = monotonic

    async def beat(self, attempt: Attempt) -> None:
        """Run beside the work until the session is no longer ours, then return."""
        claim = attempt.claim
        # One a second for hours: the session's trace is better off without them, its logs have the session's id.
        scope.enter(Scope(session_id=claim.lease.session_id))
        held_until = self._monotonic() + claim.lease_seconds + self._patience
        pause, backoff = claim.heartbeat_seconds, Backoff()
        while True:
            await asyncio.sleep(pause)
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
                # The service may be restarting. Directives wait for us there: soon again, by another connection.
                if self._monotonic() >= held_until:
                    log.warning("the lease ran out", cause=repr(error))
                    return
                pause = min(backoff.pause(), claim.heartbeat_seconds)
                continue
            pause, backoff = claim.heartbeat_seconds, Backoff()
            metrics.HEARTBEATS.labels("answered").inc()
            held_until = sent + answer.lease_seconds + self._patience
            attempt.grant = answer.grant or attempt.grant
            if not attempt.heed(answer.directive):
                return
