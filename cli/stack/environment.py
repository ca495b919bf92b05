"""What each process is told, by environment variables.

Three layers: what this process was given itself, which includes any `PRSM_…` variable; under it the defaults of the
embedded stack; over it what the parts must agree on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.stack.datadir import DataDir
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER
from cli.stack.ports import HOST

SERVICES = ("session", "results", "collab", "billing", "library")
_ROOT = Path(__file__).resolve().parent.parent.parent
_DRAIN = {"gateway": "1.5", "worker": "2.5"}
_SERVICE_DRAIN = "2.0"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Ports of the stack, all on one host; `workers` are those of their probes."""

    gateway: int
    services: Mapping[str, int]
    nats: int
    workers: tuple[int, ...]

    def endpoints(self) -> dict[str, str]:
        """As `endpoints.json` shows them: host:port, but a URL for the gateway."""
        return {
            "gateway": f"http://{HOST}:{self.gateway}",
            **{name: f"{HOST}:{port}" for name, port in self.services.items()},
            "nats": f"{HOST}:{self.nats}",
        }


@dataclass(frozen=True, slots=True)
class Environments:
    """Builds the environment of each part."""

    data: DataDir
    addresses: Addresses
    inherited: Mapping[str, str]
    database_url: str = ""
    """PostgreSQL for all services, a schema each; empty for an SQLite file each."""
    initial_grant: str = "1000.00"

    def database(self, service: str) -> str:
        return self.database_url or f"sqlite:///{self.data.databases / f'{service}.db'}"

    def service(self, name: str) -> dict[str, str]:
        fixed = {
            "LISTEN": f"{HOST}:{self.addresses.services[name]}",
            "DATABASE_URL": self.database(name),
            **self._common(name),
        }
        defaults = {"DRAIN_SECONDS": _SERVICE_DRAIN}
        if name in ("library", "results"):
            fixed["BLOBS"] = str(self.data.blobs / name)
        if name == "billing":
            fixed["INITIAL_GRANT"] = self.initial_grant
        if name == "collab":
            defaults["SHARE_URL_BASE"] = f"http://{HOST}:{self.addresses.gateway}/api/v1/shared"
        return self._merged(name, defaults, fixed)

    def worker(self, number: int) -> dict[str, str]:
        """`number` counts from 0."""
        fixed = {"LISTEN": f"{HOST}:{self.addresses.workers[number]}", **self._common("worker")}
        return self._merged("worker", {"DRAIN_SECONDS": _DRAIN["worker"]}, fixed)

    def gateway(self) -> dict[str, str]:
        backends = {name: f"{HOST}:{port}" for name, port in self.addresses.services.items()}
        fixed = {
            "LISTEN": f"{HOST}:{self.addresses.gateway}",
            "BACKENDS": json.dumps(backends),
            "USER_ISSUER": USER_ISSUER,
            "USER_AUDIENCE": USER_AUDIENCE,
            "USER_JWKS": str(self.data.user_jwks),
        }
        defaults = {
            "DESCRIPTORS": str(_ROOT / "gen" / "descriptors.binpb"),
            "DRAIN_SECONDS": _DRAIN["gateway"],
        }
        return self._merged("gateway", defaults, fixed)

    def migration(self) -> dict[str, str]:
        return {**self.inherited, **{f"PRSM_{name.upper()}_DATABASE_URL": self.database(name) for name in SERVICES}}

    def _common(self, name: str) -> dict[str, str]:
        peers = {f"{peer.upper()}_TARGET": f"{HOST}:{port}" for peer, port in self.addresses.services.items()}
        return {
            "NATS_URL": f"nats://{HOST}:{self.addresses.nats}",
            "NATS_TOKEN": self.data.nats_token.read_text().strip(),
            "USER_ISSUER": USER_ISSUER,
            "USER_AUDIENCE": USER_AUDIENCE,
            "USER_JWKS": str(self.data.user_jwks),
            "INTERNAL_JWKS": str(self.data.internal_jwks),
            "INTERNAL_KEY": str(self.data.internal_key(name)),
            **peers,
        }

    def _merged(self, name: str, defaults: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, str]:
        prefix = f"PRSM_{name.upper()}_"
        return {
            **{prefix + key: value for key, value in defaults.items()},
            **self.inherited,
            **{prefix + key: value for key, value in fixed.items()},
        }
