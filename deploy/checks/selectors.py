"""Labels: whoever selects pods selects the ones that are meant."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.checks.model import LASTING, OPERATED, Document, Finding, Release, pod_labels, pod_of, selected, title


def check(release: Release) -> list[Finding]:
    """A workload takes its own pods and no other's, a Service leads to one workload, a policy is for somebody."""
    return [*_workloads(release), *_services(release), *_policies(release)]


def _workloads(release: Release) -> Iterator[Finding]:
    cure = "Select by app.kubernetes.io/name, and give the pods that label"
    for workload in release.of(*LASTING):
        selector = workload["spec"].get("selector")
        for other in release.workloads():
            takes = selected(selector, pod_labels(other))
            if takes != (other is workload):
                text = f"takes the pods of {title(other)}" if takes else "does not take its own pods"
                yield Finding(title(workload), "spec.selector", text, cure)
        pod, path = pod_of(workload)
        for number, spread in enumerate(pod.get("topologySpreadConstraints") or ()):
            if not selected(spread.get("labelSelector"), pod_labels(workload)):
                where = f"{path}.spec.topologySpreadConstraints[{number}].labelSelector"
                yield Finding(title(workload), where, "spreads no pod of its own", cure)


def _services(release: Release) -> Iterator[Finding]:
    for service in release.of("Service"):
        meant = _taken({"matchLabels": service["spec"].get("selector")}, release)
        if len(meant) != 1:
            names = ", ".join(title(workload) for workload in meant) or "no pod"
            yield Finding(title(service), "spec.selector", f"leads to {names}", "Select the pods of one workload")


def _policies(release: Release) -> Iterator[Finding]:
    for policy in release.of("NetworkPolicy"):
        selector = policy["spec"].get("podSelector")
        if not _taken(selector, release) and not any(selected(selector, labels) for labels in OPERATED.values()):
            yield Finding(title(policy), "spec.podSelector", "is for no pod", "Correct the labels")


def _taken(selector: Document | None, release: Release) -> list[Document]:
    return [workload for workload in release.workloads() if selected(selector, pod_labels(workload))]
