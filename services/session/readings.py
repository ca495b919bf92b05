"""The figures that session looks up for metrics."""

from __future__ import annotations

from collections.abc import Sequence

from kit.db.database import Database
from kit.telemetry.metrics import Gauge
from kit.telemetry.readings import Reading
from kit.times import SECOND, Clock
from services.session.metrics import STATUSES
from services.session.repository.figures import Figures

DEPTH = Gauge("prsm_session_queue_depth", "Queued sessions.", ["engine"])
OLDEST = Gauge("prsm_session_queue_oldest_age_seconds", "How long the longest waiting one has waited.", ["engine"])
LEASES = Gauge("prsm_session_leases", "Sessions in the hands of workers, by whether the lease still runs.", ["state"])
SESSIONS = Gauge("prsm_session_sessions", "Sessions there are.", ["status"])
HELD = Gauge("prsm_session_held_micros", "Money held for open sessions, in 10^-6 of the currency.")
UNSETTLED = Gauge("prsm_session_unsettled_sessions", "Ended sessions that billing has not acknowledged.")
UNSETTLED_AGE = Gauge("prsm_session_unsettled_oldest_age_seconds", "How long ago the first of them ended.")
PAUSED_AGE = Gauge("prsm_session_paused_oldest_age_seconds", "How long the longest paused session has been.")
CREATIONS = Gauge("prsm_session_unfinished_creations", "Creations that are pending or being aborted.")
CREATIONS_AGE = Gauge("prsm_session_unfinished_creations_oldest_age_seconds", "How old the oldest of them is.")


def readings(db: Database, figures: Figures, clock: Clock, engines: Sequence[str]) -> list[Reading]:
    """`engines` are those on offer: they are shown even when nothing is queued for them."""

    async def queue() -> None:
        now = clock.now()
        found = await db.scan(figures.queue)
        names = {*engines, *found}
        DEPTH.replace({(name,): float(found[name][0]) if name in found else 0.0 for name in names})
        OLDEST.replace({(name,): _age(now, found[name][1]) if name in found else 0.0 for name in names})

    async def work() -> None:
        now = clock.now()
        live, expired = await db.scan(lambda conn: figures.leases(conn, now))
        LEASES.replace({("live",): float(live), ("expired",): float(expired)})
        unsettled, ended = await db.scan(figures.unsettled)
        UNSETTLED.set(unsettled)
        UNSETTLED_AGE.set(_age(now, ended))
        PAUSED_AGE.set(_age(now, await db.scan(figures.paused)))
        creations, begun = await db.scan(figures.creations)
        CREATIONS.set(creations)
        CREATIONS_AGE.set(_age(now, begun))

    async def totals() -> None:
        counts, held = await db.scan(figures.totals)
        SESSIONS.replace({(status,): float(counts.get(status, 0)) for status in STATUSES})
        HELD.set(held)

    worked_on = (LEASES, UNSETTLED, UNSETTLED_AGE, PAUSED_AGE, CREATIONS, CREATIONS_AGE)
    return [
        Reading("queue", 5.0, queue, (DEPTH, OLDEST), shared=True),
        Reading("work", 5.0, work, worked_on, shared=True),
        Reading("totals", 15.0, totals, (SESSIONS, HELD), shared=True),
    ]


def _age(now: int, since: int | None) -> float:
    return max(now - since, 0) / SECOND if since is not None else 0.0
