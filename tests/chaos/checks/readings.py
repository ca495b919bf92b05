"""What clients were told, against what is there: requests that only read, and event streams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kit.times import rfc3339
from tests.chaos.checks.stages import micros
from tests.chaos.journal import Entry, Journal, Request
from tests.chaos.truth import ENDED, Row, Truth
from tests.chaos.verdict import DUPLICATED, LOST, OTHER, Verdict


def check_readings(truth: Truth, requests: Sequence[Request], verdict: Verdict) -> None:
    transactions = {row.transaction_id: row for row in truth.rows("billing", "transactions")}
    for request in requests:
        _found(truth, request, verdict)
        for entry in request.answered:
            match request.operation:
                case "history":
                    _history(truth, request, entry, verdict)
                case "metrics":
                    _bill(truth, request, entry, verdict)
                case "results":
                    _result(truth, request, entry, verdict)
                case "transactions":
                    _transactions(transactions, entry, verdict)
    _ends(truth, requests, verdict)
    _lists(requests, verdict)


def _found(truth: Truth, request: Request, verdict: Verdict) -> None:
    """Clients read only what they were told that it is there."""
    if request.session and not request.key:
        missed = [entry["status"] for entry in request.told if entry["status"] in (403, 404)]
        rule = "a share counts at once" if request.operation == "shared_get" else "what was acknowledged is found"
        verdict.expect(not missed, LOST, rule, request.session, f"{request.operation}: {missed}")


def _history(truth: Truth, request: Request, entry: Entry, verdict: Verdict) -> None:
    told = [tuple(row) for row in entry["digest"]]
    rows = [(row.seq, row.type) for row in truth.history.get(request.session, [])]
    verdict.expect(told == rows[: len(told)], LOST, "a history only grows", request.session, len(told))


def _bill(truth: Truth, request: Request, entry: Entry, verdict: Verdict) -> None:
    session = truth.sessions.get(request.session)
    told = entry["digest"]
    if session is None or micros(told["charged"]) + micros(told["released"]) != session.held:
        return  # It was asked for before the end.
    right = (micros(told["charged"]), micros(told["held"])) == (session.charged, session.held)
    verdict.expect(right, OTHER, "the bill that was told stands", request.session, told["charged"])
    items = sum(Decimal(item["amount"]) for item in told["items"])
    verdict.expect(items == Decimal(told["charged"]), OTHER, "a bill's items add up", request.session, items)


def _result(truth: Truth, request: Request, entry: Entry, verdict: Verdict) -> None:
    session = truth.sessions.get(request.session)
    kept = (session.results or {}) if session is not None else {}
    right = entry["digest"] == {"partial": kept.get("partial", False), "summary": kept.get("summary")}
    verdict.expect(right, OTHER, "the result that was told stands", request.session, entry["digest"])


def _transactions(known: dict[str, Row], entry: Entry, verdict: Verdict) -> None:
    for transaction_id, kind, amount, session_id in entry["digest"]:
        row = known.get(transaction_id)
        right = row is not None and (row.kind, row.amount, row.session_id) == (kind, micros(amount), session_id)
        verdict.expect(right, LOST, "a transaction that was told stands", transaction_id, (kind, amount))


def _ends(truth: Truth, requests: Sequence[Request], verdict: Verdict) -> None:
    """Who was told of an end is told of the same ever after, and it is what stands there."""
    told: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for request in requests:
        if request.operation not in ("get", "shared_get"):
            continue
        for entry in request.answered:
            begun = max(sent.mono for sent in request.sent if sent.mono <= entry.mono)
            told[request.session].append((begun, entry.mono, entry["body"]["status"]))
    for session_id, answers in told.items():
        final = truth.sessions[session_id].status if session_id in truth.sessions else None
        ends = {status for _, _, status in answers if status in ENDED}
        verdict.expect(ends <= {final}, LOST, "an end that was told stands", session_id, (ends, final))
        first = min((moment for _, moment, status in answers if status in ENDED), default=None)
        later = {status for begun, _, status in answers if first is not None and begun > first}
        verdict.expect(later <= {final}, LOST, "an end that was told is told again", session_id, later)


def _lists(requests: Sequence[Request], verdict: Verdict) -> None:
    """A list counts at least the sessions that its reader was told of before."""
    known: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for request in requests:
        if request.operation == "create" and request.answered:
            first = min(request.answered, key=lambda entry: entry.mono)
            known[request.person].append((first.mono, first["body"]["session_id"]))
    for request in requests:
        if request.operation == "list":
            for entry in request.answered:
                begun = max(sent.mono for sent in request.sent if sent.mono <= entry.mono)
                least = len({session_id for moment, session_id in known[request.person] if moment < begun})
                total = entry["body"]["total_count"]
                verdict.expect(total >= least, LOST, "a list has all sessions", request.person, (total, least))


def check_streams(truth: Truth, journal: Journal, verdict: Verdict) -> None:
    """Each watcher's events, over all its connections: from where it began, one after the other, as they stand in the
    history."""
    last: dict[str, int] = {}
    for entry in journal:
        if entry.kind == "watch":
            last.setdefault(entry["watcher"], entry["after"])
        elif entry.kind == "refused":
            gone = entry["status"] in (403, 404)
            verdict.expect(not gone, LOST, "what was acknowledged is found", entry["session"], "events")
        elif entry.kind == "heard":
            _heard(truth, entry, last, verdict)


def _heard(truth: Truth, entry: Entry, last: dict[str, int], verdict: Verdict) -> None:
    session_id, number = entry["session"], entry["id"]
    expected = last[entry["watcher"]] + 1
    kind = LOST if number > expected else DUPLICATED
    verdict.expect(number == expected, kind, "a stream has no gap and no repeat", session_id, (number, expected))
    last[entry["watcher"]] = number
    rows = truth.history.get(session_id, [])
    if not verdict.expect(number <= len(rows), LOST, "an event is in the history", session_id, number):
        return
    row = rows[number - 1]
    same = entry["data"] == _event(row) and entry["type"] == row.type
    verdict.expect(same, OTHER, "an event is as its history row", session_id, (number, entry["data"]))


def _event(row: Row) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": rfc3339(row.at),
        "type": row.type,
        "actor": row.actor,
        "status": row.status,
        "progress": row.progress,
        "current_stage": row.stage,
        "detail": row.detail,
    }
