"""W3C trace context, and what logs and calls take from the scope."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import Any

import pytest
import structlog

from kit.errors import Unavailable
from kit.logging import configure, told
from kit.telemetry import scope
from kit.telemetry.scope import Scope, TraceContext

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("03", True)])
def test_a_traceparent_is_read_and_written(flags: str, sampled: bool) -> None:
    found = TraceContext.parse(f"00-{TRACE}-{SPAN}-{flags}")
    assert found == TraceContext(TRACE, SPAN, sampled)
    assert found.traceparent == f"00-{TRACE}-{SPAN}-0{int(sampled)}"


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", f"01-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
     f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-more", f"00-{TRACE}-{SPAN}"],
)  # fmt: skip
def test_what_is_no_traceparent_is_none(text: str) -> None:
    assert TraceContext.parse(text) is None


async def test_tasks_inherit_the_scope_and_keep_their_own() -> None:
    async def inner() -> str:
        before = scope.current()
        scope.enter(Scope("inner"))
        assert before is not None
        return before.request_id

    scope.enter(Scope("outer", "", TraceContext(TRACE, SPAN, True)))
    assert await asyncio.create_task(inner()) == "outer"
    assert scope.headers() == (("x-request-id", "outer"), ("traceparent", f"00-{TRACE}-{SPAN}-01"))
    assert await asyncio.to_thread(scope.traceparent) == f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Everything logged since, as JSON."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    before, kept = structlog.get_config(), root.handlers[:]
    root.handlers.clear()
    configure("test", "info")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.configure(**before)
    root.handlers[:] = kept


def test_lines_carry_the_ids(lines: Any) -> None:
    scope.enter(Scope("r-1", "s-1", TraceContext(TRACE, SPAN, False)))
    structlog.get_logger("a").info("done", ms=1)
    structlog.get_logger("a").debug("not shown")
    (line,) = lines()
    assert {"request_id": "r-1", "session_id": "s-1", "trace_id": TRACE, "span_id": SPAN}.items() <= line.items()
    assert (line["event"], line["level"], line["service"], line["ms"]) == ("done", "info", "test", 1)


def test_libraries_log_json_too(lines: Any) -> None:
    logging.getLogger("some.library").warning("all is %s", "well")
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"], line["service"]) == (
        "all is well", "warning", "some.library", "test",
    )  # fmt: skip


def test_exceptions_are_told_without_what_they_may_quote(lines: Any) -> None:
    def read() -> None:
        try:
            int("a secret sentence")
        except ValueError as error:
            raise Unavailable("about a secret sentence") from error

    try:
        read()
    except Unavailable as error:
        structlog.get_logger("a").error("failed", exc_info=error)
        logging.getLogger("b").exception("failed too")
    ours, library = lines()
    for line in (ours, library):
        assert [each["error"] for each in line["exception"]] == ["Unavailable", "ValueError"]
        assert any("test_scope.py" in place and place.endswith(" read") for place in line["exception"][0]["at"])
    assert "secret" not in json.dumps([ours, library])


def test_words_about_code_are_kept() -> None:
    assert told(AttributeError("'NoneType' object has no attribute 'x'")).endswith("no attribute 'x'")
    assert told(FileNotFoundError(2, "No such file", "/a/b")) == "FileNotFoundError: [Errno 2] No such file: '/a/b'"
    assert told(KeyError("a user's word")) == "KeyError"
