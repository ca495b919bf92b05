"""Shares and comments: who gets in, how long, and what may be handed on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.assertions import assert_error
from tests.contract.callers import CALLERS
from tests.contract.calls import given
from tests.contract.world import World
from tests.support.rest import API, Api


async def _shared(world: World, recipient: str, permissions: str = "view", **body: Any) -> tuple[Api, str, Any]:
    made = await given(world, "queued_session")
    session_id = made.path["session_id"]
    return made.api, session_id, await made.api.share(session_id, recipient, permissions, **body)


async def _opens(api: Api, share: Any) -> bool:
    """Whether the share's URL opens for a user, and the session behind it."""
    url = share["share_url"]
    answer = await api.send("GET", API + url.partition(API)[2])
    if answer.status != 200:
        return False
    session = await api.send("GET", answer.body["session_url"])
    assert session.body["session_id"] == share["session_id"]
    return session.status == 200


async def test_by_user_id(world: World) -> None:
    recipient = world.people.new()
    _, _, share = await _shared(world, recipient.user)
    assert share["recipients"] == [recipient.user]
    assert await _opens(recipient, share)
    assert not await _opens(world.people.new(), share)


async def test_by_email(world: World) -> None:
    """It takes effect for whoever signs in with that verified address, whatever their id."""
    _, _, share = await _shared(world, "Grace@Example.org")
    assert share["recipients"] == ["grace@example.org"]
    assert await _opens(world.people.new(email="grace@example.org"), share)
    assert not await _opens(world.people.new(email="ada@example.org"), share)


async def test_an_unverified_email_counts_for_nothing(world: World) -> None:
    _, _, share = await _shared(world, "email:lin@example.org")
    from cli.stack.keys import load_user_key
    from kit.auth.tokens import mint
    from kit.times import SystemClock

    claims = {"sub": "mallory", "email": "lin@example.org", "email_verified": False}
    token = mint(load_user_key(world.stack.data), world.stack.rules, SystemClock(), ttl=600, claims=claims)
    assert not await _opens(world.people.with_token(token), share)


async def test_by_team(world: World) -> None:
    _, _, share = await _shared(world, "team:harbour")
    assert await _opens(world.people.new(teams=["harbour", "lighthouse"]), share)
    assert not await _opens(world.people.new(teams=["lighthouse"]), share)


async def test_recipients_come_back_without_repeats(world: World) -> None:
    made = await given(world, "queued_session")
    body = {"recipients": ["grace", "user:grace", "A@b.org", "a@B.org", "team:x"], "permissions": "view"}
    answer = await made.api.post(f"/sessions/{made.path['session_id']}/share", body, status=201)
    assert answer["recipients"] == ["grace", "a@b.org", "team:x"]


async def test_the_answer_does_not_tell_whether_an_account_exists(world: World) -> None:
    known = world.people.new()
    await known.get("/billing/balance")
    answers = [await _shared(world, f"user:{user}") for user in (known.user, "nobody-ever")]
    assert set(answers[0][2]) == set(answers[1][2])


async def test_revocation_acts_on_the_next_request(world: World) -> None:
    recipient = world.people.new()
    owner, session_id, share = await _shared(world, f"user:{recipient.user}")
    assert await _opens(recipient, share)
    await owner.send("DELETE", f"{API}/sessions/{session_id}/shares/{share['share_id']}")
    assert_error(await recipient.send("GET", f"{API}/sessions/{session_id}"), 403, "session_not_accessible")
    assert not await _opens(recipient, share)
    listed = await owner.get(f"/sessions/{session_id}/shares")
    assert [(s["share_id"], s["status"]) for s in listed["shares"]] == [(share["share_id"], "revoked")]


async def test_revocation_ends_open_streams(world: World) -> None:
    recipient = world.people.new()
    owner, session_id, share = await _shared(world, f"user:{recipient.user}")
    seen = []
    async for event in recipient.events(session_id):
        seen.append(event.type)
        if len(seen) == 1:
            await owner.send("DELETE", f"{API}/sessions/{session_id}/shares/{share['share_id']}")
    assert seen[0] == "session.created"


async def test_the_best_of_several_shares_counts(world: World) -> None:
    recipient = world.people.new(email="both@example.org")
    owner, session_id, _ = await _shared(world, f"user:{recipient.user}")
    comment = {"content": "May I?"}
    path = f"{API}/sessions/{session_id}/comments"
    assert (await recipient.send("POST", path, body=comment)).status == 403
    await owner.share(session_id, "both@example.org", "edit")
    assert (await recipient.send("POST", path, body=comment)).status == 201


async def test_nobody_hands_on_more_than_they_have(world: World) -> None:
    made = await given(world, "queued_session")
    session_id = made.path["session_id"]
    collaborator = world.people.new()
    mine = await made.api.share(session_id, f"user:{collaborator.user}", "collaborate")
    path = f"{API}/sessions/{session_id}/share"
    onward = {"recipients": ["user:grace"], "permissions": "collaborate"}
    assert (await collaborator.send("POST", path, body=onward)).status == 201
    late = {
        **onward,
        "expiration": mine["expires_at"].replace(mine["expires_at"][:4], str(int(mine["expires_at"][:4]) + 1)),
    }
    answer = await collaborator.send("POST", path, body=late)
    assert_error(answer, 400, "validation_error")
    assert answer.fields == ["expiration"]
    editor = await CALLERS["editor"](world, made)
    assert_error(await editor.send("POST", path, body=onward), 403, "session_not_accessible")


async def test_a_collaborator_sees_and_revokes_only_the_own_shares(world: World) -> None:
    made = await given(world, "queued_session")
    session_id = made.path["session_id"]
    collaborator = world.people.new()
    given_to_me = await made.api.share(session_id, f"user:{collaborator.user}", "collaborate")
    mine = await collaborator.share(session_id, "user:grace")
    listed = await collaborator.get(f"/sessions/{session_id}/shares")
    assert [share["share_id"] for share in listed["shares"]] == [mine["share_id"]]
    path = f"{API}/sessions/{session_id}/shares"
    assert_error(await collaborator.send("DELETE", f"{path}/{given_to_me['share_id']}"), 404, "share_not_found")
    assert (await made.api.send("DELETE", f"{path}/{mine['share_id']}")).body["status"] == "revoked"


async def test_sharing_with_nobody_shares_nothing(world: World) -> None:
    made = await given(world, "queued_session")
    session_id = made.path["session_id"]
    for recipients in ([], [""], ["  "], None):
        body = {"recipients": recipients, "permissions": "view"}
        assert (await made.api.send("POST", f"{API}/sessions/{session_id}/share", body=body)).status == 400
    assert (await made.api.get(f"/sessions/{session_id}/shares"))["total_count"] == 0


async def test_comments_are_newest_first_and_by_type(world: World) -> None:
    made = await given(world, "queued_session")
    path = f"/sessions/{made.path['session_id']}/comments"
    for kind in ("note", "question", "insight"):
        await made.api.post(path, {"content": f"A {kind}.", "comment_type": kind}, status=201)
    listed = await made.api.get(path)
    assert [comment["comment_type"] for comment in listed["comments"]] == ["insight", "question", "note"]
    asked = await made.api.get(path, comment_type="question")
    assert [comment["content"] for comment in asked["comments"]] == ["A question."]


async def test_a_comment_says_who_wrote_it(world: World) -> None:
    made = await given(world, "queued_session")
    session_id = made.path["session_id"]
    grace = world.people.new(email="g@example.org", name="Grace")
    await made.api.share(session_id, f"user:{grace.user}", "edit")
    answer = await grace.post(f"/sessions/{session_id}/comments", {"content": "Mine."}, status=201)
    assert answer["author"] == {"user_id": grace.user, "name": "Grace", "email": "g@example.org"}


async def test_editing_and_resolving(world: World) -> None:
    made = await given(world, "own_comment")
    path = f"{API}/sessions/{made.path['session_id']}/comments/{made.path['comment_id']}"
    editor = await CALLERS["editor"](world, made)
    changed = (await made.api.send("PATCH", path, body={"content": "Said better."})).expect(200)
    assert (changed["content"], changed["resolved"]) == ("Said better.", False)
    assert_error(await editor.send("PATCH", path, body={"content": "Not mine."}), 403, "forbidden")
    resolved = (await editor.send("PATCH", path, body={"resolved": True})).expect(200)
    assert (resolved["content"], resolved["resolved"]) == ("Said better.", True)


@pytest.mark.parametrize("who", ["author", "owner"])
async def test_a_deleted_comment_is_gone(world: World, who: str) -> None:
    made = await given(world, "queued_session")
    session_id = made.path["session_id"]
    editor = await CALLERS["editor"](world, made)
    comment = await editor.post(f"/sessions/{session_id}/comments", {"content": "Away."}, status=201)
    path = f"{API}/sessions/{session_id}/comments/{comment['comment_id']}"
    caller = editor if who == "author" else made.api
    assert (await caller.send("DELETE", path)).body == {"comment_id": comment["comment_id"], "deleted": True}
    assert (await made.api.get(f"/sessions/{session_id}/comments"))["total_count"] == 0
    assert_error(await caller.send("DELETE", path), 404, "comment_not_found")


async def test_commenting_on_nothing(world: World) -> None:
    made = await given(world, "queued_session")
    path = f"{API}/sessions/{made.path['session_id']}/comments"
    for body in ({}, {"content": ""}, {"content": "  \n"}, None):
        answer = await made.api.send("POST", path, body=body)
        assert_error(answer, 400, "validation_error")
        assert answer.fields == ["content"]
    assert (await made.api.get(f"/sessions/{made.path['session_id']}/comments"))["total_count"] == 0


async def test_what_happened_around_a_session_is_in_its_history(world: World) -> None:
    made = await given(world, "queued_session")
    session_id = made.path["session_id"]
    share = await made.api.share(session_id, "user:grace")
    await made.api.post(f"/sessions/{session_id}/comments", {"content": "Here."}, status=201)
    await made.api.send("DELETE", f"{API}/sessions/{session_id}/shares/{share['share_id']}")
    wanted = {"share.created", "comment.added", "share.revoked"}
    seen: set[str] = set()

    def reached(event: Any) -> bool:
        seen.add(event.type)
        return wanted <= seen

    await made.api.until(session_id, reached)
