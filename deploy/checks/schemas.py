"""Documents against schemas: Kubernetes' own, strictly, and ours for each custom resource."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]  # it brings no types
from kubernetes_validate import utils

from deploy.checks.model import Document, Finding, Release, title

OLDEST, NEWEST = "1.34", "1.36"
"""Kubernetes versions that are supported: preStop `sleep` is stable from the oldest on, and the newest is the last one
that all operators named in deploy/k8s/README.md are released for."""
_FOLDER = Path(__file__).with_name("schemas")
# Otherwise a version's definitions are read and parsed again for every document.
utils.schema_contents = functools.cache(utils.schema_contents)


def kubernetes(release: Release) -> list[Finding]:
    """Every document that is Kubernetes' own, for the oldest and the newest version; unknown fields are faults."""
    return [
        finding
        for document in release.documents
        if _custom(document) is None
        for version in (OLDEST, NEWEST)
        for finding in _kubernetes(document, version)
    ]


def _kubernetes(document: Document, version: str) -> Iterator[Finding]:
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        place = ".".join(str(part) for part in error.absolute_path)
        cure = "Correct it after the API reference of that version"
        yield Finding(title(document), place, f"not valid in Kubernetes {version}: {_short(error.message)}", cure)
    except kubernetes_validate.SchemaNotFoundError:
        what = f"Kubernetes {version} has no {document['kind']} in {document['apiVersion']}"
        cure = "Correct apiVersion or kind; for a custom resource write its schema into deploy/checks/schemas"
        yield Finding(title(document), "apiVersion", what, cure)


def custom(release: Release) -> list[Finding]:
    """Every custom resource against the schema written for it."""
    found = []
    for document in release.documents:
        schema = _custom(document)
        if schema is None:
            continue
        for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
            leaf = jsonschema.exceptions.best_match([error]) or error
            place = ".".join(str(part) for part in leaf.absolute_path)
            cure = f"Correct it after the operator's reference, or widen {_FOLDER.name}/{_file(document).name}"
            found.append(Finding(title(document), place, _short(leaf.message), cure))
    return found


def of_kind(release: Release) -> int:
    """How many of the documents are custom resources."""
    return sum(1 for document in release.documents if _custom(document) is not None)


def validate_file(value: Any, schema: str, name: str) -> list[Finding]:
    """A file that is no resource, against one of our schemas."""
    loaded = json.loads((_FOLDER / schema).read_text())
    return [
        Finding(name, ".".join(map(str, error.absolute_path)), _short(error.message), f"Correct it, or widen {schema}")
        for error in jsonschema.Draft202012Validator(loaded).iter_errors(value)
    ]


def _file(document: Document) -> Path:
    group = str(document.get("apiVersion", "")).partition("/")[0]
    return _FOLDER / f"{group}-{str(document.get('kind', '')).lower()}.json"


def _custom(document: Document) -> dict[str, Any] | None:
    if "/" not in str(document.get("apiVersion", "")):
        return None
    return _load(_file(document))


@functools.cache
def _load(file: Path) -> dict[str, Any] | None:
    if not file.exists():
        return None
    schema: dict[str, Any] = json.loads(file.read_text())
    metadata = json.loads((_FOLDER / "metadata.json").read_text())
    schema.setdefault("properties", {})["metadata"] = metadata
    return schema


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:300]}…"
