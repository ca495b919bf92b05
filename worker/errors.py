"""Why the work on a claim stops short."""

from __future__ import annotations


class LeaseLost(Exception):
    """The session was paused, cancelled, ended or given to another worker: everything done since is void."""


class Stubborn(Exception):
    """Work that goes on although it was cancelled time and again. Only the end of the process ends it."""
