"""What is done while a process dies: how it is prepared, what is done, and what who asks again must hear."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, Protocol

from google.protobuf.json_format import MessageToJson, Parse
from sqlalchemy import select

from kit.errors import PrsmError
from prsm.billing.v1 import ledger_pb2
from prsm.session.v1 import session_pb2, worker_pb2
from services.billing.convert import settlement_of
from services.session.tables import KIT, sessions
from tests.integration.crash.faults import Points, Suspensions
from tests.integration.crash.node import Node, Place

pb, wpb = session_pb2, worker_pb2
HASH = "ab" * 32
WHOLE_COST = 1_120_000
STAGES = ("read", "write")
Given = dict[str, str]


class Scene(Protocol):
    """`act` is what a process dies in the middle of; what it returns is what was told. `again` says whether somebody
    asks again after a death, and `seconds` have gone by then."""

    again: bool
    seconds: int
    grant: str

    async def prepare(self, node: Node) -> Given: ...

    def act(self, node: Node, given: Given) -> Coroutine[Any, Any, str]: ...

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        """When everybody has come back; `told` is what was told in the end, None where nobody asked again."""
        ...


class _Plain:
    again = True
    seconds = 6
    grant = "1000.00"

    async def prepare(self, node: Node) -> Given:
        return {}


class CreateSession(_Plain):
    """With a key and inline inputs."""

    async def act(self, node: Node, given: Given) -> str:
        inputs = pb.Inputs(documents=[pb.DocumentInput(title="Salt", text="Rivers carry salt.")])
        request = pb.CreateSessionRequest(prompt="Why is the sea salt?", inputs=inputs)
        return str((await node.call("CreateSession", request, key="k")).session_id)

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        ids = await session_ids(node)
        assert len(ids) <= 1
        assert told is None or ids == [told]
        # Who comes back hours later still hears the truth.
        node.clock.advance(seconds=3600)
        session_id = await self.act(node, given)
        assert await session_ids(node) == [session_id]
        assert node.shelves.stored() == {session_id}
        assert ids in ([], [session_id])


class CreateWithoutKey(CreateSession):
    again = False

    async def act(self, node: Node, given: Given) -> str:
        return await create(node)

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        assert len(await session_ids(node)) <= 1


class CreateUnpaid(CreateSession):
    """Refused for the balance."""

    grant = "0.00"

    async def act(self, node: Node, given: Given) -> str:
        try:
            return await super().act(node, given)
        except PrsmError as error:
            if error.name != "INSUFFICIENT_BALANCE":
                raise
            return error.name

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        assert told in (None, "INSUFFICIENT_BALANCE")
        assert await session_ids(node) == []
        assert node.shelves.stored() == set()
        # The key is free, for another request too.
        credit = ledger_pb2.CreditAccountRequest(user_id="ada", amount="100.00")
        await node.call("CreditAccount", credit, user="op", scope="admin")
        await node.call("CreateSession", pb.CreateSessionRequest(prompt="Another?"), key="k")


class _Running(_Plain):
    """A session in the hands of a worker, one stage done and paid for, the next one begun."""

    async def prepare(self, node: Node) -> Given:
        session_id = await create(node)
        lease = await start(node)
        await stage(node, lease, "read")
        await begin(node, lease, "write")
        return {"session_id": session_id, "lease": MessageToJson(lease)}

    @staticmethod
    def lease(given: Given) -> wpb.Lease:
        return Parse(given["lease"], wpb.Lease())


class CancelSession(_Running):
    async def act(self, node: Node, given: Given) -> str:
        request = pb.CancelSessionRequest(session_id=given["session_id"])
        return str((await node.call("CancelSession", request, key="k")).refund_amount)

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        refund = await self.act(node, given)
        assert told in (None, refund)
        assert await node.status(given["session_id"]) == "cancelled"


class PauseSession(_Running):
    async def act(self, node: Node, given: Given) -> str:
        paused = await node.call("PauseSession", pb.PauseSessionRequest(session_id=given["session_id"]), key="k")
        return str(paused.updated_at)

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        if told is not None:
            assert await node.status(given["session_id"]) == "paused"
            assert await self.act(node, given) == told
            await node.call("ResumeSession", pb.ResumeSessionRequest(session_id=given["session_id"]))
        elif await node.status(given["session_id"]) == "paused":
            await node.call("ResumeSession", pb.ResumeSessionRequest(session_id=given["session_id"]))
        await finish(node, given["session_id"])


class ResumeSession(_Running):
    async def prepare(self, node: Node) -> Given:
        given = await super().prepare(node)
        await node.call("PauseSession", pb.PauseSessionRequest(session_id=given["session_id"]))
        return given

    async def act(self, node: Node, given: Given) -> str:
        resumed = await node.call("ResumeSession", pb.ResumeSessionRequest(session_id=given["session_id"]), key="k")
        return str(resumed.updated_at)

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        again = await self.act(node, given)
        assert told in (None, again)
        await finish(node, given["session_id"])


class Checkpoint(_Running):
    """By the worker; it asks again at once, or another worker takes the session up."""

    seconds = 1

    async def act(self, node: Node, given: Given) -> str:
        await checkpoint(node, self.lease(given), "write")
        return "done"

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        if told is not None:
            await complete(node, self.lease(given))
        await finish(node, given["session_id"])


class Complete(_Running):
    seconds = 1

    async def prepare(self, node: Node) -> Given:
        given = await super().prepare(node)
        await checkpoint(node, self.lease(given), "write")
        return given

    async def act(self, node: Node, given: Given) -> str:
        await complete(node, self.lease(given))
        return "done"

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        if told is not None:
            assert await node.status(given["session_id"]) == "completed"
        await finish(node, given["session_id"])


class Fail(_Running):
    """A fault of the platform's: nothing is charged."""

    seconds = 1

    async def act(self, node: Node, given: Given) -> str:
        request = wpb.FailRequest(lease=self.lease(given), code="bug", message="ours", ours=True)
        try:
            await node.work("Fail", request)
        except PrsmError as error:
            # It may have been heard before.
            return error.name
        return "done"

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        assert told in (None, "done", "STALE_EPOCH")
        if told is None and await node.status(given["session_id"]) != "failed":
            await finish(node, given["session_id"])
        else:
            assert await node.status(given["session_id"]) == "failed"
            assert await charged(node, given["session_id"]) == 0


class ClaimNext(_Plain):
    """A worker that dies with its service is replaced."""

    again = False

    async def prepare(self, node: Node) -> Given:
        return {"session_id": await create(node)}

    async def act(self, node: Node, given: Given) -> str:
        return MessageToJson(await start(node))

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        await finish(node, given["session_id"])


class _Ended(_Running):
    """A session that ended while billing was away."""

    async def prepare(self, node: Node) -> Given:
        given = await super().prepare(node)
        node.billing.away = True
        await node.call("CancelSession", pb.CancelSessionRequest(session_id=given["session_id"]))
        node.billing.away = False
        return given

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        assert await node.status(given["session_id"]) == "cancelled"


class SweeperSettles(_Ended):
    async def act(self, node: Node, given: Given) -> str:
        await node.app.sweeper.round()
        return "done"


class ConsumerSettles(_Ended):
    """By the event, in billing's own process."""

    async def act(self, node: Node, given: Given) -> str:
        payloads = await node.db.read(lambda db: db.execute(select(KIT.outbox.c.payload)).scalars().all())
        for settlement in map(settlement_of, payloads):
            if settlement is not None:
                await node.apply_settlement(settlement)
        return "done"


class SweeperGivesUp(_Plain):
    """A creation whose request heard nothing of its hold."""

    seconds = 200

    async def prepare(self, node: Node) -> Given:
        node.billing.loses_answers = True
        with suppress(PrsmError):
            await CreateSession().act(node, {})
        node.billing.loses_answers = False
        return {}

    async def act(self, node: Node, given: Given) -> str:
        await node.app.sweeper.round()
        return "done"

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        assert await session_ids(node) == []
        assert node.shelves.stored() == set()
        await CreateSession().check(node, given, None)


class SweeperFindsALostWorker(_Running):
    async def act(self, node: Node, given: Given) -> str:
        await node.sweep(8)
        return "done"

    async def check(self, node: Node, given: Given, told: str | None) -> None:
        await finish(node, given["session_id"])


SCENES: Mapping[str, Scene] = {
    made.__name__: made()
    for made in (
        CreateSession, CreateWithoutKey, CreateUnpaid, CancelSession, PauseSession, ResumeSession, ClaimNext,
        Checkpoint, Complete, Fail, SweeperSettles, ConsumerSettles, SweeperGivesUp, SweeperFindsALostWorker,
    )
}  # fmt: skip


async def act(
    scene: str, place: dict[str, str], given: Given, seconds: float, deadly: int, every_suspension: bool
) -> Any:
    """The scene, in a process that dies at point number `deadly`: what was told, and the points that were passed."""
    points = Points(deadly)
    acting = SCENES[scene]
    counted = Points() if every_suspension else points
    node = Node(Place(**place), seconds=seconds, points=counted, grant=acting.grant, seed=1)
    doing = acting.act(node, given)
    try:
        told = await (Suspensions(doing, points) if every_suspension else doing)
    finally:
        await node.close()
    return {"told": told, "points": points.passed}


async def session_ids(node: Node) -> list[str]:
    return list(await node.db.read(lambda db: db.execute(select(sessions.c.session_id)).scalars().all()))


async def charged(node: Node, session_id: str) -> int:
    row = select(sessions.c.charged).where(sessions.c.session_id == session_id)
    return int(await node.db.read(lambda db: db.execute(row).scalar_one()))


async def create(node: Node) -> str:
    return str((await node.call("CreateSession", pb.CreateSessionRequest(prompt="Why?"))).session_id)


async def start(node: Node) -> wpb.Lease:
    found = await node.work("ClaimNext", wpb.ClaimNextRequest(worker_id="w", engines=["research"]))
    lease: wpb.Lease = found.claim.lease
    stages = [wpb.StagePlan(stage=name, weight=1) for name in STAGES]
    await node.work("Start", wpb.StartRequest(lease=lease, stages=stages))
    return lease


async def begin(node: Node, lease: wpb.Lease, name: str) -> None:
    await node.work("BeginStage", wpb.BeginStageRequest(lease=lease, stage=name))
    node.clock.advance(seconds=1)
    await node.work("Heartbeat", wpb.HeartbeatRequest(lease=lease, stage=name, stage_done=0.5, usage=USED))


async def checkpoint(node: Node, lease: wpb.Lease, name: str) -> None:
    await node.work("Checkpoint", wpb.CheckpointRequest(lease=lease, stage=name, hash=HASH, usage=USED))


async def stage(node: Node, lease: wpb.Lease, name: str) -> None:
    await begin(node, lease, name)
    await checkpoint(node, lease, name)


async def complete(node: Node, lease: wpb.Lease) -> None:
    results = pb.CompactResults(title="Salt", summary="Rivers.", confidence_score=0.5)
    await node.work("Complete", wpb.CompleteRequest(lease=lease, hash=HASH, results=results))


USED = [wpb.UsageItem(item="document_read", quantity_micros=3_000_000)]


async def finish(node: Node, session_id: str) -> None:
    """A session goes to its end in the hands of whoever claims it, and costs what it costs without a death."""
    if await node.status(session_id) != "completed":
        if await node.status(session_id) != "queued":
            await node.sweep(26)
        claimed = await node.work("ClaimNext", wpb.ClaimNextRequest(worker_id="heir", engines=["research"]))
        lease, done = claimed.claim.lease, {each.stage for each in claimed.claim.stages}
        stages = [wpb.StagePlan(stage=name, weight=1) for name in STAGES]
        await node.work("Start", wpb.StartRequest(lease=lease, stages=stages))
        for name in STAGES:
            if name not in done:
                await stage(node, lease, name)
        await complete(node, lease)
    assert await node.status(session_id) == "completed"
    assert await charged(node, session_id) == WHOLE_COST
