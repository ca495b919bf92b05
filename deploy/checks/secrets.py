"""Secrets: by reference only, each documented, and each key read by nobody who does not need it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.checks.model import Finding, Release, pod_of, title
from deploy.checks.sources import K8S

_SUSPECT = re.compile(r"(PASSWORD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|DATABASE_URL)$", re.IGNORECASE)
_URL_WITH_PASSWORD = re.compile(r"\w+://[^/\s:@]+:[^/\s:@$]+@")
_KEY_MATERIAL = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\"d\"\s*:\s*\"[\w-]{20,}\"")
_LONG = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")


def check(release: Release) -> list[Finding]:
    """No secret stands in a manifest, and README.md says of each Secret key what it is and how it is made."""
    found = []
    for secret in release.of("Secret"):
        cure = "Create it in the cluster and refer to it; README.md has the commands"
        found.append(Finding(title(secret), "", "a Secret stands in the manifests", cure))
    for container in release.containers():
        for number, entry in enumerate(container.spec.get("env") or ()):
            value = str(entry.get("value", ""))
            path = f"{container.path}.env[{number}] {entry['name']}"
            by_name = bool(_SUSPECT.search(entry["name"])) and value and not value.startswith("/")
            if by_name or clear_text(value):
                cure = "Take it from a Secret by valueFrom.secretKeyRef, or from a mounted file"
                found.append(Finding(title(container.workload), path, "a secret in clear text", cure))
    for config in release.of("ConfigMap"):
        for key, value in (config.get("data") or {}).items():
            if clear_text(str(value)):
                cure = "Move it to a Secret"
                found.append(Finding(title(config), f"data.{key}", "a secret in clear text", cure))
    documented = _documented()
    for resource, where, name, key in references(release):
        if not any(name == n and key in keys for n, keys in documented.items()):
            cure = "Add it to the table of secrets in deploy/k8s/README.md, with the command that makes it"
            found.append(Finding(resource, where, f"Secret {name}, key {key} is not documented", cure))
    return found


def clear_text(value: str) -> bool:
    """Whether a value holds what looks like a password, a private key, or a long random string."""
    if _URL_WITH_PASSWORD.search(value) or _KEY_MATERIAL.search(value):
        return True
    return any(_bits(word) > 4.3 for word in _LONG.findall(value) if "/" not in word)


def _bits(word: str) -> float:
    """Shannon's entropy for each character."""
    counts = Counter(word)
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values())


def references(release: Release) -> Iterator[tuple[str, str, str, str]]:
    """(resource, where, Secret's name, key) for each key that a pod reads and no Certificate in the release makes."""
    made = {str((c.get("spec") or {}).get("secretName")) for c in release.of("Certificate")}
    for container in release.containers():
        for number, entry in enumerate(container.spec.get("env") or ()):
            source = (entry.get("valueFrom") or {}).get("secretKeyRef")
            if source and source["name"] not in made:
                yield title(container.workload), f"{container.path}.env[{number}]", source["name"], source["key"]
    for workload in release.workloads():
        pod, path = pod_of(workload)
        for volume in pod.get("volumes") or ():
            for name, items in _secrets_of(volume):
                if name not in made:
                    for item in items or [{"key": "*"}]:
                        yield title(workload), f"{path}.spec.volumes {volume['name']}", name, item["key"]


def _secrets_of(volume: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    if "secret" in volume:
        yield volume["secret"]["secretName"], volume["secret"].get("items") or []
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "secret" in source:
            yield source["secret"]["name"], source["secret"].get("items") or []


def _documented() -> dict[str, set[str]]:
    """Secrets and their keys, from the rows | `name` | `key`, `key` | … of the README."""
    found: dict[str, set[str]] = {}
    for line in (K8S / "README.md").read_text().splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:3]]
        if line.startswith("| `") and len(cells) == 2 and len(cells[0]) == 1:
            found.setdefault(cells[0][0], set()).update(cells[1])
    return found
