"""What clients were told, against what is there: requests that change something."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kit.money import show
from tests.chaos.journal import Request
from tests.chaos.truth import Row, Truth
from tests.chaos.verdict import DUPLICATED, LOST, OTHER, Verdict

_ACTIONS = {
    "pause": ("session.paused", "paused"),
    "resume": ("session.resumed", "queued"),
    "cancel": ("session.cancelled", "cancelled"),
}
"""The history row of each, and the status that its answer tells."""


class Asked:
    """All requests under one key: they stand for one effect at most."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.first = requests[0]
        self.answers = [entry for request in requests for entry in request.answered]
        self.done = bool(self.answers)
        self.refused = not self.done and all(request.known for request in requests)

    @property
    def least(self) -> int:
        """How often it was done at least."""
        return int(self.done)

    @property
    def most(self) -> int:
        return int(not self.refused)


def by_key(requests: Iterable[Request]) -> list[Asked]:
    found: dict[tuple[str, str, str], list[Request]] = defaultdict(list)
    for request in requests:
        if request.key:
            found[request.person, request.operation, request.key].append(request)
    return [Asked(each) for each in found.values()]


def check_answers(truth: Truth, requests: Sequence[Request], verdict: Verdict) -> None:
    asked = by_key(requests)
    for each in asked:
        hashes = {entry["hash"] for entry in each.answers}
        same = len(hashes) <= 1
        verdict.expect(same, DUPLICATED, "one key, one answer", each.first.key, [e["body"] for e in each.answers])
    for request in requests:
        for entry in request.told:
            known = entry["status"] != 500
            verdict.expect(known, OTHER, "no answer is an internal error", request.operation, entry["body"])
    _creations(truth, [each for each in asked if each.first.operation == "create"], verdict)
    _actions(truth, [each for each in asked if each.first.operation in _ACTIONS], verdict)
    _remarks(truth, asked, verdict)


def _number(verdict: Verdict, each: Asked, count: int, rule: str, subject: str) -> None:
    verdict.expect(count >= each.least, LOST, rule, subject, f"{count}, acknowledged to {each.first.person}")
    kind = DUPLICATED if count > 1 else OTHER
    verdict.expect(count <= each.most, kind, rule, subject, f"{count} for one key, {each.most} at most")


def _creations(truth: Truth, asked: Sequence[Asked], verdict: Verdict) -> None:
    made: dict[str, list[Row]] = defaultdict(list)
    successors = truth.successors
    for session in truth.sessions.values():
        if session.session_id not in successors:
            made[session.prompt].append(session)
    rule = "a create makes one session"
    for each in asked:
        prompt = each.first.body["prompt"]
        sessions = made.pop(prompt, [])
        _number(verdict, each, len(sessions), rule, prompt)
        owned = all(session.owner == each.first.person for session in sessions)
        verdict.expect(owned, OTHER, "a session is its creator's", prompt)
        for entry in each.answers:
            told = entry["body"]["session_id"]
            there = told in {session.session_id for session in sessions}
            verdict.expect(there, LOST, "an acknowledged session is there", told, prompt)
    for prompt, sessions in made.items():
        ids = [session.session_id for session in sessions]
        verdict.expect(False, OTHER, "a session was asked for", prompt, ids)


def _actions(truth: Truth, asked: Sequence[Asked], verdict: Verdict) -> None:
    grouped: dict[tuple[str, str, str], list[Asked]] = defaultdict(list)
    for each in asked:
        grouped[each.first.session, each.first.operation, each.first.person].append(each)
        _told(truth, each, verdict)
    for (session_id, operation, person), each_of in grouped.items():
        type_, _ = _ACTIONS[operation]
        done = sum(row.type == type_ and row.actor == person for row in truth.history.get(session_id, []))
        least, most = sum(each.least for each in each_of), sum(each.most for each in each_of)
        verdict.expect(done >= least, LOST, f"an acknowledged {operation} was done", session_id, (done, least))
        verdict.expect(done <= most, DUPLICATED, f"a {operation} is done once", session_id, (done, most))
    known = {(session_id, operation) for session_id, operation, _ in grouped}
    for session_id, rows in truth.history.items():
        for operation, (type_, _) in _ACTIONS.items():
            strange = any(row.type == type_ for row in rows) and (session_id, operation) not in known
            verdict.expect(not strange, OTHER, f"a {operation} was asked for", session_id)


def _told(truth: Truth, each: Asked, verdict: Verdict) -> None:
    """The answer's own words."""
    about, operation = each.first.session, each.first.operation
    for entry in each.answers:
        status = entry["body"]["status"]
        verdict.expect(status == _ACTIONS[operation][1], OTHER, f"{operation} tells its status", about, status)
        session = truth.sessions.get(about)
        if operation == "cancel" and session is not None:
            verdict.expect(
                session.status == "cancelled", LOST, "an acknowledged cancel was done", about, session.status
            )
            refund = entry["body"].get("refund_amount")
            right = refund == show(session.released)
            verdict.expect(right, OTHER, "the refund is the settlement's", about, (refund, session.released))


def _remarks(truth: Truth, asked: Sequence[Asked], verdict: Verdict) -> None:
    comments = truth.rows("collab", "comments")
    said: Counter[tuple[str, str, str]] = Counter((c.session_id, c.author_id, c.content) for c in comments)
    _each_there(
        [each for each in asked if each.first.operation == "comment"],
        "comment_id",
        {comment.comment_id: comment.session_id for comment in comments},
        verdict,
    )
    shares = truth.rows("collab", "shares")
    shared = Counter((share.session_id, share.shared_by) for share in shares)
    sharing: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for each in asked:
        about = (each.first.session, each.first.person)
        if each.first.operation == "comment":
            count = said[(*about, each.first.body["content"])]
            _number(verdict, each, count, "a comment is made once", each.first.session)
        elif each.first.operation == "share":
            sharing[about].append(each)
    _each_there(
        [each for each_of in sharing.values() for each in each_of],
        "share_id",
        {share.share_id: share.session_id for share in shares},
        verdict,
    )
    for (session_id, person), each_of in sharing.items():
        count = shared[session_id, person]
        least, most = sum(each.least for each in each_of), sum(each.most for each in each_of)
        verdict.expect(count >= least, LOST, "a share is made once", session_id, (count, least))
        verdict.expect(count <= most, DUPLICATED, "a share is made once", session_id, (count, most))


def _each_there(asked: Sequence[Asked], name: str, there: Mapping[str, str], verdict: Verdict) -> None:
    for each in asked:
        for entry in each.answers:
            told = entry["body"][name]
            right = there.get(told) == each.first.session
            verdict.expect(right, LOST, f"an acknowledged {each.first.operation} is there", each.first.session, told)
