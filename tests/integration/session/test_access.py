"""Who may do what, and that nothing is told to strangers."""

from __future__ import annotations

from typing import Any

import pytest

from kit.errors import PrsmError
from kit.levels import Level
from tests.integration.session.stand import Stand, pb, wpb
from tests.support.serving import answer

UNKNOWN = "01890000-0000-7000-8000-000000000000"
CALLS: dict[str, tuple[Any, Level]] = {
    "GetSession": (pb.GetSessionRequest, Level.VIEW),
    "GetSessionMetrics": (pb.GetSessionMetricsRequest, Level.VIEW),
    "GetSessionHistory": (pb.GetSessionHistoryRequest, Level.VIEW),
    "PauseSession": (pb.PauseSessionRequest, Level.EDIT),
    "ResumeSession": (pb.ResumeSessionRequest, Level.EDIT),
    "CancelSession": (pb.CancelSessionRequest, Level.COLLABORATE),
}
STATES = {"PauseSession": "SESSION_CANNOT_BE_PAUSED", "ResumeSession": "SESSION_CANNOT_BE_RESUMED"}


async def outcome(stand: Stand, user: str, method: str, session_id: str) -> tuple[str, str | None]:
    try:
        await stand.call(user, method, CALLS[method][0](session_id=session_id))
    except PrsmError as error:
        return error.name, error.message
    return "OK", None


@pytest.mark.parametrize("method", CALLS)
async def test_levels(stand: Stand, method: str) -> None:
    session_id = await stand.create()
    for level in (Level.VIEW, Level.EDIT, Level.COLLABORATE):
        stand.shares.share(session_id, "bob", level)
        name, _ = await outcome(stand, "bob", method, session_id)
        allowed = level >= CALLS[method][1]
        assert name == (STATES.get(method, "OK") if allowed else "SESSION_NOT_ACCESSIBLE")


@pytest.mark.parametrize("method", CALLS)
async def test_a_stranger_is_told_what_is_told_of_an_unknown_id(stand: Stand, method: str) -> None:
    session_id = await stand.create()
    answers = {await outcome(stand, "eve", method, id_) for id_ in (session_id, UNKNOWN, "nonsense", "\u2028")}
    assert answers == {("SESSION_NOT_FOUND", "The specified session does not exist")}


@pytest.mark.parametrize("method", CALLS)
async def test_a_revoked_share(stand: Stand, method: str) -> None:
    session_id = await stand.create()
    stand.shares.revoke(session_id, "bob")
    assert (await outcome(stand, "bob", method, session_id))[0] == "SESSION_NOT_ACCESSIBLE"


async def test_collab_away_is_the_same_for_known_and_unknown_ids(stand: Stand) -> None:
    session_id = await stand.create()
    stand.shares.away = True
    assert (await outcome(stand, "eve", "GetSession", session_id))[0] == "UNAVAILABLE"
    assert (await outcome(stand, "eve", "GetSession", UNKNOWN))[0] == "UNAVAILABLE"
    assert (await outcome(stand, "ada", "GetSession", session_id))[0] == "OK"


async def test_the_actor_is_who_acted(stand: Stand) -> None:
    session_id = await stand.create()
    stand.shares.share(session_id, "bob", Level.COLLABORATE)
    await stand.call("bob", "CancelSession", pb.CancelSessionRequest(session_id=session_id, reason="No more"))
    last = (await stand.history(session_id))["timeline"][-1]
    assert (last["type"], last["actor"], last["detail"]) == ("session.cancelled", "bob", {"reason": "No more"})


async def test_users_never_open_internal_methods(stand: Stand) -> None:
    metadata = stand.identities.user_metadata("ada", scope="admin")
    request = wpb.ClaimNextRequest(worker_id="w", engines=["research"])
    with pytest.raises(PrsmError) as error:
        await answer(stand.workers.ClaimNext(request, metadata=metadata, timeout=60))
    assert error.value.name == "UNAVAILABLE"  # how an internal client names a credential that was refused


async def test_a_revocation_acts_on_answers_that_would_be_given_again(stand: Stand) -> None:
    session_id = await stand.create()
    await stand.started()
    stand.shares.share(session_id, "bob", Level.COLLABORATE)
    key = ("idempotency-key", "k1")
    done = {
        method: await stand.call("bob", method, CALLS[method][0](session_id=session_id), key)
        for method in ("PauseSession", "ResumeSession", "CancelSession")
    }
    for method, answered in done.items():
        assert await stand.call("bob", method, CALLS[method][0](session_id=session_id), key) == answered
    stand.shares.share(session_id, "bob", Level.VIEW)
    for method in done:
        with pytest.raises(PrsmError) as error:
            await stand.call("bob", method, CALLS[method][0](session_id=session_id), key)
        assert error.value.name == "SESSION_NOT_ACCESSIBLE"
    stand.shares.away = True
    with pytest.raises(PrsmError) as error:
        await stand.call("bob", "CancelSession", CALLS["CancelSession"][0](session_id=session_id), key)
    assert error.value.name == "UNAVAILABLE"
