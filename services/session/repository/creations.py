"""Creations under way: the first half of making a session, and the record of a client's key."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Insert, bindparam, delete, literal_column, select, update

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
_PENDING = _c.state == literal_column("'pending'")
_take_over = (
    update(creations)
    .where(*_KEY, _PENDING, _c.lease_until <= bindparam("now"), _c.fingerprint == bindparam("of_fingerprint"))
    .values(holder=bindparam("new_holder"), lease_until=bindparam("until"), takeovers=_c.takeovers + 1)
)
_finish = Statement(update(creations).where(*_KEY, _PENDING).values(state="done", response=bindparam("answer")))
_finish_keyless = Statement(delete(creations).where(*_KEY, _PENDING))
_remove = delete(creations).where(
    *_KEY, _PENDING, _c.holder == bindparam("of_holder"), _c.takeovers == literal_column("0")
)
_abort = update(creations).where(*_KEY, _PENDING).values(state="aborting", lease_until=0)
_let_go = (
    update(creations).where(*_KEY, _PENDING, _c.holder == bindparam("of_holder")).values(lease_until=bindparam("until"))
)
_extend = (
    update(creations)
    .where(*_KEY, _PENDING, _c.holder == bindparam("of_holder"), _c.lease_until > bindparam("now"))
    .values(lease_until=bindparam("until"))
)
_aborted = delete(creations).where(*_KEY, _c.state == literal_column("'aborting'"))
_UNFINISHED = _c.state != literal_column("'done'")
_stuck = (
    select(*_COLUMNS)
    .where(_UNFINISHED, _c.lease_until <= bindparam("before"))
    .order_by(_c.lease_until)
    .limit(bindparam("most"))
)
_prune = delete(creations).where(_c.created_at < bindparam("before"), _c.state == literal_column("'done'"))


def _build_insert(db: Connection) -> Insert:
    return insert_for(db, creations).on_conflict_do_nothing(index_elements=["principal", "method", "key"])


_insert = Statement(_build_insert, _INSERTED)


def _key(creation: Creation) -> dict[str, str]:
    return {"of_principal": creation.principal, "of_method": creation.method, "of_key": creation.key}


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

    def take_over(self, db: Connection, creation: Creation, holder: str, now: int, until: int) -> bool:
        """Go on with a creation whose lease ran out, under the same ids."""
        values = {**_key(creation), "now": now, "of_fingerprint": creation.fingerprint}
        return db.execute(_take_over, {**values, "new_holder": holder, "until": until}).rowcount == 1

    def finish(self, db: Connection, creation: Creation, answer: str) -> bool:
        """The session is there; a client's key keeps the answer. False when it is not pending any more."""
        if creation.keyless:
            return _finish_keyless.run(db, _key(creation)) == 1
        return _finish.run(db, {**_key(creation), "answer": answer}) == 1

    def remove(self, db: Connection, creation: Creation) -> bool:
        """Forget a refused creation. False when another holder went on with it, whose hold may still come."""
        return db.execute(_remove, {**_key(creation), "of_holder": creation.holder}).rowcount == 1

    def abort(self, db: Connection, creation: Creation) -> bool:
        """From here on only the sweeper touches it."""
        return db.execute(_abort, _key(creation)).rowcount == 1

    def let_go(self, db: Connection, creation: Creation, now: int) -> None:
        """End the lease, so that a retry goes on at once."""
        db.execute(_let_go, {**_key(creation), "of_holder": creation.holder, "until": now})

    def extend(self, db: Connection, creation: Creation, now: int, until: int) -> None:
        """Begin the lease anew; one that ran out stays so, for somebody may be about to take over."""
        db.execute(_extend, {**_key(creation), "of_holder": creation.holder, "now": now, "until": until})

    def aborted(self, db: Connection, creation: Creation) -> None:
        """The hold is void: nothing of it is left."""
        db.execute(_aborted, _key(creation))

    def stuck(self, db: Connection, before: int, most: int) -> Sequence[Creation]:
        """Pending ones whose lease ended before a moment, and those that are being aborted."""
        return [Creation(*row) for row in db.execute(_stuck, {"before": before, "most": most})]

    def prune(self, db: Connection, before: int) -> int:
        return db.execute(_prune, {"before": before}).rowcount
