"""The launcher that every part runs through: `python -P -m tests.chaos.program CONTROL_DIR MODULE [ARGUMENT...]`.

What can go wrong inside a process is put in before its module runs: a wall clock that the harness moves, commits that
wait, other parts that are reached through the harness's own connections, and, to prove the checker, faults in the
product.
"""

from __future__ import annotations

import json
import os
import runpy
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from functools import partial
from pathlib import Path
from sqlite3 import dbapi2
from typing import Any
from urllib.parse import urlsplit

from kit import starting
from kit.times import SECOND, Instant, SystemClock
from tests.chaos.control import Knobs

MINUTE_SECONDS = 20
"""How long a minute of a session's time limit lasts under the harness."""
_HOST = "127.0.0.1"


def main() -> None:
    """Runs the module as `python -m MODULE` would; its arguments follow its name."""
    starting.begin()
    folder, module = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    routes = folder / "routes.json"
    if routes.exists():
        reroute(os.environ, json.loads(routes.read_text()))
    knobs = Knobs(folder)
    _wrong_clock(knobs)
    _slow_commits(knobs)
    if module == "worker":
        _rehearse()
    if module == "services.session":
        _short_minutes()
    mutants = (folder / "mutants").read_text().split()
    if mutants:
        from tests.chaos.mutants import install

        for name in mutants:
            install(name)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def reroute(environment: MutableMapping[str, str], ports: Mapping[str, int]) -> None:
    """Rewrite the addresses of other parts to `ports`, by the parts' names; `postgres` is the database's."""
    for name, value in list(environment.items()):
        if not name.startswith("PRSM_"):
            continue
        if name.endswith("_TARGET"):
            peer = name.removesuffix("_TARGET").rpartition("_")[2].lower()
            if peer in ports:
                environment[name] = f"{_HOST}:{ports[peer]}"
        elif name.endswith("_NATS_URL") and "nats" in ports:
            environment[name] = f"nats://{_HOST}:{ports['nats']}"
        elif name.endswith("_BACKENDS"):
            backends: dict[str, str] = json.loads(value)
            moved = {peer: f"{_HOST}:{ports[peer]}" if peer in ports else at for peer, at in backends.items()}
            environment[name] = json.dumps(moved)
        elif name.endswith("_DATABASE_URL") and "postgres" in ports and value.startswith("postgresql:"):
            url = urlsplit(value)
            environment[name] = url._replace(netloc=f"{url.username}@{_HOST}:{ports['postgres']}").geturl()


def _wrong_clock(knobs: Knobs) -> None:
    def now(_self: SystemClock) -> Instant:
        return Instant(time.time_ns() // 1000 + knobs.clock)

    setattr(SystemClock, "now", now)  # noqa: B010 - a method of a class that is not ours to change


def _slow_commits(knobs: Knobs) -> None:
    class Slow(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            # Commits of readers, on the main thread, write nothing: no disk could make them slow.
            if sql == "COMMIT" and knobs.commit and threading.current_thread() is not threading.main_thread():
                time.sleep(knobs.commit / 1e6)
            return super().execute(sql, *arguments)

    slowly = partial(sqlite3.connect, factory=Slow)
    for module in (sqlite3, dbapi2):
        setattr(module, "connect", slowly)  # noqa: B010


def _rehearse() -> None:
    """Offer the engine whose sessions do what they are told to, beside the real ones."""
    from worker.engines import registry

    def make() -> Any:
        from tests.chaos.engine import RehearsalEngine

        return RehearsalEngine()

    registry.BUILT_IN = {**registry.BUILT_IN, "rehearsal": make}


def _short_minutes() -> None:
    """A time limit is given in whole minutes; they last seconds here, so that it runs out in a short run, too."""
    from services.session import drafts

    setattr(drafts, "MINUTE", MINUTE_SECONDS * SECOND)  # noqa: B010


if __name__ == "__main__":
    main()
