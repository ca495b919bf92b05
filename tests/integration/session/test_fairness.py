"""However much one owner asks for, another one's first session starts within two claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, update

from kit.db.database import Database
from services.session.tables import counters, lanes, sessions
from tests.integration.session.stand import STAGES, Stand, pb, wpb

MANY = 1000
BOTH = ("research", "fixed")


@pytest.fixture
async def open_stand(db: Database, tmp_path: Path) -> AsyncIterator[Stand]:
    """The served service; workers may hold any number of an owner's sessions."""
    stand = Stand(db, tmp_path, owner_cap=10_000)
    stand.books.balance = 10**15
    stand.books.quota = 10**6
    await stand.start()
    yield stand
    await stand.stop()


async def queue(stand: Stand, owner: str, count: int, engines: Sequence[str] = ("research",)) -> None:
    """Queue many sessions of an owner for each engine: one as a client does, the others as its copies."""
    for engine in engines:
        template = await stand.create(owner, preferences=pb.Preferences(engine=engine))

        def copy(db: Connection, template: str = template, engine: str = engine) -> None:
            row = db.execute(select(sessions).where(sessions.c.session_id == template)).one()._mapping
            copies = [{**row, "session_id": stand.ids.new()} for _ in range(count // len(engines) - 1)]
            if not copies:
                return
            db.execute(insert(sessions), copies)
            mine = (counters.c.owner == owner, counters.c.status == "queued")
            more = {"count": counters.c["count"] + len(copies), "held": counters.c.held + len(copies) * row["held"]}
            db.execute(update(counters).where(*mine).values(more))
            lane = (lanes.c.owner == owner, lanes.c.engine == engine)
            db.execute(update(lanes).where(*lane).values(queued=lanes.c.queued + len(copies)))

        await stand.db.write(copy)


async def claims(stand: Stand, count: int, engines: tuple[str, ...] = BOTH) -> list[wpb.Claim]:
    found = [await stand.claim(f"w{number}", engines) for number in range(count)]
    return [claim for claim in found if claim is not None]


async def owners(stand: Stand, count: int, engines: tuple[str, ...] = BOTH) -> list[str]:
    return [claim.owner for claim in await claims(stand, count, engines)]


async def test_a_newcomer_starts_within_two_claims_of_a_thousand(open_stand: Stand) -> None:
    stand = open_stand
    await queue(stand, "hog", MANY)
    assert await owners(stand, 5) == ["hog"] * 5
    for newcomer in ("ada", "zoe"):  # whatever comes first by name
        await stand.create(newcomer)
        assert newcomer in await owners(stand, 2)
    # Late as well as early, and again and again.
    stand.clock.advance(seconds=3600)
    await owners(stand, 10)
    for _ in range(3):
        await stand.create("ada")
        assert "ada" in await owners(stand, 2)


async def test_a_newcomer_starts_at_once_where_no_claim_was_yet(open_stand: Stand) -> None:
    await queue(open_stand, "hog", 50)
    await open_stand.create("zoe")
    assert "zoe" in await owners(open_stand, 2)


async def test_with_several_engines_in_whatever_order_they_are_asked_for(open_stand: Stand) -> None:
    stand = open_stand
    await queue(stand, "hog", MANY, BOTH)
    await owners(stand, 7, ("research",))
    await owners(stand, 2, ("fixed",))
    for engine, asked in (("fixed", BOTH), ("research", ("fixed", "research")), ("research", ("research",))):
        await stand.create("ada", preferences=pb.Preferences(engine=engine))
        assert "ada" in await owners(stand, 2, asked)
        await stand.create("zoe", preferences=pb.Preferences(engine=engine))
        assert "zoe" in await owners(stand, 2, asked)


async def test_being_served_at_one_engine_is_neither_gain_nor_loss_at_another(open_stand: Stand) -> None:
    stand = open_stand
    await queue(stand, "hog", 50, ("fixed",))
    await queue(stand, "ada", 20, ("research",))
    assert set(await owners(stand, 3, ("fixed",))) == {"hog"}
    await queue(stand, "ada", 5, ("fixed",))
    taken: list[str] = []
    for _ in range(4):
        # Ada's other work goes on all the time, and would have her last in every line that counts turns together.
        assert await owners(stand, 3, ("research",)) == ["ada"] * 3
        taken += await owners(stand, 1, ("fixed",))
    assert sorted(taken) == ["ada", "ada", "hog", "hog"]


async def test_a_worker_of_several_engines_gives_an_owner_one_turn_and_not_one_for_each(open_stand: Stand) -> None:
    stand = open_stand
    await queue(stand, "hog", 40, BOTH)
    await owners(stand, 3)
    for newcomer in ("ada", "zoe"):
        await stand.create(newcomer)
        assert newcomer in await owners(stand, 2)


async def test_of_an_owners_own_lanes_the_one_that_waits_longest_is_first(open_stand: Stand) -> None:
    stand = open_stand
    for engine in ("research", "fixed", "research", "fixed"):
        await queue(stand, "hog", 4, (engine,))
        stand.clock.advance(seconds=1)
    taken = [claim.engine for claim in await claims(stand, 10)]
    assert taken == ["research"] * 4 + ["fixed"] * 4 + ["research"] * 2


async def test_with_several_hogs_each_goes_before_a_newcomer_once_at_most(open_stand: Stand) -> None:
    stand = open_stand
    hogs = [f"hog{number}" for number in range(5)]
    for hog in hogs:
        await queue(stand, hog, MANY // len(hogs), BOTH)
    await owners(stand, 13)
    await stand.create("zoe")
    first = await owners(stand, len(hogs) + 1)
    assert "zoe" in first
    assert max(Counter(first[: first.index("zoe")]).values(), default=0) <= 1


async def test_no_hog_starves_while_newcomers_come_and_come(open_stand: Stand) -> None:
    """There are more and more newcomers than claims, and still the hog is served now and then."""
    stand = open_stand
    await queue(stand, "hog", 20)
    assert await owners(stand, 1) == ["hog"]
    waited = []
    for number in range(8):
        await stand.create(f"guest{number}a")
        await stand.create(f"guest{number}b")
        waited += await owners(stand, 1)
    assert "hog" in waited[:3]
    # Those who came meanwhile are served once each, before the hog's turns come one after another.
    rest = await owners(stand, 40)
    guests = [owner for owner in waited + rest if owner != "hog"]
    assert len(guests) == len(set(guests)) == 16
    assert len(waited + rest) == 19 + 16


async def test_between_owners_with_much_to_do_turns_are_equal(open_stand: Stand) -> None:
    stand = open_stand
    await queue(stand, "hog", 60)
    await queue(stand, "ada", 20)
    await queue(stand, "zoe", 20, ("fixed",))
    taken = Counter(await owners(stand, 30))
    assert max(taken.values()) - min(taken.values()) <= 1


async def test_a_hog_at_its_cap_leaves_the_turn_to_others(stand: Stand) -> None:
    cap = stand.settings.owner_cap
    await queue(stand, "hog", 40)
    held = await claims(stand, cap + 3)
    assert [claim.owner for claim in held] == ["hog"] * cap
    await queue(stand, "ada", 3)
    assert await owners(stand, 5) == ["ada"] * 3
    # What the cap kept waiting goes on as soon as there is room, and a newcomer is not behind it.
    for claim in held[:4]:
        await stand.work("Release", wpb.ReleaseRequest(lease=claim.lease))
    await queue(stand, "zoe", 1)
    first = await owners(stand, 2)
    assert sorted(first) == ["hog", "zoe"]


async def test_resuming_many_paused_sessions_is_no_way_past_others(open_stand: Stand) -> None:
    stand = open_stand
    await queue(stand, "hog", 40)
    paused = await claims(stand, 12)
    for claim in paused:
        stages = [wpb.StagePlan(stage=stage, weight=1) for stage in STAGES]
        await stand.work("Start", wpb.StartRequest(lease=claim.lease, stages=stages))
        await stand.call("hog", "PauseSession", pb.PauseSessionRequest(session_id=claim.lease.session_id))
    await stand.create("ada")
    for claim in paused:
        await stand.call("hog", "ResumeSession", pb.ResumeSessionRequest(session_id=claim.lease.session_id))
    await stand.create("zoe")
    first = await owners(stand, 4)
    assert "ada" in first[:2]
    assert "zoe" in first[:4]
    assert first.count("hog") <= 2


async def test_work_that_comes_back_is_not_put_before_what_waits(open_stand: Stand) -> None:
    """A hog whose sessions are handed back again and again takes its turns like everybody else."""
    stand = open_stand
    await queue(stand, "hog", 20)
    await queue(stand, "ada", 6)
    taken: Counter[str] = Counter()
    for _ in range(12):
        for claim in await claims(stand, 1):
            taken[claim.owner] += 1
            if claim.owner == "hog":
                await stand.work("Release", wpb.ReleaseRequest(lease=claim.lease))
    assert taken == {"hog": 6, "ada": 6}
