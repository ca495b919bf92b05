"""Fixtures that every suite shares: a real PostgreSQL, and databases that are new for each test."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.support.databases import PostgresCluster, drop_database, fresh_database
from tests.support.rest import People
from tests.support.scratch import keep_in_memory
from tests.support.stack import RunningStack, behind_envoy, running_stack

# The same examples in every run, however busy the machine is. `--hypothesis-profile=default` looks for others.
settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

# Hundreds of processes are started, and each would compile what it loads anew: a fifth of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# As in the worker's processes: threads that wait for each other's parts of small matrices only burn time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

keep_in_memory()

# Thousands of tests are collected, and stay: walking through them again and again took a third of the collecting.
gc.disable()

_LONGEST_NAME = 60

_STARTED_ONCE = {"stack": "stack", "backend": "edges", "run": "telemetry", "furnished": "furnished"}
"""Fixtures that one process makes for all, and what their tests are called together."""


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL server of this test run's own, stopped at its end."""
    # Not under pytest's folder: another run's start closes that to the user the server runs as when we are root.
    with tempfile.TemporaryDirectory(prefix="prsm-postgres-", ignore_cleanup_errors=True) as folder:
        cluster = PostgresCluster(Path(folder) / "data")
        yield cluster
        cluster.stop()


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    url = fresh_database(postgres_cluster)
    yield url
    drop_database(postgres_cluster, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; each test that asks for it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest_asyncio.fixture(scope="session")
async def stack() -> AsyncIterator[RunningStack]:
    """The whole product, started once for a test run."""
    with tempfile.TemporaryDirectory(prefix="prsm-stack-", ignore_cleanup_errors=True) as folder:
        async with running_stack(Path(folder)) as running:
            yield running


@pytest_asyncio.fixture(scope="session")
async def fronted(stack: RunningStack) -> AsyncIterator[RunningStack]:
    """The same stack, seen through the real Envoy instead of the gateway."""
    with tempfile.TemporaryDirectory(prefix="prsm-envoy-", ignore_cleanup_errors=True) as folder:
        async with behind_envoy(stack, Path(folder)) as running:
            yield running


@pytest_asyncio.fixture(scope="session")
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Sends requests for all people."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as client:
        yield client


@pytest_asyncio.fixture(scope="session")
async def people(stack: RunningStack, client: aiohttp.ClientSession) -> People:
    """Makes users of the stack."""
    return People(stack, client)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Processes that share the work load a part of the tests each before they collect: rewriting the assertions takes
    longer than all else about a module, and what one of them has rewritten the others find."""
    shared = getattr(session.config, "workerinput", None)
    if shared is None:
        return
    given = (Path(name.partition("::")[0]).absolute() for name in session.config.args)
    files = sorted({file for path in given for file in (path.rglob("test_*.py") if path.is_dir() else (path,))})
    for file in files[int(shared["workerid"].removeprefix("gw")) :: shared["workercount"]]:
        # A module that cannot be loaded is told when it is collected.
        with suppress(Exception):
            import_module(".".join(file.relative_to(session.config.rootpath).with_suffix("").parts))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Values that are too long to name a test are counted: what was zipped this second is other bytes in the next
    process, and all processes must give a test the same name."""
    return argname if isinstance(val, bytes | str) and len(val) > _LONGEST_NAME else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """From here on what tests leave behind is collected; what is there now stays as it is."""
    if session.config.getoption("loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        # Nothing else would tell: every process would start every stack.
        raise pytest.UsageError("this pytest does not let pytest-xdist keep the tests of a group together")
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Which tests stay together when several processes share the work: those of one file, as a module's fixtures are
    made once, and all files that use something that takes long to start."""
    used: dict[Path, set[str]] = {}
    for item in items:
        used.setdefault(item.path, set()).update(getattr(item, "fixturenames", ()))
    for item in items:
        shared = sorted(group for fixture, group in _STARTED_ONCE.items() if fixture in used[item.path])
        group = shared[0] if shared else str(item.path.relative_to(item.config.rootpath))
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many cases of the contract passed through each edge."""
    passed, total = Counter[str](), Counter[str]()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            edge = dict(getattr(report, "user_properties", ())).get("edge")
            # What fails before or after its call is counted for that, and never as passed.
            if edge is not None and (report.when == "call" or report.failed):
                total[str(edge)] += 1
                passed[str(edge)] += report.passed
    if total:
        terminalreporter.section("REST contract: cases passed, of total")
        for edge in sorted(total, reverse=True):
            terminalreporter.write_line(f"through the {edge:<8} {passed[edge]:>5} of {total[edge]:>5}")
