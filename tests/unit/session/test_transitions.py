"""The transition table, held against the documented life of a session."""

from __future__ import annotations

import pytest

from services.session.domain import TERMINAL, TRANSITIONS, Status, Transition
from services.session.errors import (
    SessionCannotBeCancelled,
    SessionCannotBePaused,
    SessionCannotBeResumed,
    StaleEpoch,
    WrongState,
)

_OPEN = "queued initializing running paused"
_ALL = f"{_OPEN} completed failed cancelled timeout"
ALLOWED = {
    "claim": ("queued", "initializing"),
    "start": ("initializing", "running"),
    "work": ("initializing running", None),
    "stage": ("running", None),
    "pause": ("running", "paused"),
    "resume": ("paused", "queued"),
    "requeue": ("initializing running", "queued"),
    "complete": ("running", "completed"),
    "cancel": (_OPEN, "cancelled"),
    "fail": (_OPEN, "failed"),
    "time_out": (_OPEN, "timeout"),
    "succeed": ("failed timeout", None),
    "note": (_ALL, None),
}


def test_the_table_is_the_documented_one() -> None:
    table = {t.name: (t.sources, t.target) for t in TRANSITIONS}
    expected = {
        name: (frozenset(map(Status, sources.split())), target and Status(target))
        for name, (sources, target) in ALLOWED.items()
    }
    assert table == expected


def test_terminal_states_are_never_left() -> None:
    for transition in TRANSITIONS:
        if transition.target is not None:
            assert not transition.sources & TERMINAL, transition.name


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda t: t.name)
def test_a_refusal_names_the_present_status(transition: Transition) -> None:
    for status in Status:
        if status in transition.sources:
            transition.check(status)
            continue
        with pytest.raises(WrongState) as refused:
            transition.check(status)
        assert refused.value.details == {"status": status.value}


@pytest.mark.parametrize(
    ("name", "status", "error", "cure"),
    [
        ("pause", Status.QUEUED, SessionCannotBePaused, "wait until it is running"),
        ("pause", Status.PAUSED, SessionCannotBePaused, "resume it"),
        ("pause", Status.COMPLETED, SessionCannotBePaused, "create a new session"),
        ("resume", Status.RUNNING, SessionCannotBeResumed, "pause it first"),
        ("resume", Status.CANCELLED, SessionCannotBeResumed, "create a new session"),
        ("cancel", Status.CANCELLED, SessionCannotBeCancelled, "create a new session"),
    ],
)
def test_a_refusal_says_what_to_do(name: str, status: Status, error: type[WrongState], cure: str) -> None:
    transition = next(t for t in TRANSITIONS if t.name == name)
    with pytest.raises(error) as refused:
        transition.check(status)
    assert refused.value.message is not None
    assert refused.value.message.startswith(f"The session is {status.value}: ")
    assert cure in refused.value.message


def test_a_worker_is_told_nothing_but_that_its_lease_is_gone() -> None:
    transition = next(t for t in TRANSITIONS if t.name == "complete")
    with pytest.raises(StaleEpoch) as refused:
        transition.check(Status.CANCELLED)
    assert refused.value.message is None
