"""How much is measured, and with which chance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`sessions` bounds the sessions of each part and sample; `seed` draws the samples; `dense` switches the dense part
    of retrieval on (its extra must be installed)."""

    sessions: int = 200
    seed: int = 1
    dense: bool = False
