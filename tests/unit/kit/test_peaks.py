"""What a process has held, told by itself."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from kit import peaks
from kit.peaks import peak_memory

_ROOT = Path(__file__).resolve().parents[3]
_HELD = 200 << 20
_TELL = "from services.results.rendering.bounds import swollen; print(swollen({memory}))"


def test_a_process_is_not_swollen_by_what_the_one_that_started_it_held() -> None:
    held = len(b"1" * _HELD)
    assert peak_memory() > held
    command = (sys.executable, "-P", "-c", _TELL.format(memory=held))
    said = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(_ROOT)}, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


def test_it_is_swollen_by_what_it_held_itself() -> None:
    own = "held = b'1' * (200 << 20); del held; " + _TELL.format(memory=300 << 20)
    command = (sys.executable, "-P", "-c", own)
    said = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(_ROOT)}, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "True"


def test_where_the_system_tells_no_peak_of_its_own_it_is_the_c_librarys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peaks, "_STATUS", tmp_path / "none")
    assert peak_memory() >= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
