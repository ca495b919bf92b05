"""Users whose lists have more than one page."""

from __future__ import annotations

from tests.contract.scenarios.registry import Given, scenario
from tests.contract.scenarios.sessions import queued_session
from tests.contract.world import World
from tests.support.rest import Api

_ONE = {"limit": "1"}


async def _cursor(api: Api, path: str) -> str:
    return str((await api.get(path, limit="1"))["next_cursor"])


@scenario
async def anybody(world: World) -> Given:
    """A user who has nothing yet."""
    return Given(world.people.new())


@scenario
async def some_sessions(world: World) -> Given:
    async def make() -> Given:
        api = await world.user_with_a_document()
        for _ in range(3):
            await world.parked(api)
        return Given(api, query=_ONE, values={"cursor": await _cursor(api, "/sessions")})

    return await world.keep("some sessions", make)


@scenario
async def whole_list(world: World) -> Given:
    return Given((await some_sessions(world)).api)


@scenario
async def commented_session(world: World) -> Given:
    async def make() -> Given:
        given = await queued_session(world)
        path = f"/sessions/{given.path['session_id']}/comments"
        for comment_type in ("note", "question", "insight"):
            await given.api.post(path, {"content": "A remark.", "comment_type": comment_type}, status=201)
        return Given(given.api, given.path, query=_ONE, values={"cursor": await _cursor(given.api, path)})

    return await world.keep("commented", make)


@scenario
async def shared_session(world: World) -> Given:
    async def make() -> Given:
        given = await queued_session(world)
        session_id = given.path["session_id"]
        for permissions in ("view", "edit", "collaborate"):
            await given.api.share(session_id, "user:grace", permissions)
        cursor = await _cursor(given.api, f"/sessions/{session_id}/shares")
        return Given(given.api, given.path, query=_ONE, values={"cursor": cursor})

    return await world.keep("shared", make)


@scenario
async def some_transactions(world: World) -> Given:
    async def make() -> Given:
        api = await world.user_with_a_document()
        session_id = await world.parked(api)
        await api.post(f"/sessions/{session_id}/cancel")
        cursor = await _cursor(api, "/billing/transactions")
        return Given(api, query=_ONE, values={"cursor": cursor, "session_id": session_id})

    return await world.keep("transactions", make)


@scenario
async def some_documents(world: World) -> Given:
    async def make() -> Given:
        api = await world.reader_of_samples(3)
        return Given(api, query=_ONE, values={"cursor": await _cursor(api, "/documents")})

    return await world.keep("documents", make)
