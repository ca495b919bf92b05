"""The data directory: everything that `prsm up` keeps, and the lock that lets only one use it at a time."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from cli.errors import Refused

_LOCK_SECONDS = 3.0
"""How long a lock is waited for whose holder is dead: its children may still be ending."""


class DataDir:
    """Paths inside the directory. `endpoints` says where a running stack listens."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.keys = self.root / "keys"
        self.databases = self.root / "db"
        self.blobs = self.root / "blobs"
        self.tmp = self.root / "tmp"
        self.logs = self.root / "logs"
        self.nats = self.root / "nats"
        self.envoy = self.root / "envoy"
        self.endpoints = self.root / "endpoints.json"
        self.nats_token = self.keys / "nats.token"
        self.user_key = self.keys / "prsm-local.json"
        self.user_jwks = self.keys / "users.jwks.json"
        self.internal_jwks = self.keys / "internal.jwks.json"
        self._lock_file = self.root / "prsm.lock"

    def internal_key(self, service: str) -> Path:
        return self.keys / f"internal.{service}.json"

    def create(self) -> None:
        """Make what is missing. Raises Refused."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.keys, self.databases, self.blobs, self.tmp, self.logs, self.nats):
                folder.mkdir(mode=0o700, exist_ok=True)
            probe = self.root / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise Refused(f"cannot write to the data directory {self.root}: {error.strerror}") from error

    def lock(self) -> int:
        """Take the directory for this process; a descriptor that holds the lock until every copy of it is closed.

        Children inherit it, so a directory is free only when all that worked on it are gone. Raises Refused.
        """
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        patience = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                if _lives(holder) or time.monotonic() > patience:
                    os.close(descriptor)
                    by = f" (process {holder})" if holder else ""
                    line = f"the data directory {self.root} is in use by another prsm up{by}"
                    raise Refused(line) from None
                time.sleep(0.05)
                continue
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return descriptor

    def fresh_log(self, part: str) -> Path:
        """The path of a part's log, with the one of the last run moved aside."""
        path = self.logs / f"{part}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        return path

    def write_endpoints(self, endpoints: dict[str, str]) -> None:
        fresh = self.endpoints.with_suffix(".tmp")
        fresh.write_text(json.dumps(endpoints, indent=2) + "\n")
        fresh.replace(self.endpoints)

    def read_endpoints(self) -> dict[str, str]:
        """Where the running stack listens. Raises Refused when none was started here."""
        try:
            found: dict[str, Any] = json.loads(self.endpoints.read_text())
        except (OSError, ValueError) as error:
            raise Refused(f"no stack is running on {self.root}: start it with prsm up") from error
        return {str(name): str(address) for name, address in found.items()}


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
