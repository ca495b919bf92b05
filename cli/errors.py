"""What ends a command with one clear line."""

from __future__ import annotations


class Refused(Exception):
    """Something the user gave or must put right; the message is the line they read. `code` is the exit status."""

    def __init__(self, message: str, *, code: int = 2) -> None:
        super().__init__(message)
        self.code = code
