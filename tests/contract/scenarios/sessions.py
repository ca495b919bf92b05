"""Sessions in every state, and users about to create one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from tests.contract.scenarios.registry import Given, scenario
from tests.contract.world import PROMPT, World, sample_table
from tests.support.rest import API, PATIENCE, TERMINAL, Api
from tests.support.stack import MANUAL, PARKED, UNPAUSABLE

_QUOTA = 100
_AT_A_TIME = 8
_CREATE: dict[str, Any] = {"prompt": PROMPT, "preferences": {"engine": PARKED}}


def of_session(api: Api, session_id: str, **values: str) -> Given:
    return Given(api, {"session_id": session_id}, values={"owner": api.user, **values})


# ---- about to create


@scenario
async def own_library(world: World) -> Given:
    """A user whose library holds a document."""
    api = await world.user_with_a_document()

    async def document_id() -> str:
        return str((await api.get("/documents"))["documents"][0]["document_id"])

    async def dataset_id() -> str:
        form, content_type = multipart([("table.csv", b"x,y\n1,2\n2,4\n3,7\n")])
        headers = {"Content-Type": content_type}
        answer = await api.send("POST", f"{API}/documents/upload", raw=form, headers=headers)
        return str(answer.expect(201)["document_id"])

    async def foreign_document_id() -> str:
        return await world.people.new().add_document("Private", "Nobody else's.")

    values = {"document_id": document_id, "dataset_id": dataset_id, "foreign_document_id": foreign_document_id}
    return Given(api, body=_CREATE, values=values)


@scenario
async def empty_library(world: World) -> Given:
    return Given(world.people.new(), body=_CREATE)


async def _spent(world: World) -> Api:
    """Deep sessions over many documents hold a lot; together they hold all that a user starts with."""
    api = world.people.new()
    lines = b"".join(b'{"title": "Note %d", "text": "Carbon in the sea, note %d."}\n' % (n, n) for n in range(200))
    headers = {"Content-Type": "application/x-ndjson"}
    assert (await api.send("POST", f"{API}/documents/batch", raw=lines, headers=headers)).status == 200
    body = {"prompt": PROMPT, "preferences": {"engine": PARKED, "depth": "deep"}}
    for _ in range(_QUOTA):
        answer = await api.send("POST", f"{API}/sessions", body=body)
        if answer.status == 402:
            return api
        answer.expect(201)
    raise AssertionError("the balance was never spent")


@scenario
async def spent_balance(world: World) -> Given:
    """A user whose balance is held by other sessions."""
    api = await world.keep("spent", lambda: _spent(world))
    return Given(api, body={"prompt": PROMPT, "preferences": {"engine": PARKED, "depth": "deep"}})


async def _full(world: World) -> Api:
    api = await world.user_with_a_document()
    turns = asyncio.Semaphore(_AT_A_TIME)

    async def one() -> None:
        async with turns:
            await world.parked(api, budget={"limit": "2.00"})

    async with asyncio.TaskGroup() as group:
        for _ in range(_QUOTA):
            group.create_task(one())
    return api


@scenario
async def full_quota(world: World) -> Given:
    """A user with as many open sessions as one may have."""
    return Given(await world.keep("full", lambda: _full(world)), body=_CREATE)


@scenario
async def used_key(world: World) -> Given:
    """A key that went with another request."""
    api = await world.user_with_a_document()
    headers = {"Idempotency-Key": f"once-{world.new_id()}"}
    body = {**_CREATE, "prompt": "Something else"}
    (await api.send("POST", f"{API}/sessions", body=body, headers=headers)).expect(201)
    return Given(api, body=_CREATE, headers=headers)


# ---- in every state


@scenario
async def queued_session(world: World) -> Given:
    api = await world.user_with_a_document()
    return of_session(api, await world.parked(api, prompt=PROMPT))


@scenario
async def initializing_session(world: World) -> Given:
    api = await world.user_with_a_document()
    session_id = await api.create(preferences={"engine": MANUAL})
    await world.claim(session_id)
    return of_session(api, session_id)


@scenario
async def running_session(world: World) -> Given:
    api = await world.user_with_a_document()
    return of_session(api, await world.running(api))


@scenario
async def unpausable_session(world: World) -> Given:
    api = await world.user_with_a_document()
    session_id = await api.create(preferences={"engine": UNPAUSABLE})
    await world.start(await world.claim(session_id, UNPAUSABLE))
    return of_session(api, session_id)


@scenario
async def paused_session(world: World) -> Given:
    given = await running_session(world)
    await given.api.post(f"/sessions/{given.path['session_id']}/pause")
    return given


async def _completed(world: World) -> Given:
    api = await world.reader_of_samples()
    session_id = await api.create(PROMPT, preferences={"depth": "quick", "seed": 1})
    await api.until_status(session_id, "completed")
    answer = await api.get(f"/sessions/{session_id}/results")
    section = answer["results"]["sections"][0]
    comment = await api.post(f"/sessions/{session_id}/comments", {"content": "A first remark."}, status=201)
    history = await api.get(f"/sessions/{session_id}/history")
    return of_session(
        api,
        session_id,
        section=f"section:{section['id']}",
        claim=f"claim:{section['claims'][0]['id']}",
        citation=f"citation:{answer['citations'][0]['id']}",
        stage=f"stage:{history['stage_transitions'][0]['to']}",
        comment_id=comment["comment_id"],
    )


@scenario
async def completed_session(world: World) -> Given:
    """A real research session over the product's own samples."""
    return await world.keep("completed", lambda: _completed(world))


@scenario
async def results_without_metadata(world: World) -> Given:
    given = await completed_session(world)
    return Given(given.api, given.path, query={"include_metadata": "false"}, values=given.values)


@scenario
async def first_page(world: World) -> Given:
    """Results of which one item of each list is asked for."""
    given = await completed_session(world)
    return Given(given.api, given.path, query={"limit": "1"}, values=given.values)


@scenario
async def last_page(world: World) -> Given:
    """What follows the first citation."""
    made = await completed_session(world)
    first = await made.api.get(f"/sessions/{made.path['session_id']}/results", fields="citations", limit="1")
    cursor = first["page"]["blocks"][0]["next_cursor"]
    query = {"fields": "citations", "limit": "1000", "cursor": cursor}
    return Given(made.api, made.path, query=query, values=made.values)


async def _analysed(world: World) -> Given:
    api = world.people.new()
    datasets = [{"name": "Mauna Loa", "csv": sample_table().read_text()}]
    session_id = await api.create(
        "Does the concentration rise, and how fast?", session_type="analysis", inputs={"datasets": datasets}
    )
    await api.until_status(session_id, "completed")
    return of_session(api, session_id)


@scenario
async def analysed_session(world: World) -> Given:
    """A real analysis of a table."""
    return await world.keep("analysed", lambda: _analysed(world))


async def _failed(world: World) -> Given:
    given = await running_session(world)
    session_id = given.path["session_id"]
    await world.signals.fail(session_id, "unusable_input", "The input cannot be used")
    await given.api.until_status(session_id, "failed")
    return given


@scenario
async def failed_session(world: World) -> Given:
    return await world.keep("failed", lambda: _failed(world))


async def _cancelled(world: World) -> Given:
    given = await queued_session(world)
    await given.api.post(f"/sessions/{given.path['session_id']}/cancel")
    return given


@scenario
async def cancelled_session(world: World) -> Given:
    return await world.keep("cancelled", lambda: _cancelled(world))


async def _timed_out(world: World) -> Given:
    api = await world.user_with_a_document()
    # A whole minute of running is the least that a session can be limited to.
    session_id = await world.running(api, stays=True, time_limit_minutes=1)
    ended = await api.until(session_id, lambda event: event.data["status"] in TERMINAL, patience=3 * PATIENCE)
    assert ended.data["status"] == "timeout", ended
    return of_session(api, session_id)


def begin_time_out(world: World) -> Awaitable[Given]:
    """Have a session run into its time limit while other cases run."""
    return world.keep("timed out", lambda: _timed_out(world))


@scenario
async def timed_out_session(world: World) -> Given:
    return await begin_time_out(world)


def multipart(files: list[tuple[str, bytes]]) -> tuple[bytes, str]:
    """A form with files, and its content type."""
    boundary = "a-boundary-that-is-in-no-file"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"
