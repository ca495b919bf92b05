"""What a process that renders or draws is bound by, and how it talks."""

from __future__ import annotations

import os
import resource
from typing import BinaryIO

from kit.offspring import die_with_parent
from kit.peaks import peak_memory

_JAVASCRIPT = 768 << 20
"""What a drawing process needs to start. Of the data it is bound by it reserves some 500 MiB that it never fills."""


def shares(memory: int) -> tuple[int, int]:
    """What a rendering process and its drawing process may each hold for both to fill `memory` at most, or a little
    more."""
    return memory * 3 // 4, max(memory // 2, _JAVASCRIPT)


def limit(memory: int) -> None:
    """Bound memory, forbid core dumps, and end with the parent."""
    # Data, not address space: the JavaScript engine reserves far more addresses than it ever fills.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    die_with_parent(os.getppid())


def swollen(memory: int) -> bool:
    """Whether this process has held more than half of the `memory` that it may hold."""
    return peak_memory() > memory // 2


def pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent. Standard output itself goes to standard error, should a library print something."""
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return source, target
