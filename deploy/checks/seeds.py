"""Seeded faults: small patches on what is right, each of which one check must find.

A seed names the check, what it is planted in, the patch, and what the finding must say. Where it is planted: `base`,
`dev`, `production` or `observability` with the resource; or `nats`, `envoy`, `dockerfile`, `rules` and `rule-tests`,
`exemptions`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from deploy.checks import registry, tools
from deploy.checks.model import Document, Finding, Release, title
from deploy.checks.patching import patched
from deploy.checks.registry import FILES, MANIFESTS, Files

FOLDER = Path(__file__).with_name("seeds")


@dataclass(frozen=True, slots=True)
class Seed:
    """One fault."""

    name: str
    check: str
    planted: str
    says: str
    resource: str = ""
    patch: tuple[Mapping[str, Any], ...] = ()
    text: tuple[tuple[str, str], ...] = ()
    """For files that are no YAML: what is replaced, and by what; an empty one is put in front of the file."""
    add: Mapping[str, Any] = field(default_factory=dict)
    """A document that is added to the release."""
    tests: str = "*.yaml"
    """Which of the rules' tests are run."""
    remove: bool = False
    """Whether the resource is taken away."""


def seeds() -> list[Seed]:
    """All seeds, in the order of their files."""
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text()):
            text = tuple((str(old), str(new)) for old, new in entry.pop("text", ()))
            patch = tuple(entry.pop("patch", ()))
            found.append(Seed(check=file.stem, text=text, patch=patch, **entry))
    return found


def planted(seed: Seed, release: Release) -> Release:
    """The release with the fault in it. Raises ValueError when the seed fits nothing."""
    documents = [d for d in release.documents if not (seed.remove and _is(d, seed.resource))]
    hits = 0
    for number, document in enumerate(documents):
        if seed.patch and _is(document, seed.resource):
            documents[number] = patched(document, [dict(operation) for operation in seed.patch])
            hits += 1
    if seed.add:
        documents.append(dict(seed.add))
    if not hits and not seed.add and len(documents) == len(release.documents):
        raise ValueError(f"the seed {seed.name!r} is planted in no resource")
    return Release(release.name, documents)


def _is(document: Document, resource: str) -> bool:
    """kustomize puts a hash behind the names of the ConfigMaps that it makes."""
    hashed = document["kind"] == "ConfigMap" and re.fullmatch(re.escape(resource) + "-[a-z0-9]{10}", title(document))
    return title(document) == resource or bool(hashed)


def bites(seed: Seed, releases: Mapping[str, Release], folder: Path) -> str:
    """Why the check does not find the seed's fault; empty when it does. `folder` is for the seed's own files."""
    found = _found(seed, releases, folder)
    if not found:
        return f"{seed.check} finds nothing wrong with: {seed.name}"
    if not any(seed.says in str(finding) for finding in found):
        return f"{seed.check} finds something else than {seed.says!r} in: {seed.name}: {found[0]}"
    return ""


def _found(seed: Seed, releases: Mapping[str, Release], folder: Path) -> list[Finding]:
    if seed.planted in releases:
        release = planted(seed, releases[seed.planted])
        if seed.check in MANIFESTS:
            return MANIFESTS[seed.check](release)
        if seed.check == "checkov":
            small = [document for document in release.documents if title(document) in (seed.resource, "Namespace/prsm")]
            return tools.checkov([Release(release.name, small)], _no_exemptions(folder))
        return FILES[seed.check](_files({**releases, seed.planted: release}))
    files = _files(releases)
    plant: Mapping[str, Callable[[], Files]] = {
        "nats": lambda: replace(files, nats=_yaml(seed, registry.NATS_VALUES)),
        "envoy": lambda: replace(files, edge=seed.patch),
        "dockerfile": lambda: replace(files, dockerfile=_edited(seed, files.dockerfile, folder)),
        "compose": lambda: replace(files, compose=_edited(seed, files.compose, folder)),
        "rules": lambda: replace(files, rules=_rules(seed, files.rules, folder), rule_tests=seed.tests),
    }
    return FILES[seed.check](plant[seed.planted]())


def _files(releases: Mapping[str, Release]) -> Files:
    return Files(releases["production"], releases.get("observability", releases["production"]))


def _operations(seed: Seed) -> Sequence[dict[str, Any]]:
    return [dict(operation) for operation in seed.patch]


def _yaml(seed: Seed, file: Path) -> dict[str, Any]:
    return patched(yaml.safe_load(file.read_text()), _operations(seed))


def _edited(seed: Seed, file: Path, folder: Path) -> Path:
    text = file.read_text()
    for old, new in seed.text:
        if old not in text:
            raise ValueError(f"{file} has no {old!r} for the seed {seed.name!r}")
        text = text.replace(old, new, 1) if old else new + text
    copy = folder / file.name
    copy.write_text(text)
    return copy


def _rules(seed: Seed, folder: Path, target: Path) -> Path:
    copy = target / "observability"
    shutil.copytree(folder, copy)
    file = copy / seed.resource
    if seed.patch:
        file.write_text(yaml.safe_dump(patched(yaml.safe_load(file.read_text()), _operations(seed))))
    elif seed.text:
        _edited(seed, file, copy)
    return copy


def _no_exemptions(folder: Path) -> Path:
    file = folder / "exemptions.yaml"
    file.write_text("[]\n")
    return file
