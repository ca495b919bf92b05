"""An upgrade of whatever makes documents never serves what another one made."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.results.cache import key
from services.results.cache.key import SOURCES, renderer_version


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "rendering"
    (folder / "templates").mkdir(parents=True)
    (folder / "pdf.py").write_text("a = 1")
    (folder / "templates" / "report.typ").write_text("= Report")
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "serif.otf").write_bytes(b"font")
    return folder


def version(sources: Path) -> str:
    return renderer_version([sources], [str(sources.parent / "fonts")])


CHANGES: list[Callable[[Path], object]] = [
    lambda folder: (folder / "pdf.py").write_text("a = 2"),
    lambda folder: (folder / "templates" / "report.typ").write_text("= Rapport"),
    lambda folder: (folder / "pdf.py").rename(folder / "docx.py"),
    lambda folder: (folder / "more.py").write_text(""),
    lambda folder: (folder.parent / "fonts" / "serif.otf").write_bytes(b"another"),
    lambda folder: (folder.parent / "fonts" / "cjk.ttc").write_bytes(b""),
]


@pytest.mark.parametrize("change", CHANGES)
def test_sources_templates_and_fonts_make_the_version(sources: Path, change: Callable[[Path], object]) -> None:
    before = version(sources)
    change(sources)
    assert version(sources) != before


def test_what_an_interpreter_leaves_behind_does_not(sources: Path) -> None:
    before = version(sources)
    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "pdf.pyc").write_bytes(b"code")
    os.utime(sources / "pdf.py", (1, 1))
    assert version(sources) == before


def test_libraries_make_the_version(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version(sources)
    monkeypatch.setattr(key, "_version", lambda library: "99" if library == "typst" else "1")
    assert version(sources) != before


def test_the_real_one_is_the_same_twice() -> None:
    assert renderer_version() == renderer_version()


def test_what_rendering_imports_of_its_own_is_among_the_sources() -> None:
    """What is named here starts, measures and ends processes and tasks, and writes nothing."""
    imported: set[str] = set()
    for path in (SOURCES[0] / "rendering").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = (
                    [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "kit" else [node.module]
                )
                imported.update(name for name in names if name.split(".")[0] in ("kit", "services", "worker", "prsm"))
    covered = ("services.results.", "kit.results_schema")
    assert {name for name in imported if not f"{name}.".startswith(covered)} == {
        "kit.offspring",
        "kit.peaks",
        "kit.reaping",
        "kit.tasks",
    }
