"""The last attempt of a session that was lost before is made alone on a worker."""

from __future__ import annotations

from sqlalchemy import update

from services.session.tables import sessions
from tests.integration.session.stand import Stand, pb, wpb


async def lost_twice(stand: Stand, owner: str = "ada") -> str:
    session_id = await stand.create(owner)
    for _ in range(2):
        claim = await stand.claim("w0")
        assert claim is not None
        assert (claim.lease.session_id, claim.alone) == (session_id, False)
        await stand.sweep(17)
    return session_id


async def test_failures_that_a_worker_survives_part_nobody(stand: Stand) -> None:
    await stand.create()
    for number in range(3):
        claim = await stand.claim(f"w{number}", in_hand=1)
        assert claim is not None
        assert not claim.alone
        await stand.work("Fail", wpb.FailRequest(lease=claim.lease, code="boom", retryable=True, ours=True))


async def test_the_last_attempt_after_a_loss_is_for_a_free_worker(stand: Stand) -> None:
    suspect = await lost_twice(stand)
    other = await stand.create("bob")
    claim = await stand.claim("w1", in_hand=1)
    assert claim is not None
    assert (claim.lease.session_id, claim.alone) == (other, False)
    assert await stand.claim("w2", in_hand=1) is None
    claim = await stand.claim("w2")
    assert claim is not None
    assert (claim.lease.session_id, claim.alone) == (suspect, True)


async def test_an_owners_own_sessions_do_not_overtake_it(stand: Stand) -> None:
    await lost_twice(stand)
    stand.clock.advance(seconds=1)
    await stand.create("ada")
    assert await stand.claim("w1", in_hand=1) is None
    assert (await stand.claim("w1")).alone  # type: ignore[union-attr]


async def test_the_least_busy_worker_is_asked_to_empty_itself(stand: Stand) -> None:
    for _ in range(6):
        await stand.create("eve")
    for worker in ("w1", "w1", "w2", "w2", "w2"):
        assert await stand.claim(worker) is not None
    for owner in ("ada", "bob"):
        await stand.create(owner)
        while (claim := await stand.claim("w0")) is not None and claim.owner != owner:
            await stand.work("Release", wpb.ReleaseRequest(lease=claim.lease))
        assert claim is not None
        await stand.work("Fail", wpb.FailRequest(lease=claim.lease, code="boom", retryable=True, ours=True))
    await stand.db.write(
        lambda db: db.execute(update(sessions).where(sessions.c.failures == 1).values(failures=2, losses=1))
    )
    assert await asked(stand) == {"w1"}
    # One of the two found a free worker; the other one still waits for its own.
    assert (await stand.claim("w3")).alone  # type: ignore[union-attr]
    assert await asked(stand) == {"w1"}
    assert (await stand.claim("w1")).alone  # type: ignore[union-attr]
    assert await asked(stand) == set()


async def test_a_worker_that_is_always_busy_with_other_engines_is_asked_too(stand: Stand) -> None:
    """One with work of another engine without end would otherwise never have nothing in hand."""
    suspect = await lost_twice(stand)
    for _ in range(6):
        await stand.create("eve", preferences=pb.Preferences(engine="fixed"))
    # One that has less in hand never asks for what waits.
    for worker in ("f1", "w1", "w1", "w2", "w2"):
        assert await stand.claim(worker, ("fixed",)) is not None
    assert (await stand.ask("w1", in_hand=2)).empty_first
    # One is enough.
    assert not (await stand.ask("w2", ("research",), in_hand=2)).empty_first
    assert (await stand.ask("w1", ("research",), in_hand=1)).empty_first
    claim = await stand.claim("w1")
    assert claim is not None
    assert (claim.lease.session_id, claim.alone) == (suspect, True)


async def asked(stand: Stand) -> set[str]:
    """Who of the busy ones is told to empty itself; whoever is given something hands it back."""
    told = set()
    # The first one may be given what others have queued; then it is the turn of those that must be alone.
    for worker in ("w2", "w1", "w2", "w3"):
        found = await stand.ask(worker, in_hand=2)
        if found.empty_first:
            told.add(worker)
        if found.HasField("claim"):
            assert not found.claim.alone
            await stand.work("Release", wpb.ReleaseRequest(lease=found.claim.lease))
    return told
