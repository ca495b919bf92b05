"""Two services on one database, and two things done to a session at once: one winner, one settlement, no lies.

On PostgreSQL the two are replicas with connections of their own; on SQLite, where a service is alone, its calls meet in
one process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kit.errors import PrsmError
from kit.ids import RandomIds
from kit.times import ManualClock
from prsm.billing.v1 import ledger_pb2
from prsm.session.v1 import session_pb2, worker_pb2
from services.billing.audit import discrepancies
from tests.integration.crash.node import Node, Place
from tests.integration.crash.scenes import begin, checkpoint, complete, create, stage, start
from tests.integration.crash.soundness import faults_in_the_end
from tests.support.databases import PostgresCluster
from tests.support.migrated import Migrations
from tests.support.serving import answer

pb = session_pb2
ROUNDS = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, migrations: Migrations, tmp_path: Path) -> Place:
    """Migrated databases of both services."""
    if request.param == "sqlite":
        files = {name: migrations.file(f"services.{name}", tmp_path / f"{name}.db") for name in ("session", "billing")}
        return Place(f"sqlite:///{files['session']}", f"sqlite:///{files['billing']}", str(tmp_path))
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    urls = {name: migrations.postgres(f"services.{name}", cluster) for name in ("session", "billing")}
    return Place(urls["session"], urls["billing"], str(tmp_path))


@pytest.fixture
async def nodes(place: Place, migrations: Migrations) -> AsyncIterator[tuple[Node, Node]]:
    """Two replicas, or the same one twice."""
    alone = place.session_url.startswith("sqlite")
    if not alone:
        for name, url in (("session", place.session_url), ("billing", place.billing_url)):
            await (await migrations.emptied(f"services.{name}", url)).close()
    made = [Node(place, seed=number) for number in range(1 if alone else 2)]
    yield made[0], made[-1]
    for node in made:
        await node.close()


@dataclass(frozen=True)
class Running:
    """A session in the hands of a worker, its last stage done."""

    session_id: str
    lease: worker_pb2.Lease


async def running(node: Node) -> Running:
    session_id = await create(node)
    lease = await start(node)
    await stage(node, lease, "read")
    await begin(node, lease, "write")
    await checkpoint(node, lease, "write")
    return Running(session_id, lease)


async def told(doing: Awaitable[object]) -> str:
    """The name of the refusal, or "done"."""
    try:
        await doing
    except PrsmError as error:
        return error.name
    return "done"


async def _cancel(node: Node, at: Running) -> None:
    await node.call("CancelSession", pb.CancelSessionRequest(session_id=at.session_id))


async def _pause(node: Node, at: Running) -> None:
    await node.call("PauseSession", pb.PauseSessionRequest(session_id=at.session_id))


async def _resume(node: Node, at: Running) -> None:
    await node.call("ResumeSession", pb.ResumeSessionRequest(session_id=at.session_id))


async def _complete(node: Node, at: Running) -> None:
    await complete(node, at.lease)


Do = Callable[[Node, Running], Awaitable[None]]
# What each may be told when it loses, and what the session may be in the end.
RACES: dict[str, tuple[Do, Do, dict[tuple[str, str], set[str]]]] = {
    "cancel and complete": (
        _cancel,
        _complete,
        {("done", "STALE_EPOCH"): {"cancelled"}, ("SESSION_CANNOT_BE_CANCELLED", "done"): {"completed"}},
    ),
    "cancel and cancel": (
        _cancel,
        _cancel,
        {
            ("done", "SESSION_CANNOT_BE_CANCELLED"): {"cancelled"},
            ("SESSION_CANNOT_BE_CANCELLED", "done"): {"cancelled"},
        },
    ),
    "pause and complete": (
        _pause,
        _complete,
        {("done", "STALE_EPOCH"): {"paused"}, ("SESSION_CANNOT_BE_PAUSED", "done"): {"completed"}},
    ),
    "complete and complete": (_complete, _complete, {("done", "done"): {"completed"}}),
    "pause and cancel": (
        _pause,
        _cancel,
        {("done", "done"): {"cancelled"}, ("SESSION_CANNOT_BE_PAUSED", "done"): {"cancelled"}},
    ),
}


@pytest.mark.parametrize("race", RACES)
async def test_one_wins_and_both_hear_the_truth(race: str, nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    first, second, allowed = RACES[race]
    rounds = [await running(one) for _ in range(ROUNDS)]
    one.clock.advance(seconds=1)
    # All at once, and every other round with the other one first.
    both = await asyncio.gather(
        *(
            _both(told(first(one, at)), told(second(two, at)), swapped=number % 2 == 1)
            for number, at in enumerate(rounds)
        )
    )
    seen = Counter(both)
    assert seen.keys() <= allowed.keys(), seen
    for at, outcome in zip(rounds, both, strict=True):
        assert await one.status(at.session_id) in allowed[outcome]
    await one.sweep(4)
    assert await faults_in_the_end(one) == []


async def _both(one: Awaitable[str], two: Awaitable[str], *, swapped: bool) -> tuple[str, str]:
    if swapped:
        second, first = await asyncio.gather(two, one)
        return first, second
    first, second = await asyncio.gather(one, two)
    return first, second


async def test_resume_and_cancel(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    rounds = [await running(one) for _ in range(ROUNDS)]
    for at in rounds:
        await _pause(one, at)
    both = await asyncio.gather(
        *(_both(told(_resume(one, at)), told(_cancel(two, at)), swapped=n % 2 == 1) for n, at in enumerate(rounds))
    )
    assert set(both) <= {("done", "done"), ("SESSION_CANNOT_BE_RESUMED", "done")}
    for at in rounds:
        assert await one.status(at.session_id) == "cancelled"
    assert await faults_in_the_end(one) == []


@pytest.mark.parametrize("ending", [_cancel, _complete])
async def test_an_end_and_the_time_limit(ending: Do, nodes: tuple[Node, Node]) -> None:
    """The sweeper of one replica finds the limit reached while somebody ends it at the other."""
    one, two = nodes
    rounds = [await _nearly_out_of_time(one) for _ in range(ROUNDS)]
    one.clock.advance(seconds=2)
    _, *outcomes = await asyncio.gather(one.app.sweeper.round(), *(told(ending(two, at)) for at in rounds))
    for at, outcome in zip(rounds, outcomes, strict=True):
        ended = await one.status(at.session_id)
        assert (outcome == "done") == (ended in ("cancelled", "completed")), (outcome, ended)
        assert outcome == "done" or ended == "timeout"
    await one.sweep(6)
    assert await faults_in_the_end(one) == []


async def _nearly_out_of_time(node: Node) -> Running:
    request = pb.CreateSessionRequest(prompt="Why?", preferences=pb.Preferences(time_limit_minutes=1))
    session_id = str((await node.call("CreateSession", request)).session_id)
    lease = await start(node)
    node.clock.advance(seconds=59)
    await node.work("Heartbeat", worker_pb2.HeartbeatRequest(lease=lease))
    return Running(session_id, lease)


async def test_one_key_at_two_replicas(nodes: tuple[Node, Node]) -> None:
    """Equal requests at once, to create and to cancel: one effect, one answer, or word that it is under way."""
    one, two = nodes
    request = pb.CreateSessionRequest(prompt="Why?")
    for number in range(ROUNDS):
        key = f"k{number}"
        answers = await asyncio.gather(
            *(node.call("CreateSession", request, key=key) for node in (one, two, one, two)), return_exceptions=True
        )
        made = {answer.session_id for answer in answers if not isinstance(answer, BaseException)}
        refused = {answer.name for answer in answers if isinstance(answer, PrsmError)}
        assert (len(made), refused - {"IDEMPOTENCY_KEY_IN_USE"}) == (1, set())
        cancel = pb.CancelSessionRequest(session_id=made.pop())
        ended = await asyncio.gather(
            *(node.call("CancelSession", cancel, key=key) for node in (one, two)), return_exceptions=True
        )
        refunds = {answer.refund_amount for answer in ended if not isinstance(answer, BaseException)}
        assert len(refunds) == 1
    assert await faults_in_the_end(one) == []


@pytest.mark.parametrize("repeated", [True, False])
async def test_a_refused_call_that_was_repeated_leaves_nothing_to_come(
    nodes: tuple[Node, Node], place: Place, *, repeated: bool
) -> None:
    """gRPC sends a call again by itself; when that is refused, the first attempt must not be held for later."""
    node = Node(place, grant="0.00", seed=9)
    metadata = node.identities.peer("session", "billing").metadata()
    again = (*metadata, ("grpc-previous-rpc-attempts", "1")) if repeated else metadata
    workload = ledger_pb2.Workload(session_type="research", documents=3, characters=1000)
    request = ledger_pb2.PlaceHoldRequest(hold_id=node.ids.new(), owner="poor", workload=workload)
    assert await told(answer(node.billing.PlaceHold(request, metadata=again))) == "INSUFFICIENT_BALANCE"
    credit = ledger_pb2.CreditAccountRequest(user_id="poor", amount="100.00")
    await node.call("CreditAccount", credit, user="op", scope="admin")
    late = await told(answer(node.billing.PlaceHold(request, metadata=metadata)))
    assert late == ("HOLD_VOIDED" if repeated else "done")
    assert await node.ledger.read(discrepancies) == []
    await node.close()


async def test_a_hold_and_its_tombstone(nodes: tuple[Node, Node]) -> None:
    """PlaceHold and VoidHold of the same id at once: whoever comes first, nothing stays held."""
    one, two = nodes
    ids = RandomIds(ManualClock())
    peers = [node.identities.peer("session", "billing") for node in nodes]
    workload = ledger_pb2.Workload(session_type="research", documents=3, characters=1000)

    async def place(hold_id: str) -> str:
        request = ledger_pb2.PlaceHoldRequest(hold_id=hold_id, owner="ada", workload=workload)
        return await told(peers[0].call(one.billing.PlaceHold, request, timeout=60))

    async def void(hold_id: str) -> str:
        request = ledger_pb2.VoidHoldRequest(hold_id=hold_id, owner="ada")
        return await told(peers[1].call(two.billing.VoidHold, request, timeout=60))

    rounds = [ids.new() for _ in range(ROUNDS)]
    both = await asyncio.gather(*(_both(place(id_), void(id_), swapped=n % 2 == 1) for n, id_ in enumerate(rounds)))
    assert set(both) <= {("done", "done"), ("HOLD_VOIDED", "done")}
    # A hold that comes late is refused.
    assert {await place(hold_id) for hold_id in rounds} == {"HOLD_VOIDED"}
    assert await one.ledger.read(discrepancies) == []
    assert await faults_in_the_end(one) == []
