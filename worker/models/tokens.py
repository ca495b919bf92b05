"""How many tokens a text may have, where nobody has counted them.

No tokenizer is loaded: each endpoint has its own. A tokenizer that works on bytes, as those of today do, gives no more
tokens than the text has bytes in UTF-8, which is what is set aside before a call. What is counted where an endpoint
does not tell is one token for every three bytes, rounded up; English prose has about four bytes to a token.
"""

from __future__ import annotations

from worker.models.messages import Messages

_FRAME = 64
"""Tokens that a message's role and a template around it may take, for each message."""
_BYTES = 3
_CERTAIN_BYTES = 8


def most(messages: Messages) -> int:
    """A bound of the tokens of a prompt."""
    return messages.size + _FRAME * 3


def usual(size: int) -> int:
    """The estimate that is counted for so many bytes."""
    return -(-size // _BYTES)


def certain(size: int) -> int:
    """What so many bytes have at least, as a rule: counted while an answer is on its way, and never taken back."""
    return size // _CERTAIN_BYTES
