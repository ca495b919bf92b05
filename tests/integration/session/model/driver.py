"""Does the model's commands to a served session service, and tells what it answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from kit.errors import PrsmError, Unavailable
from kit.money import parse
from services.session.app import assemble
from services.session.domain import Entry
from services.session.tables import creations, sessions
from services.session.usecases.record_collab_event import CollabEvent
from tests.integration.session.model import commands as do
from tests.integration.session.model import labour
from tests.integration.session.model.believed import Lease
from tests.integration.session.model.figures import BALANCE, QUOTA, S
from tests.integration.session.model.world import Swept, World
from tests.integration.session.outside import Books
from tests.integration.session.stand import Stand, pb, wpb
from tests.support.modelling import Command, Seen


class Driver:
    """One for each run of the machine, on a stand whose database is as new."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self.books = stand.books
        self._known: set[str] = set()
        for name, value in vars(Books(balance=BALANCE, quota=QUOTA)).items():
            setattr(self.books, name, value)
        self._begin_anew()

    def _begin_anew(self) -> None:
        stand = self._stand
        self._sweepers = [assemble(stand.runtime, stand.settings, stand.outside).sweeper for _ in range(2)]

    async def send(self, command: Command[World]) -> Seen:
        """Do it, and say what was answered. Raises whatever has no name."""
        try:
            seen: Seen = await getattr(self, f"_{type(command).__name__.lower()}")(command)
        except PrsmError as error:
            seen = Seen.refusal(error)
            if isinstance(command, do.Create):
                seen = replace(seen, also=await self._left(command))
        return seen

    async def _left(self, command: do.Create) -> str:
        """The id of the creation that a failed one left behind, if it did."""
        c = creations.c

        def read(db: Connection) -> dict[str, str]:
            mine = select(c.session_id, c.key).where(c.principal == command.owner, c.state != "done")
            return {row.session_id: row.key for row in db.execute(mine)}

        left = await self._stand.db.read(read)
        if command.key:
            found = [id_ for id_, key in left.items() if key == command.key]
        else:
            found = [id_ for id_, key in left.items() if id_ not in self._known and key.startswith(" ")]
            self._known.update(found)
        assert len(found) <= 1
        return found[0] if found else ""

    # Clients.

    async def _create(self, c: do.Create) -> Seen:
        budget = pb.Budget(on_limit="finish" if c.finishes else "fail")
        if c.limit is not None:
            budget.limit = f"{c.limit // S}.{c.limit % S:06d}"
        preferences = pb.Preferences(time_limit_minutes=c.minutes, engine=c.engine)
        extra = [("idempotency-key", c.key)] if c.key else []
        made = await self._stand.create(c.owner, *extra, prompt=c.prompt, budget=budget, preferences=preferences)
        return Seen(fields={"session_id": made})

    async def _control(self, c: do.Control) -> Seen:
        request = getattr(pb, f"{c.verb}SessionRequest")(session_id=c.session_id)
        if c.reason:
            request.reason = c.reason
        extra = [("idempotency-key", c.key)] if c.key else []
        answer = await self._stand.call(c.user, f"{c.verb}Session", request, *extra)
        fields = {"session_id": answer.session_id, "status": pb.Session.Status.Name(answer.status)}
        if c.verb == "Cancel":
            return Seen(fields={**fields, "refund": parse(answer.refund_amount)})
        return Seen(fields={**fields, "progress": answer.progress})

    # Workers.

    async def _claim(self, c: labour.Claim) -> Seen:
        request = wpb.ClaimNextRequest(worker_id=c.worker, engines=c.engines, in_hand=c.in_hand)
        found = await self._stand.work("ClaimNext", request)
        if not found.HasField("claim"):
            return Seen(fields={"empty_first": True} if found.empty_first else {})
        claim = found.claim
        assert claim.lease.worker_id == c.worker
        fields = {
            "session_id": claim.lease.session_id,
            "epoch": claim.lease.epoch,
            "owner": claim.owner,
            "attempt": claim.attempt,
            "stages": [(stage.stage, stage.epoch, stage.hash) for stage in claim.stages],
            "write_up": claim.write_up,
            "alone": claim.alone,
        }
        return Seen(fields=fields)

    async def _start(self, c: labour.Start) -> Seen:
        stages = [wpb.StagePlan(stage=name, weight=weight) for name, weight in c.plan]
        await self._stand.work("Start", wpb.StartRequest(lease=_lease(c.lease), stages=stages))
        return Seen()

    async def _begin(self, c: labour.Begin) -> Seen:
        answer = await self._stand.begin(_lease(c.lease), c.stage)
        return Seen(fields={"reserved": answer.reserved_micros, "directive": _directive(answer)})

    async def _beat(self, c: labour.Beat) -> Seen:
        request = wpb.HeartbeatRequest(
            lease=_lease(c.lease), stage=c.stage, stage_done=float(c.share), usage=_usage(c.usage)
        )
        return Seen(fields={"directive": _directive(await self._stand.work("Heartbeat", request))})

    async def _checkpoint(self, c: labour.Checkpoint) -> Seen:
        decisions = [wpb.Decision(decision="kept 1 of 2", reason="The other is off topic")] * c.decides
        request = wpb.CheckpointRequest(
            lease=_lease(c.lease), stage=c.stage, hash=c.hash, usage=_usage(c.usage), decisions=decisions
        )
        return Seen(fields={"directive": _directive(await self._stand.work("Checkpoint", request))})

    async def _complete(self, c: labour.Complete) -> Seen:
        results = pb.CompactResults(title="Salt", summary="Rivers.")
        await self._stand.work("Complete", wpb.CompleteRequest(lease=_lease(c.lease), hash=c.hash, results=results))
        return Seen()

    async def _fail(self, c: labour.Fail) -> Seen:
        request = wpb.FailRequest(lease=_lease(c.lease), code="boom", retryable=c.retryable, ours=c.ours)
        return Seen(fields={"requeued": (await self._stand.work("Fail", request)).requeued})

    async def _release(self, c: labour.Release) -> Seen:
        await self._stand.work("Release", wpb.ReleaseRequest(lease=_lease(c.lease)))
        return Seen()

    # Whatever else happens.

    async def _note(self, c: do.Note) -> Seen:
        entry = Entry("comment.updated", "bob", {"id": c.subject})
        await self._stand.app.record_collab(CollabEvent(c.session_id, c.subject, c.version, entry))
        return Seen()

    async def _advance(self, c: do.Advance) -> Seen:
        self._stand.clock.advance(seconds=c.micros / S)
        return Seen()

    async def _jump(self, c: do.Jump) -> Seen:
        self._stand.clock.jump(seconds=c.micros / S)
        return Seen()

    async def _outage(self, c: do.Outage) -> Seen:
        self.books.refuse = Unavailable() if c.away else None
        self.books.lose_answers = c.mute
        return Seen()

    async def _restart(self, _c: do.Restart) -> Seen:
        self._begin_anew()
        return Seen()

    async def _sweep(self, c: do.Sweep) -> Seen:
        await self._sweepers[c.replica].round()
        s = sessions.c

        def read(db: Connection) -> Swept:
            failures = {row.session_id: row.failures for row in db.execute(select(s.session_id, s.failures))}
            left = db.execute(select(creations.c.session_id).where(creations.c.state != "done"))
            return Swept(failures, set(self.books.settled), set(left.scalars()))

        return Seen(also=await self._stand.db.read(read))


def _lease(lease: Lease) -> wpb.Lease:
    session_id, epoch, worker = lease
    return wpb.Lease(session_id=session_id, epoch=epoch, worker_id=worker)


def _usage(usage: dict[str, int]) -> list[wpb.UsageItem]:
    return [wpb.UsageItem(item=item, quantity_micros=quantity) for item, quantity in usage.items()]


def _directive(answer: Any) -> str:
    return wpb.Directive.Name(answer.directive).removeprefix("DIRECTIVE_")
