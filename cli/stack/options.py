"""What the user chose for a stack, checked before anything is started."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cli.errors import Refused
from kit.money import InvalidAmount, typed

_POSTGRESQL = re.compile(r"postgresql://\S+")
MOST_WORKERS = 64
EDGES = ("gateway", "envoy")


@dataclass(frozen=True, slots=True)
class StackOptions:
    """Raises Refused for a value that cannot be used."""

    data_dir: Path
    port: int = 8080
    """0 takes any free port."""
    workers: int = 1
    database_url: str = ""
    """PostgreSQL; empty for SQLite files in the data directory."""
    initial_grant: str = "1000.00"
    metrics: bool = False
    """Whether each part serves Prometheus metrics, on a port that endpoints.json names."""

    edge: str = "gateway"
    """What answers the REST API: `gateway` or `envoy`."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise Refused(f"--port must be 0 to 65535, not {self.port}")
        if not 0 <= self.workers <= MOST_WORKERS:
            raise Refused(f"--workers must be 0 to {MOST_WORKERS}, not {self.workers}")
        if self.edge not in EDGES:
            raise Refused(f"--edge must be {' or '.join(EDGES)}, not {self.edge}")
        if self.database_url and not _POSTGRESQL.fullmatch(self.database_url):
            raise Refused("--database-url must look like postgresql://user@host/name")
        try:
            typed(self.initial_grant)
        except InvalidAmount as error:
            raise Refused(f"--initial-grant {error}") from error
