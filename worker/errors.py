"""Why the work on a claim stops short."""

from __future__ import annotations


class LeaseLost(Exception):
    """The session was paused, cancelled, ended or given to another worker: everything done since is void."""
