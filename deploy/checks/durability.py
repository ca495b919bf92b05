"""What is acknowledged is kept: by the database on two machines, by every broker on its disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from deploy.checks.model import Document, Finding, Release, pod_of, title

_LEAST_INSTANCES: Final = 3
_WEAK: Final = {
    "fsync": ("off",),
    "full_page_writes": ("off",),
    "synchronous_commit": ("off", "local", "remote_write"),
}
_ARGUMENT: Final = re.compile(r"(fsync|full_page_writes|synchronous_commit)=(\w+)")
_ALWAYS: Final = re.compile(r"^\s*sync_interval:\s*always\s*$", re.MULTILINE)


def check(release: Release) -> list[Finding]:
    """Settings of databases and brokers that would lose what was acknowledged."""
    found: list[Finding] = []
    for cluster in release.of("Cluster"):
        found.extend(_cluster(cluster))
    for workload in release.of("StatefulSet", "Deployment"):
        found.extend(_arguments(workload))
    for settings in release.of("ConfigMap"):
        found.extend(_broker(settings))
    return found


def _cluster(cluster: Document) -> Iterator[Finding]:
    spec = cluster["spec"]
    database = spec.get("postgresql") or {}
    instances = int(spec.get("instances", 1))
    if instances < _LEAST_INSTANCES:
        cure = f"Set it to {_LEAST_INSTANCES}: one may be away while another one is replaced"
        yield Finding(title(cluster), "spec.instances", f"is {instances}", cure)
    synchronous = database.get("synchronous") or {}
    if int(synchronous.get("number", 0)) < 1 or synchronous.get("dataDurability", "required") != "required":
        cure = "Set {method: any, number: 1, dataDurability: required}"
        what = "a commit is acknowledged before a second machine has it"
        yield Finding(title(cluster), "spec.postgresql.synchronous", what, cure)
    for name, value in (database.get("parameters") or {}).items():
        if str(value) in _WEAK.get(name, ()):
            where = f"spec.postgresql.parameters.{name}"
            yield Finding(title(cluster), where, f"{value} may lose what was committed", "Leave it out")


def _arguments(workload: Document) -> Iterator[Finding]:
    for number, container in enumerate(pod_of(workload)[0].get("containers") or ()):
        words = " ".join(map(str, [*(container.get("command") or ()), *(container.get("args") or ())]))
        for name, value in _ARGUMENT.findall(words):
            if value in _WEAK[name]:
                where = f"spec.template.spec.containers[{number}].args"
                yield Finding(title(workload), where, f"{name}={value} may lose what was committed", "Leave it out")


def _broker(settings: Document) -> Iterator[Finding]:
    for name, text in (settings.get("data") or {}).items():
        if "jetstream" in text and name.endswith(".conf") and not _ALWAYS.search(text):
            cure = "Set sync_interval: always in jetstream"
            yield Finding(title(settings), f"data {name}", "what is acknowledged may not be on disk yet", cure)
