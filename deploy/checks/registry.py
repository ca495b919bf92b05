"""All checks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.checks import (
    certificates,
    durability,
    monitors,
    network,
    order,
    pods,
    processes,
    scaling,
    schemas,
    secrets,
    selectors,
    settings,
    tools,
)
from deploy.checks.model import CannotCheck, Finding, Release
from deploy.checks.patching import patched
from deploy.checks.rules import RULES
from deploy.checks.sources import K8S, ROOT

Check = Callable[[Release], list[Finding]]

MANIFESTS: Final[Mapping[str, Check]] = {
    "kubernetes": schemas.kubernetes,
    "custom": schemas.custom,
    "selectors": selectors.check,
    "settings": settings.check,
    "probes": pods.probes,
    "security": pods.security,
    "images": pods.images,
    "endings": pods.endings,
    "network": network.check,
    "scaling": scaling.check,
    "secrets": secrets.check,
    "order": order.check,
    "certificates": certificates.check,
    "monitors": monitors.check,
    "durability": durability.check,
}
"""Checks of the documents of one release."""

DOCKERFILE: Final = ROOT / "deploy" / "docker" / "Dockerfile"
COMPOSE: Final = ROOT / "deploy" / "compose" / "compose.yaml"
NATS_VALUES: Final = K8S / "nats" / "values.yaml"
OBSERVABILITY: Final = RULES.parent


@dataclass(frozen=True, slots=True)
class Files:
    """What is checked beside the manifests. Seeds bring their own."""

    production: Release
    observability: Release
    dockerfile: Path = DOCKERFILE
    compose: Path = COMPOSE
    nats: Mapping[str, Any] | None = None
    edge: Sequence[Mapping[str, Any]] = ()
    """Patches on Envoy's configuration."""
    rules: Path = OBSERVABILITY
    rule_tests: str = "*.yaml"
    exemptions: Path = tools.EXEMPTIONS


def nats(files: Files) -> list[Finding]:
    """The broker's values, and that the streams' replicas fit its servers."""
    values = files.nats if files.nats is not None else yaml.safe_load(NATS_VALUES.read_text())
    found = schemas.validate_file(values, "nats-values.json", "nats/values.yaml")
    servers = int(((values.get("config") or {}).get("cluster") or {}).get("replicas", 1))
    for name, read in processes.read(files.production).items():
        replicas = int(getattr(read, "stream_replicas", 0))
        if replicas and replicas != min(servers, 3):
            cure = "Set stream-replicas to 3, or correct the number of servers"
            what = f"streams have {replicas} replicas on {servers} servers"
            found.append(Finding(f"Deployment/{name}", "STREAM_REPLICAS", what, cure))
        url = str(getattr(read, "nats_url", ""))
        if url and not url.startswith("tls://"):
            found.append(Finding(f"Deployment/{name}", "NATS_URL", f"{url} is plain text", "Use tls://"))
    return found


def telemetry(files: Files) -> list[Finding]:
    """The manifests hold the rules and dashboards of deploy/observability, all of them and no others."""
    if not RULES.exists():
        raise CannotCheck(f"{RULES} is missing")
    found = tools.rules_agree(files.observability, yaml.safe_load(RULES.read_text()))
    return found + monitors.dashboards(files.observability, RULES.parent / "dashboards")


def rules(files: Files) -> list[Finding]:
    """promtool on the alert rules and their tests."""
    alerts = files.rules / RULES.name
    if not alerts.exists():
        raise CannotCheck(f"{alerts} is missing")
    found = tools.promtool("check", "rules", alerts.name, cwd=files.rules)
    if found:
        return found
    tests = sorted(str(file.relative_to(files.rules)) for file in (files.rules / "tests").glob(files.rule_tests))
    if not tests:
        return [Finding(alerts.name, "", "has no tests", "Write them for promtool test rules")]
    return tools.promtool("test", "rules", *tests, cwd=files.rules)


def hadolint(files: Files) -> list[Finding]:
    """The images' recipe."""
    if not files.dockerfile.exists():
        raise CannotCheck(f"{files.dockerfile} is missing")
    return tools.hadolint(files.dockerfile)


def compose(files: Files) -> list[Finding]:
    """The compose file against the schema of the Compose Specification."""
    return tools.compose(files.compose)


def envoy(files: Files) -> list[Finding]:
    """Envoy on the configuration that production's settings make."""
    with tools.edge_config(files.production) as config:
        return tools.envoy(patched(config, [dict(operation) for operation in files.edge]))


def checkov(files: Files, releases: Sequence[Release] = ()) -> list[Finding]:
    """Public policies on everything that is applied."""
    return tools.checkov(releases or [files.production], files.exemptions)


FILES: Final[Mapping[str, Callable[[Files], list[Finding]]]] = {
    "nats": nats,
    "hadolint": hadolint,
    "compose": compose,
    "envoy": envoy,
    "telemetry": telemetry,
    "rules": rules,
}
"""Checks of files that are no manifests, but for checkov, which sees all releases at once."""


def with_releases(releases: Sequence[Release]) -> Callable[[Files], list[Finding]]:
    return partial(checkov, releases=releases)
