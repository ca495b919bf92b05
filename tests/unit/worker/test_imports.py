"""What a worker loads before it is ready."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAVY = ("numpy", "scipy", "statsmodels", "pandas", "sqlalchemy", "alembic", "Stemmer", "protovalidate")


@pytest.mark.parametrize("module", _HEAVY)
def test_heavy_modules_come_after_ready(module: str, loaded: frozenset[str]) -> None:
    assert module not in loaded


def test_engines_come_after_ready(loaded: frozenset[str]) -> None:
    packages = ("research", "analysis", "synthesis", "text")
    assert not [name for name in loaded if name.startswith(tuple(f"worker.engines.{p}" for p in packages))]


def test_a_language_model_comes_with_its_first_question(loaded: frozenset[str]) -> None:
    assert not [name for name in loaded if name.partition(".")[0] in ("openai", "httpx2", "anyio")]
    # What settings and reservations need is all there is of it without an endpoint.
    kept = {"worker.models", "worker.models.settings", "worker.models.allowance"}
    assert {name for name in loaded if name.startswith("worker.models")} == kept


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """Names of the modules that the entry point imports."""
    code = "import sys, worker.__main__; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return frozenset(done.stdout.split())
