"""What a language model's endpoint does for the worker, whatever its protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from worker.engines.base import ModelFailed
from worker.models.messages import Messages

Progress = Callable[[int], None]
"""Told how many bytes of the answer have come so far; first with 0, when the endpoint has begun to work."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer's text, and what the endpoint says it took; None where it does not say."""

    text: str
    tokens_in: int | None
    tokens_out: int | None


class CallFailed(ModelFailed):
    """One call failed. `passing`: another one may do better; `after` is how many seconds the endpoint asks to wait."""

    def __init__(self, code: str, message: str, *, passing: bool = False, after: float | None = None) -> None:
        super().__init__(code, message)
        self.passing = passing
        self.after = after
        self.tokens: tuple[int | None, int | None] | None = None
        """What it took, in and out, where the endpoint told it all the same."""


class Endpoint(Protocol):
    """One call is one request; nothing is tried again here."""

    async def complete(self, messages: Messages, *, most_tokens: int, seed: int, progress: Progress) -> Completion:
        """Raises CallFailed."""
        ...

    async def close(self) -> None: ...
