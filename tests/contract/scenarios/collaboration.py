"""Comments and shares to change, to open and to revoke."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.scenarios.registry import Given, scenario
from tests.contract.scenarios.sessions import completed_session, queued_session
from tests.contract.world import World
from tests.support.rest import Api


async def comment_by(api: Api, session_id: str) -> dict[str, str]:
    answer = await api.post(f"/sessions/{session_id}/comments", {"content": "A remark."}, status=201)
    return {"session_id": session_id, "comment_id": answer["comment_id"]}


async def share_by(api: Api, session_id: str) -> dict[str, str]:
    answer = await api.share(session_id, "user:grace")
    return {"session_id": session_id, "share_id": answer["share_id"]}


OWN = {"comment": comment_by, "share": share_by}
"""Makes what an endpoint acts on, by whom it belongs to."""


@scenario
async def own_comment(world: World) -> Given:
    given = await queued_session(world)
    return replace(given, path=await comment_by(given.api, given.path["session_id"]))


@scenario
async def own_share(world: World) -> Given:
    given = await queued_session(world)
    return replace(given, path=await share_by(given.api, given.path["session_id"]))


@scenario
async def comment_on_a_section(world: World) -> Given:
    given = await completed_session(world)
    return replace(given, body={"content": "Well put.", "reference_point": given.values["section"]})


@scenario
async def reply(world: World) -> Given:
    given = await completed_session(world)
    return replace(given, body={"content": "Indeed.", "parent_id": given.values["comment_id"]})


@scenario
async def own_reply_on_a_section(world: World) -> Given:
    given = await completed_session(world)
    session_id = given.path["session_id"]
    body = {
        "content": "Indeed.",
        "reference_point": given.values["section"],
        "parent_id": given.values["comment_id"],
    }
    answer = await given.api.post(f"/sessions/{session_id}/comments", body, status=201)
    return replace(given, path={"session_id": session_id, "comment_id": answer["comment_id"]})


async def _received(world: World) -> tuple[Given, dict[str, str], Api]:
    given = await queued_session(world)
    recipient = world.people.new()
    share = await given.api.share(given.path["session_id"], f"user:{recipient.user}")
    return given, share, recipient


@scenario
async def received_share(world: World) -> Given:
    """The caller is a recipient."""
    _, share, recipient = await _received(world)
    return Given(recipient, {"token": share["share_url"].rpartition("/")[2]})


@scenario
async def revoked_share(world: World) -> Given:
    given, share, recipient = await _received(world)
    session_id = given.path["session_id"]
    (await given.api.send("DELETE", f"/api/v1/sessions/{session_id}/shares/{share['share_id']}")).expect(200)
    return Given(recipient, {"token": share["share_url"].rpartition("/")[2]})
