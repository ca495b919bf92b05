"""Public tools on what they know best: checkov, hadolint, Envoy itself and promtool."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from deploy.checks import processes
from deploy.checks.environment import mounts, variables
from deploy.checks.model import CannotCheck, Document, Finding, Release
from deploy.checks.sources import ROOT
from deploy.envoy.render import render, write_secrets
from deploy.envoy.settings import EdgeSettings

EXEMPTIONS = Path(__file__).with_name("exemptions.yaml")
_VENV = ROOT / ".venv-deploy" / "bin"
_TOOLS = ROOT / ".tools"


def _run(command: Sequence[str], *, timeout: float, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Raises CannotCheck when it cannot be started."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=cwd, check=False)
    except OSError as error:
        raise CannotCheck(f"{command[0]} cannot be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise CannotCheck(f"{command[0]} did not end within {timeout:g} s") from error


def checkov(releases: Sequence[Release], exemptions: Path = EXEMPTIONS) -> list[Finding]:
    """All of checkov's Kubernetes policies, but for those exempted. Raises CannotCheck without checkov."""
    program = os.environ.get("CHECKOV") or str(_VENV / "checkov")
    if not Path(program).exists():
        raise CannotCheck("checkov is not installed: make lint-deploy installs it from requirements-deploy.lock")
    unused = {(str(e["check"]), str(what)) for e in yaml.safe_load(exemptions.read_text()) for what in e["resources"]}
    exempt = frozenset(unused)
    with tempfile.TemporaryDirectory(prefix="prsm-checkov-") as folder:
        for release in releases:
            (Path(folder) / f"{release.name}.yaml").write_text(yaml.safe_dump_all(release.documents))
        command = [program, "-d", folder, "--framework", "kubernetes", "--compact", "--quiet", "-o", "json"]
        done = _run([*command, "--skip-download"], timeout=300)
    try:
        report = json.loads(done.stdout)
        failed, summary = report["results"]["failed_checks"], report["summary"]
    except (ValueError, KeyError, TypeError) as error:
        raise CannotCheck(f"checkov gave no report: {done.stderr.strip()[-500:]}") from error
    if summary["parsing_errors"] or not summary["passed"]:
        raise CannotCheck("checkov could not read the manifests")
    found = []
    for fault in failed:
        # It names a resource Kind.namespace.name, sometimes with what it was made by before.
        parts = str(fault["resource"]).split(".")
        resource, check = f"{parts[0]}/{parts[-1]}", str(fault["check_id"])
        hit = exempt & {(check, resource), (check, "*")}
        unused -= hit
        if not hit:
            cure = f"Mend it, or exempt {check} for it with a reason in {EXEMPTIONS.name}"
            text = f"{check} {fault['check_name']}, in {Path(fault['file_path']).stem}"
            found.append(Finding(resource, "", text, cure))
    for check, resource in sorted(unused):
        found.append(Finding(EXEMPTIONS.name, f"{check} {resource}", "hits nothing any more", "Remove it"))
    return found


def compose(file: Path) -> list[Finding]:
    """The schema of the Compose Specification, as check-jsonschema carries it. Raises CannotCheck without that."""
    program = _VENV / "check-jsonschema"
    if not program.exists():
        raise CannotCheck("check-jsonschema is missing: make lint-deploy installs it from requirements-deploy.lock")
    done = _run([str(program), "--builtin-schema", "vendor.compose-spec", "-o", "json", str(file)], timeout=60)
    try:
        report = json.loads(done.stdout)
        faults, unread = report["errors"], report.get("parse_errors", [])
    except (ValueError, KeyError, TypeError) as error:
        raise CannotCheck(f"check-jsonschema gave no report: {(done.stderr or done.stdout).strip()[-500:]}") from error
    cure = "See the Compose Specification"
    found = [Finding(file.name, str(fault["path"]), str(fault["message"]), cure) for fault in faults]
    return found + [Finding(file.name, "", f"cannot be read: {fault}", cure) for fault in unread]


def hadolint(dockerfile: Path) -> list[Finding]:
    """Every rule of hadolint, with what deploy/docker/.hadolint.yaml says of it if that is there."""
    own = Path(sys.executable).with_name("hadolint")
    program = str(own) if own.exists() else shutil.which("hadolint")
    if program is None:
        raise CannotCheck("hadolint is not installed: make dev installs it")
    command = [program, "--format", "json"]
    config = ROOT / "deploy" / "docker" / ".hadolint.yaml"
    if config.exists():
        command += ["--config", str(config)]
    done = _run([*command, str(dockerfile)], timeout=60)
    try:
        faults = json.loads(done.stdout)
    except ValueError as error:
        raise CannotCheck(f"hadolint gave no report: {done.stderr.strip()}") from error
    return [
        Finding(dockerfile.name, f"line {fault['line']}", f"{fault['code']} {fault['message']}", "Mend it")
        for fault in faults
    ]


@contextmanager
def edge_config(release: Release) -> Iterator[dict[str, Any]]:
    """Envoy's configuration from the very environment of the release's Envoy container; the files that it names are
    there until the end of the context. Raises CannotCheck."""
    for container in release.containers("Deployment"):
        if container.name == "envoy":
            known, _ = variables(release, container)
            places = mounts(release, container)
            with (
                tempfile.TemporaryDirectory(prefix="prsm-edge-") as folder,
                processes.parsing(container, EdgeSettings, known, places) as (parsed, faults),
            ):
                if not isinstance(parsed, EdgeSettings):
                    raise CannotCheck("; ".join(map(str, faults)))
                here = {"descriptors": ROOT / "gen" / "descriptors.binpb", "secrets_dir": Path(folder)}
                settings = parsed.model_copy(update=here)
                write_secrets(settings)
                yield render(settings)
                return
    raise CannotCheck(f"{release.name} has no container named envoy")


def envoy(config: Mapping[str, Any]) -> list[Finding]:
    """Envoy's own validation of its configuration."""
    own = Path(sys.executable).with_name("envoy")
    program = str(own) if own.exists() else shutil.which("envoy")
    if program is None:
        raise CannotCheck("envoy is not installed: make dev installs it")
    with tempfile.TemporaryDirectory(prefix="prsm-envoy-") as folder:
        file = Path(folder) / "envoy.json"
        file.write_text(json.dumps(config))
        done = _run([program, "--mode", "validate", "-c", str(file), "--log-level", "error"], timeout=120)
    if done.returncode == 0:
        return []
    text = " ".join((done.stdout + done.stderr).split())
    return [Finding("envoy.json", "", text[-800:], "Correct deploy/envoy, or the settings in edge/envoy")]


def promtool(*arguments: str, cwd: Path) -> list[Finding]:
    """Run promtool; what it says when it fails. Raises CannotCheck without promtool."""
    program = shutil.which("promtool") or str(_TOOLS / "usr" / "bin" / "promtool")
    if not Path(program).exists():
        program = _fetched()
    done = _run([program, *arguments], timeout=300, cwd=cwd)
    if done.returncode == 0:
        return []
    text = " ".join((done.stdout + done.stderr).split())
    return [Finding(" ".join(arguments), "", text[-800:], "Correct the rule or its test in deploy/observability")]


def _fetched() -> str:
    """Fetch promtool from the distribution's package into .tools, without root and without installing it."""
    why = "promtool is not installed: install Prometheus 2.42 or newer (on Debian: apt-get install prometheus)"
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise CannotCheck(why)
    _TOOLS.mkdir(exist_ok=True)
    done = _run(["apt-get", "download", "prometheus"], timeout=300, cwd=_TOOLS)
    packages = sorted(_TOOLS.glob("prometheus_*.deb"))
    if done.returncode or not packages:
        raise CannotCheck(f"{why}; fetching it failed: {done.stderr.strip()[-300:]}")
    unpacked = _run(["dpkg-deb", "-x", packages[-1].name, "."], timeout=120, cwd=_TOOLS)
    program = _TOOLS / "usr" / "bin" / "promtool"
    if unpacked.returncode or not program.exists():
        raise CannotCheck(f"{why}; unpacking it failed: {unpacked.stderr.strip()[-300:]}")
    return str(program)


def rules_agree(release: Release, rules: Document) -> list[Finding]:
    """The PrometheusRule in the manifests is the rule file that is tested."""
    held = [document["spec"] for document in release.of("PrometheusRule")]
    if held == [rules]:
        return []
    cure = "python -m deploy.checks.rules writes it"
    return [Finding("PrometheusRule/prsm", "spec", "is not deploy/observability/alerts.yaml", cure)]
