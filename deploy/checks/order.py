"""The order of a release: what prepares comes before what runs, for kubectl by a label and for Argo CD by a wave."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.checks.model import Document, Finding, Release, name_of, pod_of, title
from deploy.checks.processes import PROCESSES

PHASE = "prsm.dev/phase"
_WAVE = "argocd.argoproj.io/sync-wave"


def check(release: Release) -> list[Finding]:
    """Each service's database is migrated by a job of the same version, before its Deployment."""
    found = list(_phases(release))
    for deployment in release.of("Deployment"):
        name = name_of(deployment)
        if not _uses_database(deployment):
            continue
        job = release.find("Job", f"migrate-{name}")
        if job is None:
            cure = f"Add it to base/migrations.yaml: prsm migrate --service {name}"
            found.append(Finding(title(deployment), "", "no job migrates its database first", cure))
            continue
        own, theirs = (_image(document).rpartition(":")[2] for document in (deployment, job))
        if own != theirs:
            cure = "Use the Deployment's version: its migrations are those that its code needs"
            found.append(Finding(title(job), "spec.template.spec.containers[0].image", f"{theirs} is not {own}", cure))
        asked = pod_of(job)[0]["containers"][0].get("args") or []
        if asked[-2:] != ["--service", name]:
            cure = f"It must end with --service {name}"
            found.append(Finding(title(job), "spec.template.spec.containers[0].args", f"runs {asked}", cure))
    return found


def _phases(release: Release) -> Iterator[Finding]:
    for document in release.of("Deployment", "Job", "ScaledObject"):
        if document["kind"] == "Deployment" and name_of(document) not in PROCESSES:
            continue
        metadata = document["metadata"]
        phase, least = ("prepare", 1) if document["kind"] == "Job" else ("run", 2)
        if (metadata.get("labels") or {}).get(PHASE) != phase:
            yield Finding(title(document), f"metadata.labels {PHASE}", "not in its phase", f"Set it to {phase}")
        wave = int((metadata.get("annotations") or {}).get(_WAVE, "0"))
        if wave < least or (phase == "prepare" and wave >= 2):
            cure = "1 for jobs, 2 and more for what runs"
            yield Finding(title(document), f"metadata.annotations {_WAVE}", f"is {wave}", cure)


def _uses_database(deployment: Document) -> bool:
    containers = pod_of(deployment)[0].get("containers") or ()
    return any("_DATABASE_URL" in entry["name"] for c in containers for entry in c.get("env") or ())


def _image(document: Document) -> str:
    return str(pod_of(document)[0]["containers"][0].get("image", ""))
