"""The example package under examples/engine-python, installed as a stranger's would be, in a worker of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.lab import digest, money
from tests.support.processes import ending
from tests.support.rest import API, PATIENCE, Api, People
from tests.support.stack import CONCORDANCE, GATED, GATED_ONCE, ROOT, RunningStack

EXAMPLE = ROOT / "examples" / "engine-python"
TEXTS = {
    "Kelp": "Kelp forests shelter young fish.\nWhere urchins graze, kelp forests turn into barrens.",
    "Reefs": "Coral reefs shelter fish as well. Kelp  forests grow in colder water — “cold”, not warm.",
    "Steppe": "Grasses rule the steppe.",
}
PROMPT = 'Show me "kelp forests" and "fish" and "quicksand" in context.'
# Waits before it reads until a file is there, so that a test decides when the stage ends.
_GATED = """
import asyncio, os
from prsm_concordance.engine import ConcordanceEngine

class Gated(ConcordanceEngine):
    name = "gated"

    async def run_stage(self, stage, ctx):
        while stage == "read" and not os.path.exists(os.environ["GATE"]):
            await asyncio.sleep(0.02)
        return await super().run_stage(stage, ctx)

class GatedOnce(Gated):
    name = "gated-once"
    pausable = False
"""
_GATED_PROJECT = """
[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"
[project]
name = "gated-engines"
version = "1.0"
[project.entry-points."prsm.engines"]
gated = "gated_engines:Gated"
gated-once = "gated_engines:GatedOnce"
[tool.setuptools]
py-modules = ["gated_engines"]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example and a package of the test's own, put there by pip without a network."""
    folder = tmp_path_factory.mktemp("plug-ins")
    shutil.copytree(EXAMPLE, folder / "example", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    (folder / "gated").mkdir()
    (folder / "gated" / "pyproject.toml").write_text(_GATED_PROJECT)
    (folder / "gated" / "gated_engines.py").write_text(_GATED)
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    packages = [str(folder / "example"), str(folder / "gated")]
    target = folder / "site"
    install = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), *packages]
    subprocess.run(install, check=True, timeout=120, cwd=folder)
    return target


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """Open once it exists."""
    path = tmp_path / "open"
    yield path
    open_(path)


@asynccontextmanager
async def working(stack: RunningStack, installed: Path, gate: Path, *engines: str) -> AsyncIterator[None]:
    """A worker with the plug-ins on its path."""
    nats_url, nats_token = stack.nats()
    settings = {
        "LISTEN": "127.0.0.1:0",
        "NATS_URL": nats_url,
        "NATS_TOKEN": nats_token,
        "INTERNAL_KEY": str(stack.data.internal_key("worker")),
        "ENGINES": json.dumps(engines),
        "POLL_SECONDS": "0.2",
        "PRELOAD": "[]",
        **{f"{name.upper()}_TARGET": stack.endpoints[name] for name in ("session", "results", "library")},
    }
    path = os.pathsep.join([str(installed), str(ROOT), str(ROOT / "gen")])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(ROOT / "cli" / "child.py"), str(os.getpid())),
        *(sys.executable, "-m", "worker"),
        env={
            **os.environ,
            "PYTHONPATH": path,
            "GATE": str(gate),
            **{f"PRSM_WORKER_{name}": value for name, value in settings.items()},
        },
    )
    async with ending(process, PATIENCE):
        yield


async def library(people: People) -> Api:
    api = people.new()
    for title, text in TEXTS.items():
        await api.add_document(title, text)
    return api


def test_the_environment_tells_what_the_session_service_must_know(installed: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT), str(ROOT / "gen")])}
    told = subprocess.run(
        [sys.executable, "-m", "worker.engines"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    *engines, setting = told.stdout.splitlines()
    assert "gated-once: research; cannot be paused" in engines
    assert "research: research" in engines
    name, _, value = setting.partition("=")
    assert name == "PRSM_SESSION_ENGINES"
    assert json.loads(value.strip("'")) == {
        "concordance": {"types": ["research"], "pausable": True},
        "gated": {"types": ["research"], "pausable": True},
        "gated-once": {"types": ["research"], "pausable": False},
    }


def test_the_package_passes_its_own_tests_as_installed(installed: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])}
    options = ["-q", "-p", "no:cacheprovider", "--disable-plugin-autoload", "-c", os.devnull, "--rootdir", str(EXAMPLE)]
    run = [sys.executable, "-m", "pytest", *options, str(EXAMPLE / "tests")]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


async def test_a_session_of_a_plug_in(stack: RunningStack, people: People, installed: Path, gate: Path) -> None:
    api = await library(people)
    async with working(stack, installed, gate, CONCORDANCE):
        session_id = await api.create(PROMPT, preferences={"engine": CONCORDANCE})
        done = await api.until_status(session_id, "completed")
    assert [finding["text"] for finding in done["results"]["key_findings"]] == [
        "“kelp forests” occurs 3 times in 2 documents, most often near fish (2), shelter (2), barrens (1), cold (1), "
        "colder (1).",
        "“fish” occurs 2 times in 2 documents, most often near forests (2), kelp (2), shelter (2), cold (1), "
        "colder (1).",
    ]
    answer = await api.get(f"/sessions/{session_id}/results")
    assert answer["summary"].endswith("Not found in these documents: quicksand.")
    assert answer["confidence_score"] == 0.6667
    assert len(answer["citations"]) == 2
    for citation in answer["citations"]:
        text = (await api.send("GET", f"{API}/documents/{citation['document_id']}/text")).text
        for passage in citation["passages"]:
            assert text[passage["start"] : passage["end"]] == passage["quote"]
            assert passage["sha256"] == digest(text)
    cost = (await api.get(f"/sessions/{session_id}/metrics"))["cost_breakdown"]
    assert {item["item"]: item["quantity"] for item in cost["items"]} == {"base": 1, "document_read": 3}
    assert money(cost["charged"]) == sum(money(item["amount"]) for item in cost["items"])
    markdown = await api.send("GET", f"{API}/sessions/{session_id}/export", query={"format": "markdown"})
    assert "kelp forests" in markdown.text


async def test_a_plug_in_is_paused_and_resumed(
    stack: RunningStack, people: People, installed: Path, gate: Path
) -> None:
    api = await library(people)
    async with working(stack, installed, gate, GATED):
        session_id = await api.create(PROMPT, preferences={"engine": GATED})
        await api.until(session_id, _reading)
        assert (await api.post(f"/sessions/{session_id}/pause"))["status"] == "paused"
        open_(gate)
        assert (await api.post(f"/sessions/{session_id}/resume"))["status"] == "queued"
        await api.until_status(session_id, "completed")
    history = await api.get(f"/sessions/{session_id}/history")
    finished = [entry["detail"]["stage"] for entry in history["timeline"] if entry["type"] == "stage.completed"]
    assert finished == ["select", "read", "write"]
    items = (await api.get(f"/sessions/{session_id}/metrics"))["cost_breakdown"]["items"]
    assert [item["quantity"] for item in items if item["item"] == "document_read"] == [3]


async def test_a_plug_in_that_cannot_be_paused(
    stack: RunningStack, people: People, installed: Path, gate: Path
) -> None:
    api = await library(people)
    async with working(stack, installed, gate, GATED_ONCE):
        session_id = await api.create(PROMPT, preferences={"engine": GATED_ONCE})
        await api.until(session_id, _reading)
        refused = await api.send("POST", f"{API}/sessions/{session_id}/pause")
        assert refused.expect(400)["error"] == "session_cannot_be_paused"
        open_(gate)
        await api.until_status(session_id, "completed")


async def test_a_prompt_without_terms_fails_by_name(
    stack: RunningStack, people: People, installed: Path, gate: Path
) -> None:
    api = await library(people)
    async with working(stack, installed, gate, CONCORDANCE):
        session_id = await api.create("Show them all?", preferences={"engine": CONCORDANCE})
        failed = await api.until_status(session_id, "failed")
    assert failed["error_details"] == {
        "code": "no_terms",
        "message": 'Name at least one term, in quotation marks: "ocean acidification"',
        "stage": "select",
        "retryable": False,
    }


async def test_no_other_type_may_ask_for_it(people: People) -> None:
    body = {"prompt": PROMPT, "session_type": "analysis", "preferences": {"engine": CONCORDANCE}}
    answer = await people.new().send("POST", f"{API}/sessions", body=body)
    answer.expect(400)
    assert "preferences.engine" in answer.fields


def open_(gate: Path) -> None:
    gate.touch()


def _reading(event: Any) -> bool:
    return bool(event.data["current_stage"] == "read")
