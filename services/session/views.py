"""A session as its readers see it, read by one index look-up and turned into an answer without a detour."""

from __future__ import annotations

from typing import NamedTuple


class SessionView(NamedTuple):
    """The columns behind GetSession and ListSessions, in the units of `Session`. `preferences`, `metadata`, `inputs`,
    `usage`, `open_stage`, `results` and `error` are JSON texts; a list leaves `inputs` and `results` out."""

    session_id: str
    owner: str
    status: str
    progress: int
    current_stage: str
    session_type: str
    prompt: str
    preferences: str
    metadata: str
    inputs: str
    budget_limit: int
    on_limit: str
    created_at: int
    updated_at: int
    started_at: int | None
    finished_at: int | None
    usage: str
    open_stage: str | None
    running: int
    initializing: int
    cpu: int
    cpu_claim: int
    peak_memory: int
    bytes_stored: int
    bytes_claim: int
    results: str | None
    error: str | None
