"""Where the documents come from: kustomize, and a small reader of our own for machines without it."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from deploy.checks.model import CannotCheck, Document, Finding, Release, name_of, pod_of, title
from deploy.checks.patching import patched

# The same in C, where PyYAML was built with it: ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ROOT = Path(__file__).resolve().parent.parent.parent
K8S = ROOT / "deploy" / "k8s"
FOLDERS = {
    "base": K8S / "base",
    "dev": K8S / "overlays" / "dev",
    "production": K8S / "overlays" / "production",
    "observability": K8S / "overlays" / "observability",
    "language-model": K8S / "overlays" / "language-model",
    "fetching": K8S / "overlays" / "fetching",
    "object-store": K8S / "overlays" / "object-store",
}
_READ = {
    "apiVersion",
    "kind",
    "resources",
    "components",
    "configMapGenerator",
    "generatorOptions",
    "patches",
    "images",
    "replicas",
}


def documents_in(text: str) -> list[Document]:
    """The documents of a YAML stream."""
    return [document for document in yaml.load_all(text, Loader=_LOADER) if document]


def kustomize(name: str) -> Release:
    """Render a base or an overlay with kubectl's or a plain kustomize. Raises CannotCheck."""
    if shutil.which("kubectl"):
        command = ["kubectl", "kustomize", str(FOLDERS[name])]
    elif shutil.which("kustomize"):
        command = ["kustomize", "build", str(FOLDERS[name])]
    else:
        raise CannotCheck("neither kubectl nor kustomize is installed: install kubectl 1.32 or newer, or kustomize 5.5")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise CannotCheck(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return Release(name, documents_in(done.stdout))


def read(name: str) -> Release:
    """The same without any tool, as far as our own kustomizations go, and without the hash behind generated names.
    Raises CannotCheck for a kustomization that does more; `disagreements` tells whether it does it right."""
    return Release(name, _built(FOLDERS[name], []))


def _built(folder: Path, documents: list[Document]) -> list[Document]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if beyond := sorted(kustomization.keys() - _READ):
        raise CannotCheck(f"{folder}: {', '.join(beyond)} needs kustomize")
    for entry in kustomization.get("resources") or ():
        place = folder / entry
        documents = [*documents, *(_built(place, []) if place.is_dir() else documents_in(place.read_text()))]
    for entry in kustomization.get("components") or ():
        documents = _built(folder / entry, documents)
    options = kustomization.get("generatorOptions") or {}
    for generator in kustomization.get("configMapGenerator") or ():
        documents = _generated(documents, folder, generator, options)
    for patch in kustomization.get("patches") or ():
        documents = _patched(documents, patch)
    images = {image["name"]: image for image in kustomization.get("images") or ()}
    replicas = {entry["name"]: entry["count"] for entry in kustomization.get("replicas") or ()}
    for document in documents:
        _renamed(document, images)
        if document["kind"] in ("Deployment", "StatefulSet") and name_of(document) in replicas:
            document["spec"]["replicas"] = replicas[name_of(document)]
    return documents


def _generated(
    documents: list[Document], folder: Path, generator: dict[str, Any], options: dict[str, Any]
) -> list[Document]:
    data: dict[str, str] = {}
    for file in generator.get("envs") or ():
        lines = [line for line in (folder / file).read_text().splitlines() if line and not line.startswith("#")]
        data.update((key, value) for key, _, value in (line.partition("=") for line in lines))
    for file in generator.get("files") or ():
        data[Path(file).name] = (folder / file).read_text()
    metadata: dict[str, Any] = {"name": generator["name"], "namespace": generator.get("namespace", "default")}
    own = generator.get("options") or {}
    for part in ("labels", "annotations"):
        if held := {**(options.get(part) or {}), **(own.get(part) or {})}:
            metadata[part] = held
    if generator.get("behavior") == "merge":
        wanted = generator["name"]
        old = next(d for d in documents if d["kind"] == "ConfigMap" and name_of(d) == wanted)
        fresh = {**old, "data": {**old["data"], **data}}
        return [fresh if document is old else document for document in documents]
    return [*documents, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}]


def _patched(documents: list[Document], patch: dict[str, Any]) -> list[Document]:
    operations = yaml.safe_load(patch["patch"])
    meant = [document for document in documents if _targeted(document, patch["target"])]
    if isinstance(operations, dict):
        if operations.get("$patch") != "delete":
            raise CannotCheck("a patch that is no JSON patch needs kustomize")
        return [document for document in documents if document not in meant]
    return [patched(document, operations) if document in meant else document for document in documents]


def _targeted(document: Document, target: dict[str, Any]) -> bool:
    labels = document["metadata"].get("labels") or {}
    if beyond := sorted(target.keys() - {"kind", "name", "labelSelector"}):
        raise CannotCheck(f"a target by {', '.join(beyond)} needs kustomize")
    if not re.fullmatch(target.get("kind", ".*"), document["kind"]):
        return False
    if not re.fullmatch(target.get("name", ".*"), name_of(document)):
        return False
    selector = target.get("labelSelector")
    if selector is None:
        return True
    rule = re.fullmatch(r"(\S+) in \(([^)]*)\)", selector)
    if rule is None:
        raise CannotCheck(f"the selector {selector} needs kustomize")
    return labels.get(rule[1]) in re.split(r",\s*", rule[2])


def _renamed(document: Document, images: dict[str, dict[str, str]]) -> None:
    if document["kind"] not in ("Deployment", "StatefulSet", "Job"):
        return
    for container in pod_of(document)[0].get("containers") or ():
        name, _, tag = container["image"].rpartition(":")
        if name in images:
            image = images[name]
            digest = f"@{image['digest']}" if "digest" in image else f":{image.get('newTag', tag)}"
            container["image"] = image.get("newName", name) + digest


def disagreements(ours: Release, theirs: Release) -> list[Finding]:
    """Where our reader differs from kustomize, whose word counts."""
    hashed = {}
    for config in ours.of("ConfigMap"):
        pattern = re.compile(re.escape(name_of(config)) + r"(-[a-z0-9]{10})?")
        hashed.update({name_of(c): name_of(config) for c in theirs.of("ConfigMap") if pattern.fullmatch(name_of(c))})
    mine, kustomized = _by_title(ours.documents), _by_title(_unhashed(d, hashed) for d in theirs.documents)
    differing = [what for what in sorted(mine.keys() | kustomized.keys()) if mine.get(what) != kustomized.get(what)]
    cure = "Use what deploy/checks/sources.py reads, or teach it more"
    return [Finding(what, "", "is read otherwise than by kustomize", cure) for what in differing]


def _by_title(documents: Iterable[Document]) -> dict[str, Document]:
    return {title(document): document for document in documents}


def _unhashed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _unhashed(held, names) for key, held in value.items()}
    if isinstance(value, list):
        return [_unhashed(held, names) for held in value]
    return names.get(value, value) if isinstance(value, str) else value


@functools.cache
def _origins() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(K8S.rglob("*.yaml")):
        for document in documents_in(file.read_text()):
            if isinstance(document, dict) and "metadata" in document:
                found.setdefault(title(document), str(file.relative_to(ROOT)))
    return found


def origin(resource: str) -> str:
    """The file that a resource, given as Kind/name, was first written in; empty for a generated one."""
    return _origins().get(resource, "")
