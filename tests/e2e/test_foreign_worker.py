"""The example worker under examples/worker-grpc, as a process that has nothing but stubs, against the running stack."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from packaging.requirements import Requirement

from kit.auth.internal import InternalSigner
from kit.auth.keys import create_key, load_key, write_jwks
from kit.times import SystemClock
from tests.e2e.lab import digest, money
from tests.support.processes import ending
from tests.support.rest import API, PATIENCE, Api, People
from tests.support.stack import GLOSSARY, ROOT, RunningStack

EXAMPLE = ROOT / "examples" / "worker-grpc"
TEXTS = {
    "Ocean": "The sea surface temperature (SST) rises. A gyre is a large system of rotating ocean currents. So it is.",
    "Air": "Ozone is a gas of three oxygen atoms. It is a gas that nobody defines here.",
    "Sea": "A gyre is the circular flow that winds drive. “Räume” stay whole. A fjord is a narrow inlet of the sea.",
}
OWN_MODULES = frozenset({"kit", "services", "worker", "gateway", "cli", "tests", "tools", "deploy", "bench", "eval"})


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stubs in a folder of their own, generated as the example says."""
    target = tmp_path_factory.mktemp("stubs")
    environment = {**os.environ, "PYTHON": sys.executable, "DESCRIPTORS": str(ROOT / "gen" / "descriptors.binpb")}
    subprocess.run([EXAMPLE / "generate.sh", target], check=True, env=environment, timeout=60)
    return target


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages that the example's requirements name and need, and with no other."""
    folder = tmp_path_factory.mktemp("packages")
    waiting = (EXAMPLE / "requirements.txt").read_text().split()
    seen = set()
    while waiting:
        wanted = Requirement(waiting.pop())
        if wanted.name in seen or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        seen.add(wanted.name)
        found = distribution(wanted.name)
        waiting += found.requires or []
        for top in {file.parts[0] for file in found.files or []} - {".."}:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
    return folder


def alone(stubs: Path, packages: Path) -> dict[str, str]:
    """An environment whose path holds the stubs, the example and its packages; with `-S`, no `.pth` file adds to it."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (stubs, EXAMPLE, packages)))}


class Worker:
    """The example as a process; its lines say how each attempt ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ended(self) -> tuple[str, int, str]:
        """The next attempt that ended: session, epoch, how."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = (await self.process.stdout.readline()).decode()
        found = re.fullmatch(r"(\S+) epoch (\d+) (\w+)\n", line)
        assert found, f"it said {line!r}"
        return found[1], int(found[2]), found[3]


@asynccontextmanager
async def working(
    stack: RunningStack, path: dict[str, str], *arguments: str, identity: Sequence[str] = ()
) -> AsyncIterator[Worker]:
    """Started with the stack's own worker key, if no other identity is given."""
    targets = [item for name in ("session", "results", "library") for item in (f"--{name}", stack.endpoints[name])]
    shown = identity or ("--key", str(stack.data.internal_key("worker")))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(ROOT / "cli" / "child.py"), str(os.getpid())),
        *(sys.executable, "-P", "-S", str(EXAMPLE / "worker.py"), *targets, *shown, "--poll", "0.1", *arguments),
        cwd="/",
        env=path,
        stdout=asyncio.subprocess.PIPE,
    )
    async with ending(process, PATIENCE):
        yield Worker(process)


async def library(people: People) -> Api:
    api = people.new()
    for title, text in TEXTS.items():
        await api.add_document(title, text)
    return api


async def ask(api: Api) -> str:
    return await api.create("Which terms do these documents define?", preferences={"engine": GLOSSARY})


def test_it_imports_nothing_of_this_repository_but_stubs() -> None:
    """Modules of `prsm` are what the protos generate."""
    found = set()
    for path in EXAMPLE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    own = {path.stem for path in EXAMPLE.glob("*.py")}
    assert own == {"glossary", "platform_client", "worker"}
    assert not [name for name in found if name.partition(".")[0] in OWN_MODULES - own]
    stubs = {name for name in found if name.startswith("prsm.")}
    assert stubs
    assert all(name.rpartition(".")[2].endswith(("_pb2", "_pb2_grpc")) for name in stubs)


def test_it_runs_on_its_stubs_and_its_requirements_alone(stubs: Path, packages: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util, json, worker, prsm, buf; "
        f"own = [name for name in {sorted(OWN_MODULES - {'worker'})!r} if importlib.util.find_spec(name)]; "
        "print(json.dumps([[*prsm.__path__, *buf.__path__], worker.__file__, own]))"
    )
    command = [sys.executable, "-P", "-S", "-c", code]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=tmp_path, env=alone(stubs, packages), timeout=60
    )
    paths = [str(stubs / "prsm"), str(stubs / "buf")]
    assert json.loads(done.stdout) == [paths, str(EXAMPLE / "worker.py"), []]


@pytest.fixture
def path(stubs: Path, packages: Path) -> dict[str, str]:
    return alone(stubs, packages)


async def test_a_session_is_run_billed_and_read(stack: RunningStack, people: People, path: dict[str, str]) -> None:
    api = await library(people)
    session_id = await ask(api)
    async with working(stack, path) as worker:
        assert await worker.ended() == (session_id, 1, "completed")
    answer = await api.get(f"/sessions/{session_id}/results")
    assert answer["summary"] == "4 terms are defined in 3 documents."
    (terms,) = answer["results"]["sections"]
    assert sorted(claim["text"] for claim in terms["claims"]) == [
        "A fjord is a narrow inlet of the sea.",
        "A gyre is a large system of rotating ocean currents.",
        "Ozone is a gas of three oxygen atoms.",
        "sea surface temperature (SST)",
    ]
    assert len(answer["citations"]) == 3
    for citation in answer["citations"]:
        text = (await api.send("GET", f"{API}/documents/{citation['document_id']}/text")).text
        for passage in citation["passages"]:
            assert text[passage["start"] : passage["end"]] == passage["quote"]
            assert passage["sha256"] == digest(text)
    metrics = await api.get(f"/sessions/{session_id}/metrics")
    items = {item["item"]: item for item in metrics["cost_breakdown"]["items"]}
    assert items["document_read"]["quantity"] == 3
    assert money(metrics["cost_breakdown"]["charged"]) == sum(money(item["amount"]) for item in items.values())
    assert set(metrics["performance_metrics"]["stage_seconds"]) == {"select", "read", "write"}
    history = await api.get(f"/sessions/{session_id}/history")
    assert [point["stage"] for point in history["decision_points"] if point["decision"] in ("select", "read")] == [
        "select",
        "read",
    ]
    assert (await api.send("GET", f"{API}/sessions/{session_id}/export", query={"format": "docx"})).status == 200


@pytest.fixture
def own_key(stack: RunningStack, tmp_path: Path) -> Path:
    """A key of the worker's own, whose public half is in the services' set."""
    key = create_key(tmp_path / "key.json", "worker/glossary")
    known = json.loads(stack.data.internal_jwks.read_text())["keys"]
    write_jwks(stack.data.internal_jwks, [*map(OKPKey.import_key, known), key])
    return tmp_path / "key.json"


@pytest.fixture
def tokens(stack: RunningStack, tmp_path: Path) -> Path:
    """A folder with a token for each service, as a platform would project it."""
    signer = InternalSigner(load_key(stack.data.internal_key("worker")), "worker", SystemClock())
    for service in ("session", "results", "library"):
        (tmp_path / service).write_text(signer.token(service) + "\n")
    return tmp_path


async def test_pause_resume_and_a_checkpoint_that_is_taken_over(
    stack: RunningStack, people: People, path: dict[str, str], own_key: Path
) -> None:
    api = await library(people)
    session_id = await ask(api)
    # The first worker would take minutes for the stage.
    async with working(stack, path, "--pace", "120") as slow:
        await api.until(session_id, _reading)
        assert (await api.post(f"/sessions/{session_id}/pause"))["status"] == "paused"
        assert await slow.ended() == (session_id, 1, "dropped")
    assert (await api.post(f"/sessions/{session_id}/resume"))["status"] == "queued"
    async with working(stack, path, identity=("--key", str(own_key))) as quick:
        ended, epoch, how = await quick.ended()
        assert (ended, how) == (session_id, "completed")
        assert epoch > 1
    history = await api.get(f"/sessions/{session_id}/history")
    finished = [entry["detail"]["stage"] for entry in history["timeline"] if entry["type"] == "stage.completed"]
    assert finished == ["select", "read", "write"]
    charged = (await api.get(f"/sessions/{session_id}/metrics"))["cost_breakdown"]["items"]
    assert [item["quantity"] for item in charged if item["item"] == "document_read"] == [3]


async def test_cancel_and_drain(stack: RunningStack, people: People, path: dict[str, str], tokens: Path) -> None:
    api = await library(people)
    cancelled = await ask(api)
    async with working(stack, path, "--pace", "120") as slow:
        await api.until(cancelled, _reading)
        assert (await api.post(f"/sessions/{cancelled}/cancel"))["status"] == "cancelled"
        assert await slow.ended() == (cancelled, 1, "dropped")
        kept = await ask(api)
        await api.until(kept, _reading)
        slow.process.terminate()
        assert await slow.ended() == (kept, 1, "released")
        await slow.process.wait()
        async with working(stack, path, identity=("--tokens", str(tokens))) as quick:
            ended, epoch, how = await quick.ended()
            assert (ended, how) == (kept, "completed")
            assert epoch > 1
    metrics = await api.get(f"/sessions/{kept}/metrics")
    assert metrics["performance_metrics"]["attempts"] == 2


def _reading(event: Any) -> bool:
    return bool(event.data["current_stage"] == "read" and event.data["progress"] > 5)
