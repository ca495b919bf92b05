"""What a backup says about itself: what is in it, and which release made it when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cli.errors import Refused

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the backup: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`revisions` are those of the databases by service; `files` everything but the manifest itself, by path."""

    format: int
    release: str
    created_at: str
    revisions: Mapping[str, str]
    files: Mapping[str, Entry]

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Raises Refused."""
        try:
            found: dict[str, Any] = json.loads(data)
            if found["format"] != FORMAT:
                raise Refused(f"the backup has format {found['format']}; this release reads format {FORMAT}")
            files = {str(path): Entry(int(e["size"]), str(e["sha256"])) for path, e in found["files"].items()}
            revisions = {str(name): str(revision) for name, revision in found["revisions"].items()}
            return cls(FORMAT, str(found["release"]), str(found["created_at"]), revisions, files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("the backup's manifest cannot be read") from error
