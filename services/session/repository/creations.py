"""Creations under way: the first half of making a session, and the record of a client's key."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Insert, bindparam, delete, literal_column, or_, select, update

from kit.db.prepared import Statement
from kit.db.upsert import insert_for
from services.session.ports import Creation
from services.session.tables import creations

_c = creations.c
_KEY = (_c.principal == bindparam("of_principal"), _c.method == bindparam("of_method"), _c.key == bindparam("of_key"))
_COLUMNS = (
    _c.principal, _c.method, _c.key, _c.fingerprint, _c.session_id, _c.state, _c.holder, _c.takeovers, _c.lease_until,
    _c.created_at, _c.response,
)  # fmt: skip
_INSERTED = [column.name for column in _COLUMNS]
_find = Statement(select(*_COLUMNS).where(*_KEY))
# A refused creation frees its key: who was slow may find another one under it.
_THIS = (*_KEY, _c.session_id == bindparam("of_session"))
_MINE = (*_THIS, _c.holder == bindparam("of_holder"))
_PENDING = _c.state == literal_column("'pending'")


def _lapsed(before: str) -> ColumnElement[bool]:
    """See `kit.db.lapses`."""
    return or_(_c.lease_until <= bindparam(before), _c.lease_until > bindparam("beyond"))


_take_over = (
    update(creations)
    .where(*_KEY, _PENDING, _lapsed("now"), _c.fingerprint == bindparam("of_fingerprint"))
    .values(holder=bindparam("new_holder"), lease_until=bindparam("until"), takeovers=_c.takeovers + 1)
)
_finish = Statement(update(creations).where(*_THIS, _PENDING).values(state="done", response=bindparam("answer")))
_finish_keyless = Statement(delete(creations).where(*_THIS, _PENDING))
_refuse = update(creations).where(*_MINE, _PENDING).values(state="aborting", lease_until=0)
_give_up = (
    update(creations)
    .where(*_MINE, _PENDING, _c.lease_until == bindparam("of_lease"))
    .values(state="aborting", lease_until=0)
)
_let_go = update(creations).where(*_MINE, _PENDING).values(lease_until=bindparam("until"))
_extend = (
    update(creations).where(*_MINE, _PENDING, _c.lease_until > bindparam("now")).values(lease_until=bindparam("until"))
)
_aborted = delete(creations).where(*_THIS, _c.state == literal_column("'aborting'"))
_UNFINISHED = _c.state != literal_column("'done'")
_stuck = select(*_COLUMNS).where(_UNFINISHED, _lapsed("before")).order_by(_c.lease_until).limit(bindparam("most"))
_prune = delete(creations).where(_c.created_at < bindparam("before"), _c.state == literal_column("'done'"))


def _build_insert(db: Connection) -> Insert:
    return insert_for(db, creations).on_conflict_do_nothing(index_elements=["principal", "method", "key"])


_insert = Statement(_build_insert, _INSERTED)


def _key(creation: Creation) -> dict[str, str]:
    return {"of_principal": creation.principal, "of_method": creation.method, "of_key": creation.key}


def _this(creation: Creation) -> dict[str, str]:
    return {**_key(creation), "of_session": creation.session_id}


def _mine(creation: Creation) -> dict[str, str]:
    return {**_this(creation), "of_holder": creation.holder}


class CreationRepository:
    """See the module. Every method that returns a bool tells whether the row was as expected."""

    def find(self, db: Connection, principal: str, method: str, key: str) -> Creation | None:
        row = _find.first(db, {"of_principal": principal, "of_method": method, "of_key": key})
        return None if row is None else Creation(*row)

    def insert(self, db: Connection, creation: Creation) -> bool:
        values = {
            "principal": creation.principal,
            "method": creation.method,
            "key": creation.key,
            "fingerprint": creation.fingerprint,
            "session_id": creation.session_id,
            "state": creation.state,
            "holder": creation.holder,
            "takeovers": 0,
            "lease_until": creation.lease_until,
            "created_at": creation.created_at,
            "response": None,
        }
        return _insert.run(db, values) == 1

    def take_over(self, db: Connection, fresh: Creation, now: int, beyond: int) -> bool:
        """Go on with a creation of the same request whose lease ran out, under the same ids, as the holder of `fresh`
        and with its lease. One that lasts `beyond` has run out too."""
        values = {**_key(fresh), "of_fingerprint": fresh.fingerprint, "now": now, "beyond": beyond}
        taken = db.execute(_take_over, {**values, "new_holder": fresh.holder, "until": fresh.lease_until})
        return taken.rowcount == 1

    def finish(self, db: Connection, creation: Creation, answer: str) -> bool:
        """The session is there; a client's key keeps the answer. False when it is not pending any more.

        Whoever holds it: the request and the ids are the same.
        """
        if creation.keyless:
            return _finish_keyless.run(db, _this(creation)) == 1
        return _finish.run(db, {**_this(creation), "answer": answer}) == 1

    def refuse(self, db: Connection, creation: Creation) -> bool:
        """From here on nobody makes a session of it. False when its holder is another, or it is not pending."""
        return db.execute(_refuse, _mine(creation)).rowcount == 1

    def give_up(self, db: Connection, creation: Creation) -> bool:
        """The same for one that was found stuck. False when it has changed since."""
        return db.execute(_give_up, {**_mine(creation), "of_lease": creation.lease_until}).rowcount == 1

    def let_go(self, db: Connection, creation: Creation, now: int) -> None:
        """End the lease, so that a retry goes on at once."""
        db.execute(_let_go, {**_mine(creation), "until": now})

    def extend(self, db: Connection, creation: Creation, now: int, until: int) -> None:
        """Begin the lease anew; one that ran out stays so, for somebody may be about to take over."""
        db.execute(_extend, {**_mine(creation), "now": now, "until": until})

    def aborted(self, db: Connection, creation: Creation) -> None:
        """The hold is void or was never placed, and nothing of it is left."""
        db.execute(_aborted, _this(creation))

    def stuck(self, db: Connection, before: int, beyond: int, most: int) -> Sequence[Creation]:
        """Pending ones whose lease ended before a moment, or that lasts `beyond`, and those that are being aborted."""
        found = db.execute(_stuck, {"before": before, "beyond": beyond, "most": most})
        return [Creation(*row) for row in found]

    def prune(self, db: Connection, before: int) -> int:
        return db.execute(_prune, {"before": before}).rowcount
