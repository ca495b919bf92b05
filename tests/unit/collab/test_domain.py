"""Rules of shares, standings and comments."""

from __future__ import annotations

import pytest

from kit.access import Access, Shared, Standing
from kit.levels import Level
from kit.times import DAY, SECOND, rfc3339
from services.collab.domain import (
    Entry,
    Share,
    Status,
    content_faults,
    expiry,
    moment_faults,
    permitted,
    reference_faults,
    reference_kind,
    standing,
)

NOW = 1_767_225_600 * SECOND
OWNER = Access(Level.OWNER)


def test_standing_of_nothing_is_a_stranger() -> None:
    assert standing([], NOW) == Shared(Standing.STRANGER)


def test_standing_of_ended_shares_is_former() -> None:
    ended = [Entry(Level.EDIT, NOW, False), Entry(Level.VIEW, NOW + DAY, True)]
    assert standing(ended, NOW) == Shared(Standing.FORMER)


def test_standing_is_the_best_level_and_its_latest_end() -> None:
    entries = [
        Entry(Level.VIEW, NOW + 9 * DAY, False),
        Entry(Level.EDIT, NOW + DAY, False),
        Entry(Level.EDIT, NOW + 2 * DAY, False),
        Entry(Level.COLLABORATE, NOW + 9 * DAY, True),
    ]
    assert standing(entries, NOW) == Shared(Standing.CURRENT, Level.EDIT, NOW + 2 * DAY)


def test_expiry_defaults_and_is_capped_by_the_own_end() -> None:
    assert expiry("", now=NOW + 1, default=30 * DAY, access=OWNER) == (NOW + 30 * DAY, [])
    capped = Access(Level.COLLABORATE, NOW + DAY)
    assert expiry("", now=NOW, default=30 * DAY, access=capped) == (NOW + DAY, [])


@pytest.mark.parametrize(
    ("ends", "access", "fault"),
    [
        (NOW, OWNER, "must be in the future"),
        (NOW + 366 * DAY + SECOND, OWNER, "must be within a year"),
        (NOW + DAY + SECOND, Access(Level.COLLABORATE, NOW + DAY), "must not be past the end of your own access"),
    ],
)
def test_expiry_refused(ends: int, access: Access, fault: str) -> None:
    _, faults = expiry(rfc3339(ends), now=NOW, default=DAY, access=access)
    assert [f.issue for f in faults] == [fault]


def test_expiry_up_to_the_last_moment() -> None:
    assert expiry(rfc3339(NOW + 366 * DAY), now=NOW, default=DAY, access=OWNER) == (NOW + 366 * DAY, [])
    own = Access(Level.COLLABORATE, NOW + DAY)
    assert expiry(rfc3339(NOW + DAY), now=NOW, default=DAY, access=own) == (NOW + DAY, [])


def test_moments() -> None:
    assert moment_faults("") == moment_faults("2026-01-31T12:00:00+01:00") == []
    assert [f.field for f in moment_faults("2026-01-31")] == ["expiration"]


def test_never_above_the_own_level() -> None:
    assert permitted("edit", Access(Level.EDIT)) == []
    assert [f.field for f in permitted("collaborate", Access(Level.EDIT))] == ["permissions"]


def test_status_of_a_share() -> None:
    share = Share("s", "x", "olga", ("bob",), "view", "", NOW, NOW + DAY)
    assert share.status(NOW) is Status.ACTIVE
    assert share.status(NOW + DAY) is Status.EXPIRED
    revoked = Share("s", "x", "olga", ("bob",), "view", "", NOW, NOW + DAY, revoked_at=NOW)
    assert revoked.status(NOW + 2 * DAY) is Status.REVOKED


@pytest.mark.parametrize("text", ["chapter:1", "section", "section:", "section: ", "Section:s1", "xsection:s1"])
def test_reference_points_of_no_form(text: str) -> None:
    assert reference_kind(text) is None
    assert [f.field for f in reference_faults(text)] == ["reference_point"]


def test_reference_points() -> None:
    assert reference_kind("citation:doi:10.1/x y") == "citation"
    assert reference_faults("") == reference_faults("stage:gather") == []


def test_content() -> None:
    assert content_faults("x") == content_faults("") == []
    assert [f.field for f in content_faults(" \t\n")] == ["content"]
