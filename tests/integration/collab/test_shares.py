"""Sharing, listing, revoking and opening, as users meet them."""

from __future__ import annotations

import base64

import pytest

from kit.errors import PrsmError
from kit.times import DAY, SECOND, rfc3339
from prsm.collab.v1 import collab_pb2
from services.collab.tables import KIT, shares
from tests.integration.collab.neighbours import Known
from tests.integration.collab.stand import Stand, token_of

Status = collab_pb2.Share


async def refused(call: object) -> PrsmError:
    with pytest.raises(PrsmError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def fault_fields(call: object) -> list[str]:
    error = await refused(call)
    assert error.name == "VALIDATION_ERROR"
    assert error.details is not None
    return [fault["field"] for fault in error.details["fields"]]


async def test_share_answers_what_it_made(stand: Stand) -> None:
    recipients = [" bob ", "Carol@X.org", "user:bob", "team: lab ", "carol@x.org", "EMAIL:D@x.org"]
    made = await stand.share(recipients, "edit", message="Have a look")
    assert list(made.recipients) == ["bob", "carol@x.org", "team:lab", "email:d@x.org"]
    assert (made.session_id, made.permissions, made.message) == (stand.session_id, "edit", "Have a look")
    now = stand.clock.now()
    assert made.created_at.ToMicroseconds() == now
    assert made.expires_at.ToMicroseconds() == now + 30 * DAY
    token = token_of(made)
    assert len(base64.urlsafe_b64decode(token + "=")) == 32


async def test_neither_database_nor_outbox_holds_the_token(stand: Stand) -> None:
    made = await stand.share(["bob"], key="k1")
    token = token_of(made)

    def everything(conn: object) -> str:
        rows = [conn.execute(table.select()).all() for table in (*_tables(), shares)]  # type: ignore[attr-defined]
        return repr(rows)

    assert token not in await stand.db.read(everything)


def _tables() -> list[object]:
    return [KIT.outbox, KIT.idempotency]


async def test_recipient_opens_the_share(stand: Stand) -> None:
    made = await stand.share(["bob@x.org"], "collaborate", message="Look")
    opened = await stand.open(token_of(made), "bob")
    assert (opened.share_id, opened.session_id) == (made.share_id, stand.session_id)
    assert opened.session_url == f"/api/v1/sessions/{stand.session_id}"
    assert (opened.permissions, opened.message, opened.shared_by) == ("collaborate", "Look", "olga")
    assert opened.expires_at == made.expires_at
    assert (opened.session.session_type, opened.session.status) == ("research", "running")
    assert opened.session.prompt == "What is known?"
    assert opened.session.created_at.ToSeconds() == 1_700_000_000
    assert (await stand.open(token_of(made), "olga")).share_id == made.share_id


async def test_share_opens_only_for_its_recipients(stand: Stand) -> None:
    made = await stand.share(["bob@x.org", "team:lab"])
    # Mallory's token has bob's address, which nobody verified.
    for stranger in ("mallory", "dave"):
        assert (await refused(stand.open(token_of(made), stranger))).name == "SHARE_NOT_FOUND"
    assert (await stand.open(token_of(made), "carol")).share_id == made.share_id
    for token in ("", "nonsense", token_of(made)[:-1], token_of(made) + "A"):
        assert (await refused(stand.open(token, "bob"))).name == "SHARE_NOT_FOUND"


async def test_ended_shares_do_not_open(stand: Stand) -> None:
    made = await stand.share(["bob"])
    expiring = await stand.share(["bob"], expiration=rfc3339(stand.clock.now() + 60 * SECOND))
    await stand.revoke(made.share_id)
    assert (await refused(stand.open(token_of(made), "bob"))).name == "SESSION_NOT_ACCESSIBLE"
    assert (await refused(stand.open(token_of(made), "carol"))).name == "SHARE_NOT_FOUND"
    stand.clock.advance(seconds=59.999)
    await stand.open(token_of(expiring), "bob")
    stand.clock.advance(seconds=0.001)
    assert (await refused(stand.open(token_of(expiring), "bob"))).name == "SESSION_NOT_ACCESSIBLE"
    assert (await stand.open(token_of(expiring), "olga")).share_id == expiring.share_id


async def test_share_of_a_session_that_is_gone_does_not_open(stand: Stand) -> None:
    made = await stand.share(["bob"])
    del stand.neighbours.sessions[stand.session_id]
    assert (await refused(stand.open(token_of(made), "bob"))).name == "SHARE_NOT_FOUND"


async def test_all_faults_at_once(stand: Stand) -> None:
    assert await fault_fields(stand.share(["bob", "@", "team:", " "], "read", expiration="tomorrow")) == [
        "permissions",
        "recipients[1]",
        "recipients[2]",
        "recipients[3]",
        "expiration",
    ]


async def test_nobody_shares_with_themselves(stand: Stand) -> None:
    assert await fault_fields(stand.share(["bob", "olga", "user:olga", "OLGA@x.org"])) == [
        "recipients[1]",
        "recipients[2]",
        "recipients[3]",
    ]
    await stand.share(["bob"], "collaborate")
    assert await fault_fields(stand.share(["bob", "bob@x.org", "olga"], by="bob")) == [
        "recipients[0]",
        "recipients[1]",
        "recipients[2]",
    ]


async def test_share_to_nobody(stand: Stand) -> None:
    assert await fault_fields(stand.share([])) == ["recipients"]
    assert await fault_fields(stand.share(["a"] * 101)) == ["recipients"]


@pytest.mark.parametrize("days", [-1, 0, 367])
async def test_expiration_is_in_the_future_within_a_year(stand: Stand, days: int) -> None:
    moment = rfc3339(stand.clock.now() + days * DAY)
    assert await fault_fields(stand.share(["bob"], expiration=moment)) == ["expiration"]


@pytest.mark.parametrize("text", ["2026-02-01", "next week", "2026-13-01T00:00:00Z", "2026-01-02T00:00:00"])
async def test_expiration_is_a_moment(stand: Stand, text: str) -> None:
    assert await fault_fields(stand.share(["bob"], expiration=text)) == ["expiration"]


async def test_expiration_takes_any_offset(stand: Stand) -> None:
    made = await stand.share(["bob"], expiration="2026-01-02T02:00:00.1239+02:00")
    assert rfc3339(made.expires_at.ToMicroseconds()) == "2026-01-02T00:00:00.123Z"


async def test_collaborator_shares_on_within_the_own_access(stand: Stand) -> None:
    end = stand.clock.now() + 5 * DAY
    await stand.share(["bob"], "collaborate", expiration=rfc3339(end))
    made = await stand.share(["carol"], "collaborate", by="bob")
    assert made.expires_at.ToMicroseconds() == end
    sooner = await stand.share(["carol"], "view", by="bob", expiration=rfc3339(end - DAY))
    assert sooner.expires_at.ToMicroseconds() == end - DAY
    assert await fault_fields(stand.share(["carol"], by="bob", expiration=rfc3339(end + SECOND))) == ["expiration"]


@pytest.mark.parametrize(
    ("permissions", "error"), [("view", "SESSION_NOT_ACCESSIBLE"), ("edit", "SESSION_NOT_ACCESSIBLE")]
)
async def test_lower_levels_do_not_share_on(stand: Stand, permissions: str, error: str) -> None:
    await stand.share(["bob"], permissions)
    assert (await refused(stand.share(["carol"], by="bob"))).name == error
    assert (await refused(stand.shares("bob"))).name == error


async def test_strangers_and_unknown_sessions_look_alike(stand: Stand) -> None:
    foreign = await refused(stand.share(["bob"], by="mallory"))
    unknown = await refused(stand.share(["bob"], session_id=stand.ids.new()))
    nonsense = await refused(stand.share(["bob"], session_id="nonsense"))
    assert foreign.name == unknown.name == nonsense.name == "SESSION_NOT_FOUND"
    assert foreign.message == unknown.message == nonsense.message


async def test_owner_lists_all_and_a_collaborator_the_own(stand: Stand) -> None:
    first = await stand.share(["bob"], "collaborate")
    stand.clock.advance(seconds=1)
    second = await stand.share(["carol"], by="bob")
    listed = await stand.shares()
    assert [s.share_id for s in listed.shares] == [second.share_id, first.share_id]
    assert [s.shared_by for s in listed.shares] == ["bob", "olga"]
    assert (listed.total_count, listed.page, listed.limit) == (2, 1, 20)
    own = await stand.shares("bob")
    assert [s.share_id for s in own.shares] == [second.share_id]
    assert own.total_count == 1


async def test_list_pages_by_number_and_by_cursor(stand: Stand) -> None:
    made = []
    for number in range(5):
        stand.clock.advance(seconds=number % 2)
        made.append((stand.clock.now(), (await stand.share([f"u{number}"])).share_id))
    expected = [share_id for _, share_id in sorted(made, reverse=True)]
    pages = [[s.share_id for s in (await stand.shares(page=n, limit=2)).shares] for n in (1, 2, 3, 4)]
    assert pages == [expected[:2], expected[2:4], expected[4:], []]
    first = await stand.shares(limit=2)
    stand.clock.advance(seconds=1)
    await stand.share(["late"])
    second = await stand.shares(limit=2, cursor=first.next_cursor)
    third = await stand.shares(limit=2, cursor=second.next_cursor)
    assert [s.share_id for s in (*second.shares, *third.shares)] == expected[2:]
    assert not third.HasField("next_cursor")


async def test_list_shows_what_each_share_is_now(stand: Stand) -> None:
    await stand.share(["a"], expiration=rfc3339(stand.clock.now() + SECOND))
    stand.clock.advance(seconds=2)
    revoked = await stand.share(["b"])
    await stand.revoke(revoked.share_id)
    stand.clock.advance(seconds=1)
    await stand.share(["c"])
    listed = (await stand.shares()).shares
    assert [s.status for s in listed] == [Status.active, Status.revoked, Status.expired]
    assert [s.HasField("revoked_at") for s in listed] == [False, True, False]


async def test_revoking_again_gives_the_same_answer(stand: Stand) -> None:
    made = await stand.share(["bob"])
    first = await stand.revoke(made.share_id)
    assert (first.status, first.revoked_at.ToMicroseconds()) == (Status.revoked, stand.clock.now())
    stand.clock.advance(seconds=9)
    assert await stand.revoke(made.share_id) == first
    assert [e.type for e in await stand.events()] == ["share.created", "share.revoked"]


async def test_who_may_revoke(stand: Stand) -> None:
    bobs = await stand.share(["bob"], "collaborate")
    own = await stand.share(["carol"], by="bob")
    other = await stand.share(["dave"])
    assert (await refused(stand.revoke(other.share_id, "bob"))).name == "SHARE_NOT_FOUND"
    assert (await refused(stand.revoke(other.share_id, "dave"))).name == "SESSION_NOT_ACCESSIBLE"
    assert (await refused(stand.revoke(other.share_id, "mallory"))).name == "SESSION_NOT_FOUND"
    assert (await stand.revoke(own.share_id, "bob")).status == Status.revoked
    assert (await stand.revoke(bobs.share_id, "olga")).status == Status.revoked
    assert (await refused(stand.revoke(bobs.share_id, "bob"))).name == "SESSION_NOT_ACCESSIBLE"


async def test_revoking_what_is_not_there(stand: Stand) -> None:
    made = await stand.share(["bob"])
    other = stand.ids.new()
    stand.neighbours.sessions[other] = Known(owner="olga")
    for share_id, session_id in ((stand.ids.new(), ""), ("nonsense", ""), (made.share_id, other)):
        assert (await refused(stand.revoke(share_id, session_id=session_id))).name == "SHARE_NOT_FOUND"


async def test_reading_tokens_share_and_revoke_nothing(stand: Stand) -> None:
    made = await stand.share(["bob"])
    request = collab_pb2.ShareSessionRequest(session_id=stand.session_id, recipients=["a"], permissions="view")
    assert (await refused(stand.call("olga", "ShareSession", request, scope="read"))).name == "FORBIDDEN"
    revoke = collab_pb2.RevokeShareRequest(session_id=stand.session_id, share_id=made.share_id)
    assert (await refused(stand.call("olga", "RevokeShare", revoke, scope="read"))).name == "FORBIDDEN"
    assert (await stand.open(token_of(made), "bob", scope="read")).share_id == made.share_id


async def test_events_tell_of_shares(stand: Stand) -> None:
    made = await stand.share(["bob", "carol"], "edit")
    await stand.revoke(made.share_id)
    created, revoked = await stand.events()
    assert (created.session_id, created.subject_id, created.version) == (stand.session_id, made.share_id, 1)
    assert (created.actor, created.permissions, created.recipients) == ("olga", "edit", 2)
    assert (revoked.type, revoked.subject_id, revoked.version) == ("share.revoked", made.share_id, 2)


async def test_session_away_is_503_for_everybody(stand: Stand) -> None:
    await stand.neighbours.stop()
    assert (await refused(stand.share(["bob"]))).name == "UNAVAILABLE"
    assert (await refused(stand.share(["bob"], session_id=stand.ids.new()))).name == "UNAVAILABLE"


async def test_a_revocation_acts_on_answers_that_would_be_given_again(stand: Stand) -> None:
    given = await stand.share(["bob"], "collaborate")
    comment = await stand.comment("Hm", by="bob", key="k1")
    shared = await stand.share(["dave"], by="bob", key="k2")
    assert await stand.comment("Hm", by="bob", key="k1") == comment
    assert await stand.share(["dave"], by="bob", key="k2") == shared
    await stand.revoke(given.share_id)
    assert (await refused(stand.comment("Hm", by="bob", key="k1"))).name == "SESSION_NOT_ACCESSIBLE"
    assert (await refused(stand.share(["dave"], by="bob", key="k2"))).name == "SESSION_NOT_ACCESSIBLE"
