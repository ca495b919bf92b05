"""What clients asked for and what they were told, one JSON object a line, flushed before they go on.

    asked   a request, once for all its tries: number, person, operation, session, key, body
    sent    one try of it
    told    the answer to a try: status, error name, essentials of the body
    lost    a try without an answer, and why
    ended   nobody will try again; `known` says whether the outcome is
    heard   an event of a stream: watcher, session, id, type, data

Every line has `n` (from 1), `at` (the client's wall clock) and `mono` (its monotonic one), both in seconds. The checker
reads nothing else of what clients know, so a run that was cut off can be judged as well.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """A line."""

    n: int
    kind: str
    at: float
    mono: float
    fields: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.fields.get(name, default)


class Journal:
    """Appends to a file; a process that is killed loses nothing of what it wrote."""

    def __init__(
        self, path: Path, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = path
        self._wall = wall
        self._monotonic = monotonic
        self._numbers = itertools.count(sum(1 for _ in self) + 1)
        self._requests = itertools.count(1)
        self._file = path.open("a", encoding="utf-8")

    def write(self, kind: str, **fields: Any) -> None:
        """Put a line down. Raises TypeError for what is no JSON."""
        line = {"n": next(self._numbers), "kind": kind, "at": self._wall(), "mono": self._monotonic(), **fields}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()

    def request(self) -> str:
        """A number for a request, unlike all others here."""
        return f"r{next(self._requests)}"

    def __iter__(self) -> Iterator[Entry]:
        """What stands there by now. A last line that was cut off is left out."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    body = json.loads(line)
                    head = [body.pop(name) for name in ("n", "kind", "at", "mono")]
                    yield Entry(head[0], head[1], head[2], head[3], body)

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class Request:
    """All that the journal has of one request."""

    number: str
    person: str
    operation: str
    session: str
    key: str
    body: Any
    asked: Entry
    sent: list[Entry] = field(default_factory=list)
    told: list[Entry] = field(default_factory=list)
    known: bool = False
    """Whether it ended with a definite answer."""

    @property
    def answered(self) -> list[Entry]:
        """The answers that say that it was done."""
        return [entry for entry in self.told if 200 <= entry["status"] < 300]

    @property
    def refused(self) -> bool:
        """Whether the last word was that it is not done."""
        return self.known and not self.answered


def requests_of(journal: Journal) -> list[Request]:
    """In the order in which they were asked."""
    found: dict[str, Request] = {}
    for entry in journal:
        if entry.kind == "asked":
            found[entry["request"]] = Request(
                number=entry["request"],
                person=entry["person"],
                operation=entry["operation"],
                session=entry.get("session", ""),
                key=entry.get("key", ""),
                body=entry.get("body"),
                asked=entry,
            )
        elif entry.kind in ("sent", "told"):
            getattr(found[entry["request"]], entry.kind).append(entry)
        elif entry.kind == "ended":
            found[entry["request"]].known = entry["known"]
    return list(found.values())
