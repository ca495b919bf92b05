"""Where the tests' own files lie."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.support import scratch


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody has set a folder yet, and all that memory takes is room."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scratch, "_MEMORY", tmp_path)
    monkeypatch.setattr(scratch, "_ROOM", 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("TMPDIR")


def test_they_lie_in_memory(tmp_path: Path) -> None:
    scratch.keep_in_memory()
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(tmp_path)


def test_what_was_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere")
    scratch.keep_in_memory()
    assert os.environ["TMPDIR"] == "/somewhere"


@pytest.mark.parametrize(("name", "value"), [("_MEMORY", Path("/nowhere")), ("_ROOM", 1 << 60)])
def test_where_memory_has_no_room_nothing_changes(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    monkeypatch.setattr(scratch, name, value)
    scratch.keep_in_memory()
    assert "TMPDIR" not in os.environ
