"""The processes: which class reads each one's settings, and what it reads in a release."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from deploy.checks.environment import Mount, Variable, mounts, place_of, variables
from deploy.checks.model import Container, Finding, Release, name_of, title
from deploy.envoy.settings import EdgeSettings
from gateway.settings import GatewaySettings
from kit.secret_files import values_from_files
from services.billing.settings import BillingSettings
from services.collab.settings import CollabSettings
from services.library.settings import LibrarySettings
from services.results.settings import ResultsSettings
from services.session.settings import SessionSettings
from worker.prepare import PrepareSettings
from worker.settings import WorkerSettings

PROCESSES: Final[dict[str, type[BaseSettings]]] = {
    "session": SessionSettings,
    "results": ResultsSettings,
    "collab": CollabSettings,
    "billing": BillingSettings,
    "library": LibrarySettings,
    "worker": WorkerSettings,
    "gateway": GatewaySettings,
    "envoy": EdgeSettings,
}
JOBS: Final[dict[str, type[BaseSettings]]] = {"broker-setup": PrepareSettings}
_CONTENT: Final = b"0123456789abcdef0123456789abcdef0123456789abcdef"
_URI: Final = b"postgresql://prsm:secret@prsm-postgres-rw:5432/prsm"
_TARGET: Final = "_target"


def ours(container: Container) -> bool:
    """Whether a container runs an image of ours."""
    return "prsm/" in str(container.spec.get("image", ""))


def parse(
    container: Container, settings: type[BaseSettings], known: list[Variable], places: list[Mount]
) -> tuple[BaseSettings | None, list[Finding]]:
    with parsing(container, settings, known, places) as parsed:
        return parsed


@contextmanager
def parsing(
    container: Container, settings: type[BaseSettings], known: list[Variable], places: list[Mount]
) -> Iterator[tuple[BaseSettings | None, list[Finding]]]:
    """The settings as the process would read them, and what is wrong with them. The files that mounts hold are stood
    in for until the end of the context."""
    with tempfile.TemporaryDirectory(prefix="prsm-check-") as folder:
        values = {variable.name: _stand_in(variable.value, places, Path(folder)) for variable in known}
        try:
            with _environment(values):
                prefix = str(settings.model_config.get("env_prefix", ""))
                parsed = settings.model_validate(values_from_files(os.environ, prefix, settings.model_fields))
        except ValueError as error:
            yield None, list(_faults(container, settings, error))
        else:
            yield parsed, []


def _faults(container: Container, settings: type[BaseSettings], error: ValueError) -> Iterator[Finding]:
    workload, where = title(container.workload), f"{container.path}.env"
    if not isinstance(error, ValidationError):  # a list or an object that is no JSON
        yield Finding(workload, where, f"{error}: {error.__cause__ or ''}", "Correct the value")
        return
    prefix = str(settings.model_config.get("env_prefix", ""))
    for fault in error.errors(include_input=False):
        name = f"{prefix}{'.'.join(map(str, fault['loc']))}".upper() if fault["loc"] else ""
        cure = "Set it in the container's env" if fault["type"] == "missing" else "Correct the value"
        yield Finding(workload, where, f"{name}: {fault['msg']}" if name else str(fault["msg"]), cure)


def _stand_in(value: str, places: list[Mount], folder: Path) -> str:
    """A mounted file that somebody looks into is there for them, with something fitting in it."""
    mount = place_of(value, places) if value.startswith("/") else None
    if mount is None or mount.files is None or value == str(mount.path):
        return value
    file = folder / value.lstrip("/").replace("/", "-")
    file.write_bytes(_URI if value.endswith("/uri") else pem().get(PurePosixPath(value).suffix, _CONTENT))
    return str(file)


@functools.cache
def pem() -> dict[str, bytes]:
    """A certificate that signs itself, and its key, by the suffixes of such files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "check")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {".crt": certificate.public_bytes(Encoding.PEM), ".key": private}


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        for name in [name for name in os.environ if name.startswith("PRSM_")]:
            del os.environ[name]
        os.environ.update(values)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def targets(settings: BaseSettings) -> dict[str, str]:
    """host:port of each service that a process calls, by the service's name."""
    backends = getattr(settings, "backends", None)
    if isinstance(backends, dict):
        return {str(name): str(target) for name, target in backends.items()}
    return {
        field.removesuffix(_TARGET): str(getattr(settings, field))
        for field in type(settings).model_fields
        if field.endswith(_TARGET)
    }


def read(release: Release) -> dict[str, BaseSettings]:
    """The settings of every process that can be read; faults are `check`'s."""
    held = {}
    for container in release.containers("Deployment"):
        settings = PROCESSES.get(name_of(container.workload))
        if settings is None or not ours(container):
            continue
        known, _ = variables(release, container)
        parsed, _ = parse(container, settings, known, mounts(release, container))
        if parsed is not None:
            held[name_of(container.workload)] = parsed
    return held


def listening(settings: BaseSettings) -> dict[str, int]:
    """Ports that a process opens to the outside, by the setting that says so."""
    ports = {}
    for field in type(settings).model_fields:
        value = getattr(settings, field)
        if field.endswith("listen") and value:
            host, _, port = str(value).rpartition(":")
            ports[field] = 0 if host.startswith("127.") or host == "localhost" else int(port)
        elif field.endswith("port") and value is not None and field != "admin_port":
            ports[field] = 0 if str(getattr(settings, "host", "")).startswith("127.") else int(value)
    return ports
