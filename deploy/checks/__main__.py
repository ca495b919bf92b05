"""Check everything under `deploy/`, offline: `python -m deploy.checks [--no-prove]`.

One line for each check, with what it looked at and its time. Ends with 1 when something is wrong, and with 2 when
something could not be checked. The last step plants faults and demands that each check finds its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.checks import registry, schemas, seeds
from deploy.checks.model import CannotCheck, Finding, Release
from deploy.checks.registry import FILES, MANIFESTS, Files
from deploy.checks.sources import FOLDERS, disagreements, kustomize, origin, read

_DONE, _WRONG, _UNKNOWN = 0, 1, 2


class Report:
    """Prints as it goes, and remembers the worst."""

    def __init__(self, out: Callable[[str], object]) -> None:
        self._out = out
        self.status = _DONE

    def step(self, name: str, scope: str, check: Callable[[], Sequence[Finding]]) -> bool:
        """Whether it is right."""
        began = time.monotonic()
        try:
            found = list(check())
        except CannotCheck as error:
            self.status = _UNKNOWN
            self._out(f"FAIL  {name:<13} {error}\n")
            return False
        spent = time.monotonic() - began
        if found:
            self.status = max(self.status, _WRONG)
        self._out(f"{'FAIL' if found else 'ok':<5} {name:<13} {scope}, {len(found)} faults, {spent:.1f} s\n")
        for finding in dict.fromkeys(found):
            file = finding.file or origin(finding.resource)
            self._out(f"      {file + ': ' if file else ''}{finding}\n")
        return not found


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    report = Report(lambda line: (sys.stdout.write(line), sys.stdout.flush()))
    began = time.monotonic()
    releases: dict[str, Release] = {}
    for name in FOLDERS:
        report.step("kustomize", name, lambda name=name: _rendered(name, releases))  # type: ignore[misc]
    if len(releases) < len(FOLDERS):
        return report.status
    rendered = list(releases.values())
    documents = sum(len(release.documents) for release in rendered)
    versions = f"Kubernetes {schemas.OLDEST} and {schemas.NEWEST}"
    for name, check in MANIFESTS.items():
        scope = f"{len(rendered)} releases, {documents} resources"
        if check is schemas.custom:
            scope = f"{sum(schemas.of_kind(release) for release in rendered)} custom resources"
        elif check is schemas.kubernetes:
            scope += f", {versions}"
        report.step(name, scope, lambda check=check: _each(check, rendered))  # type: ignore[misc]
    files = Files(releases["production"], releases["observability"])
    report.step("checkov", f"{documents} resources", lambda: registry.checkov(files, rendered))
    for name, of_files in FILES.items():
        report.step(name, "1 file", lambda of_files=of_files: of_files(files))  # type: ignore[misc]
    if "--no-prove" not in arguments:
        _prove(report, releases)
    sys.stdout.write(f"{'right' if report.status == _DONE else 'wrong'} after {time.monotonic() - began:.1f} s\n")
    return report.status


def _rendered(name: str, releases: dict[str, Release]) -> list[Finding]:
    releases[name] = kustomize(name)
    return disagreements(read(name), releases[name])


def _each(check: registry.Check, releases: Sequence[Release]) -> list[Finding]:
    return [finding for release in releases for finding in check(release)]


def _prove(report: Report, releases: dict[str, Release]) -> None:
    every = seeds.seeds()
    for check in dict.fromkeys(seed.check for seed in every):
        own = [seed for seed in every if seed.check == check]
        report.step(f"bites {check}"[:20], f"{len(own)} seeded faults", lambda own=own: _missed(own, releases))  # type: ignore[misc]
    for check in sorted({*MANIFESTS, *FILES, "checkov"} - {seed.check for seed in every}):
        report.step(check, "no seeded fault", lambda: [Finding(str(seeds.FOLDER), "", "a check is not proven", "Add")])


def _missed(own: Sequence[seeds.Seed], releases: dict[str, Release]) -> list[Finding]:
    found = []
    for seed in own:
        with tempfile.TemporaryDirectory(prefix="prsm-seed-") as folder:
            try:
                why = seeds.bites(seed, releases, Path(folder))
            except ValueError as error:
                why = str(error)
            if why:
                found.append(Finding("", seed.name, why, "Mend the check, or the seed"))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
