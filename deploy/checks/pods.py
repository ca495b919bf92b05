"""Pods: probes on ports that exist, the restricted security profile, images, and an end that leaves time to drain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.checks import processes
from deploy.checks.model import LASTING, Container, Finding, Release, container_ports, name_of, pod_of, title
from deploy.docker.images import IMAGES

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_LOCAL = frozenset(
    {"emptyDir", "projected", "configMap", "secret", "persistentVolumeClaim", "ephemeral", "downwardAPI"}
)


def probes(release: Release) -> list[Finding]:
    """Every long-running container has all three probes, on ports it has; ours say their health without TLS."""
    return [
        finding for container in release.containers(*LASTING) if not container.initial for finding in _probes(container)
    ]


def _probes(container: Container) -> Iterator[Finding]:
    workload, ports = title(container.workload), container_ports(container.spec)
    for name in _PROBES:
        probe = container.spec.get(name)
        if probe is None:
            yield Finding(workload, container.path, f"no {name}", "Add it; the other processes' manifests show how")
            continue
        for kind in ("grpc", "httpGet", "tcpSocket"):
            port = (probe.get(kind) or {}).get("port")
            if port is not None and port not in ports and port not in ports.values():
                have = ", ".join(f"{label} {number}" for label, number in ports.items())
                place = f"{container.path}.{name}"
                yield Finding(workload, place, f"port {port} is no port of the container", f"It has {have}")
    grpc = {name: (container.spec.get(name) or {}).get("grpc") for name in _PROBES}
    if any(grpc.values()):
        asked = {name: (probe or {}).get("service", "") for name, probe in grpc.items()}
        for name, wanted in zip(_PROBES, ("liveness", "", "liveness"), strict=True):
            if asked[name] != wanted:
                cure = f'Ask "{wanted}": a replica that drains is not ready, yet alive'
                yield Finding(workload, f"{container.path}.{name}", f'asks for "{asked[name]}"', cure)
        if any(probe and probe.get("port") != ports.get("health") for probe in grpc.values()):
            cure = "Use the port named health: the kubelet's gRPC probes know no TLS"
            yield Finding(workload, container.path, "a gRPC probe is not on the health port", cure)


def security(release: Release) -> list[Finding]:
    """The restricted Pod Security Standard, which the namespace enforces, and a root file system that nobody writes."""
    found = []
    for namespace in release.of("Namespace"):
        labels = namespace["metadata"].get("labels") or {}
        if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            cure = "Set pod-security.kubernetes.io/enforce: restricted"
            found.append(Finding(title(namespace), "metadata.labels", "does not enforce restricted pods", cure))
    for workload in release.workloads():
        found += _pod(workload)
    for container in release.containers():
        found += _container(container)
    return found


def _pod(workload: dict[str, Any]) -> Iterator[Finding]:
    pod, path = pod_of(workload)
    context: Mapping[str, Any] = pod.get("securityContext") or {}
    wanted = {
        "runAsNonRoot": context.get("runAsNonRoot") is True,
        "runAsUser": context.get("runAsUser", 1) != 0,
        "seccompProfile": (context.get("seccompProfile") or {}).get("type") in ("RuntimeDefault", "Localhost"),
    }
    for field, right in wanted.items():
        if not right:
            place = f"{path}.spec.securityContext.{field}"
            cure = "Set runAsNonRoot: true, a user that is not 0 and seccompProfile.type: RuntimeDefault"
            yield Finding(title(workload), place, "does not meet the restricted profile", cure)
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield Finding(title(workload), f"{path}.spec.{field}", "shares the machine's namespace", "Remove it")
    if pod.get("automountServiceAccountToken") is not False:
        cure = "Set it to false; tokens that are needed are projected, each for its audience"
        yield Finding(title(workload), f"{path}.spec.automountServiceAccountToken", "a token is mounted", cure)
    for volume in pod.get("volumes") or ():
        if strange := set(volume) - {"name"} - _LOCAL:
            place = f"{path}.spec.volumes {volume['name']}"
            yield Finding(title(workload), place, f"{', '.join(strange)} is no restricted volume", "Use another kind")


def _container(container: Container) -> Iterator[Finding]:
    context: Mapping[str, Any] = container.spec.get("securityContext") or {}
    wanted = {
        "allowPrivilegeEscalation": (context.get("allowPrivilegeEscalation") is False, "false"),
        "readOnlyRootFilesystem": (context.get("readOnlyRootFilesystem") is True, "true"),
        "capabilities.drop": ((context.get("capabilities") or {}).get("drop") == ["ALL"], "[ALL]"),
        "privileged": (not context.get("privileged"), "false"),
        "runAsUser": (context.get("runAsUser", 1) != 0, "a user that is not 0"),
        "capabilities.add": (not (context.get("capabilities") or {}).get("add"), "nothing"),
    }
    for field, (right, value) in wanted.items():
        if not right:
            place = f"{container.path}.securityContext.{field}"
            yield Finding(
                title(container.workload), place, "does not meet the restricted profile", f"Set it to {value}"
            )
    resources = container.spec.get("resources") or {}
    for part in ("requests", "limits"):
        if not {"cpu", "memory"} <= set(resources.get(part) or {}):
            place = f"{container.path}.resources.{part}"
            yield Finding(title(container.workload), place, "cpu or memory is missing", "Set both")


def images(release: Release) -> list[Finding]:
    """No image is `latest` or without a version, and ours are those that deploy/docker makes."""
    found = []
    for container in release.containers():
        image = str(container.spec.get("image", ""))
        tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
        digest = re.search(r"@sha256:[0-9a-f]{64}$", image)
        if not digest and (not tag or tag == "latest"):
            cure = "Name the version in the overlay's images, best with its digest"
            found.append(Finding(title(container.workload), f"{container.path}.image", f"{image} is not pinned", cure))
        made = re.search(r"(?:^|/)prsm/([^:@/]+)", image)
        if made and made[1] not in IMAGES:
            cure = f"There are {', '.join(IMAGES)}"
            what = f"deploy/docker makes no image {made[1]}"
            found.append(Finding(title(container.workload), f"{container.path}.image", what, cure))
    return found


def endings(release: Release) -> list[Finding]:
    """A pod has longer than its preStop pause and its drain time together, and margin for closing."""
    found = []
    read = processes.read(release)
    for container in release.containers("Deployment"):
        if container.initial:
            continue
        workload = container.workload
        pod, path = pod_of(workload)
        grace = float(pod.get("terminationGracePeriodSeconds", 30))
        hook = (container.spec.get("lifecycle") or {}).get("preStop") or {}
        pause = float((hook.get("sleep") or {}).get("seconds", 0))
        if not pause:
            cure = "Add preStop: {sleep: {seconds: 5}}: callers must learn of the end before it comes"
            found.append(Finding(title(workload), f"{container.path}.lifecycle", "no pause before SIGTERM", cure))
        settings = read.get(name_of(workload))
        drain = float(getattr(settings, "drain_seconds", 0)) if settings is not None else 0.0
        if grace < pause + drain + _CLOSING:
            cure = f"Give at least {pause + drain + _CLOSING:g} s, or set a shorter DRAIN_SECONDS"
            what = f"{grace:g} s are less than preStop {pause:g} + drain {drain:g} + {_CLOSING:g} for closing"
            found.append(Finding(title(workload), f"{path}.spec.terminationGracePeriodSeconds", what, cure))
    return found


_CLOSING = 5.0
"""Seconds that a process may take after its drain for closing what it holds."""
