"""What results are: artifacts by content, and the formats they are handed out in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

READ_FORMATS = ("json", "markdown", "pdf")
EXPORT_FORMATS = ("pdf", "docx", "markdown", "json")


class ArtifactKind(Enum):
    CHECKPOINT = "checkpoint"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class ArtifactKey:
    """(session, epoch, hash): what a worker stored under which claim. `hash` is the sha256 of the bytes, in hex."""

    session_id: str
    epoch: int
    hash: str

    @property
    def blob(self) -> str:
        """Where the bytes lie. The same bytes of another epoch are another artifact."""
        return f"artifacts/{self.session_id}/{self.epoch}/{self.hash}"


@dataclass(frozen=True, slots=True)
class Artifact:
    """`size` is in bytes, `created_at` in microseconds."""

    key: ArtifactKey
    kind: ArtifactKind
    owner: str
    size: int
    created_at: int


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
