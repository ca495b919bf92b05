"""What each process is told, by environment variables.

Three layers: what this process was given itself, which includes any `PRSM_…` variable; under it the defaults of the
embedded stack; over it what the parts must agree on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.errors import Refused
from cli.stack.datadir import DataDir
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER
from cli.stack.ports import HOST

SERVICES = ("session", "results", "collab", "billing", "library")
_KEEPERS = ("library", "results")
"""Those that keep bytes, each in a place of its own."""
_CALLS: Mapping[str, tuple[str, ...]] = {
    "session": ("billing", "library", "collab", "results"),
    "results": ("session", "collab"),
    "collab": ("session", "results"),
    "billing": (),
    "library": ("collab",),
    "worker": ("session", "results", "library"),
}
"""Whom each part calls."""
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
    admin: int = 0
    """Of Envoy's own interface, where Envoy is the edge."""
    nats_monitor: int = 0
    """Where the broker tells how it is; 0 for nowhere."""
    metrics: Mapping[str, int] = field(default_factory=dict)
    """Of the parts by name; empty when there are to be none."""

    def endpoints(self) -> dict[str, str]:
        """As `endpoints.json` shows them: host:port, but a URL for the gateway."""
        return {
            "gateway": f"http://{HOST}:{self.gateway}",
            **{name: f"{HOST}:{port}" for name, port in self.services.items()},
            "nats": f"{HOST}:{self.nats}",
            **{f"metrics.{name}": f"http://{HOST}:{port}/metrics" for name, port in self.metrics.items()},
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

    def look(self) -> None:
        """Raises Refused for settings that would have one service take the bytes of another for its own."""
        places = (self._given(name, "BLOBS") or self._own_blobs(name) for name in _KEEPERS)
        first, second = (f"{place.rstrip('/')}/" for place in places)
        if first.startswith(second) or second.startswith(first):
            names = " and ".join(f"PRSM_{name.upper()}_BLOBS" for name in _KEEPERS)
            raise Refused(f"{names} must be two places, neither in the other")

    def database(self, service: str) -> str:
        return self.database_url or f"sqlite:///{self.data.databases / f'{service}.db'}"

    def service(self, name: str) -> dict[str, str]:
        fixed = {
            "LISTEN": f"{HOST}:{self.addresses.services[name]}",
            "DATABASE_URL": self.database(name),
            "USER_ISSUER": USER_ISSUER,
            "USER_AUDIENCE": USER_AUDIENCE,
            "USER_JWKS": str(self.data.user_jwks),
            "INTERNAL_JWKS": str(self.data.internal_jwks),
            **self._common(name),
            **self._metrics(name),
        }
        defaults = {"DRAIN_SECONDS": _SERVICE_DRAIN}
        if name in _KEEPERS and not any(self._given(name, setting) for setting in ("BLOBS", "BLOBS_FILE")):
            fixed["BLOBS"] = self._own_blobs(name)
        if name == "library":
            defaults["UPLOAD_SPOOL"] = str(self.data.tmp)
        if name == "billing":
            fixed["INITIAL_GRANT"] = self.initial_grant
        model = ("PRSM_WORKER_MODEL_URL", "PRSM_WORKER_MODEL_URL_FILE")
        if name == "session" and any(self.inherited.get(setting) for setting in model):
            # Its workers have a language model: sessions are estimated with it.
            defaults["MODEL"] = "true"
        if name == "collab":
            defaults["SHARE_URL_BASE"] = f"http://{HOST}:{self.addresses.gateway}/api/v1/shared"
        return self._merged(name, defaults, fixed)

    def worker(self, number: int) -> dict[str, str]:
        """`number` counts from 0."""
        fixed = {
            "LISTEN": f"{HOST}:{self.addresses.workers[number]}",
            **self._common("worker"),
            **self._metrics(f"worker-{number + 1}"),
        }
        return self._merged("worker", {"DRAIN_SECONDS": _DRAIN["worker"]}, fixed)

    def gateway(self, listening: int | None = None) -> dict[str, str]:
        """`listening` is the descriptor of the socket that it is to answer at, if it inherits one."""
        backends = {name: f"{HOST}:{port}" for name, port in self.addresses.services.items()}
        fixed = {
            "LISTEN": f"{HOST}:{self.addresses.gateway}",
            "BACKENDS": json.dumps(backends),
            "USER_ISSUER": USER_ISSUER,
            "USER_AUDIENCE": USER_AUDIENCE,
            "USER_JWKS": str(self.data.user_jwks),
            **self._metrics("gateway"),
        }
        if listening is not None:
            fixed["LISTEN_FD"] = str(listening)
        defaults = {
            "DESCRIPTORS": str(_ROOT / "gen" / "descriptors.binpb"),
            "DRAIN_SECONDS": _DRAIN["gateway"],
        }
        return self._merged("gateway", defaults, fixed)

    def envoy(self) -> dict[str, str]:
        fixed = {
            "HOST": HOST,
            "PORT": str(self.addresses.gateway),
            "ADMIN_PORT": str(self.addresses.admin),
            "BACKENDS": json.dumps({name: f"{HOST}:{port}" for name, port in self.addresses.services.items()}),
            "USER_ISSUER": USER_ISSUER,
            "USER_AUDIENCE": USER_AUDIENCE,
            "USER_JWKS": str(self.data.user_jwks),
            "SECRETS_DIR": str(self.data.envoy),
        }
        if (metrics := self.addresses.metrics.get("envoy")) is not None:
            fixed["METRICS_PORT"] = str(metrics)
        defaults = {
            "DESCRIPTORS": str(_ROOT / "gen" / "descriptors.binpb"),
            "DRAIN_SECONDS": _DRAIN["gateway"],
            # A service that starts again is there for the next request, not for the next check.
            "HEALTH_CHECK_SECONDS": "0",
            "CONCURRENCY": "2",
        }
        return self._merged("envoy", defaults, fixed)

    def migration(self) -> dict[str, str]:
        return {**self.inherited, **{f"PRSM_{name.upper()}_DATABASE_URL": self.database(name) for name in SERVICES}}

    def _given(self, service: str, setting: str) -> str:
        return self.inherited.get(f"PRSM_{service.upper()}_{setting}", "")

    def _own_blobs(self, service: str) -> str:
        return str(self.data.blobs / service)

    def _metrics(self, part: str) -> dict[str, str]:
        port = self.addresses.metrics.get(part)
        return {"METRICS_LISTEN": f"{HOST}:{port}"} if port is not None else {}

    def _common(self, name: str) -> dict[str, str]:
        peers = {f"{peer.upper()}_TARGET": f"{HOST}:{self.addresses.services[peer]}" for peer in _CALLS[name]}
        return {
            "NATS_URL": f"nats://{HOST}:{self.addresses.nats}",
            "NATS_TOKEN": self.data.nats_token.read_text().strip(),
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
