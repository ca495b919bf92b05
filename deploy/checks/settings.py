"""Settings in the manifests against the very classes that the processes read them with."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from pydantic_settings import BaseSettings

from deploy.checks.environment import Mount, Variable, mounts, place_of, tokens, variables
from deploy.checks.model import Container, Finding, Release, container_ports, name_of, pod_of, selected, title
from deploy.checks.model import pod_labels as labels_of
from deploy.checks.processes import JOBS, PROCESSES, listening, ours, parse, targets
from services.library.settings import LibrarySettings
from services.results.settings import ResultsSettings

# What libraries read: obstore its credentials, asyncpg how it checks the server's certificate.
_FOREIGN: Final = frozenset(
    {
        "AWS_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "PGSSLMODE",
        "PGSSLROOTCERT",
    }
)
_FILE: Final = "_FILE"


def check(release: Release) -> list[Finding]:
    """Names exist, values parse, what must be set is set, files are mounted, targets and tokens fit together."""
    found: list[Finding] = []
    for container in release.containers():
        if not ours(container):
            continue
        known, faults = variables(release, container)
        found += faults
        places = mounts(release, container)
        found += _names(container, known)
        found += _files(container, known, places)
        name = name_of(container.workload)
        settings = {**PROCESSES, **JOBS}.get(name)
        if settings is None:
            continue
        parsed, faults = parse(container, settings, known, places)
        found += faults
        if parsed is not None and name in PROCESSES:
            found += _fits(release, container, parsed, places)
    for name in sorted(_missing(release)):
        cure = "Give it a manifest of its own and list it in base/kustomization.yaml"
        found.append(Finding(f"Deployment/{name}", "", "there is no such workload", cure))
    return found


def _missing(release: Release) -> set[str]:
    names = {name_of(document) for document in release.of("Deployment")}
    edges = {"gateway", "envoy"}
    # The base leaves the edge to the overlays.
    return (PROCESSES.keys() - names - edges) | (set() if names & edges or release.name == "base" else {"envoy"})


def _names(container: Container, known: list[Variable]) -> Iterator[Finding]:
    """A name that no process reads is a setting that silently does nothing."""
    own = name_of(container.workload)
    for variable in known:
        if variable.name in _FOREIGN:
            continue
        # Any setting may be given by a file with its value.
        process, fields = _class_of(variable.name)
        fields |= {f"{field}{_FILE}" for field in fields}
        if own in PROCESSES and process and process != own:
            text, cure = f"is a setting of {process}", f"Name it after {own}"
        elif process and variable.name in fields:
            continue
        else:
            everything = [name for settings in PROCESSES.values() for name in sorted(_fields(settings))]
            near = difflib.get_close_matches(variable.name, [*everything, *_FOREIGN], n=1)
            text = "is no setting of any process"
            cure = f"Is {near[0]} meant?" if near else "Remove it"
        yield Finding(title(container.workload), variable.path, f"{variable.name} {text}", cure)


def _fields(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{field}".upper() for field in settings.model_fields}


def _class_of(variable: str) -> tuple[str, set[str]]:
    for process, settings in PROCESSES.items():
        if variable.startswith(str(settings.model_config.get("env_prefix", ""))):
            extra = set().union(*(_fields(job) for job in JOBS.values()))
            return process, _fields(settings) | extra
    return "", set()


def _files(container: Container, known: list[Variable], places: list[Mount]) -> Iterator[Finding]:
    for variable in known:
        if not variable.value.startswith("/"):
            continue
        mount = place_of(variable.value, places)
        if mount is None:
            cure = "Mount a volume there, or correct the path: the root file system is read-only and holds no such file"
            yield Finding(title(container.workload), variable.path, f"{variable.value} is in no mounted volume", cure)
        elif not mount.holds(PurePosixPath(variable.value)):
            have = ", ".join(sorted(mount.files or ()))
            cure = f"The volume at {mount.path} holds {have}"
            yield Finding(title(container.workload), variable.path, f"there is no {variable.value}", cure)


def _fits(release: Release, container: Container, settings: BaseSettings, places: list[Mount]) -> Iterator[Finding]:
    workload, where = title(container.workload), f"{container.path}.env"
    called = targets(settings)
    yield from _listening(container, settings)
    for peer, target in called.items():
        fault = unreachable(release, target)
        if fault:
            yield Finding(workload, where, f"the target of {peer}, {target}, {fault}", "Correct host or port")
    folder = str(getattr(settings, "internal_tokens", ""))
    if folder:
        mount = place_of(folder, places)
        held = dict(tokens(mount)) if mount is not None else {}
        wanted = {peer: peer for peer in called}
        for peer in sorted(wanted.keys() - held.keys()):
            cure = f"Add a serviceAccountToken with audience and path {peer} to the projected volume"
            yield Finding(workload, where, f"there is no token for {peer} in {folder}", cure)
        for peer in sorted(held.keys() - wanted.keys()):
            yield Finding(workload, where, f"{folder} holds a token for {peer}, which it does not call", "Remove it")
        for peer, audience in held.items():
            if peer in wanted and audience != peer:
                cure = "The audience is the callee's name"
                yield Finding(workload, where, f"the token for {peer} has the audience {audience}", cure)
        yield from _identity(container, settings)
    need = _memory(settings)
    limit = _mebibytes(str(((container.spec.get("resources") or {}).get("limits") or {}).get("memory", "0")))
    if limit and need > limit:
        cure = "Raise limits.memory, or set fewer processes"
        yield Finding(workload, f"{container.path}.resources", f"may use {need} MiB and is given {limit}", cure)


def _listening(container: Container, settings: BaseSettings) -> Iterator[Finding]:
    workload, where = title(container.workload), f"{container.path}.ports"
    opened, declared = listening(settings), container_ports(container.spec)
    for field, port in opened.items():
        if port not in declared.values():
            cure = "Listen on 0.0.0.0 and on a port of the container"
            yield Finding(workload, where, f"{field.upper()} opens {port or 'nothing to the outside'}", cure)
    for label, port in declared.items():
        if port not in opened.values():
            cure = "Remove the port, or set the setting that opens it"
            yield Finding(workload, where, f"nothing listens on {label} {port}", cure)


def _identity(container: Container, settings: BaseSettings) -> Iterator[Finding]:
    workload = container.workload
    account = str(pod_of(workload)[0].get("serviceAccountName", ""))
    if account != name_of(workload):
        cure = "The callee takes the account's name for the caller's"
        yield Finding(title(workload), "serviceAccountName", f"runs as {account or 'default'}", cure)
    prefix = getattr(settings, "internal_subjects", None)
    wanted = f"system:serviceaccount:{workload['metadata']['namespace']}:"
    if prefix is not None and prefix != wanted:
        yield Finding(
            title(workload), f"{container.path}.env", f"INTERNAL_SUBJECTS is {prefix}", f"It must be {wanted}"
        )


def unreachable(release: Release, target: str) -> str:
    """What is wrong with a host:port that a process is told to call; "" when a Service and a container serve it."""
    host, _, port = target.rpartition(":")
    service = release.find("Service", host.partition(".")[0])
    if service is None:
        return "is no Service"
    entry = next((entry for entry in service["spec"]["ports"] if str(entry["port"]) == port), None)
    if entry is None:
        return "is no port of that Service"
    for container in release.containers("Deployment", "StatefulSet"):
        if selected({"matchLabels": service["spec"].get("selector")}, labels_of(container.workload)):
            ports = container_ports(container.spec)
            wanted = entry.get("targetPort", entry["port"])
            if wanted in ports or wanted in ports.values():
                return ""
    return "leads to no container's port"


def _memory(settings: BaseSettings) -> int:
    """What a process may use with all its own processes busy, in MiB; 0 where its settings say nothing."""
    match settings:
        case LibrarySettings():
            parsers = settings.parser_processes * settings.parse_memory_mb
            return parsers + settings.index_mb + settings.text_cache_mb + 256
        case ResultsSettings():
            return settings.render_processes * settings.render_memory_mb + settings.cached_mb + 256
    return 0


def _mebibytes(quantity: str) -> int:
    for unit, factor in (("Gi", 1024), ("Mi", 1)):
        if quantity.endswith(unit):
            return int(float(quantity.removesuffix(unit)) * factor)
    return 0
