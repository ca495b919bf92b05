"""Money: no unit of it came from nowhere or went, each hold ended once, and both databases tell of the same end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tests.chaos.truth import ENDED, Row, Truth
from tests.chaos.verdict import DUPLICATED, LOST, OTHER, Verdict

_EFFECTS = {"credit": (1, 0), "hold": (-1, 1), "capture": (0, -1), "release": (1, -1)}
"""What one unit of a transaction adds to what is available and to what is held."""


def check_money(truth: Truth, verdict: Verdict) -> None:
    accounts, holds = truth.rows("billing", "accounts"), truth.rows("billing", "holds")
    transactions = truth.rows("billing", "transactions")
    credits = sum(t.amount for t in transactions if t.kind == "credit")
    kept = sum(a.available + a.held for a in accounts)
    captured = sum(h.captured for h in holds)
    verdict.expect(credits == kept + captured, OTHER, "the sum of money", "all", (credits, kept, captured))
    _accounts(accounts, holds, transactions, verdict)
    _holds(truth, holds, transactions, verdict)


def _accounts(accounts: Sequence[Row], holds: Sequence[Row], transactions: Sequence[Row], verdict: Verdict) -> None:
    ledger: dict[str, list[Row]] = defaultdict(list)
    for transaction in sorted(transactions, key=lambda t: t.version):
        ledger[transaction.user_id].append(transaction)
    for account in accounts:
        about, rows = account.user_id, ledger.pop(account.user_id, [])
        available = held = 0
        for number, row in enumerate(rows, 1):
            effect = _EFFECTS[row.kind]
            available += effect[0] * row.amount
            held += effect[1] * row.amount
            right = (row.version, row.available_after, row.held_after) == (number, available, held)
            verdict.expect(right, OTHER, "a transaction follows the one before", about, row.transaction_id)
        right = (account.available, account.held, account.version) == (available, held, len(rows))
        verdict.expect(right, OTHER, "an account is the sum of its transactions", about, (available, held))
        opened = [hold.amount for hold in holds if hold.owner == about and hold.state == "open"]
        right = (account.held, account.open_holds) == (sum(opened), len(opened))
        detail = (account.held, account.open_holds, sum(opened), len(opened))
        verdict.expect(right, OTHER, "an account holds its open holds", about, detail)
    for user_id in ledger:
        verdict.expect(False, LOST, "a transaction has an account", user_id)


def _holds(truth: Truth, holds: Sequence[Row], transactions: Sequence[Row], verdict: Verdict) -> None:
    moves: dict[str, list[Row]] = defaultdict(list)
    for transaction in transactions:
        if transaction.session_id:
            moves[transaction.session_id].append(transaction)
    known = {hold.hold_id: hold for hold in holds}
    pending = {row.session_id for row in truth.rows("session", "creations") if row.state != "done"}
    for hold in holds:
        about = hold.hold_id
        for kind, amount in (("hold", hold.amount), ("capture", hold.captured), ("release", hold.released)):
            made = [t.amount for t in moves[about] if t.kind == kind and t.amount]
            problem = DUPLICATED if len(made) > 1 else LOST
            verdict.expect(made == ([amount] if amount else []), problem, f"one {kind} for a hold", about, made)
        closed = hold.state == "open" or hold.captured + hold.released == hold.amount
        verdict.expect(closed, OTHER, "captured and released make up the hold", about)
        session = truth.sessions.get(about)
        if session is None:
            gone = hold.state == "void" or (about in pending and hold.state == "open")
            verdict.expect(gone, OTHER, "a hold without a session is void", about, hold.state)
    for session_id, session in truth.sessions.items():
        found = known.get(session_id)
        if not verdict.expect(found is not None, LOST, "a session has a hold", session_id):
            continue
        assert found is not None
        same = (found.owner, found.amount) == (session.owner, session.held)
        verdict.expect(same, OTHER, "a hold is its session's", session_id, (found.amount, session.held))
        _settlement(session, found, verdict)


def _settlement(session: Row, hold: Row, verdict: Verdict) -> None:
    about = session.session_id
    if session.status not in ENDED:
        verdict.expect(hold.state == "open", OTHER, "an open session's hold is open", about, hold.state)
        return
    settled = hold.state == "settled" and session.settled_at is not None
    verdict.expect(settled, LOST, "an ended session is settled", about, (hold.state, session.settled_at))
    if hold.state != "open":
        both = ((hold.captured, hold.released), (session.charged, session.released))
        verdict.expect(both[0] == both[1], OTHER, "both databases tell of one settlement", about, both)
    whole = session.charged + session.released == session.held
    verdict.expect(whole, OTHER, "charged and released make up the hold", about, (session.charged, session.released))
