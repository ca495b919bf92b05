"""A container's environment as the kubelet would make it, and what its mounts hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from deploy.checks.model import Container, Finding, Release, pod_of, title

_SECRETS = {
    "region": "eu-central-1",
    "endpoint": "https://objects.example.com",
}
_EMPTYDIR = ("emptyDir", "persistentVolumeClaim", "ephemeral")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable; `value` is a stand-in where it comes from a Secret."""

    name: str
    value: str
    path: str
    secret: bool


def variables(release: Release, container: Container) -> tuple[list[Variable], list[Finding]]:
    """The variables, and what is wrong with where their values come from."""
    known: list[Variable] = []
    faults: list[Finding] = []
    for number, entry in enumerate(container.spec.get("env") or ()):
        path = f"{container.path}.env[{number}] {entry['name']}"
        if any(variable.name == entry["name"] for variable in known):
            faults.append(Finding(title(container.workload), path, "given twice", "Remove one of the two"))
        source = entry.get("valueFrom") or {}
        if "configMapKeyRef" in source:
            reference = source["configMapKeyRef"]
            held = release.find("ConfigMap", reference["name"])
            value = ((held or {}).get("data") or {}).get(reference["key"])
            if value is None:
                what = f"ConfigMap {reference['name']} has no key {reference['key']}"
                faults.append(Finding(title(container.workload), path, what, "Add it to settings.env"))
                continue
            known.append(Variable(entry["name"], value, path, False))
        elif "secretKeyRef" in source:
            value = _SECRETS.get(source["secretKeyRef"]["key"], "stand-in")
            known.append(Variable(entry["name"], value, path, True))
        elif "fieldRef" in source or "resourceFieldRef" in source:
            known.append(Variable(entry["name"], "1", path, False))
        else:
            known.append(Variable(entry["name"], str(entry.get("value", "")), path, False))
    return known, faults


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted volume; `files` are what it surely holds, None when anything may be in it."""

    path: PurePosixPath
    volume: Mapping[str, Any]
    files: frozenset[str] | None

    def holds(self, place: PurePosixPath) -> bool:
        """Whether there is such a file or folder in it."""
        if place == self.path or self.files is None:
            return True
        return str(place.relative_to(self.path)) in self.files


def mounts(release: Release, container: Container) -> list[Mount]:
    """The container's mounts, those further down first."""
    pod, _ = pod_of(container.workload)
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or ()}
    for claim in (container.workload.get("spec") or {}).get("volumeClaimTemplates") or ():
        volumes[claim["metadata"]["name"]] = {"persistentVolumeClaim": {}}
    found = []
    for mount in container.spec.get("volumeMounts") or ():
        volume = volumes.get(mount["name"], {})
        found.append(Mount(PurePosixPath(mount["mountPath"]), volume, _files(release, volume)))
    return sorted(found, key=lambda mount: len(mount.path.parts), reverse=True)


def place_of(path: str, places: list[Mount]) -> Mount | None:
    """The mount that a path is in."""
    wanted = PurePosixPath(path)
    return next((mount for mount in places if wanted.is_relative_to(mount.path)), None)


def tokens(mount: Mount) -> Iterator[tuple[str, str]]:
    """(file, audience) of the service account's tokens in a mount; "" for the cluster's own audience."""
    for source in (mount.volume.get("projected") or {}).get("sources") or ():
        token = source.get("serviceAccountToken")
        if token is not None:
            yield token["path"], token.get("audience", "")


def _files(release: Release, volume: Mapping[str, Any]) -> frozenset[str] | None:
    if any(kind in volume for kind in _EMPTYDIR):
        return None
    sources = (volume.get("projected") or {}).get("sources") or [volume]
    held: set[str] = set()
    for source in sources:
        if "serviceAccountToken" in source:
            held.add(source["serviceAccountToken"]["path"])
            continue
        what = source.get("configMap") or source.get("secret") or {}
        if what.get("items"):
            held |= {item["path"] for item in what["items"]}
            continue
        name = str(what.get("name") or what.get("secretName") or "")
        listed = release.find("ConfigMap", name)
        if "configMap" in source and listed is not None:
            held |= set(listed.get("data") or {}) | set(listed.get("binaryData") or {})
        elif _certificate(release, name):
            held |= {"tls.crt", "tls.key", "ca.crt"}
        else:
            return None
    return frozenset(held)


def _certificate(release: Release, secret: str) -> bool:
    return any((document.get("spec") or {}).get("secretName") == secret for document in release.of("Certificate"))
