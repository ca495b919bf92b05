"""What the harness turns while the parts run: a folder for each part, with values that it reads at every use."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Mapping
from pathlib import Path

_SIZE = 64
_CLOCK, _COMMIT = 0, 1


class Knobs:
    """Whole numbers in a file that two processes have mapped: a change is there at the next look, without a call."""

    def __init__(self, folder: Path) -> None:
        path = folder / "knobs"
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._values = memoryview(self._map).cast("q")

    @property
    def clock(self) -> int:
        """By how many microseconds the part's wall clock is wrong."""
        return self._values[_CLOCK]

    @clock.setter
    def clock(self, offset: int) -> None:
        self._values[_CLOCK] = offset

    @property
    def commit(self) -> int:
        """How many microseconds a commit of the part's SQLite file waits before it begins."""
        return self._values[_COMMIT]

    @commit.setter
    def commit(self, delay: int) -> None:
        self._values[_COMMIT] = delay

    def close(self) -> None:
        self._values.release()
        self._map.close()


class Control:
    """The harness's side: the folders of all parts."""

    def __init__(self, folder: Path, mutants: Iterable[str] = ()) -> None:
        self._folder = folder
        self._mutants = list(mutants)
        self._knobs: dict[str, Knobs] = {}

    def folder(self, part: str) -> Path:
        """Where the launcher of a part looks."""
        made = self._folder / part
        if not made.exists():
            made.mkdir(parents=True)
            (made / "mutants").write_text("\n".join(self._mutants))
        return made

    def knobs(self, part: str) -> Knobs:
        if part not in self._knobs:
            self._knobs[part] = Knobs(self.folder(part))
        return self._knobs[part]

    def route(self, part: str, ports: Mapping[str, int]) -> None:
        """At which ports of the loopback the part finds others, from its next start on."""
        (self.folder(part) / "routes.json").write_text(json.dumps(dict(ports)))

    def close(self) -> None:
        for knobs in self._knobs.values():
            knobs.close()
        self._knobs.clear()
