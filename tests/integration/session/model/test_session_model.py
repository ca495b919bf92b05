"""The session service against a pure model of it, on SQLite and on PostgreSQL.

As part of all tests it is short, and the same every time. To let it run for long, on other paths each time:

    MODEL_EXAMPLES=3000 MODEL_STEPS=80 python -m pytest -o timeout=0 tests/integration/session/model --hypothesis-seed=7

A long run tells what fails as a short sequence of steps, and takes up to five minutes more for that. MODEL_STRICT=1:
everything is read after each command.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from kit.db.database import Database
from tests.integration.session.model.figures import SETTINGS
from tests.integration.session.model.floor import Floor
from tests.integration.session.model.machine import Machine
from tests.integration.session.stand import Stand
from tests.support.migrated import Migrations

LONG = "MODEL_EXAMPLES" in os.environ
PROFILE = settings(
    max_examples=int(os.environ.get("MODEL_EXAMPLES", "8")),
    stateful_step_count=int(os.environ.get("MODEL_STEPS", "40")),
    derandomize=not LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
)


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What was logged as an error: whatever the service swallows, it must not go unnoticed."""
    found: list[str] = []

    def keep(_logger: Any, method: str, event: MutableMapping[str, Any]) -> NoReturn:
        if method in ("error", "critical"):
            found.append(repr(dict(event)))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, keep],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    yield found
    structlog.configure(**before)


@pytest.fixture
def randomness() -> Random:
    return Random(0)


@pytest.fixture
async def modelled(db: Database, tmp_path: Path, faults: list[str], randomness: Random) -> AsyncIterator[Stand]:
    """The served service with the model's figures; its ids are the same in every run."""
    stand = Stand(db, tmp_path, randomness=randomness.randbytes, **SETTINGS)
    await stand.start()
    yield stand
    await stand.stop()


async def test_the_service_does_what_the_model_does(
    modelled: Stand, migrations: Migrations, randomness: Random, faults: list[str]
) -> None:
    class SessionModel(Machine):
        floor = Floor(modelled, migrations, randomness, faults, strict="MODEL_STRICT" in os.environ)

    await asyncio.to_thread(run_state_machine_as_test, SessionModel, settings=PROFILE)
