"""What is done by hand to databases of a good run, and which rules must be broken then: just these, each in its class.

The run is the one of `test_checker.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.chaos.verdict import DUPLICATED, LOST, OTHER, STALE


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
    Damage(
        "a session is had by two",
        "session",
        f"UPDATE history SET type = 'worker.assigned' WHERE type = 'session.running' AND session_id = {_COMPLETED}",
        {"one worker at a time": STALE, "a history only grows": LOST, "one event for a change": DUPLICATED},
    ),
    Damage(
        "a stage used something else",
        "session",
        f"UPDATE charges SET item = 'row_read' WHERE rowid = (SELECT max(rowid) FROM charges WHERE item != 'base' AND "
        f"quantity > 0 AND session_id = {_COMPLETED})",
        {"usage is what the stage used": OTHER, "a charge is usage times price": OTHER},
    ),
    Damage(
        "a worker writes after the end",
        "session",
        "INSERT INTO history SELECT session_id, seq + 1, at, 'stage.started', 'worker:late-1-x', kind, detail, status, "
        f"progress, stage FROM history WHERE session_id = {_TALK} AND seq = (SELECT version FROM sessions WHERE "
        f"session_id = {_TALK}); UPDATE sessions SET version = version + 1 WHERE session_id = {_TALK}",
        {"nothing is done after the end": STALE, "who writes holds the session": STALE},
    ),
    Damage(
        "an ended session has a lease",
        "session",
        f"UPDATE sessions SET worker_id = 'w1' WHERE session_id = {_TALK}",
        {"who is not held has no lease": STALE},
    ),
    Damage(
        "progress falls",
        "session",
        f"UPDATE history SET progress = 1.0 WHERE seq = 1 AND session_id = {_COMPLETED}",
        {"progress never falls": OTHER},
    ),
    Damage(
        "time runs backwards",
        "session",
        f"UPDATE history SET at = at + 3600000000 WHERE seq = 1 AND session_id = {_COMPLETED}",
        {"history is in order": OTHER},
    ),
    Damage(
        "a hold is another amount",
        "billing",
        f"UPDATE holds SET amount = amount + 1, released = released + 1 WHERE hold_id = {_ENDED_HOLD}",
        {
            "a hold is its session's": OTHER,
            "one hold for a hold": LOST,
            "one release for a hold": LOST,
            "both databases tell of one settlement": OTHER,
        },
    ),
    Damage(
        "session has not heard of a remark",
        "session",
        "DELETE FROM inbox WHERE source = 'prsm/collab' AND event_key = (SELECT min(event_key) FROM inbox WHERE "
        "source = 'prsm/collab' AND event_key LIKE '%:1')",
        {"session heard of a remark": LOST},
    ),
    Damage(
        "the history has no beginning",
        "session",
        f"UPDATE history SET type = 'resource.begun' WHERE seq = 1 AND session_id = {_COMPLETED}",
        {
            "history begins with its creation": OTHER,
            "a history only grows": LOST,
            "one event for a change": DUPLICATED,
        },
    ),
    Damage(
        "the base price is charged again",
        "session",
        f"UPDATE charges SET item = 'base' WHERE rowid = (SELECT max(rowid) FROM charges WHERE item != 'base' AND "
        f"session_id = {_COMPLETED})",
        {
            "the base price is charged once": DUPLICATED,
            "a charge is usage times price": OTHER,
            "usage is what the stage used": OTHER,
        },
    ),
    Damage(
        "the result is another",
        "session",
        f"UPDATE sessions SET result_hash = 'ab' WHERE session_id = {_COMPLETED}",
        {"the result is the last stage's output": OTHER, "a result is there": LOST},
    ),
]
