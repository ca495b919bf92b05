"""What is done by hand to a good run, and which rules must be broken then: just these, each in its class.

The run is the one of `test_checker.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.verdict import DUPLICATED, LOST, OTHER, STALE

Line = dict[str, Any]
"""A line of a journal."""


@dataclass(frozen=True)
class Damage:
    """A change to one database, and every rule that it breaks with the class of its problems."""

    name: str
    service: str
    sql: str
    broken: dict[str, str]


_PROMPT = "SELECT session_id FROM sessions WHERE prompt ="
_COMPLETED = f"({_PROMPT} 'One that is completed')"
_TALK = f"({_PROMPT} 'A talk')"
_LAST = "(SELECT max(transaction_id) FROM transactions WHERE kind = 'release')"
_ENDED_HOLD = "(SELECT max(hold_id) FROM holds WHERE state = 'settled')"

DAMAGES = [
    Damage(
        "a history row is gone",
        "session",
        f"DELETE FROM history WHERE session_id = {_COMPLETED} AND type = 'decision.made' AND seq = (SELECT max(seq) "
        f"FROM history WHERE session_id = {_COMPLETED} AND type = 'decision.made')",
        {"history is whole": LOST, "a history only grows": LOST},
    ),
    Damage(
        "a session is gone",
        "session",
        f"DELETE FROM sessions WHERE session_id = {_TALK}",
        {
            "history has a session": LOST,
            "a create makes one session": LOST,
            "an acknowledged session is there": LOST,
            "a hold without a session is void": OTHER,
            "an end that was told stands": LOST,
            "billing heard of the end": OTHER,
            "counters count sessions": OTHER,
            "an input is some session's": OTHER,
            "an end that was told is told again": LOST,
        },
    ),
    Damage(
        "an ended session goes on",
        "session",
        f"UPDATE sessions SET status = 'completed' WHERE session_id = {_TALK}",
        {
            "status is that of the history": LOST,
            "an acknowledged cancel was done": LOST,
            "an end that was told stands": LOST,
            "an end that was told is told again": LOST,
            "counters count sessions": OTHER,
            "a result is there": LOST,
        },
    ),
    Damage(
        "a stage's charge is doubled",
        "session",
        f"UPDATE charges SET amount = 2 * amount WHERE session_id = {_COMPLETED} AND item = 'base'",
        {"charges make up the bill": OTHER, "a charge is usage times price": OTHER},
    ),
    Damage(
        "usage of a lost attempt is charged",
        "session",
        f"UPDATE charges SET quantity = quantity + 1000000 WHERE session_id = {_COMPLETED} AND item = 'base'",
        {"a charge is usage times price": OTHER},
    ),
    Damage(
        "a stage is completed twice",
        "session",
        f"UPDATE history SET type = 'stage.completed', detail = (SELECT detail FROM history WHERE session_id = "
        f"{_COMPLETED} AND type = 'stage.completed' LIMIT 1) WHERE session_id = {_COMPLETED} AND "
        "type = 'session.running'",
        {
            "a stage is done once": DUPLICATED,
            "a history only grows": LOST,
            "one event for a change": DUPLICATED,
        },
    ),
    Damage(
        "a checkpoint has another output",
        "session",
        f"UPDATE stages SET hash = 'ab' WHERE session_id = {_COMPLETED} AND position = 0",
        {"a checkpoint's output is there": LOST, "a stage's output is what it must be": OTHER},
    ),
    Damage(
        "a checkpoint is of another epoch",
        "session",
        f"UPDATE stages SET epoch = epoch + 1 WHERE session_id = {_COMPLETED} AND position = 0",
        {"a checkpoint's output is there": LOST, "a checkpoint is its holder's": STALE},
    ),
    Damage(
        "another worker wrote",
        "session",
        "UPDATE history SET actor = 'worker:elsewhere-1-x' WHERE type = 'session.running' AND "
        f"session_id = {_COMPLETED}",
        {"who writes holds the session": STALE},
    ),
    Damage(
        "another process ran a stage",
        "session",
        f"UPDATE history SET detail = json_set(detail, '$.reason', '1/stranger') WHERE session_id = {_COMPLETED} "
        f"AND seq = (SELECT min(seq) FROM history WHERE session_id = {_COMPLETED} AND type = 'decision.made')",
        {"who ran a stage held the session": STALE, "one attempt for each lease": STALE},
    ),
    Damage(
        "an epoch is skipped",
        "session",
        f"UPDATE sessions SET epoch = epoch + 1 WHERE session_id = {_TALK}",
        {"epochs count claims and fences": STALE},
    ),
    Damage(
        "a result is gone",
        "results",
        "DELETE FROM artifacts WHERE kind = 'result' AND created_at = (SELECT min(created_at) FROM artifacts WHERE "
        "kind = 'result')",
        {"a result is there": LOST, "a checkpoint's output is there": LOST},
    ),
    Damage(
        "money comes from nowhere",
        "billing",
        "UPDATE accounts SET available = available + 1 WHERE user_id = 'ada'",
        {"the sum of money": OTHER, "an account is the sum of its transactions": OTHER},
    ),
    Damage(
        "a release is told twice",
        "billing",
        "INSERT INTO transactions SELECT 'again', user_id, version + 1000, kind, amount, description, session_id, "
        f"available_after, held_after, created_at FROM transactions WHERE transaction_id = {_LAST}",
        {
            "one release for a hold": DUPLICATED,
            "a transaction follows the one before": OTHER,
            "an account is the sum of its transactions": OTHER,
        },
    ),
    Damage(
        "a hold is open still",
        "billing",
        f"UPDATE holds SET state = 'open' WHERE hold_id = {_ENDED_HOLD}",
        {"an ended session is settled": LOST, "an account holds its open holds": OTHER},
    ),
    Damage(
        "a settlement differs",
        "session",
        f"UPDATE sessions SET charged = charged + 1, released = released - 1 WHERE session_id = {_TALK}",
        {
            "both databases tell of one settlement": OTHER,
            "charges make up the bill": OTHER,
            "the refund is the settlement's": OTHER,
            "counters count sessions": OTHER,
        },
    ),
    Damage(
        "a hold is of no session",
        "billing",
        "INSERT INTO holds (hold_id, owner, amount, state, captured, released, created_at) "
        "VALUES ('stray', 'nobody', 0, 'settled', 0, 0, 1)",
        {"a hold without a session is void": OTHER},
    ),
    Damage(
        "an event is not published",
        "session",
        "UPDATE outbox SET published_at = NULL WHERE id = (SELECT max(id) FROM outbox)",
        {"an event is published": LOST},
    ),
    Damage(
        "an event is gone",
        "session",
        f"DELETE FROM outbox WHERE event_key = {_TALK} AND event_type = 'session.cancelled'",
        {"one event for a change": LOST},
    ),
    Damage(
        "billing has not heard",
        "billing",
        "DELETE FROM inbox WHERE event_key = (SELECT min(event_key) FROM inbox)",
        {"billing heard of the end": LOST},
    ),
    Damage(
        "billing heard of what never was",
        "billing",
        "UPDATE inbox SET version = version + 7 WHERE event_key = (SELECT min(event_key) FROM inbox)",
        {"billing heard of the end": OTHER},
    ),
    Damage(
        "a comment is gone",
        "collab",
        "DELETE FROM comments WHERE comment_id = (SELECT min(comment_id) FROM comments)",
        {
            "a comment is made once": LOST,
            "an acknowledged comment is there": LOST,
            "a remark that is noted exists": OTHER,
        },
    ),
    Damage(
        "a comment is noted twice",
        "session",
        "INSERT INTO history SELECT c.session_id, l.seq + 1, l.at, c.type, c.actor, c.kind, c.detail, l.status, "
        f"l.progress, l.stage FROM history c, history l WHERE c.session_id = {_TALK} AND c.type = 'comment.added' AND "
        f"l.session_id = {_TALK} AND l.seq = (SELECT version FROM sessions WHERE session_id = {_TALK}) LIMIT 1; "
        f"UPDATE sessions SET version = version + 1 WHERE session_id = {_TALK}",
        {"a remark is noted once": DUPLICATED},
    ),
    Damage(
        "a lane leaks",
        "session",
        "UPDATE lanes SET queued = queued + 1 WHERE owner = 'ada' AND engine = 'parked'",
        {"lanes count what is queued": OTHER},
    ),
    Damage(
        "a load leaks",
        "session",
        "UPDATE loads SET active = active + 1 WHERE owner = 'ada'",
        {"loads count what is held": OTHER},
    ),
    Damage(
        "a counter leaks",
        "session",
        "UPDATE counters SET count = count + 1 WHERE owner = 'ada' AND status = 'completed'",
        {"counters count sessions": OTHER},
    ),
    Damage(
        "a transition is not legal",
        "session",
        f"UPDATE history SET status = 'completed' WHERE session_id = {_COMPLETED} AND type = 'stage.started' AND seq = "
        f"(SELECT min(seq) FROM history WHERE session_id = {_COMPLETED} AND type = 'stage.started')",
        {"transitions are legal": OTHER},
    ),
]


def _first(lines: list[Line], kind: str, operation: str = "", *, status: int = 0) -> Line:
    """The first line of a kind, of a request for the operation, with the status."""
    asked = {line["request"] for line in lines if line["kind"] == "asked" and line["operation"] == operation}
    return next(
        line
        for line in lines
        if line["kind"] == kind
        and (not operation or line["request"] in asked)
        and (not status or line["status"] == status)
    )


def _told(lines: list[Line], operation: str, **body: Any) -> list[Line]:
    """The first answer to an operation, with other words."""
    line = next(line for line in lines if line is _first(lines, "told", operation))
    line["body"] |= body
    return lines


def _other_answer(lines: list[Line]) -> list[Line]:
    """The last cancel was asked for twice at once; one of its answers is another."""
    [line for line in lines if line["kind"] == "told" and "refund_amount" in line["body"]][-1]["hash"] = "another"
    return lines


def _heard(lines: list[Line], number: int) -> list[int]:
    """Where the events of the first watcher stand."""
    watcher = _first(lines, "heard")["watcher"]
    return [n for n, line in enumerate(lines) if line["kind"] == "heard" and line["watcher"] == watcher][number:]


def _gap(lines: list[Line]) -> list[Line]:
    del lines[_heard(lines, 3)[0]]
    return lines


def _repeat(lines: list[Line]) -> list[Line]:
    at = _heard(lines, 3)[0]
    return [*lines[: at + 1], lines[at], *lines[at + 1 :]]


def _other_event(lines: list[Line]) -> list[Line]:
    lines[_heard(lines, 3)[0]]["data"]["actor"] = "somebody"
    return lines


def _unknown_event(lines: list[Line]) -> list[Line]:
    last = lines[_heard(lines, 0)[-1]]
    return [*lines, {**last, "id": last["id"] + 1}]


def _ended_otherwise(lines: list[Line]) -> list[Line]:
    """The last look at an ended session tells of another status than the ones before."""
    line = [line for line in lines if line["kind"] == "told" and line["body"].get("status") == "cancelled"][-1]
    line["body"]["status"] = "queued"
    return lines


def _missing(lines: list[Line]) -> list[Line]:
    line = _first(lines, "told", "metrics")
    line |= {"status": 404, "body": {"error": "session_not_found"}}
    del line["digest"]
    return lines


def _internal(lines: list[Line]) -> list[Line]:
    line = _first(lines, "told", "list")
    return [*lines, {**line, "status": 500, "body": {"error": "internal"}}]


def _acknowledged(operation: str) -> Callable[[list[Line]], list[Line]]:
    """One more request of the sort was acknowledged."""

    def change(lines: list[Line]) -> list[Line]:
        answer = _first(lines, "told", operation, status=200)
        number = answer["request"]
        asked = next(line for line in lines if line["kind"] == "asked" and line["request"] == number)
        return [
            *lines,
            {**asked, "request": "more", "key": "more"},
            {**answer, "request": "more"},
            {**answer, "kind": "ended", "request": "more", "known": True},
        ]

    return change


def _refused(operation: str) -> Callable[[list[Line]], list[Line]]:
    """Whatever was acknowledged of a sort was refused instead."""

    def change(lines: list[Line]) -> list[Line]:
        asked = {line["request"] for line in lines if line["kind"] == "asked" and line["operation"] == operation}
        for line in lines:
            if line["kind"] == "told" and line["request"] in asked:
                line |= {"status": 400, "body": {"error": "validation_error"}}
        return lines

    return change


JOURNALS: dict[str, tuple[Callable[[list[Line]], Sequence[Line]], dict[str, str]]] = {
    "two answers to one key": (_other_answer, {"one key, one answer": DUPLICATED}),
    "an event is left out": (_gap, {"a stream has no gap and no repeat": LOST}),
    "an event comes twice": (_repeat, {"a stream has no gap and no repeat": DUPLICATED}),
    "an event tells something else": (_other_event, {"an event is as its history row": OTHER}),
    "an event is not in the history": (_unknown_event, {"an event is in the history": LOST}),
    "an end is told differently later": (_ended_otherwise, {"an end that was told is told again": LOST}),
    "a session is not found": (_missing, {"what was acknowledged is found": LOST}),
    "an internal error": (_internal, {"no answer is an internal error": OTHER}),
    "a refund is another": (
        lambda lines: _told(lines, "cancel", refund_amount="0.01"),
        {"the refund is the settlement's": OTHER},
    ),
    "a created session has another id": (
        lambda lines: _told(lines, "create", session_id="00000000-0000-7000-8000-000000000000"),
        {"an acknowledged session is there": LOST},
    ),
    "a pause was not done": (_acknowledged("pause"), {"an acknowledged pause was done": LOST}),
    "a resume was not done": (_acknowledged("resume"), {"an acknowledged resume was done": LOST}),
    "a refused pause was done": (_refused("pause"), {"a pause is done once": DUPLICATED}),
    "a refused share was made": (_refused("share"), {"a share is made once": DUPLICATED}),
    "a refused create made a session": (_refused("create"), {"a create makes one session": OTHER}),
}
