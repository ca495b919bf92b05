"""Every check finds the faults that are planted for it. Those that need more than Python: `make lint-deploy`."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.checks.model import Release
from deploy.checks.registry import FILES, MANIFESTS
from deploy.checks.seeds import Seed, bites, planted, seeds

_TOOLS = ("checkov", "compose", "rules")
_HERE = [seed for seed in seeds() if seed.check not in _TOOLS]


@pytest.mark.parametrize("seed", _HERE, ids=[f"{seed.check}: {seed.name}" for seed in _HERE])
def test_a_planted_fault_is_found(releases: dict[str, Release], seed: Seed, tmp_path: Path) -> None:
    assert bites(seed, releases, tmp_path) == ""


def test_no_check_is_without_a_seed() -> None:
    assert {seed.check for seed in seeds()} == {*MANIFESTS, *FILES, "checkov"}


def test_a_seed_that_changes_nothing_is_refused(releases: dict[str, Release]) -> None:
    nowhere = ({"op": "remove", "path": "/spec"},)
    seed = Seed("lost", "probes", "base", "anything", resource="Deployment/nobody", patch=nowhere)
    with pytest.raises(ValueError, match="planted in no resource"):
        planted(seed, releases["base"])


def test_a_check_that_does_not_bite_is_named(releases: dict[str, Release], tmp_path: Path) -> None:
    harmless = ({"op": "add", "path": "/metadata/labels/harmless", "value": "yes"},)
    seed = Seed("harmless", "probes", "base", "anything", resource="Deployment/session", patch=harmless)
    assert bites(seed, releases, tmp_path) == "probes finds nothing wrong with: harmless"
