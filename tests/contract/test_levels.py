"""The table of levels: each role meets each endpoint of a session, and gets what its level gives and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.assertions import assert_error
from tests.contract.callers import CALLERS
from tests.contract.calls import call, given
from tests.contract.scenarios.collaboration import OWN
from tests.contract.table import Endpoint, load
from tests.contract.world import World
from tests.support.rest import API

LEVELS = ("view", "edit", "collaborate", "owner")
ROLES = {"viewer": "view", "editor": "edit", "collaborator": "collaborate", "owner": "owner"}
ON_SESSION = [endpoint for endpoint in load().endpoints if endpoint.on_session]


def may(role: str, endpoint: Endpoint) -> bool:
    return role in ROLES and LEVELS.index(ROLES[role]) >= LEVELS.index(endpoint.level)


def _cases(*, allowed: bool) -> list[object]:
    return [
        pytest.param(endpoint, role, id=f"{endpoint.name}-{role}")
        for endpoint in ON_SESSION
        for role in ROLES
        if may(role, endpoint) == allowed
    ]


@pytest.mark.parametrize(("endpoint", "role"), _cases(allowed=True))
async def test_level_is_enough(world: World, endpoint: Endpoint, role: str) -> None:
    made = await given(world, endpoint.given)
    caller = await CALLERS[role](world, made)
    path = await OWN[endpoint.own](caller, made.path["session_id"]) if endpoint.own else made.path
    made = replace(made, api=caller, path=path)
    answer = await call(world, endpoint, made)
    assert answer.status == endpoint.success, answer.text


@pytest.mark.parametrize(("endpoint", "role"), _cases(allowed=False))
async def test_level_is_too_low(world: World, endpoint: Endpoint, role: str) -> None:
    made = await given(world, endpoint.given)
    made = replace(made, api=await CALLERS[role](world, made))
    answer = await call(world, endpoint, made)
    assert_error(answer, 403, "session_not_accessible")


@pytest.mark.parametrize("endpoint", ON_SESSION, ids=lambda e: e.name)
async def test_a_former_recipient_is_refused(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    made = replace(made, api=await CALLERS["former"](world, made))
    answer = await call(world, endpoint, made)
    assert_error(answer, 403, "session_not_accessible")


@pytest.mark.parametrize("endpoint", ON_SESSION, ids=lambda e: e.name)
async def test_a_stranger_is_told_what_an_unknown_id_is_told(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    stranger = replace(made, api=world.people.new())
    headers = {"X-Request-Id": "the-same"}
    foreign = await call(world, endpoint, stranger, headers=headers)
    unknown = await call(world, endpoint, stranger, headers=headers, path={"session_id": world.new_id()})
    assert_error(foreign, 404, "session_not_found")
    assert foreign.status == unknown.status
    assert {**foreign.body, "timestamp": ""} == {**unknown.body, "timestamp": ""}
    assert _without_times(foreign.headers) == _without_times(unknown.headers)


def _without_times(headers: object) -> dict[str, str]:
    return {k: v for k, v in dict(headers).items() if k not in ("Date", "Content-Length", "RateLimit")}  # type: ignore[call-overload]


async def test_a_refused_change_changes_nothing(world: World) -> None:
    made = await given(world, "running_session")
    session_id = made.path["session_id"]
    viewer = await CALLERS["viewer"](world, made)
    editor = await CALLERS["editor"](world, made)
    paused = await viewer.send("POST", f"{API}/sessions/{session_id}/pause")
    assert (paused.status, paused.body["message"]) == (403, "This needs the level edit; you have view")
    cancelled = await editor.send("POST", f"{API}/sessions/{session_id}/cancel")
    assert (cancelled.status, cancelled.body["message"]) == (403, "This needs the level collaborate; you have edit")
    session = await made.api.session(session_id)
    assert session["status"] == "running"
    history = await made.api.get(f"/sessions/{session_id}/history")
    assert {row["actor"] for row in history["timeline"]}.isdisjoint({viewer.user, editor.user})
