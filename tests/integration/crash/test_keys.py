"""A service dies between the commit and the answer, and anywhere else around its commits: a retry with the key has one
effect and one answer, for every RPC that changes something and takes a key."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2

from prsm.options.v1 import options_pb2
from tests.integration.crash.faults import Points
from tests.integration.crash.forks import Died, Forks
from tests.integration.crash.keyed import KEYED, once
from tests.support.migrated import Migrations
from tests.support.stack import ROOT

JOB = "tests.integration.crash.keyed:act"
LEASE_OVER = 6.0
# These die in test_kills.
OF_SESSIONS = {
    f"prsm.session.v1.SessionService/{name}"
    for name in ("CreateSession", "CancelSession", "PauseSession", "ResumeSession")
}


def test_every_rpc_that_changes_something_and_takes_a_key_dies_here() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "gen" / "descriptors.binpb").read_bytes())
    rules = {
        f"{file.package}.{service.name}/{method.name}": method.options.Extensions[options_pb2.rule]
        for file in files.file
        for service in file.service
        for method in service.method
    }
    keyed = {name for name, rule in rules.items() if rule.idempotency_key and not rule.reads}
    assert keyed == set(KEYED) | OF_SESSIONS


@pytest_asyncio.fixture(scope="module")
async def forks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Forks]:
    async with Forks(tmp_path_factory.mktemp("forks")) as made:
        await made.warm_up("tests.integration.crash.keyed:imported")
        yield made


@pytest.mark.parametrize("name", KEYED)
async def test_wherever_its_service_dies(name: str, forks: Forks, migrations: Migrations, tmp_path: Path) -> None:
    async def attempt(deadly: int) -> tuple[Path, list[str]]:
        folder = tmp_path / str(deadly)
        folder.mkdir()
        migrations.file(KEYED[name].package, folder / "file.db")
        where = {"url": f"sqlite:///{folder / 'file.db'}", "folder": str(folder)}
        return folder, await forks.do(JOB, name=name, **where, deadly=deadly)

    _, passed = await attempt(0)
    commits = [number for number, point in enumerate(passed, 1) if "the commit" in point]
    assert len(commits) >= 4
    for deadly in commits:
        with pytest.raises(Died) as died:
            await attempt(deadly)
        assert died.value.signal == signal.SIGKILL, str(died.value)
        folder = tmp_path / str(deadly)
        answers, effects = await once(
            name, f"sqlite:///{folder / 'file.db'}", str(folder), Points(), seconds=LEASE_OVER
        )
        assert effects == 1, passed[deadly - 1]
        assert answers[0] == answers[1]
