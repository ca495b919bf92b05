"""Creating, in every order of the steps of requests with one key, of the sweeper, the clock and the money.

After each step everybody may die: what is stored must be sound, and a sweep and the client's retry hours later must
bring it to a sound end, also when a call that was lost arrives only then.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, delete, update

from services.session.ports import Creation
from services.session.repository.creations import CreationRepository
from services.session.tables import creations
from services.session.usecases.create_session import CreateSession
from tests.integration.crash.creating import CreationWorld, Plot
from tests.integration.crash.exploring import Explored, Violation, explore
from tests.integration.crash.models import Ledger, Store

PLOTS = {
    "two requests": Plot(2, jumps=(6,)),
    "two requests, the money comes": Plot(2, jumps=(6,), money="comes"),
    "two requests, the money goes": Plot(2, jumps=(6,), money="goes"),
    "two requests and the sweeper": Plot(2, sweeps=1, jumps=(130,), money="comes with the jump"),
    "two requests, a lost answer": Plot(2, jumps=(6,), loses=True),
    "a call is repeated on the way, the money comes": Plot(1, sweeps=1, money="comes", loses=True, repeats=True),
    "a request without a key": Plot(1, sweeps=1, jumps=(130,), money="comes", keyless=True),
    "a request, the sweeper and a lost answer": Plot(1, sweeps=1, jumps=(130,), loses=True),
    "a request and the sweeper, the money comes": Plot(1, sweeps=1, jumps=(130,), money="comes"),
    "a request and the sweeper, the clock is set back": Plot(1, sweeps=1, jumps=(-86400,)),
}


async def _explore(plot: Plot) -> Explored:
    store, mended = Store(), set[Hashable]()
    return await explore(lambda: CreationWorld(store, plot, mended))


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())
async def test_every_order_of_steps(plot: Plot) -> None:
    explored = await _explore(plot)
    # More than one end: the orders make a difference, and somebody gets his session.
    told = {outcome for end in explored.ends for outcome in end}
    assert len(explored.ends) > 1 or plot.loses
    assert "H Created" in told or plot.loses


_c = creations.c


def _by_key(creation: Creation) -> tuple[Any, ...]:
    return (_c.principal == creation.principal, _c.method == creation.method, _c.key == creation.key)


def forget_by_key(_: object, db: Connection, creation: Creation) -> None:
    db.execute(delete(creations).where(*_by_key(creation)))


def finish_by_key(_: object, db: Connection, creation: Creation, answer: str) -> bool:
    finished = update(creations).where(*_by_key(creation), _c.state == "pending").values(state="done", response=answer)
    return db.execute(finished).rowcount == 1


def finish_what_was_given_up(_: object, db: Connection, creation: Creation, answer: str) -> bool:
    return db.execute(update(creations).where(*_by_key(creation)).values(state="done", response=answer)).rowcount == 1


MUTANTS: dict[str, tuple[Callable[..., Any], str]] = {
    "forgets by key": (forget_by_key, "aborted"),
    "finishes by key": (finish_by_key, "finish"),
    "finishes what was given up": (finish_what_was_given_up, "finish"),
}


@pytest.mark.parametrize(("mutant", "method"), MUTANTS.values(), ids=MUTANTS.keys())
async def test_an_order_is_found_that_breaks_it(
    mutant: Callable[..., Any], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exploration finds what it looks for: with one condition less, some order does harm."""
    monkeypatch.setattr(CreationRepository, method, mutant)
    with pytest.raises(Violation):
        await _explore(PLOTS["two requests and the sweeper"])


async def test_an_order_is_found_in_which_inputs_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a refused request discarded its inputs before it knew that nobody had gone on with it."""
    refuse = CreateSession._refuse

    async def discards_first(self: CreateSession, creation: Creation, *rest: Any) -> Any:
        await self._library.discard(creation.session_id, creation.principal)
        return await refuse(self, creation, *rest)

    monkeypatch.setattr(CreateSession, "_refuse", discards_first)
    with pytest.raises(Violation, match="has lost its inputs"):
        await _explore(PLOTS["two requests, the money comes"])


async def test_an_order_is_found_in_which_money_stays_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tombstone for a hold that may still come."""
    take_back = CreateSession._take_back

    async def trusting(self: CreateSession, creation: Creation, *rest: Any) -> None:
        await take_back(self, replace(creation, takeovers=0), *rest)

    monkeypatch.setattr(CreateSession, "_take_back", trusting)
    with pytest.raises(Violation, match="held for nothing"):
        await _explore(PLOTS["two requests, the money comes"])


async def test_an_order_is_found_in_which_a_repeated_call_is_held_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without billing's tombstone for a call that was refused when it was sent again."""
    place = Ledger._place
    monkeypatch.setattr(Ledger, "_place", lambda self, hold_id, **_: place(self, hold_id))
    with pytest.raises(Violation, match="held for nothing"):
        await _explore(PLOTS["a call is repeated on the way, the money comes"])
