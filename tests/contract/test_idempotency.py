"""Idempotency-Key on every POST: the same request has one effect and one answer, another request is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.contract.assertions import assert_error
from tests.contract.calls import call, given
from tests.contract.scenarios.registry import Given
from tests.contract.table import Endpoint, load
from tests.contract.world import World
from tests.support.rest import API, Answer

KEYED = [endpoint for endpoint in load().endpoints if endpoint.idempotency]
# What makes another request of the good call, where a field can.
OTHER = {
    "create_session": {"prompt": "Something else"},
    "estimate_session": {"prompt": "Something else"},
    "cancel_session": {"reason": "another"},
    "share_session": {"permissions": "edit"},
    "add_comment": {"content": "Something else."},
    "create_document": {"title": "Something else"},
    "search_documents": {"query": "something else"},
    "create_citation_style": {"name": "Something else"},
}
# What makes another body of the good one, where it is bytes.
OTHER_BYTES = {"upload_documents": (b"ocean", b"OCEAN"), "batch_documents": (b"Carbon", b"Oxygen")}


async def _twice(world: World, endpoint: Endpoint, made: Given) -> tuple[Answer, Answer]:
    headers = {**made.headers, "Idempotency-Key": f"key-{world.new_id()}"}
    first = await call(world, endpoint, made, headers=headers)
    return first, await call(world, endpoint, made, headers=headers)


@pytest.mark.parametrize("endpoint", KEYED, ids=lambda e: e.name)
async def test_the_same_request_again_gets_the_first_answer(world: World, endpoint: Endpoint) -> None:
    first, second = await _twice(world, endpoint, await given(world, endpoint.given))
    assert first.status == endpoint.success, first.text
    assert (second.status, second.content) == (first.status, first.content)
    assert second.headers.get("Location") == first.headers.get("Location")


@pytest.mark.parametrize("endpoint", [e for e in KEYED if e.name in OTHER], ids=lambda e: e.name)
async def test_another_request_with_the_same_key_is_refused(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    headers = {"Idempotency-Key": f"key-{world.new_id()}"}
    assert (await call(world, endpoint, made, headers=headers)).status == endpoint.success
    answer = await call(world, endpoint, made, headers=headers, body=OTHER[endpoint.name])
    assert_error(answer, 409, "idempotency_key_reused")


@pytest.mark.parametrize("endpoint", [e for e in KEYED if e.on_session], ids=lambda e: e.name)
async def test_the_path_is_part_of_the_request(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    headers = {"Idempotency-Key": f"key-{world.new_id()}"}
    assert (await call(world, endpoint, made, headers=headers)).status == endpoint.success
    answer = await call(world, endpoint, made, headers=headers, path={"session_id": world.new_id()})
    assert_error(answer, 409, "idempotency_key_reused")


async def test_creating_twice_holds_once(world: World) -> None:
    made = await given(world, "own_library")
    first, second = await _twice(world, load().endpoint("create_session"), made)
    assert first.body["session_id"] == second.body["session_id"]
    assert (await made.api.get("/sessions"))["total_count"] == 1
    transactions = (await made.api.get("/billing/transactions"))["transactions"]
    assert [t["kind"] for t in transactions].count("hold") == 1


def test_every_post_takes_a_key_and_has_another_request() -> None:
    posts = [endpoint for endpoint in load().endpoints if endpoint.method == "POST"]
    assert posts == KEYED
    # What cannot differ by a field differs by its path or its bytes.
    assert {e.name for e in posts} - set(OTHER) == {"pause_session", "resume_session", *OTHER_BYTES}


@pytest.mark.parametrize("name", OTHER_BYTES)
async def test_other_bytes_with_the_same_key_are_refused(world: World, name: str) -> None:
    endpoint = load().endpoint(name)
    made = await given(world, endpoint.given)
    headers = {**made.headers, "Idempotency-Key": f"key-{world.new_id()}"}
    assert (await call(world, endpoint, made, headers=headers)).status == endpoint.success
    assert made.raw is not None
    other = replace(made, raw=made.raw.replace(*OTHER_BYTES[name]))
    assert other.raw != made.raw
    assert_error(await call(world, endpoint, other, headers=headers), 409, "idempotency_key_reused")


@pytest.mark.parametrize("endpoint", KEYED, ids=lambda e: e.name)
async def test_many_at_once_have_one_effect(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    headers = {"Idempotency-Key": f"key-{world.new_id()}"}
    answers = await asyncio.gather(*(call(world, endpoint, made, headers=headers) for _ in range(6)))
    done = [answer for answer in answers if answer.status == endpoint.success]
    assert done, answers[0].text
    assert len({(answer.content, answer.headers.get("Location")) for answer in done}) == 1
    for answer in answers:
        if answer not in done:
            assert_error(answer, 409, "idempotency_key_in_use")


@pytest.mark.parametrize("endpoint", KEYED, ids=lambda e: e.name)
async def test_refusals_are_not_kept(world: World, endpoint: Endpoint) -> None:
    """A key that went with a refused request is free for the corrected one."""
    made = await given(world, endpoint.given)
    headers = {**made.headers, "Idempotency-Key": f"key-{world.new_id()}"}
    if endpoint.on_session:
        refused = await call(world, endpoint, made, headers=headers, path={"session_id": world.new_id()})
    elif made.raw is not None:
        refused = await call(world, endpoint, replace(made, raw=b""), headers={**headers, "Content-Type": "text/css"})
    else:
        wrong = next(parameter for parameter in endpoint.request if parameter.bad)
        refused = await call(world, endpoint, made, headers=headers, body={wrong.name: wrong.bad[0].value})
    assert refused.status in (400, 404, 415), refused.text
    assert (await call(world, endpoint, made, headers=headers)).status == endpoint.success


async def test_keys_belong_to_their_user(world: World) -> None:
    endpoint = load().endpoint("create_session")
    headers = {"Idempotency-Key": f"key-{world.new_id()}"}
    answers = [await call(world, endpoint, await given(world, "own_library"), headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body["session_id"] != answers[1].body["session_id"]


@pytest.mark.parametrize("key", ["k" * 256, "with blank", "ключ"])
async def test_keys_are_visible_characters(world: World, key: str) -> None:
    made = await given(world, "own_library")
    answer = await call(world, load().endpoint("create_session"), made, headers={"Idempotency-Key": key})
    assert_error(answer, 400, "validation_error")
    assert [field.lower() for field in answer.fields] == ["idempotency-key"]
    assert (await made.api.send("GET", f"{API}/sessions")).body["total_count"] == 0
