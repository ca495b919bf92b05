"""What is checked, and what is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

RUNNING = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
LASTING = ("Deployment", "StatefulSet", "DaemonSet")
OPERATED: dict[str, dict[str, str]] = {
    "nats": {"app.kubernetes.io/name": "nats"},
    "postgres": {"cnpg.io/cluster": "prsm-postgres"},
}
"""Pods that a chart or an operator makes, by the labels that they have."""


class CannotCheck(Exception):
    """A tool or a file that a check needs is missing; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: where it is, what it is, and how it is cured."""

    resource: str
    field: str
    message: str
    cure: str
    file: str = ""

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.resource, self.field) if part)
        return f"{place}: {self.message}. {self.cure}"


@dataclass(frozen=True, slots=True)
class Container:
    """A container with the workload it belongs to."""

    workload: Document
    spec: Mapping[str, Any]
    path: str
    """Where it stands in the workload, for example `spec.template.spec.containers[0]`."""
    initial: bool

    @property
    def name(self) -> str:
        return str(self.spec.get("name", ""))


class Release:
    """The documents of a base or an overlay as they would be applied."""

    def __init__(self, name: str, documents: Sequence[Document]) -> None:
        self.name = name
        self.documents = tuple(documents)

    def of(self, *kinds: str) -> Iterator[Document]:
        """The documents of these kinds, in their order."""
        return (document for document in self.documents if document.get("kind") in kinds)

    def find(self, kind: str, name: str) -> Document | None:
        return next((document for document in self.of(kind) if name_of(document) == name), None)

    def workloads(self) -> Iterator[Document]:
        return self.of(*RUNNING)

    def containers(self, *kinds: str) -> Iterator[Container]:
        """Every container, those that only run at the start too."""
        for workload in self.of(*(kinds or RUNNING)):
            pod, path = pod_of(workload)
            for group, initial in (("initContainers", True), ("containers", False)):
                for number, spec in enumerate(pod.get(group) or ()):
                    yield Container(workload, spec, f"{path}.spec.{group}[{number}]", initial)


def name_of(document: Mapping[str, Any]) -> str:
    return str((document.get("metadata") or {}).get("name", ""))


def title(document: Mapping[str, Any]) -> str:
    """Kind/name."""
    return f"{document.get('kind')}/{name_of(document)}"


def pod_of(workload: Document) -> tuple[dict[str, Any], str]:
    """The pod's spec and where its template stands."""
    path = "spec.jobTemplate.spec.template" if workload["kind"] == "CronJob" else "spec.template"
    return dict(_template(workload).get("spec") or {}), path


def pod_labels(workload: Document) -> dict[str, str]:
    return dict((_template(workload).get("metadata") or {}).get("labels") or {})


def _template(workload: Document) -> Mapping[str, Any]:
    spec = workload.get("spec") or {}
    if workload["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    template: Mapping[str, Any] = spec.get("template") or {}
    return template


def selected(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes in these labels; an empty one takes in all. Raises ValueError."""
    for key, value in ((selector or {}).get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for rule in (selector or {}).get("matchExpressions") or ():
        held = labels.get(rule["key"])
        match rule["operator"]:
            case "In":
                fits = held in rule["values"]
            case "NotIn":
                fits = held not in rule["values"]
            case "Exists":
                fits = held is not None
            case "DoesNotExist":
                fits = held is None
            case operator:
                raise ValueError(f"unknown operator {operator}")
        if not fits:
            return False
    return True


def container_ports(container: Mapping[str, Any]) -> dict[str, int]:
    """Port numbers by name; a port without one by its number as text."""
    return {
        str(port.get("name", port["containerPort"])): int(port["containerPort"])
        for port in container.get("ports") or ()
    }
