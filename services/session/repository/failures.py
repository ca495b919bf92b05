"""What operators look for over all owners: what failed, and what waits for too long. Each by an index of its own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    tuple_,
)

from kit.paging import Page
from services.session.ports import Failed, FailedQuery, Overlong
from services.session.repository.figures import QUEUE, Counted
from services.session.tables import FAILED, creations, sessions

_s = sessions.c
_NAMED = 20
_COLUMNS = (
    _s.session_id, _s.owner, _s.session_type, _s.engine, _s.status, _s.error, _s.ours, _s.attempts, _s.failures,
    _s.created_at, _s.finished_at, _s.charged, _s.successor,
)  # fmt: skip


class _Backlog:
    """What has waited since before a moment."""

    def __init__(self, session_id: Column[str], since: Column[int], *where: ColumnElement[bool]) -> None:
        late = (*where, since <= bindparam("before"))
        self._counted = select(func.count(), func.min(since)).where(*late)
        self._first = select(session_id).where(*late).order_by(since).limit(_NAMED)

    def __call__(self, db: Connection, before: int) -> Overlong:
        count, since = db.execute(self._counted, {"before": before}).one()
        return Overlong(int(count), since, tuple(db.execute(self._first, {"before": before}).scalars()))


_unsettled = _Backlog(_s.session_id, _s.finished_at, _s.settle_after.is_not(None))
_paused = _Backlog(_s.session_id, _s.status_since, _s.status == literal_column("'paused'"))
_c = creations.c
_creations = _Backlog(_c.session_id, _c.created_at, _c.state != literal_column("'done'"))
_in_hand = select(_s.engine, func.count()).where(_s.lease_until.is_not(None)).group_by(_s.engine)


def _code(dialect: str) -> ColumnElement[str]:
    if dialect == "sqlite":
        found: ColumnElement[str] = func.json_extract(_s.error, literal_column("'$.code'"), type_=Text())
    else:
        found = cast(_s.error, JSON)["code"].as_string()
    return found


@lru_cache(maxsize=64)
def _filters(dialect: str, *, code: bool, ours: bool, since: bool) -> tuple[ColumnElement[bool], ...]:
    found: list[Any] = [FAILED]
    if code:
        found.append(_code(dialect) == bindparam("of_code"))
    if ours:
        found.append(_s.ours == bindparam("of_ours"))
    if since:
        found.append(_s.finished_at >= bindparam("since"))
    return tuple(found)


@lru_cache(maxsize=8)
def _by_code(dialect: str) -> Select[str, int]:
    code = _code(dialect)
    return (
        select(code, func.count())
        .where(FAILED, _s.finished_at >= bindparam("since"), _s.ours == literal_column("1"), _s.successor == "")
        .group_by(code)
        .order_by(code)
    )


class FailureRepository:
    """See the module."""

    def page(self, db: Connection, query: FailedQuery, page: Page) -> tuple[list[Failed], int]:
        """Those on the page, the last ended first, and how many there are."""
        asked = {"code": bool(query.code), "ours": query.ours is not None, "since": query.since is not None}
        where = _filters(db.dialect.name, **asked)
        values = {"of_code": query.code, "of_ours": int(bool(query.ours)), "since": query.since}
        values = {name: value for name, value in values.items() if asked[name.removeprefix("of_")]}
        total = db.execute(select(func.count()).select_from(sessions).where(*where), values).scalar_one()
        statement = select(*_COLUMNS).where(*where)
        if page.after is not None:
            position = tuple_(bindparam("after_at"), bindparam("after_id"))
            statement = statement.where(tuple_(_s.finished_at, _s.session_id) < position)
            values |= {"after_at": page.after.created_at, "after_id": page.after.id}
        statement = statement.order_by(_s.finished_at.desc(), _s.session_id.desc()).limit(page.limit)
        rows = db.execute(statement.offset(page.offset), values)
        return [_failed(row) for row in rows], int(total)

    def by_code(self, db: Connection, since: int) -> dict[str, int]:
        """What failed by the platform's fault since a moment and has no successor."""
        return {code: int(count) for code, count in db.execute(_by_code(db.dialect.name), {"since": since})}

    def unsettled(self, db: Connection, before: int) -> Overlong:
        """Sessions that ended before a moment and that billing has not acknowledged."""
        return _unsettled(db, before)

    def creations(self, db: Connection, before: int) -> Overlong:
        """Creations that were begun before a moment and are not done."""
        return _creations(db, before)

    def paused(self, db: Connection, before: int) -> Overlong:
        """Sessions that were paused before a moment."""
        return _paused(db, before)

    def queue(self, db: Connection) -> dict[str, Counted]:
        """By engine, how many sessions are queued and since when the first of them is."""
        return {engine: (int(count), since) for engine, count, since in db.execute(QUEUE)}

    def in_hand(self, db: Connection) -> dict[str, int]:
        """By engine, how many sessions are in the hands of workers."""
        return {engine: int(count) for engine, count in db.execute(_in_hand)}


def _failed(row: Any) -> Failed:
    told = orjson.loads(row.error) if row.error is not None else {}
    return Failed(
        session_id=row.session_id,
        owner=row.owner,
        session_type=row.session_type,
        engine=row.engine,
        status=row.status,
        code=told.get("code", ""),
        message=told.get("message", ""),
        stage=told.get("stage", ""),
        ours=None if row.ours is None else bool(row.ours),
        attempts=row.attempts,
        failures=row.failures,
        created_at=row.created_at,
        finished_at=row.finished_at,
        charged=row.charged,
        successor=row.successor,
    )
