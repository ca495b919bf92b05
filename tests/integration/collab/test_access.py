"""What the other services are told of a principal's shares."""

from __future__ import annotations

from typing import Any

import pytest

from kit.errors import PrsmError
from kit.times import DAY, SECOND, rfc3339
from prsm.collab.v1 import access_pb2
from prsm.options.v1 import options_pb2
from tests.integration.collab.neighbours import Known
from tests.integration.collab.stand import Stand
from tests.support.serving import answer

Grant = access_pb2.Grant
Level = options_pb2.Rule


async def test_stranger_current_former(stand: Stand) -> None:
    assert (await stand.check("bob")).standing == Grant.STANDING_STRANGER
    made = await stand.share(["bob"], "edit")
    grant = await stand.check("bob")
    assert (grant.standing, grant.level) == (Grant.STANDING_CURRENT, Level.LEVEL_EDIT)
    assert grant.expires_at_us == made.expires_at.ToMicroseconds()
    await stand.revoke(made.share_id)
    former = await stand.check("bob")
    assert (former.standing, former.level) == (Grant.STANDING_FORMER, Level.LEVEL_UNSPECIFIED)


async def test_expiry_acts_at_its_moment(stand: Stand) -> None:
    await stand.share(["bob"], expiration=rfc3339(stand.clock.now() + 10 * SECOND))
    stand.clock.advance(seconds=9.999)
    assert (await stand.check("bob")).standing == Grant.STANDING_CURRENT
    stand.clock.advance(seconds=0.001)
    assert (await stand.check("bob")).standing == Grant.STANDING_FORMER


async def test_principals_are_id_verified_email_and_teams(stand: Stand) -> None:
    await stand.share(["email:bob@x.org", "team:lab"])
    assert (await stand.check("x", email="bob@x.org")).standing == Grant.STANDING_CURRENT
    assert (await stand.check("x", teams=("a", "lab"))).standing == Grant.STANDING_CURRENT
    # A user id is not an address, and a team is not a user.
    assert (await stand.check("bob@x.org")).standing == Grant.STANDING_STRANGER
    assert (await stand.check("lab")).standing == Grant.STANDING_STRANGER
    assert (await stand.check("x", teams=("bob@x.org",))).standing == Grant.STANDING_STRANGER


async def test_best_level_wins_and_tells_when_it_ends(stand: Stand) -> None:
    now = stand.clock.now()
    await stand.share(["bob"], "view", expiration=rfc3339(now + 20 * DAY))
    await stand.share(["team:lab"], "collaborate", expiration=rfc3339(now + 2 * DAY))
    await stand.share(["bob@x.org"], "edit", expiration=rfc3339(now + 3 * DAY))
    seen: list[tuple[Any, int]] = []
    for _ in range(4):
        grant = await stand.check("bob", email="bob@x.org", teams=("lab",))
        seen.append((grant.level, grant.expires_at_us))
        stand.clock.advance(seconds=2 * 86400)
    assert seen == [
        (Level.LEVEL_COLLABORATE, now + 2 * DAY),
        (Level.LEVEL_EDIT, now + 3 * DAY),
        (Level.LEVEL_VIEW, now + 20 * DAY),
        (Level.LEVEL_VIEW, now + 20 * DAY),
    ]


async def test_shares_of_another_session_do_not_count(stand: Stand) -> None:
    await stand.share(["bob"])
    assert (await stand.check("bob", session_id=stand.ids.new())).standing == Grant.STANDING_STRANGER


async def test_bulk_answers_in_order(stand: Stand) -> None:
    other = stand.ids.new()
    stand.neighbours.sessions[other] = Known(owner="olga")
    await stand.share(["bob"], "view")
    await stand.share(["carol"], "edit", session_id=other)
    checks = [
        access_pb2.CheckAccessRequest(session_id=session, principal=access_pb2.Principal(user_id=user))
        for user in ("bob", "carol", "dave")
        for session in (stand.session_id, other)
    ] * 40
    peer = stand.identities.peer("results", "collab")
    found = await peer.call(stand.access.CheckAccessBulk, access_pb2.CheckAccessBulkRequest(checks=checks), timeout=60)
    expected = [Level.LEVEL_VIEW, 0, 0, Level.LEVEL_EDIT, 0, 0] * 40
    assert [grant.level for grant in found.grants] == expected


async def test_list_shared_knows_what_is_in_force(stand: Stand) -> None:
    sessions = [stand.ids.new() for _ in range(4)]
    for session in sessions:
        stand.neighbours.sessions[session] = Known(owner="olga")
        stand.clock.advance(seconds=1)
        made = await stand.share(["bob", "team:lab"], session_id=session)
    await stand.revoke(made.share_id, session_id=sessions[3])
    await stand.share(["bob"], session_id=sessions[0], expiration=rfc3339(stand.clock.now() + SECOND))
    request = access_pb2.ListSharedRequest(principal=access_pb2.Principal(user_id="bob", teams=["lab"]))
    peer = stand.identities.peer("session", "collab")
    found = await peer.call(stand.access.ListShared, request, timeout=60)
    assert set(found.session_ids) == set(sessions[:3])
    assert len(found.session_ids) == 3
    nobody = access_pb2.ListSharedRequest(principal=access_pb2.Principal(user_id="dave"))
    assert list((await peer.call(stand.access.ListShared, nobody, timeout=60)).session_ids) == []


async def test_only_the_services_named_may_ask(stand: Stand) -> None:
    request = access_pb2.CheckAccessRequest(session_id=stand.session_id, principal=access_pb2.Principal(user_id="bob"))
    with pytest.raises(PrsmError) as caught:
        await stand.identities.peer("worker", "collab").call(stand.access.CheckAccess, request, timeout=60)
    assert caught.value.name == "FORBIDDEN"
    metadata = stand.identities.user_metadata("olga", scope="admin")
    with pytest.raises(PrsmError) as caught:
        await answer(stand.access.CheckAccess(request, metadata=metadata, timeout=60))
    assert caught.value.name == "UNAVAILABLE"  # what a peer makes of `unauthorized`


async def test_revocation_acts_on_the_next_request(stand: Stand) -> None:
    made = await stand.share(["bob"], "edit")
    await stand.comment("Before", by="bob")
    await stand.revoke(made.share_id)
    with pytest.raises(PrsmError) as caught:
        await stand.comment("After", by="bob")
    assert caught.value.name == "SESSION_NOT_ACCESSIBLE"


async def test_neighbours_are_asked_as_collab(stand: Stand) -> None:
    await stand.comment("x", reference_point="section:s1")
    assert stand.neighbours.metadata
    assert all("authorization" in metadata for metadata in stand.neighbours.metadata)
