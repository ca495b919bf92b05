"""The checker finds what it is for: each safeguard of the product is taken away once, and the same run is judged with
it and without."""

from __future__ import annotations

import pytest

from tests.chaos.conftest import Make
from tests.chaos.mutants import MUTANTS
from tests.chaos.trials import TRIALS

_PATIENCE = 20.0
_STILL = 1.0
"""Seconds after which what is wrong must be wrong still: what was only on its way has arrived by then."""


def test_each_fault_has_a_trial() -> None:
    assert set(TRIALS) == set(MUTANTS)


@pytest.mark.parametrize("name", TRIALS)
async def test_nothing_is_wrong_with_the_product_as_it_is(name: str, make_world: Make) -> None:
    trial = TRIALS[name]
    async with make_world(trial.database) as world:
        await trial.run(world)
        verdict = await world.verdict(lambda found: found.ok, _PATIENCE)
    assert verdict.ok, verdict.problems
    assert trial.rules <= set(verdict.checked)


@pytest.mark.parametrize("name", TRIALS)
async def test_the_fault_is_found(name: str, make_world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = TRIALS[name]
    MUTANTS[name](monkeypatch.setattr)
    async with make_world(trial.database) as world:
        await trial.run(world)
        await world.verdict(lambda found: bool(found.rules & trial.rules), _PATIENCE)
        verdict = await world.verdict(lambda found: found.ok, _STILL)
    assert verdict.rules & trial.rules, verdict.problems
