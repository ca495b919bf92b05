"""ListSessions: the caller's own sessions, those shared with them, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import Fault, ValidationError
from kit.paging import Page, Position, next_cursor
from kit.times import DAY, SECOND, parse_day, parse_rfc3339
from services.session.domain import SessionType, Status
from services.session.ports import Collab, Listing, Lists, Tally
from services.session.views import SessionView

_FAR = 2000
"""Rows to skip before a page."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The parameters as they came; empty where not given."""

    page: Page
    status: str = ""
    session_type: str = ""
    date_from: str = ""
    date_to: str = ""
    scope: str = ""


@dataclass(slots=True)
class Summary:
    """Over the whole filtered set. `held` is what is set aside for sessions that have not ended, `charged` what was
    charged so far; every status and type is there."""

    total: int = 0
    held: int = 0
    charged: int = 0
    by_status: dict[str, int] = field(default_factory=lambda: {status.value: 0 for status in Status})
    by_type: dict[str, int] = field(default_factory=lambda: {kind.value: 0 for kind in SessionType})


@dataclass(frozen=True, slots=True)
class Listed:
    sessions: Sequence[SessionView]
    page: Page
    summary: Summary
    next_cursor: str | None


class ListSessions:
    def __init__(self, db: Database, lists: Lists, collab: Collab) -> None:
        self._db = db
        self._lists = lists
        self._collab = collab

    async def __call__(self, principal: Principal, query: ListQuery) -> Listed:
        """Raises ValidationError for bad dates, Unavailable when shares are asked for and collab is away."""
        date_from, date_to = _period(query.date_from, query.date_to)
        scope = query.scope or "owned"
        shared = () if scope == "owned" else tuple(await self._collab.shared_with(principal))
        listing = Listing(
            owner=principal.user_id,
            owned=scope != "shared",
            shared=shared,
            status=query.status,
            session_type=query.session_type,
            date_from=date_from,
            date_to=date_to,
        )
        page = query.page

        def read(db: Connection) -> tuple[list[SessionView], list[Tally]]:
            return self._lists.page(db, listing, page), self._lists.tally(db, listing)

        # Totals are kept for the owner's own sessions; what has to be counted, or skipped over, may take long.
        counted = date_from is not None or date_to is not None or scope != "owned" or page.offset > _FAR
        sessions, tallies = await (self._db.scan(read) if counted else self._db.read(read))
        summary = _summary(tallies)
        last = Position(sessions[-1].created_at, sessions[-1].session_id) if sessions else None
        return Listed(sessions, page, summary, next_cursor(page, len(sessions), last, summary.total))


def _summary(tallies: Sequence[Tally]) -> Summary:
    summary = Summary()
    for tally in tallies:
        summary.total += tally.count
        summary.held += tally.held
        summary.charged += tally.charged
        summary.by_status[tally.status] += tally.count
        summary.by_type[tally.session_type] += tally.count
    return summary


def _period(date_from: str, date_to: str) -> tuple[int | None, int | None]:
    """Both ends inclusive: a moment stands for its whole millisecond, which is all that answers show of it."""
    faults: list[Fault] = []
    first = _moment("date_from", date_from, 0, faults)
    last = _moment("date_to", date_to, DAY - 1, faults)
    if not faults and first is not None and last is not None and first > last:
        faults.append(Fault("date_to", "must not be before date_from"))
    if faults:
        raise ValidationError(faults)
    return first, last


def _moment(field_: str, text: str, day_offset: int, faults: list[Fault]) -> int | None:
    if not text:
        return None
    try:
        day = parse_day(text)
        if day is not None:
            return day + day_offset
        moment = parse_rfc3339(text)
    except (ValueError, OverflowError):
        faults.append(Fault(field_, "must be YYYY-MM-DD or an RFC 3339 moment such as 2026-01-31T12:00:00Z"))
        return None
    millisecond = SECOND // 1000
    return moment - moment % millisecond + (millisecond - 1 if day_offset else 0)
