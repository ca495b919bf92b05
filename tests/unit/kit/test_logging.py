"""A log that cannot be written takes nothing else with it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from kit.logging import configure


class Full(io.StringIO):
    """A disk without room, until there is some."""

    room = False

    def write(self, text: str) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        return super().write(text)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Full]:
    full = Full()
    monkeypatch.setattr("sys.stderr", full)
    before = list(logging.root.handlers)
    logging.root.handlers.clear()
    configure("session", "info")
    yield full
    logging.root.handlers[:] = before
    structlog.reset_defaults()


def test_what_is_logged_on_a_full_disk_is_missing_and_nothing_else(disk: Full) -> None:
    log = structlog.get_logger("test")
    log.warning("there is no room for this")
    logging.getLogger("library").warning("nor for this")
    disk.room = True
    log.warning("there is room again")
    assert [line for line in disk.getvalue().splitlines() if "room again" in line]
    assert "no room" not in disk.getvalue()
