"""The network policies against who really talks to whom: every way that is needed is open, and no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from deploy.checks import processes
from deploy.checks.callers import callers
from deploy.checks.model import OPERATED, Document, Finding, Release, name_of, pod_labels, selected, title
from services.library.fetching.targets import CLOSED_V4
from services.library.settings import LibrarySettings

GRPC, METRICS, POSTGRES, NATS, ROUTES, OTLP = 9000, 9464, 5432, 4222, 6222, 4317
_WORLD: Final = "0.0.0.0/0 without 169.254.0.0/16"
_PUBLIC: Final = f"0.0.0.0/0 without {', '.join(map(str, CLOSED_V4))}"


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """Who opens a connection to whom, on which port. Outside the namespace, a peer is named as `outside` says."""

    source: str
    target: str
    port: int

    def __str__(self) -> str:
        return f"{self.source} to {self.target}, port {self.port}"


def check(release: Release) -> list[Finding]:
    """Both ends are looked at alone: a way must be open at its source and at its target, and what is open at either
    must be needed."""
    policies = list(release.of("NetworkPolicy"))
    pods = _pods(release)
    found = list(_denied(policies))
    needed = _needed(release, pods)
    for direction in ("egress", "ingress"):
        opened = _opened(policies, pods, direction)
        wanted = {way for way in needed if (way.source if direction == "egress" else way.target) in pods}
        for way in sorted(wanted - opened):
            own = way.source if direction == "egress" else way.target
            cure = f"Add it to spec.{direction}"
            found.append(Finding(f"NetworkPolicy/{own}", f"spec.{direction}", f"closed: {way}", cure))
        for way in sorted(opened - wanted):
            own = way.source if direction == "egress" else way.target
            cure = "Remove it, or set the setting that needs it"
            found.append(Finding(f"NetworkPolicy/{own}", f"spec.{direction}", f"open without need: {way}", cure))
    found += unanswered(release, callers())
    return found


def _pods(release: Release) -> dict[str, dict[str, str]]:
    """Labels of the pods of each workload."""
    pods = {name_of(workload): pod_labels(workload) for workload in release.workloads()}
    for name, labels in OPERATED.items():
        if not any(selected({"matchLabels": labels}, held) for held in pods.values()):
            pods[name] = labels
    return pods


def _denied(policies: Iterable[Document]) -> Iterator[Finding]:
    for policy in policies:
        spec = policy["spec"]
        if not spec.get("podSelector") and set(spec.get("policyTypes") or ()) == {"Ingress", "Egress"}:
            if spec.get("ingress") or spec.get("egress"):
                yield Finding(title(policy), "spec", "opens something to every pod", "Leave ingress and egress out")
            return
    cure = "Add one with an empty podSelector, both policyTypes and no rules"
    yield Finding("NetworkPolicy/deny-all", "", "nothing denies what no policy opens", cure)


def _needed(release: Release, pods: Mapping[str, Mapping[str, str]]) -> set[Way]:
    read = processes.read(release)
    ways: set[Way] = set()
    for name, labels in pods.items():
        component = labels.get("app.kubernetes.io/component", "")
        ways |= {Way(name, "names", 53)}
        if name in read:
            ways |= {Way(name, peer, GRPC) for peer in processes.targets(read[name]) if peer in pods}
            ways |= {Way("monitoring", name, METRICS)} if METRICS in processes.listening(read[name]).values() else set()
            if str(getattr(read[name], "otlp_endpoint", "")):
                ways |= {Way(name, "otel-collector", OTLP)}
            if str(getattr(read[name], "model_url", "")):
                ways |= {Way(name, _WORLD, 443)}
            if endpoint := str(getattr(read[name], "blobs_endpoint", "")):
                ways |= {Way(name, *_store(endpoint))}
            fetching = read[name]
            if isinstance(fetching, LibrarySettings) and (fetching.fetch or fetching.connectors):
                ways |= {Way(name, _PUBLIC, port) for port in fetching.fetch_ports}
        if component in ("service", "worker", "setup"):
            ways |= {Way(name, "nats", NATS)}
        if component in ("service", "migration"):
            ways |= {Way(name, "postgres", POSTGRES)}
        if component == "edge":
            ways |= {Way("edge clients", name, 8080), Way(name, _WORLD, 443)}
        if component == "service":
            ways |= {Way(name, _WORLD, 443), Way(name, _WORLD, 6443)}
        if name == "otel-collector":
            ways |= {Way("monitoring", name, METRICS), Way(name, "monitoring", OTLP)}
    ways |= {Way("nats", "nats", ROUTES), Way("monitoring", "nats", 7777)}
    ways |= {Way("postgres", "postgres", POSTGRES), Way("monitoring", "postgres", 9187)}
    if any(release.of("ScaledObject")):
        ways |= {Way("keda", "nats", 8222)}
    if any(release.of("Cluster")):
        ways |= {Way("cnpg-system", "postgres", 8000), Way("cnpg-system", "postgres", POSTGRES)}
        ways |= {Way("postgres", "postgres", 8000), Way("postgres", _WORLD, 443), Way("postgres", _WORLD, 6443)}
    return ways


def _store(endpoint: str) -> tuple[str, int]:
    """Where an object store is, by its URL: a namespace of the cluster, or outside."""
    url = urlsplit(endpoint)
    names = (url.hostname or "").split(".")
    place = names[1] if names[2:3] == ["svc"] else _WORLD
    return place, url.port or (80 if url.scheme == "http" else 443)


def _opened(policies: Iterable[Document], pods: Mapping[str, Mapping[str, str]], direction: str) -> set[Way]:
    ways: set[Way] = set()
    for policy in policies:
        spec = policy["spec"]
        own = [name for name, labels in pods.items() if selected(spec.get("podSelector"), labels)]
        for rule in spec.get(direction) or ():
            peers = list(_peers(rule.get("to" if direction == "egress" else "from"), pods))
            ports = [int(port["port"]) for port in rule.get("ports") or [{"port": 0}]]
            for name in own:
                for peer in peers:
                    pair = (name, peer) if direction == "egress" else (peer, name)
                    ways |= {Way(*pair, port) for port in ports}
    return ways


def _peers(listed: list[dict[str, Any]] | None, pods: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Names of pods, or of what is outside; `anybody` where a rule names no peer."""
    for peer in listed or [{}]:
        if not peer:
            yield "anybody"
        elif "ipBlock" in peer:
            block = peer["ipBlock"]
            without = ", ".join(block.get("except") or ())
            yield f"{block['cidr']} without {without}" if without else str(block["cidr"])
        elif "namespaceSelector" in peer:
            yield _outside(peer)
        else:
            yield from (name for name, labels in pods.items() if selected(peer["podSelector"], labels))


def _outside(peer: Mapping[str, Any]) -> str:
    labels = (peer["namespaceSelector"] or {}).get("matchLabels") or {}
    if labels.get("prsm.dev/edge-client") == "true":
        return "edge clients"
    name = labels.get("kubernetes.io/metadata.name", "anybody")
    inside = ((peer.get("podSelector") or {}).get("matchLabels") or {}).get("k8s-app")
    return "names" if (name, inside) == ("kube-system", "kube-dns") else str(name)


def unanswered(release: Release, allowed: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """A call that the callee's proto does not name the caller for is refused, however open the network is."""
    for caller, settings in processes.read(release).items():
        if caller in ("gateway", "envoy"):
            continue
        for peer in processes.targets(settings):
            if caller not in allowed.get(peer, frozenset()):
                cure = f"Name it in `callers` of a method of {peer}, or remove the target"
                yield Finding(f"Deployment/{caller}", f"target of {peer}", f"no method of {peer} takes {caller}", cure)
