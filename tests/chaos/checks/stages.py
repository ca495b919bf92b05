"""Stages and their price: each done once, with the output it must have, charged once and exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from tests.chaos.checks.histories import tenures
from tests.chaos.engine import NAME, Script, digest, output
from tests.chaos.truth import ENDED, SCALE, Row, Truth
from tests.chaos.verdict import DUPLICATED, LOST, OTHER, STALE, Verdict

_CHARGED_FAILURES = frozenset({"budget_exceeded", "broken_script", "bad_script"})
"""Failures that are the session's own; every other one is the platform's, and free."""


def micros(amount: str) -> int:
    """An amount as it is shown, in 10^-6."""
    return int(Decimal(amount) * SCALE)


def check_stages(truth: Truth, verdict: Verdict) -> None:
    artifacts = {(row.session_id, row.epoch, row.hash) for row in truth.rows("results", "artifacts")}
    for session_id, session in truth.sessions.items():
        rows, done = truth.history.get(session_id, []), truth.stages.get(session_id, [])
        charges = truth.charges.get(session_id, [])
        _done_once(session, rows, done, verdict)
        for stage in done:
            known = (session_id, stage.epoch, stage.hash) in artifacts
            verdict.expect(known, LOST, "a checkpoint's output is there", session_id, (stage.stage, stage.epoch))
        if session.status == "completed":
            known = (session_id, session.result_epoch, session.result_hash) in artifacts
            verdict.expect(known, LOST, "a result is there", session_id, session.result_epoch)
        total = sum(charge.amount for charge in charges)
        verdict.expect(
            total == session.charged, OTHER, "charges make up the bill", session_id, (total, session.charged)
        )
        if session.engine == NAME:
            script = Script.of(session.preferences)
            steps = _outputs(session, script, rows, done, verdict)
            _bill(session, script, rows, done, steps, charges, verdict)


def _done_once(session: Row, rows: Sequence[Row], done: Sequence[Row], verdict: Verdict) -> None:
    said = Counter(row.detail["stage"] for row in rows if row.type == "stage.completed")
    repeated = [stage for stage, count in said.items() if count > 1]
    verdict.expect(not repeated, DUPLICATED, "a stage is done once", session.session_id, repeated)
    stored = {stage.stage for stage in done}
    verdict.expect(set(said) == stored, LOST, "history and checkpoints agree", session.session_id, (said, stored))
    held = tenures(rows)
    for row in rows:
        if row.type == "stage.completed":
            epoch = next((t.epoch for t in held if t.first <= row.seq <= t.last), None)
            kept = next((stage.epoch for stage in done if stage.stage == row.detail["stage"]), None)
            verdict.expect(kept == epoch, STALE, "a checkpoint is its holder's", session.session_id, (kept, epoch))


def _outputs(
    session: Row, script: Script, rows: Sequence[Row], done: Sequence[Row], verdict: Verdict
) -> dict[str, int]:
    """How many steps of each finished stage were done, told from the hashes alone."""
    names = [stage.name for stage in script.stages]
    in_order = [stage.stage for stage in done] == names[: len(done)]
    verdict.expect(in_order, OTHER, "stages are done in order", session.session_id, [stage.stage for stage in done])
    whole = session.status != "completed" or len(done) == len(names)
    verdict.expect(whole, LOST, "a completed session has all stages", session.session_id, len(done))
    hurried = min((row.seq for row in rows if row.type == "session.writing_up"), default=None)
    found: dict[str, int] = {}
    before, short = "", False
    for number, row in enumerate(done if in_order else ()):
        stage = script.stages[number]
        ended = next((r.seq for r in rows if r.type == "stage.completed" and r.detail["stage"] == stage.name), 0)
        may_be_short = hurried is not None and hurried < ended and not script.stubborn
        candidates = [stage.steps] if not short else []
        candidates += list(range(stage.steps)) if may_be_short else []
        outputs = {digest(output(session.session_id, script, number, before, n)): n for n in candidates}
        known = row.hash in outputs
        verdict.expect(known, OTHER, "a stage's output is what it must be", session.session_id, stage.name)
        if not known:
            return found
        found[stage.name] = outputs[row.hash]
        short = short or found[stage.name] < stage.steps
        before = row.hash
    if session.status == "completed":
        same = session.result_hash == before
        verdict.expect(same, OTHER, "the result is the last stage's output", session.session_id, session.result_hash)
        partial = bool(session.results and session.results.get("partial"))
        verdict.expect(partial == short, OTHER, "a short result says that it is partial", session.session_id, partial)
    return found


def _bill(
    session: Row,
    script: Script,
    rows: Sequence[Row],
    done: Sequence[Row],
    steps: dict[str, int],
    charges: Sequence[Row],
    verdict: Verdict,
) -> None:
    """What was used, times its price, at most what was reserved; nothing when the failure is the platform's."""
    about = session.session_id
    by_stage: dict[str, list[Row]] = {}
    for charge in charges:
        by_stage.setdefault(charge.stage, []).append(charge)
    waived = session.status == "failed" and (session.error or {}).get("code") not in _CHARGED_FAILURES
    if waived:
        verdict.expect(session.charged == 0, OTHER, "our failures are free", about, session.charged)
    interrupted = set(by_stage) - {stage.stage for stage in done}
    open_stage = _interrupted(rows) if session.status in ENDED - {"completed"} else ""
    verdict.expect(interrupted <= {open_stage}, OTHER, "lost work is not charged", about, (interrupted, open_stage))
    bases = sum(charge.item == "base" for charge in charges)
    verdict.expect(bases == int(bool(charges)), DUPLICATED, "the base price is charged once", about, bases)
    left = session.held
    for stage, made in by_stage.items():
        own = next((each for each in script.stages if each.name == stage), None)
        if not verdict.expect(own is not None, OTHER, "charges are for the script's stages", about, stage):
            continue
        assert own is not None
        used = {charge.item: charge.quantity for charge in made if charge.item != "base" and charge.quantity}
        if stage in steps:
            exact = {item: quantity * SCALE for item, quantity in own.used(steps[stage]).items() if quantity}
            verdict.expect(used == exact, OTHER, "usage is what the stage used", about, (stage, used, exact))
        else:
            most = own.used(own.steps)
            bounded = all(quantity <= most.get(item, 0) * SCALE for item, quantity in used.items())
            verdict.expect(bounded, OTHER, "usage is at most what the stage uses", about, (stage, used, most))
        cap = min(_reserved(rows, stage), left)
        for charge in made:
            amount = 0 if waived else min(charge.unit_price * charge.quantity // SCALE, cap)
            right = charge.amount == amount and charge.unit_price == session.prices[charge.item][1]
            verdict.expect(
                right, OTHER, "a charge is usage times price", about, (stage, charge.item, charge.amount, amount)
            )
            cap -= amount
            left -= amount


def _interrupted(rows: Sequence[Row]) -> str:
    """The stage whose unfinished usage still counts at the end, or "": what was queued again for a fault of ours has
    none; what was paused has."""
    stage = ""
    for row in rows:
        if row.type == "stage.started":
            stage = row.detail["to"]
        elif row.type in ("stage.completed", "session.queued"):
            stage = ""
    return stage


def _reserved(rows: Sequence[Row], stage: str) -> int:
    """The last reservation for a stage."""
    reserved = [row for row in rows if row.type == "resource.reserved" and row.detail["detail"]["stage"] == stage]
    return micros(reserved[-1].detail["amount"]) if reserved else 0
