"""The images that are not made here, pinned by version and by digest.

    python -m deploy.docker.bases show    # NAME=image@digest for each; fails while a digest is missing
    python -m deploy.docker.bases pin     # ask the registry for the digests and write them into bases.lock

A version can be given anew by its publisher, a digest cannot. Digests come from the registry alone, through
`docker buildx imagetools inspect`, and are looked at in review like any other pin.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

LOCK = Path(__file__).with_name("bases.lock")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BadBases(ValueError):
    """A line that is no pin, or a digest that is missing; the message says which."""


@dataclass(frozen=True, slots=True)
class Base:
    """`variable` is the build argument or compose variable that names the image; `digest` may be empty."""

    variable: str
    image: str
    digest: str

    @property
    def reference(self) -> str:
        """What a container engine is told. Raises BadBases without a digest."""
        if not self.digest:
            raise BadBases(
                f"{self.variable}: no digest of {self.image} is on record: python -m deploy.docker.bases pin"
            )
        return f"{self.image}@{self.digest}"


def parse(text: str) -> list[Base]:
    """Raises BadBases."""
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        variable, image, *rest = line.split()
        if len(rest) > 1 or (rest and not _DIGEST.fullmatch(rest[0])) or ":" not in image:
            raise BadBases(f"not VARIABLE image:version [sha256:...]: {line}")
        found.append(Base(variable, image, rest[0] if rest else ""))
    return found


def render(text: str, bases: list[Base]) -> str:
    """The file again, with the bases' digests and its comments."""
    head = [line for line in text.splitlines() if line.startswith("#")]
    return "\n".join([*head, *(f"{b.variable} {b.image} {b.digest}".rstrip() for b in bases)]) + "\n"


def look_up(image: str) -> str:
    """Ask the registry. Raises BadBases."""
    command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{.Manifest.Digest}}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadBases(f"{image} cannot be looked up: {error}") from error
    digest = done.stdout.strip()
    if done.returncode or not _DIGEST.fullmatch(digest):
        raise BadBases(f"{image} cannot be looked up: {done.stderr.strip() or digest}")
    return digest


def pin(bases: list[Base], ask: Callable[[str], str] = look_up) -> list[Base]:
    """The bases with their digests of now. Raises BadBases."""
    return [replace(base, digest=ask(base.image)) for base in bases]


def main(arguments: list[str]) -> int:
    """The exit status."""
    try:
        text = LOCK.read_text()
        if arguments == ["pin"]:
            LOCK.write_text(render(text, pin(parse(text))))
        elif arguments == ["show"]:
            sys.stdout.write("".join(f"{base.variable}={base.reference}\n" for base in parse(text)))
        else:
            raise BadBases("usage: python -m deploy.docker.bases show | pin")
    except BadBases as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
