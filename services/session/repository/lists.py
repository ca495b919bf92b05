"""Lists by key, and their totals from kept counters where the filter allows it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, literal_column, select, tuple_

from kit.paging import Page, Position
from services.session.domain import TERMINAL
from services.session.ports import Listing, Tally
from services.session.tables import counters, sessions
from services.session.views import SessionView

_s = sessions.c
# Neither is part of a list, and both may be large.
_LEFT_OUT = {"inputs": "''", "results": "NULL"}
_COLUMNS = [
    literal_column(_LEFT_OUT[name]).label(name) if name in _LEFT_OUT else _s[name] for name in SessionView._fields
]
_ENDED = ", ".join(f"'{status.value}'" for status in sorted(TERMINAL))
_HELD_NOW: ColumnElement[int] = literal_column(f"CASE WHEN sessions.status IN ({_ENDED}) THEN 0 ELSE sessions.held END")
_FILTERS: dict[str, ColumnElement[bool]] = {
    "status": _s.status == bindparam("of_status"),
    "session_type": _s.session_type == bindparam("of_type"),
    "date_from": _s.created_at >= bindparam("date_from"),
    "date_to": _s.created_at <= bindparam("date_to"),
}
_MINE: ColumnElement[bool] = _s.owner == bindparam("of_owner")
_OTHERS = and_(_s.session_id.in_(bindparam("shared", expanding=True)), _s.owner != bindparam("of_owner"))
_WHOSE: dict[str, ColumnElement[bool]] = {"owned": _MINE, "shared": _OTHERS}
_c = counters.c
_kept = select(_c.session_type, _c.status, _c["count"], _c.held, _c.charged).where(_c.owner == bindparam("of_owner"))


@lru_cache(maxsize=256)
def _page(whose: str, filters: tuple[str, ...], *, after: bool) -> Select[Any]:
    statement = select(*_COLUMNS).where(_WHOSE[whose], *(_FILTERS[name] for name in filters))
    if after:
        position = tuple_(bindparam("after_at"), bindparam("after_id"))
        statement = statement.where(tuple_(_s.created_at, _s.session_id) < position)
    return (
        statement.order_by(_s.created_at.desc(), _s.session_id.desc())
        .limit(bindparam("page_limit"))
        .offset(bindparam("page_offset"))
    )


@lru_cache(maxsize=256)
def _counted(whose: str, filters: tuple[str, ...]) -> Select[Any]:
    return (
        select(
            _s.session_type,
            _s.status,
            func.count(),
            func.coalesce(func.sum(_HELD_NOW), 0),
            func.coalesce(func.sum(_s.charged), 0),
        )
        .where(_WHOSE[whose], *(_FILTERS[name] for name in filters))
        .group_by(_s.session_type, _s.status)
    )


class ListRepository:
    """Newest first, then by id; a statement is built once for each combination of filters."""

    def page(self, db: Connection, listing: Listing, page: Page) -> list[SessionView]:
        if not listing.owned:
            return _rows(db, "shared", listing, page.after, page.limit, page.offset)
        if not listing.shared:
            return _rows(db, "owned", listing, page.after, page.limit, page.offset)
        # Both lists come by their own index. However the shared ones lie between the owned ones, the page holds owned
        # ones only from this part of their list.
        others = _rows(db, "shared", listing, page.after, len(listing.shared), 0)
        first = max(0, page.offset - len(others))
        own = _rows(db, "owned", listing, page.after, page.limit + page.offset - first, first)
        both = sorted(own + others, key=lambda view: (view.created_at, view.session_id), reverse=True)
        return both[page.offset - first :][: page.limit]

    def tally(self, db: Connection, listing: Listing) -> list[Tally]:
        """Counts and sums by type and status over the whole filtered set; a pair may come twice."""
        tallies: list[Tally] = []
        if listing.owned and listing.date_from is None and listing.date_to is None:
            tallies += _kept_tallies(db, listing)
        elif listing.owned:
            tallies += _counted_tallies(db, "owned", listing)
        if listing.shared:
            tallies += _counted_tallies(db, "shared", listing)
        return tallies


def _rows(
    db: Connection, whose: str, listing: Listing, after: Position | None, limit: int, offset: int
) -> list[SessionView]:
    values = _values(whose, listing)
    values.update(page_limit=limit, page_offset=offset)
    if after is not None:
        values.update(after_at=after.created_at, after_id=after.id)
    statement = _page(whose, _filters(listing), after=after is not None)
    return [SessionView._make(row) for row in db.execute(statement, values)]


def _kept_tallies(db: Connection, listing: Listing) -> list[Tally]:
    return [
        Tally(*row)
        for row in db.execute(_kept, {"of_owner": listing.owner})
        if listing.status in ("", row.status) and listing.session_type in ("", row.session_type)
    ]


def _counted_tallies(db: Connection, whose: str, listing: Listing) -> list[Tally]:
    rows = db.execute(_counted(whose, _filters(listing)), _values(whose, listing))
    return [Tally(kind, status, int(count), int(held), int(charged)) for kind, status, count, held, charged in rows]


def _filters(listing: Listing) -> tuple[str, ...]:
    given = {
        "status": listing.status,
        "session_type": listing.session_type,
        "date_from": listing.date_from is not None,
        "date_to": listing.date_to is not None,
    }
    return tuple(name for name, value in given.items() if value)


def _values(whose: str, listing: Listing) -> dict[str, Any]:
    given = {
        "of_owner": listing.owner,
        "shared": list(listing.shared) if whose == "shared" else None,
        "of_status": listing.status or None,
        "of_type": listing.session_type or None,
        "date_from": listing.date_from,
        "date_to": listing.date_to,
    }
    return {name: value for name, value in given.items() if value is not None}
