from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ValidationError
from kit.ids import RandomIds, is_uuid
from kit.paging import Page, Position, decode_cursor, encode_cursor, next_cursor, page_of
from kit.times import SECOND, ManualClock, SystemClock, parse_day, parse_rfc3339, rfc3339


def test_a_fraction_is_shown_only_when_it_is_not_zero_and_never_finer_than_milliseconds() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339(1_500_000) == "1970-01-01T00:00:01.500Z"
    assert rfc3339(1_000_999) == "1970-01-01T00:00:01Z"
    assert rfc3339(1_001_999) == "1970-01-01T00:00:01.001Z"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01t00:00:01.25z", 1_250_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.123456789Z", 123_456),
    ],
)
def test_reads_rfc3339(text: str, instant: int) -> None:
    assert parse_rfc3339(text) == instant


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "20260101T000000Z"]
)
def test_refuses_other_moments(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the standard library's for impossible dates
        parse_rfc3339(text)


def test_a_day_begins_at_midnight_utc() -> None:
    assert parse_day("1970-01-02") == 24 * 3600 * SECOND
    assert parse_day("1970-01-02T00:00:00Z") is None


@given(st.integers(min_value=0, max_value=4_000_000_000 * SECOND))
def test_moments_survive_to_the_millisecond(instant: int) -> None:
    assert parse_rfc3339(rfc3339(instant)) == instant - instant % 1000


def test_setting_the_wall_clock_moves_no_duration() -> None:
    clock = ManualClock()
    wall, steady = clock.now(), clock.monotonic()
    clock.jump(seconds=-3600)
    assert (clock.now() - wall, clock.monotonic() - steady) == (-3600 * SECOND, 0)
    clock.advance(seconds=1.5)
    assert (clock.now() - wall, clock.monotonic() - steady) == (-3600 * SECOND + 1_500_000, 1_500_000)
    with pytest.raises(ValueError, match="jump"):
        clock.advance(seconds=-1)


def test_the_machines_steady_clock_never_goes_back() -> None:
    seen = [SystemClock().monotonic() for _ in range(100)]
    assert seen == sorted(seen)


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    clock = ManualClock()
    ids = RandomIds(clock)
    earlier = ids.new()
    clock.advance(seconds=0.002)
    later = ids.new()
    assert uuid.UUID(earlier).version == 7
    assert uuid.UUID(earlier).variant == uuid.RFC_4122
    assert earlier < later
    assert is_uuid(earlier)
    assert len({ids.new() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text", ["", "x", "0192F0AA-1111-7000-8000-000000000000", "0192f0aa11117000800000000000000", "../etc"]
)
def test_what_is_no_uuid_is_seen(text: str) -> None:
    assert not is_uuid(text)


@given(st.integers(min_value=0, max_value=2**62), st.uuids())
def test_cursors_come_back_as_they_went(created_at: int, identifier: uuid.UUID) -> None:
    position = Position(created_at, str(identifier))
    assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize("text", ["?", "AAAA", "ÄÖÜ", "=" * 10])
def test_a_broken_cursor_is_named(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        page_of(None, None, text)
    assert caught.value.faults[0].field == "cursor"


def test_the_last_page_has_no_next_cursor() -> None:
    last = Position(1, "a")
    assert next_cursor(Page(1, 2), 2, last, 3) is not None
    assert next_cursor(Page(2, 2), 1, last, 3) is None
    assert next_cursor(Page(1, 2), 2, last, 2) is None
    assert next_cursor(Page(1, 2), 0, None, 0) is None
