"""What is done by hand to a good run's journal, and which rules must be broken then: just these, each in its class.

The run is the one of `test_checker.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.chaos.verdict import DUPLICATED, LOST, OTHER

Line = dict[str, Any]
"""A line of a journal."""


def _first(lines: list[Line], kind: str, operation: str = "", *, status: int = 0) -> Line:
    """The first line of a kind, of a request for the operation, with the status."""
    asked = {line["request"] for line in lines if line["kind"] == "asked" and line["operation"] == operation}
    return next(
        line
        for line in lines
        if line["kind"] == kind
        and (not operation or line["request"] in asked)
        and (not status or line["status"] == status)
    )


def _told(lines: list[Line], operation: str, **body: Any) -> list[Line]:
    """The first answer to an operation, with other words."""
    line = next(line for line in lines if line is _first(lines, "told", operation))
    line["body"] |= body
    return lines


def _other_answer(lines: list[Line]) -> list[Line]:
    """The last cancel was asked for twice at once; one of its answers is another."""
    [line for line in lines if line["kind"] == "told" and "refund_amount" in line["body"]][-1]["hash"] = "another"
    return lines


def _heard(lines: list[Line], number: int) -> list[int]:
    """Where the events of the first watcher stand."""
    watcher = _first(lines, "heard")["watcher"]
    return [n for n, line in enumerate(lines) if line["kind"] == "heard" and line["watcher"] == watcher][number:]


def _gap(lines: list[Line]) -> list[Line]:
    del lines[_heard(lines, 3)[0]]
    return lines


def _repeat(lines: list[Line]) -> list[Line]:
    at = _heard(lines, 3)[0]
    return [*lines[: at + 1], lines[at], *lines[at + 1 :]]


def _other_event(lines: list[Line]) -> list[Line]:
    lines[_heard(lines, 3)[0]]["data"]["actor"] = "somebody"
    return lines


def _unknown_event(lines: list[Line]) -> list[Line]:
    last = lines[_heard(lines, 0)[-1]]
    return [*lines, {**last, "id": last["id"] + 1}]


def _ended_otherwise(lines: list[Line]) -> list[Line]:
    """The last look at an ended session tells of another status than the ones before."""
    line = [line for line in lines if line["kind"] == "told" and line["body"].get("status") == "cancelled"][-1]
    line["body"]["status"] = "queued"
    return lines


def _missing(lines: list[Line]) -> list[Line]:
    line = _first(lines, "told", "metrics")
    line |= {"status": 404, "body": {"error": "session_not_found"}}
    del line["digest"]
    return lines


def _internal(lines: list[Line]) -> list[Line]:
    line = _first(lines, "told", "list")
    return [*lines, {**line, "status": 500, "body": {"error": "internal"}}]


def _acknowledged(operation: str) -> Callable[[list[Line]], list[Line]]:
    """One more request of the sort was acknowledged."""

    def change(lines: list[Line]) -> list[Line]:
        answer = _first(lines, "told", operation, status=200)
        number = answer["request"]
        asked = next(line for line in lines if line["kind"] == "asked" and line["request"] == number)
        return [
            *lines,
            {**asked, "request": "more", "key": "more"},
            {**answer, "request": "more"},
            {**answer, "kind": "ended", "request": "more", "known": True},
        ]

    return change


def _refused(operation: str) -> Callable[[list[Line]], list[Line]]:
    """Whatever was acknowledged of a sort was refused instead."""

    def change(lines: list[Line]) -> list[Line]:
        asked = {line["request"] for line in lines if line["kind"] == "asked" and line["operation"] == operation}
        for line in lines:
            if line["kind"] == "told" and line["request"] in asked:
                line |= {"status": 400, "body": {"error": "validation_error"}}
        return lines

    return change


JOURNALS: dict[str, tuple[Callable[[list[Line]], Sequence[Line]], dict[str, str]]] = {
    "two answers to one key": (_other_answer, {"one key, one answer": DUPLICATED}),
    "an event is left out": (_gap, {"a stream has no gap and no repeat": LOST}),
    "an event comes twice": (_repeat, {"a stream has no gap and no repeat": DUPLICATED}),
    "an event tells something else": (_other_event, {"an event is as its history row": OTHER}),
    "an event is not in the history": (_unknown_event, {"an event is in the history": LOST}),
    "an end is told differently later": (_ended_otherwise, {"an end that was told is told again": LOST}),
    "a session is not found": (_missing, {"what was acknowledged is found": LOST}),
    "an internal error": (_internal, {"no answer is an internal error": OTHER}),
    "a refund is another": (
        lambda lines: _told(lines, "cancel", refund_amount="0.01"),
        {"the refund is the settlement's": OTHER},
    ),
    "a created session has another id": (
        lambda lines: _told(lines, "create", session_id="00000000-0000-7000-8000-000000000000"),
        {"an acknowledged session is there": LOST},
    ),
    "a pause was not done": (_acknowledged("pause"), {"an acknowledged pause was done": LOST}),
    "a resume was not done": (_acknowledged("resume"), {"an acknowledged resume was done": LOST}),
    "a refused pause was done": (_refused("pause"), {"a pause is done once": DUPLICATED}),
    "a refused share was made": (_refused("share"), {"a share is made once": DUPLICATED}),
    "a refused create made a session": (_refused("create"), {"a create makes one session": OTHER}),
}
