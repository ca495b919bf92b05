"""Short runs that each meet what one of the product's safeguards is for: with the safeguard nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
from nats.js import JetStreamContext

from kit.bus.names import EVENTS_STREAM
from kit.rpc.channels import open_channel
from tests.chaos import scenarios, scripts
from tests.chaos.engine import NAME, RUN, Script, output
from tests.chaos.scenarios import Known, Stage
from tests.chaos.world import World
from worker.clients import ArtifactClient, SessionClient
from worker.engines.base import StageSpec
from worker.errors import LeaseLost
from worker.model import Claim, Decision, Finished, Resources
from worker.outcome import canonical

_PATIENCE = 15.0
_POLL = 0.02
_LOCK = 4711


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Raises TimeoutError when that takes too long."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            if await true():
                return
            await asyncio.sleep(_POLL)


async def _created(stage: Stage, world: World, person: str, body: Mapping[str, Any]) -> Known:
    known = await scenarios.create(stage, world.client(person), body)
    assert known is not None
    return known


def _body(seconds: float) -> dict[str, Any]:
    stages = [
        {"name": "read", "seconds": seconds, "use": {"passage_read": 20}},
        {"name": "write", "seconds": 0.2, "use": {"passage_read": 4}},
    ]
    return scripts.research("A trial", {"stages": stages})


async def woke_up_late(world: World) -> None:
    """A worker is silent until another one has its session, then goes on as if nothing had happened."""
    stage = world.stage()
    known = await _created(stage, world, "ada", _body(1.0))
    async with (
        open_channel(world.address("session")) as session,
        open_channel(world.address("results")) as results,
    ):
        sessions = SessionClient(session, world.peer("session"))
        artifacts = ArtifactClient(results, world.peer("results"), patience=5)
        claim = await sessions.claim_next("elsewhere-7-sleeper", [NAME], 0)
        assert isinstance(claim, Claim)
        script = Script.of(claim.job.preferences)
        first = script.stages[0]
        await sessions.start(claim.lease, [StageSpec(each.name) for each in script.stages])
        await sessions.begin_stage(claim.lease, first.name)
        await world.begin("worker")
        await until(lambda: _begun_again(known))
        content = canonical(output(known.session_id, script, 0, "", first.steps))
        digest = await artifacts.put(claim.grant, content, result=False)
        decisions = (Decision(RUN, "7/sleeper"),)
        finished = Finished(claim.lease, first.name, digest, first.used(first.steps), decisions, Resources())
        with suppress(LeaseLost):
            await sessions.checkpoint(finished)
    await scenarios.follow(stage, known.owner, known)
    await scenarios.read(stage, known.owner, known)


async def _begun_again(known: Known) -> bool:
    history = await known.owner.get("look", f"/sessions/{known.session_id}/history")
    return [row["type"] for row in history.body["timeline"]].count("stage.started") == 2


async def commit_failed(world: World) -> None:
    """A cancel cannot be committed and nobody asks again; the session goes on to its end."""
    stage = world.stage()
    await world.begin("worker")
    known = await _created(stage, world, "ada", _body(0.6))
    await until(lambda: _is(known, "running"))
    async with _at_commit(world, "RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'") as database:
        cancel = asyncio.create_task(scenarios.act(stage, known.owner, known, "cancel", again=0))
        await until(lambda: _was_told(world, 503))
        cancel.cancel()
        await asyncio.gather(cancel, return_exceptions=True)
        await database.execute("DROP TRIGGER chaos ON session.outbox")
    await scenarios.follow(stage, known.owner, known)
    await scenarios.read(stage, known.owner, known)


async def _is(known: Known, status: str) -> bool:
    return await scenarios.look(known.owner, known) == status


async def _was_told(world: World, status: int) -> bool:
    return any(entry.kind == "told" and entry["status"] == status for entry in world.journal)


async def overtaken_commit(world: World) -> None:
    """Of two cancels the one that wrote its event first commits last."""
    stage = world.stage()
    slow = await _created(stage, world, "ada", scripts.parked("A slow one"))
    quick = await _created(stage, world, "bob", scripts.parked("A quick one"))
    await until(lambda: _published(world, 2))
    wait = f"IF NEW.event_key = '{slow.session_id}' THEN PERFORM pg_advisory_xact_lock({_LOCK}); END IF"
    async with _at_commit(world, wait) as database:
        await database.execute(f"SELECT pg_advisory_lock({_LOCK})")
        waiting = asyncio.create_task(scenarios.act(stage, slow.owner, slow, "cancel", again=0))
        await until(lambda: _somebody_waits(database))
        await scenarios.act(stage, quick.owner, quick, "cancel", again=0)
        await until(lambda: _published(world, 3))
        await database.execute(f"SELECT pg_advisory_unlock({_LOCK})")
        await waiting
        await database.execute("DROP TRIGGER chaos ON session.outbox")


async def _somebody_waits(database: Any) -> bool:
    return bool(await database.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


async def _published(world: World, count: int) -> bool:
    """Whether the relay of sessions has published so many events."""
    connection = await asyncpg.connect(world.databases["session"])
    try:
        rows = await connection.fetchval("SELECT count(*) FROM session.outbox WHERE published_at IS NOT NULL")
    finally:
        await connection.close()
    return bool(rows >= count)


@asynccontextmanager
async def _at_commit(world: World, statement: str) -> AsyncIterator[Any]:
    """Have PostgreSQL do something whenever a cancel is committed, until the trigger `chaos` is dropped."""
    connection = await asyncpg.connect(world.databases["session"])
    try:
        await connection.execute(
            f"""
            CREATE FUNCTION session.chaos() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN {statement}; RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER chaos AFTER INSERT ON session.outbox DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.event_type = 'session.cancelled') EXECUTE FUNCTION session.chaos()
            """
        )
        yield connection
    finally:
        await connection.close()


async def told_again(world: World) -> None:
    """What happened around a session is published once more, as after a loss of the stream."""
    stage = world.stage()
    known = await _created(stage, world, "ada", scripts.parked("A talk"))
    for _ in range(2):
        await scenarios.discuss(stage, known.owner, known)
    made = sum(entry["operation"] in ("comment", "share") for entry in world.journal if entry.kind == "asked")
    await until(lambda: _noted(known, made))
    async with world.jetstream() as broker:
        stored = (await broker.stream_info(EVENTS_STREAM)).state
        for number in range(stored.first_seq, stored.last_seq + 1):
            message = await broker.get_msg(EVENTS_STREAM, number)
            headers = {name: value for name, value in (message.headers or {}).items() if name.startswith("ce-")}
            await broker.publish(str(message.subject), message.data or b"", headers=headers)
        await until(lambda: _all_taken(broker))
    await scenarios.act(stage, known.owner, known, "cancel")


async def _all_taken(broker: JetStreamContext) -> bool:
    return not any(info.num_pending or info.num_ack_pending for info in await broker.consumers_info(EVENTS_STREAM))


async def _noted(known: Known, count: int) -> bool:
    history = await known.owner.get("look", f"/sessions/{known.session_id}/history")
    types: list[str] = [row["type"] for row in history.body["timeline"]]
    return sum(type_.startswith(("comment.", "share.")) for type_ in types) == count


async def ended_among_others(world: World) -> None:
    """One of two sessions is cancelled: its settlement is told by the call and by the event."""
    stage = world.stage()
    known = [await _created(stage, world, "ada", scripts.parked(f"Number {number}")) for number in range(2)]
    await scenarios.act(stage, known[0].owner, known[0], "cancel")
    await scenarios.keep_books(known[0].owner)


@dataclass(frozen=True, slots=True)
class Trial:
    """A run, what it needs, and which rules are broken in it without the safeguard: at least one of them."""

    run: Callable[[World], Awaitable[None]]
    database: str
    rules: frozenset[str]


TRIALS: Mapping[str, Trial] = {
    "epoch-ignored": Trial(
        woke_up_late, "sqlite", frozenset({"who ran a stage held the session", "one attempt for each lease"})
    ),
    "published-early": Trial(
        commit_failed, "postgresql", frozenset({"both databases tell of one settlement", "billing heard of the end"})
    ),
    "inbox-skipped": Trial(told_again, "sqlite", frozenset({"a remark is noted once"})),
    "polled-by-id": Trial(overtaken_commit, "postgresql", frozenset({"an event is published"})),
    "settled-twice": Trial(
        ended_among_others, "sqlite", frozenset({"one release for a hold", "an account holds its open holds"})
    ),
}
"""By the name of the fault that the run is to show."""
