"""What a process does not load, and whether garbage is looked for once it is up."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from kit import starting

_PROGRAM = """
import sys, services.results.app, services.session.app, worker.app
loaded = {"aiohttp", "rich", "pygments"} & set(sys.modules)
import aiohttp, nats.aio.client, structlog
print(sorted(loaded), aiohttp.__name__)
"""


def test_libraries_come_without_what_only_others_need() -> None:
    done = subprocess.run([sys.executable, "-c", "import kit.starting\n" + _PROGRAM], capture_output=True, check=True)
    assert done.stdout == b"[] aiohttp\n"


def test_a_hidden_module_is_missing_and_then_there_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    with starting.without("this", "sys"):
        import sys as still_there

        with pytest.raises(ImportError):
            importlib.import_module("this")
    assert still_there is sys
    assert "this" not in sys.modules


def test_garbage_is_looked_for_once_all_is_loaded() -> None:
    program = """
import gc
from kit import starting
starting.begin()
before = gc.isenabled()
starting.begun()
print(before, gc.isenabled(), gc.get_freeze_count() > 1000)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False True True\n"
