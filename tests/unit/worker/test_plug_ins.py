"""Engines of other packages: found by entry point, checked when they are loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from worker.engines.__main__ import main
from worker.engines.registry import BadPlugIn, Registry, checked

GOOD = """
class Engine:
    name = "good"
    session_types = frozenset({"research"})
    pausable = False
    def stages(self, job): return []
    async def run_stage(self, stage, ctx): return {}

class Misnamed(Engine):
    pass

class Mute:
    name = "mute"
    session_types = {"poetry"}
    def run_stage(self, stage, ctx): return {}

def broken():
    raise RuntimeError("no licence")
"""
ENTRIES = {
    "good": "plug_in_of_a_test:Engine",
    "research": "plug_in_of_a_test:Engine",
    "misnamed": "plug_in_of_a_test:Misnamed",
    "mute": "plug_in_of_a_test:Mute",
    "broken": "plug_in_of_a_test:broken",
    "absent": "plug_in_of_a_test:Nobody",
}


def package(folder: Path, name: str, entries: dict[str, str]) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{engine} = {value}" for engine, value in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(["[prsm.engines]", *lines]))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a package of engines."""
    package(tmp_path, "plug-in", ENTRIES)
    (tmp_path / "plug_in_of_a_test.py").write_text(GOOD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "plug_in_of_a_test", raising=False)
    return tmp_path


def test_a_plug_in_is_offered_and_loaded_once(site: Path) -> None:
    registry = Registry.of(["good", "research"])
    engine = registry.load("good")
    assert type(engine).__module__ == "plug_in_of_a_test"
    assert registry.load("good") is engine


def test_built_in_names_cannot_be_taken(site: Path) -> None:
    assert type(Registry.of(["synthesis", "research"]).load("research")).__module__.startswith("worker.engines")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("misnamed", "its name is 'good'"),
        ("mute", "session_types is not a set of some of analysis, research, synthesis; pausable is not true or false"),
        ("mute", "it has no stages.*it has no async run_stage"),
        ("broken", "no licence"),
        ("absent", "cannot be loaded"),
    ],
)
def test_a_plug_in_that_breaks_the_interface_is_refused(site: Path, name: str, told: str) -> None:
    with pytest.raises(BadPlugIn, match=told):
        Registry.of([name]).load(name)


def test_two_packages_of_one_name_are_refused(site: Path) -> None:
    package(site / "other", "another", {"good": "somewhere.else:Engine"})
    sys.path.insert(0, str(site / "other"))
    try:
        with pytest.raises(BadPlugIn, match="more than one package offers the engine good"):
            Registry.of(["good"]).load("good")
    finally:
        sys.path.remove(str(site / "other"))


@pytest.mark.parametrize("name", ["research", "analysis", "synthesis"])
def test_the_built_in_engines_keep_to_the_interface(name: str) -> None:
    assert checked(name, Registry.of([name]).load(name)).pausable


def test_the_listing_tells_faults_and_the_setting(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 1
    said = capsys.readouterr()
    assert "good: research; cannot be paused" in said.out
    assert 'PRSM_SESSION_ENGINES=\'{"good": {"types": ["research"], "pausable": false}}\'' in said.out
    assert "broken: the engine broken" in said.err
