"""Who may call: people by what they are to the session of a scenario."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from tests.contract.scenarios.registry import Given
from tests.contract.world import World
from tests.support.rest import API, Api

Caller = Callable[[World, Given], Awaitable[Api]]


async def nobody(world: World, made: Given) -> Api:
    """Without credentials."""
    return world.people.with_token("")


async def reader(world: World, made: Given) -> Api:
    """The same user, with a token that allows reading only."""
    return world.people.known(made.api.user, scope="read")


async def another(world: World, made: Given) -> Api:
    """Somebody who has nothing to do with it."""
    return world.people.new()


async def owner(world: World, made: Given) -> Api:
    return made.api


async def former(world: World, made: Given) -> Api:
    """Had a share that was revoked."""
    recipient = world.people.new()
    session_id = made.path["session_id"]
    share = await made.api.share(session_id, f"user:{recipient.user}", "collaborate")
    answer = await made.api.send("DELETE", f"{API}/sessions/{session_id}/shares/{share['share_id']}")
    answer.expect(200)
    return recipient


def recipient_of(permissions: str) -> Caller:
    """Somebody with a share of this level."""

    async def make(world: World, made: Given) -> Api:
        recipient = world.people.new()
        await made.api.share(made.path["session_id"], f"user:{recipient.user}", permissions)
        return recipient

    return make


CALLERS: Mapping[str, Caller] = {
    "nobody": nobody,
    "reader": reader,
    "another": another,
    "stranger": another,
    "former": former,
    "viewer": recipient_of("view"),
    "editor": recipient_of("edit"),
    "collaborator": recipient_of("collaborate"),
    "owner": owner,
}
