"""Mutual TLS: who shows a certificate has one made, and it carries the names that callers use."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings

from deploy.checks import processes
from deploy.checks.model import Document, Finding, Release, name_of, pod_of, title


def check(release: Release) -> list[Finding]:
    """All processes speak TLS to each other, or none does."""
    read = processes.read(release)
    speaking = {name for name, settings in read.items() if getattr(settings, "tls_cert", "")}
    if not speaking:
        return []
    made = {str(document["spec"].get("secretName")): document for document in release.of("Certificate")}
    found = []
    for name in sorted(read.keys() - speaking):
        cure = "Set TLS_CERT, TLS_KEY and TLS_CA: its peers refuse it without"
        found.append(Finding(f"Deployment/{name}", "env", "speaks plain text where others speak TLS", cure))
    for name in sorted(speaking):
        workload = release.find("Deployment", name)
        if workload is not None:
            found += _own(workload, made)
    names = {name_of(document): set(document["spec"].get("dnsNames") or ()) for document in release.of("Certificate")}
    for caller in sorted(speaking):
        for peer, target in processes.targets(read[caller]).items():
            host = target.rpartition(":")[0]
            if host not in names.get(peer, set()):
                cure = f"Add {host} to its dnsNames"
                found.append(Finding(f"Certificate/{peer}", "spec.dnsNames", f"{caller} calls it {host}", cure))
        for host in _brokers(read[caller]) - names.get("nats", set()):
            cure = f"Add {host} to its dnsNames"
            found.append(Finding("Certificate/nats", "spec.dnsNames", f"{caller} calls it {host}", cure))
    found += _usages(release)
    return found


def _brokers(settings: BaseSettings) -> set[str]:
    """Hosts of the broker that a process connects to by TLS."""
    urls = [urlsplit(url.strip()) for url in str(getattr(settings, "nats_url", "")).split(",")]
    return {str(url.hostname) for url in urls if url.scheme == "tls"}


def _own(workload: Document, made: dict[str, Document]) -> Iterator[Finding]:
    """A process reads its own certificate and nobody else's key."""
    pod, path = pod_of(workload)
    for volume in pod.get("volumes") or ():
        secret = str((volume.get("secret") or {}).get("secretName", ""))
        if not secret.endswith("-tls"):
            continue
        where = f"{path}.spec.volumes {volume['name']}"
        if secret not in made:
            yield Finding(title(workload), where, f"no Certificate makes {secret}", "Add one to components/mtls")
        elif secret != f"{name_of(workload)}-tls":
            yield Finding(title(workload), where, f"reads {secret}", f"It must be {name_of(workload)}-tls")


def _usages(release: Release) -> Iterator[Finding]:
    issuers = {name_of(issuer) for issuer in release.of("Issuer")}
    for certificate in release.of("Certificate"):
        spec = certificate["spec"]
        reference = spec["issuerRef"]
        if reference["kind"] == "Issuer" and reference["name"] not in issuers:
            yield Finding(title(certificate), "spec.issuerRef", f"there is no Issuer {reference['name']}", "Correct it")
        usages = set(spec.get("usages") or ())
        if reference["name"] == "prsm-internal" and not {"server auth", "client auth"} <= usages:
            cure = "Add server auth and client auth: every process is both"
            yield Finding(title(certificate), "spec.usages", "not for both ends of a connection", cure)
