"""What Prometheus and Grafana are told: monitors of ports that exist, under the names that the rules use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deploy.checks.model import (
    OPERATED,
    Document,
    Finding,
    Release,
    container_ports,
    name_of,
    pod_labels,
    selected,
    title,
)

_JOB = "app.kubernetes.io/name"
_EXPORTED = {"nats": "prom-metrics", "postgres": "metrics"}
"""Names of the ports that the chart and the operator give their exporters."""


def check(release: Release) -> list[Finding]:
    """Every pod of ours is monitored, on a port it has, with its process as the job."""
    found: list[Finding] = []
    monitors = list(release.of("PodMonitor"))
    for monitor in monitors:
        wanted = monitor["spec"]["selector"].get("matchLabels")
        operated = next((name for name, labels in OPERATED.items() if labels == wanted), None)
        if operated is not None:
            found += _operated(monitor, _EXPORTED[operated])
            continue
        found += _ports(release, monitor["spec"], title(monitor))
        if monitor["spec"].get("jobLabel") != _JOB:
            cure = f"Set jobLabel: {_JOB}: the alert rules tell processes apart by it"
            found.append(Finding(title(monitor), "spec.jobLabel", "the job is not the process", cure))
    if not monitors:
        return found
    for container in release.containers("Deployment"):
        labels = pod_labels(container.workload)
        seen = any(selected(monitor["spec"]["selector"], labels) for monitor in monitors)
        if not container.initial and "metrics" in container_ports(container.spec) and not seen:
            cure = "Widen a PodMonitor's selector"
            found.append(Finding(title(container.workload), "", "nobody collects its metrics", cure))
    return found


def _operated(monitor: Document, port: str) -> Iterator[Finding]:
    for number, endpoint in enumerate(monitor["spec"]["podMetricsEndpoints"]):
        if endpoint["port"] != port:
            where = f"spec.podMetricsEndpoints[{number}].port"
            yield Finding(title(monitor), where, f"these pods have no port {endpoint['port']}", f"It is {port}")


def _ports(release: Release, spec: dict[str, object], monitor: str) -> Iterator[Finding]:
    endpoints = spec["podMetricsEndpoints"]
    assert isinstance(endpoints, list)
    selector = spec["selector"]
    assert isinstance(selector, dict)
    meant = [c for c in release.containers("Deployment") if selected(selector, pod_labels(c.workload))]
    if not meant:
        yield Finding(monitor, "spec.selector", "selects no pod", "Correct the labels")
    for endpoint in endpoints:
        for container in meant:
            if endpoint["port"] not in container_ports(container.spec):
                cure = "Give the container a port of that name"
                what = f"{name_of(container.workload)} has no port {endpoint['port']}"
                yield Finding(monitor, "spec.podMetricsEndpoints", what, cure)


def dashboards(release: Release, folder: Path) -> list[Finding]:
    """Every dashboard is in a ConfigMap that Grafana's sidecar looks for."""
    held: set[str] = set()
    for config in release.of("ConfigMap"):
        if (config["metadata"].get("labels") or {}).get("grafana_dashboard") == "1":
            held |= set(config.get("data") or {})
    cure = "List it in deploy/observability/kustomization.yaml"
    missing = sorted({file.name for file in folder.glob("*.json")} - held)
    return [Finding(name, "", "no ConfigMap holds the dashboard", cure) for name in missing]
