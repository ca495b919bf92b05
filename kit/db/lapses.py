"""Leases that are judged by the wall clock: which rows tell of one that ran out."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

_LENGTHS = 2


def beyond(now: int, lease: int) -> int:
    """The last moment until which a lease of this length can last, clocks of other machines included."""
    return now + _LENGTHS * lease


def lapsed(until: ColumnElement[int], now: int, lease: int) -> ColumnElement[bool]:
    """Whether it ended, or lasts longer than any can: then the clock was set back since, and nobody would wait for
    that moment to come again."""
    return or_(until <= now, until > beyond(now, lease))
