"""The lock file of each image: the part of the project's locks that its code needs, word for word.

    python -m deploy.docker.locks            # write deploy/docker/locks/*.lock
    python -m deploy.docker.locks --check    # exit with 1 and name those that are not up to date

Runs in the development environment, whose installed distributions tell who provides a module and who needs whom. What
only another platform needs is left out: images are Linux.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.docker.closure import Sources, closure
from deploy.docker.images import IMAGES

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ROOT / "deploy" / "docker" / "locks"
BUILD = "build"
_BUILD_NEEDS = ("grpcio-tools", "mypy-protobuf", "protovalidate", "googleapis-common-protos", "cyclonedx-bom")
"""What the build stage itself needs: to generate code, and to write the bills of material."""
_HEAD = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", flags=re.MULTILINE)
_PYTHON = re.compile(r"^ARG PYTHON_BASE=python:(([0-9]+\.[0-9]+)\.[0-9]+)-", flags=re.MULTILINE)


class NotLocked(Exception):
    """Something is needed that no lock has; the message names it."""


def blocks(lock: str) -> dict[str, str]:
    """A lock file's entries by canonical name: requirement, marker and hashes."""
    starts = [match.start() for match in _HEAD.finditer(lock)]
    entries = [lock[start:end].rstrip() + "\n" for start, end in zip(starts, [*starts[1:], len(lock)], strict=True)]
    # A version for each Python may be there; images have one.
    return {canonicalize_name(entry.partition("==")[0]): entry for entry in entries if _meant(entry)}


def _meant(entry: str) -> bool:
    marker = Requirement(entry.splitlines()[0].rstrip("\\ ")).marker
    return marker is None or marker.evaluate(_environment())


@cache
def _environment() -> Mapping[str, str]:
    """What markers are asked about: Linux, and the Python of the images."""
    found = _PYTHON.search((LOCKS.parent / "Dockerfile").read_text())
    assert found, "the Dockerfile names its Python"
    linux = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"}
    return {**linux, "python_full_version": found[1], "python_version": found[2], "extra": ""}


@cache
def locked(root: Path = ROOT) -> Mapping[str, str]:
    """Every entry that the project pins; the development lock has what tests need and an image may, too."""
    found: dict[str, str] = {}
    for part in ("-dev", "-fonts", ""):
        found |= blocks((root / f"requirements{part}.lock").read_text())
    return found


@cache
def _providers() -> Mapping[str, str]:
    """The distribution that provides each module."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        owner = canonicalize_name(distribution.metadata["Name"])
        for file in distribution.files or ():
            if file.suffix in (".py", ".so") and ".." not in file.parts and ".dist-info" not in file.parts[0]:
                parts = (*file.parts[:-1], file.name.split(".")[0])
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found.setdefault(name, owner)
    return found


def provider(name: str) -> str | None:
    """Who provides a dotted name: None for the standard library, NotLocked for nobody."""
    if name.split(".")[0] in sys.stdlib_module_names:
        return None
    providers = _providers()
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if (found := providers.get(".".join(parts[:length]))) is not None:
            return found
    raise NotLocked(f"nothing that is installed provides {name}")


@cache
def sources() -> Sources:
    """The project's, read once."""
    return Sources(ROOT)


@cache
def _extras() -> Mapping[str, frozenset[str]]:
    """The extras that the project asks for, by distribution."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(line for group in project["optional-dependencies"].values() for line in group)]
    parsed = [Requirement(line) for line in asked]
    return {canonicalize_name(needed.name): frozenset(needed.extras) for needed in parsed if needed.extras}


def with_dependencies(names: Iterable[str]) -> set[str]:
    """The distributions, and all that they need on Linux."""
    found: set[str] = set()
    waiting = [(canonicalize_name(name), frozenset[str]()) for name in names]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        extras |= _extras().get(name, frozenset())
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or any(
                needed.marker.evaluate({**_environment(), "extra": e}) for e in ("", *extras)
            ):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return found


def distributions(image: str) -> set[str]:
    """What an image installs. Raises NotLocked."""
    if image == BUILD:
        return with_dependencies(_BUILD_NEEDS)
    given = IMAGES[image]
    outside = closure(sources(), given).outside
    direct = {found for name in outside if (found := provider(name)) is not None}
    needed = with_dependencies({*direct, *given.named} - {*given.spared})
    return needed | {canonicalize_name(name) for name in given.bare}


def render(image: str) -> str:
    """The text of an image's lock. Raises NotLocked."""
    entries = locked()
    needed = distributions(image)
    if missing := sorted(needed - entries.keys()):
        raise NotLocked(f"{image} needs {', '.join(missing)}, which requirements.lock does not have")
    return "".join(entries[name] for name in sorted(needed))


def main(arguments: list[str]) -> int:
    """The exit status."""
    stale = []
    for image in (*IMAGES, BUILD):
        path, text = LOCKS / f"{image}.lock", render(image)
        if path.exists() and path.read_text() == text:
            continue
        stale.append(image)
        if "--check" not in arguments:
            path.write_text(text)
            sys.stdout.write(f"{image}: {len(blocks(text))} distributions\n")
    if stale and "--check" in arguments:
        sys.stdout.write(f"not up to date: {', '.join(stale)}; run python -m deploy.docker.locks\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
