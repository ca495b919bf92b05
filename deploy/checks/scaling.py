"""Budgets and scalers: each stands for a workload that exists, once, and leaves room for what it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy.checks import processes
from deploy.checks.model import Document, Finding, Release, name_of, pod_labels, selected, title
from kit.bus.names import JOBS_STREAM, job_consumer
from worker.engines.registry import BUILT_IN

CONNECTIONS = 10
"""Connections that one replica of a service holds at most; see PostgresDatabase."""
_RESERVED = 20
_ACCOUNT = "$G"
"""The broker's account where its configuration names none."""
_BROKER = "nats-headless.{}.svc.cluster.local:8222"
"""Where the chart's servers, each by its name before it, tell of their streams."""


def check(release: Release) -> list[Finding]:
    return [
        *_budgets(release),
        *_scalers(release),
        *_streams(release),
        *_connections(release),
    ]


def _least(release: Release, workload: Document) -> int:
    """The fewest replicas that a workload has."""
    for scaler in release.of("HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] == name_of(workload):
            return int(scaler["spec"].get("minReplicas", 1))
    for scaler in release.of("ScaledObject"):
        if scaler["spec"]["scaleTargetRef"]["name"] == name_of(workload):
            return int(scaler["spec"].get("minReplicaCount", 0))
    return int(workload["spec"].get("replicas", 1))


def _budgets(release: Release) -> Iterator[Finding]:
    covered = set()
    for budget in release.of("PodDisruptionBudget"):
        spec = budget["spec"]
        meant = [w for w in release.of("Deployment", "StatefulSet") if selected(spec.get("selector"), pod_labels(w))]
        if len(meant) != 1:
            names = ", ".join(title(workload) for workload in meant) or "no workload"
            cure = "Select the pods of exactly one workload by app.kubernetes.io/name"
            yield Finding(title(budget), "spec.selector", f"selects {names}", cure)
            continue
        covered.add(title(meant[0]))
        least = _least(release, meant[0])
        cure = "Use maxUnavailable: 1, or a lower minAvailable"
        if _blocks(spec.get("minAvailable"), least) or spec.get("maxUnavailable") in (0, "0%"):
            yield Finding(title(budget), "spec", f"no pod of {least} may ever go: drains of machines hang", cure)
    for workload in release.of("Deployment"):
        if title(workload) not in covered:
            cure = "Add a PodDisruptionBudget with maxUnavailable: 1"
            yield Finding(title(workload), "", "nothing keeps drains from taking all its replicas", cure)


def _blocks(available: Any, least: int) -> bool:
    if available is None:
        return False
    if isinstance(available, str) and available.endswith("%"):
        # Kubernetes rounds up.
        return -(-int(available[:-1]) * least // 100) >= least
    return int(available) >= least


def _scalers(release: Release) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for scaler in release.of("HorizontalPodAutoscaler", "ScaledObject"):
        reference = scaler["spec"]["scaleTargetRef"]
        target = release.find(str(reference.get("kind", "Deployment")), str(reference["name"]))
        where = "spec.scaleTargetRef"
        if target is None:
            yield Finding(title(scaler), where, f"there is no {reference['name']}", "Correct the name")
            continue
        if title(target) in seen:
            cure = "One of the two must go: they would undo each other's numbers"
            yield Finding(title(scaler), where, f"{title(target)} is scaled by {seen[title(target)]} too", cure)
        seen[title(target)] = title(scaler)
        if "replicas" in target["spec"]:
            cure = "Remove it: each release would put it back"
            yield Finding(title(target), "spec.replicas", f"set beside {title(scaler)}", cure)
        resource = any(metric.get("type") == "Resource" for metric in scaler["spec"].get("metrics") or ())
        if resource and not _requests(target):
            cure = "Add resources.requests.cpu to every container"
            yield Finding(title(scaler), "spec.metrics", f"{title(target)} requests no CPU to measure by", cure)


def _requests(workload: Document) -> bool:
    containers = workload["spec"]["template"]["spec"]["containers"]
    return all("cpu" in ((c.get("resources") or {}).get("requests") or {}) for c in containers)


def _streams(release: Release) -> Iterator[Finding]:
    """Workers are scaled by the consumers that they really share, one for each engine."""
    for scaled in release.of("ScaledObject"):
        triggers = scaled["spec"]["triggers"]
        wanted = {job_consumer(engine) for engine in BUILT_IN}
        held = {trigger["metadata"].get("consumer") for trigger in triggers}
        for consumer in sorted(wanted - held):
            cure = f"Add a trigger for consumer {consumer}"
            yield Finding(title(scaled), "spec.triggers", f"work for {consumer} starts no worker", cure)
        for number, trigger in enumerate(triggers):
            metadata, where = trigger["metadata"], f"spec.triggers[{number}].metadata"
            if metadata.get("consumer") not in wanted:
                yield Finding(title(scaled), where, f"no consumer {metadata.get('consumer')}", "Correct the name")
            if metadata.get("stream") != JOBS_STREAM:
                yield Finding(title(scaled), where, f"no stream {metadata.get('stream')}", f"It is {JOBS_STREAM}")
            if metadata.get("account") != _ACCOUNT:
                yield Finding(title(scaled), where, f"no account {metadata.get('account')}", f"It is {_ACCOUNT}")
            asked = metadata.get("natsServerMonitoringEndpoint")
            if asked != _BROKER.format(scaled["metadata"]["namespace"]):
                cure = "Ask the chart's headless service: KEDA puts the leader's name before it"
                yield Finding(title(scaled), where, f"no server can be asked at {asked}", cure)
        formula = ((scaled["spec"].get("advanced") or {}).get("scalingModifiers") or {}).get("formula", "")
        names = {str(trigger.get("name", "")) for trigger in triggers}
        if formula and set(formula.replace("+", " ").split()) != names:
            where = "spec.advanced.scalingModifiers.formula"
            cure = "Add up the names of all triggers"
            yield Finding(title(scaled), where, f"{formula} does not name all triggers", cure)
        worker = processes.read(release).get("worker")
        hands = str(getattr(worker, "concurrency", 1))
        target = str(((scaled["spec"].get("advanced") or {}).get("scalingModifiers") or {}).get("target", ""))
        if target != hands:
            where = "spec.advanced.scalingModifiers.target"
            cure = "Set it to PRSM_WORKER_CONCURRENCY, or to 1 where that is not set"
            yield Finding(title(scaled), where, f"is {target}, and a worker works on {hands} at a time", cure)
        if release.find("Job", "broker-setup") is None:
            cure = "Add the job that makes the consumers"
            yield Finding(title(scaled), "", "nothing makes the consumers before the scaler asks for them", cure)


def _connections(release: Release) -> Iterator[Finding]:
    for cluster in release.of("Cluster"):
        parameters = (cluster["spec"].get("postgresql") or {}).get("parameters") or {}
        most = int(parameters.get("max_connections", 100))
        need = _RESERVED
        for scaler in release.of("HorizontalPodAutoscaler"):
            target = release.find("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
            if target and pod_labels(target).get("app.kubernetes.io/component") == "service":
                # One more runs while a release replaces replicas.
                need += (int(scaler["spec"]["maxReplicas"]) + 1) * CONNECTIONS
        if need > most:
            cure = "Raise max_connections, or lower maxReplicas"
            what = f"{most} connections, and all replicas together may want {need}"
            yield Finding(title(cluster), "spec.postgresql.parameters.max_connections", what, cure)
