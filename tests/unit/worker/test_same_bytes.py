"""What an engine computes in a process of its own is what it computes anywhere, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from worker.computing.computer import Computer
from worker.computing.forkserver import ForkServer
from worker.engines.base import Job, Kept
from worker.engines.registry import Registry, libraries_of
from worker.outcome import canonical

T = TypeVar("T")
_SAMPLES = Path(__file__).resolve().parents[3] / "samples"
_FINDINGS = {
    "title": "T",
    "prompt": "Why?",
    "summary": "S",
    "confidence_score": 0.5,
    "key_findings": [],
    "citations": [],
}


@dataclass
class Apart(Context):
    """A context whose work is done in a computing process."""

    computer: Computer | None = None

    async def run(self, fn: Callable[..., T], *args: object) -> T:
        assert self.computer is not None
        return await self.computer.run(fn, *args)

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept:
        assert self.computer is not None
        return await self.computer.keep(fn, *args)


def library() -> Library:
    made = Library()
    for path in sorted((_SAMPLES / "library").glob("*.md")):
        made.add(path.stem, path.read_text(), path.stem)
    for path in sorted((_SAMPLES / "data").glob("*.csv")):
        made.datasets[path.stem] = (path.name, path.read_bytes())
    findings = [
        {"id": f"f{n}", "text": text, "citations": [], "confidence": 0.5}
        for n, text in enumerate(("The ocean takes up carbon dioxide.", "Warm water holds less carbon dioxide."))
    ]
    for name in ("s1", "s2"):
        made.results[name] = {**_FINDINGS, "key_findings": findings}
    return made


_JOBS: dict[str, dict[str, Any]] = {
    "research": {"documents": ("03-isotopes-and-oxygen", "05-solubility"), "datasets": ("mauna_loa_co2_annual",)},
    "analysis": {"datasets": ("mauna_loa_co2_annual", "fossil_co2_emissions_global")},
    "synthesis": {"sessions": ("s1", "s2")},
}


@pytest.mark.parametrize("name", sorted(_JOBS))
async def test_an_engine_gives_the_same_bytes(name: str) -> None:
    job = Job("session-1", name, "How does the ocean take up carbon dioxide?", **_JOBS[name])
    engine = Registry.of([name]).load(name)
    here = await run_engine(engine, Context(job, library()))
    server = ForkServer(memory=4 << 30)
    computer = Computer(server)
    computer.needs(libraries_of(engine))
    try:
        apart = await run_engine(engine, Apart(job, library(), computer=computer))
    finally:
        await computer.close()
        await server.close()
    assert canonical(apart) == canonical(here)
