"""What a caller needs, as numbers that the protos' option shares."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """VIEW to OWNER are ordered; the numbers are those of `prsm.options.v1.Rule.Level`."""

    NONE = 0
    USER = 1
    VIEW = 2
    EDIT = 3
    COLLABORATE = 4
    OWNER = 5
    ADMIN = 6
    INTERNAL = 7
