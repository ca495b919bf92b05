"""What the session service keeps beside its sessions must equal what can be counted; and nothing waits for ever."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from tests.chaos.truth import ENDED, HELD, SCALE, Truth
from tests.chaos.verdict import LOST, OTHER, Verdict

_FORGOTTEN = 60 * SCALE
"""Microseconds after which a lease that ran out should have been noticed."""


def check_queues(truth: Truth, verdict: Verdict) -> None:
    sessions = truth.sessions.values()
    queued = Counter((s.engine, s.owner) for s in sessions if s.status == "queued")
    kept = {(row.engine, row.owner): row.queued for row in truth.rows("session", "lanes")}
    _equal(queued, kept, "lanes count what is queued", verdict)
    held = Counter(s.owner for s in sessions if s.status in HELD)
    _equal(held, {row.owner: row.active for row in truth.rows("session", "loads")}, "loads count what is held", verdict)
    counted: dict[tuple[str, str, str], tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for s in sessions:
        count, money, charged = counted[s.owner, s.session_type, s.status]
        open_ = 0 if s.status in ENDED else s.held
        counted[s.owner, s.session_type, s.status] = (count + 1, money + open_, charged + s.charged)
    totals = {
        (row.owner, row.session_type, row.status): (row.count, row.held, row.charged)
        for row in truth.rows("session", "counters")
    }
    _equal(counted, totals, "counters count sessions", verdict)
    latest = max((rows[-1].at for rows in truth.history.values()), default=0)
    for s in sessions:
        leased = s.lease_until is not None and s.lease_until > latest - _FORGOTTEN
        going = s.status in ENDED or s.status in ("queued", "paused") or leased
        verdict.expect(going, LOST, "every session is over or goes on", s.session_id, (s.status, s.lease_until))


def _equal(counted: Mapping[Any, Any], kept: Mapping[Any, Any], rule: str, verdict: Verdict) -> None:
    """A row of nothing is as good as none."""
    for key in counted.keys() | kept.keys():
        nothing = (0, 0, 0) if isinstance(next(iter(kept.values()), 0), tuple) else 0
        one, other = counted.get(key, nothing), kept.get(key, nothing)
        verdict.expect(one == other, OTHER, rule, str(key), f"{one} counted, {other} kept")
