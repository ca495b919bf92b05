"""Events: each fact told once, each published, each applied by who must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.chaos.checks.histories import ENDINGS
from tests.chaos.truth import ENDED, SERVICES, Row, Truth
from tests.chaos.verdict import DUPLICATED, LOST, OTHER, Verdict

_SILENT = frozenset({"session.writing_up", "session.requeued"})
"""Rows of a history that no event goes with."""


def check_deliveries(truth: Truth, verdict: Verdict) -> None:
    for service in SERVICES:
        for row in truth.rows(service, "outbox"):
            published = row.published_at is not None
            verdict.expect(published, LOST, "an event is published", f"{service} {row.id}", row.event_type)
    told: dict[str, Counter[str]] = {}
    for row in truth.rows("session", "outbox"):
        told.setdefault(row.event_key, Counter())[row.event_type] += 1
    for session_id, rows in truth.history.items():
        _told(session_id, rows, told.get(session_id, Counter()), verdict)
    _settlements(truth, verdict)
    _remarks(truth, verdict)
    _inputs(truth, verdict)


def _told(session_id: str, rows: Sequence[Row], told: Counter[str], verdict: Verdict) -> None:
    """One event for each change of state."""
    changes = Counter(
        row.type
        for row in rows
        if row.type.startswith("session.")
        and row.type not in _SILENT
        and not (row.type == "session.queued" and row.detail.get("reason") == "created")
    )
    for type_ in changes.keys() | told.keys():
        kind = LOST if told[type_] < changes[type_] else DUPLICATED
        detail = f"{type_}: {told[type_]} of {changes[type_]}"
        verdict.expect(told[type_] == changes[type_], kind, "one event for a change", session_id, detail)


def _settlements(truth: Truth, verdict: Verdict) -> None:
    """Billing and library have heard of each end, and of none that there was not."""
    heard = {row.event_key: row.version for row in truth.rows("billing", "inbox") if row.source == "session"}
    for session_id, session in truth.sessions.items():
        ends = [row.seq for row in truth.history.get(session_id, []) if row.type in ENDINGS]
        expected = ends[-1] if ends and session.status in ENDED else None
        version = heard.pop(session_id, None)
        kind = LOST if version is None else OTHER
        verdict.expect(version == expected, kind, "billing heard of the end", session_id, (version, expected))
    for session_id, version in heard.items():
        verdict.expect(False, OTHER, "billing heard of the end", session_id, f"{version} of no session")
    for row in truth.rows("library", "inbox"):
        ends = [r.seq for r in truth.history.get(row.event_key, []) if r.type == "session.completed"]
        verdict.expect(ends == [row.version], OTHER, "library heard of the end", row.event_key, (row.version, ends))


def _remarks(truth: Truth, verdict: Verdict) -> None:
    """Each comment and share is in its session's history once, and in session's inbox."""
    noted: dict[str, Counter[tuple[str, str]]] = {}
    for session_id, rows in truth.history.items():
        found = (row for row in rows if row.type.startswith(("comment.", "share.")))
        noted[session_id] = Counter((row.type, str(row.detail.get("id"))) for row in found)
    inbox = {(row.event_key, row.version) for row in truth.rows("session", "inbox") if row.source == "prsm/collab"}
    made = [(row.session_id, "comment.added", row.comment_id) for row in truth.rows("collab", "comments")]
    made += [(row.session_id, "share.created", row.share_id) for row in truth.rows("collab", "shares")]
    for session_id, type_, subject in made:
        count = noted.get(session_id, Counter()).pop((type_, subject), 0)
        kind = LOST if count < 1 else DUPLICATED
        verdict.expect(count == 1, kind, "a remark is noted once", session_id, f"{count} × {type_} {subject}")
        known = (f"{subject}:1", 1) in inbox
        verdict.expect(known, LOST, "session heard of a remark", session_id, subject)
    for session_id, left in noted.items():
        strange = [key for key in left if key[0] in ("comment.added", "share.created")]
        verdict.expect(not strange, OTHER, "a remark that is noted exists", session_id, strange)


def _inputs(truth: Truth, verdict: Verdict) -> None:
    """Documents that were given with a session are there for a session, or one that may still come to be."""
    pending = {row.session_id for row in truth.rows("session", "creations") if row.state != "done"}
    for row in truth.rows("library", "documents"):
        if row.session_id and row.deleted_at is None:
            known = row.session_id in truth.sessions or row.session_id in pending
            verdict.expect(known, OTHER, "an input is some session's", row.session_id, row.document_id)
