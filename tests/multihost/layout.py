"""Which host carries what, and what each program is told: the settings of a production installation."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import OKPKey

from deploy.envoy.settings import EdgeSettings
from kit.auth.keys import create_key, write_jwks
from tests.multihost.network import Host
from tests.multihost.process import ROOT
from tests.support.certificates import Authority, TlsFolder

SERVICES = ("session", "results", "collab", "billing", "library")
CLIENT = Host("client", 1)
EDGE = Host("edge", 2)
APPS = (Host("app-a", 11, SERVICES), Host("app-b", 12, SERVICES))
BROKERS = (Host("nats-1", 21), Host("nats-2", 22), Host("nats-3", 23))
DATABASE = Host("postgres", 31)
WORKERS = (Host("worker-a", 41), Host("worker-b", 42))
PROCESSES = (*SERVICES, "worker")
INSTANCES = (
    *((service, host) for host in APPS for service in SERVICES),
    *(("worker", host) for host in WORKERS),
)
"""Every process of ours by name and host; each has an internal key of its own."""
HOSTS = (CLIENT, EDGE, *APPS, *BROKERS, DATABASE, *WORKERS)

GRPC_PORT = 9000
HEALTH_PORT = 9001
METRICS_PORT = 9464
EDGE_PORT = 8080
ADMIN_PORT = 9901
NATS_PORT = 4222
NATS_ROUTES = 6222
NATS_MONITOR = 8222
POSTGRES_PORT = 5432
REPLICAS = 3
GRANT = "1000.00"
PARKED = "parked"
"""An engine that sessions may ask for and no worker offers: its sessions stay queued until they are cancelled."""

_ISSUER, _AUDIENCE = "https://login.multihost.example", "prsm"
_CONNECTIONS = 200
"""Each of ten services keeps up to ten; PostgreSQL's default is 100."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Files and passwords that an installation is given; here made for one run."""

    folder: Path
    user_key: OKPKey
    identities: Mapping[str, TlsFolder]
    """Certificates by process name, which is the name in them too."""
    postgres: str
    nats: str
    routes: str

    @staticmethod
    def create(folder: Path) -> Secrets:
        folder.mkdir(mode=0o700)
        user_key = create_key(folder / "users.json", "users")
        write_jwks(folder / "users.jwks.json", [user_key])
        internal = [create_key(_internal_key(folder, name, host), f"{name}/{host.name}") for name, host in INSTANCES]
        write_jwks(folder / "internal.jwks.json", internal)
        authority = Authority("multihost")
        identities = {name: TlsFolder(folder / f"tls.{name}", authority, name) for name in (*PROCESSES, "envoy")}
        (folder / "share.secret").write_text(secrets.token_urlsafe(48))
        passwords = (secrets.token_urlsafe(24) for _ in range(3))
        return Secrets(folder, user_key, identities, *passwords)

    def path(self, name: str) -> str:
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class Layout:
    """The settings of every program. `shared` is a volume that all service hosts mount."""

    secrets: Secrets
    shared: Path

    @property
    def issuer(self) -> str:
        return _ISSUER

    @property
    def audience(self) -> str:
        return _AUDIENCE

    @property
    def database_url(self) -> str:
        return f"postgresql://prsm:{self.secrets.postgres}@{DATABASE.name}:{POSTGRES_PORT}/prsm"

    def migrations(self) -> dict[str, str]:
        return {f"PRSM_{service.upper()}_DATABASE_URL": self.database_url for service in SERVICES}

    def service(self, name: str, host: Host) -> dict[str, str]:
        settings = {
            "DATABASE_URL": self.database_url,
            "STREAM_REPLICAS": str(REPLICAS),
            **self._common(name, host, host.address_of(name)),
        }
        if name in ("library", "results"):
            settings["BLOBS"] = str(self.shared / name)
        match name:
            case "billing":
                settings["INITIAL_GRANT"] = GRANT
            case "collab":
                settings["SHARE_URL_BASE"] = "https://prsm.example/api/v1/shared"
                settings["SHARE_SECRET"] = self.secrets.path("share.secret")
            case "session":
                settings["ENGINES"] = json.dumps({PARKED: {"types": ["research", "analysis"]}})
        return _prefixed(name, settings)

    def worker(self, host: Host) -> dict[str, str]:
        settings = {"CONCURRENCY": "4", **self._common("worker", host, host.address)}
        return _prefixed("worker", settings)

    def _common(self, name: str, host: Host, address: str) -> dict[str, str]:
        tls = self.secrets.identities[name].settings()
        return {
            "LISTEN": f"{address}:{GRPC_PORT}",
            "HEALTH_LISTEN": f"{address}:{HEALTH_PORT}",
            "METRICS_LISTEN": f"{address}:{METRICS_PORT}",
            **{field.upper(): path for field, path in tls.items()},
            "NATS_URL": ",".join(f"nats://{broker.name}:{NATS_PORT}" for broker in BROKERS),
            "NATS_TOKEN": self.secrets.nats,
            "USER_ISSUER": _ISSUER,
            "USER_AUDIENCE": _AUDIENCE,
            "USER_JWKS": self.secrets.path("users.jwks.json"),
            "INTERNAL_JWKS": self.secrets.path("internal.jwks.json"),
            "INTERNAL_KEY": str(_internal_key(self.secrets.folder, name, host)),
            **{f"{peer.upper()}_TARGET": f"{peer}:{GRPC_PORT}" for peer in SERVICES},
        }

    def edge(self) -> EdgeSettings:
        tls = self.secrets.identities["envoy"]
        return EdgeSettings(
            tls_cert=str(tls.cert),
            tls_key=str(tls.key),
            tls_ca=str(tls.ca),
            secrets_dir=self.secrets.folder / "envoy",
            host=EDGE.address,
            port=EDGE_PORT,
            admin_port=ADMIN_PORT,
            descriptors=ROOT / "gen" / "descriptors.binpb",
            health_check_seconds=1,
            backends={service: f"{service}:{GRPC_PORT}" for service in SERVICES},
            user_issuer=_ISSUER,
            user_audience=_AUDIENCE,
            user_jwks=self.secrets.folder / "users.jwks.json",
        )

    def broker(self, host: Host, store: Path) -> dict[str, object]:
        """A node's configuration; NATS reads JSON as well as its own format."""
        peers = [f"nats-route://route:{self.secrets.routes}@{other.name}:{NATS_ROUTES}" for other in BROKERS]
        return {
            "server_name": host.name,
            "host": host.address,
            "port": NATS_PORT,
            "http": f"{host.address}:{NATS_MONITOR}",
            "authorization": {"token": self.secrets.nats},
            "jetstream": {"store_dir": str(store), "sync_interval": "always"},
            "max_payload": 4 * 1024 * 1024,
            "cluster": {
                "name": "prsm",
                "host": host.address,
                "port": NATS_ROUTES,
                "authorization": {"user": "route", "password": self.secrets.routes},
                "routes": peers,
            },
        }

    def database_options(self) -> dict[str, str]:
        return {
            "listen_addresses": DATABASE.address,
            "port": str(POSTGRES_PORT),
            "unix_socket_directories": "",
            "max_connections": str(_CONNECTIONS),
        }


def _internal_key(folder: Path, name: str, host: Host) -> Path:
    return folder / f"internal.{name}.{host.name}.json"


def _prefixed(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    return {f"PRSM_{name.upper()}_{key}": value for key, value in settings.items()}
