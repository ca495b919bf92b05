"""Runs a Dockerfile's instructions as a container engine would, each stage a layer over what it starts from.

Root only: stages are overlay mounts, steps run in them by chroot. Mounts belong to the mount namespace of this process
and vanish with it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.docker.dockerfile import Dockerfile, Instruction, Stage, substitute

PATH = "/usr/local/bin:/usr/bin:/bin"


class StepFailed(Exception):
    """An instruction did not succeed; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Built:
    """A finished stage: its layers, the newest first, and its root with all of them."""

    layers: tuple[Path, ...]
    root: Path


def mount(*arguments: str | Path) -> None:
    """Call mount(8)."""
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"mount: {done.stderr.strip()}")


def mount_devices(root: Path) -> None:
    """What every process in a container finds: /proc and the usual devices."""
    mount("-t", "proc", "proc", root / "proc")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / "dev")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (root / "dev" / name).touch()
        mount("--bind", f"/dev/{name}", root / "dev" / name)
    (root / "dev/shm").mkdir()
    mount("-t", "tmpfs", "tmpfs", root / "dev/shm")


class Builder:
    """Builds stages on demand, each once. `base` stands in for the base image, `context` is the build context."""

    def __init__(
        self,
        dockerfile: Dockerfile,
        *,
        base: Path,
        context: Path,
        work: Path,
        wheels: Path,
        arguments: Mapping[str, str],
    ) -> None:
        self._dockerfile = dockerfile
        self._base = base
        self._context = context
        self._work = work
        self._wheels = wheels
        self._arguments = arguments
        self._built: dict[str, Built] = {}

    def build(self, name: str) -> Built:
        """Build a stage and what it needs. Raises StepFailed."""
        if name not in self._dockerfile.stages:
            return Built((self._base,), self._base)
        if name not in self._built:
            self._built[name] = self._make(self._dockerfile.stages[name])
        return self._built[name]

    def _make(self, stage: Stage) -> Built:
        below = self.build(stage.base)
        folder = self._work / stage.name
        upper, scratch, root = folder / "layer", folder / "scratch", folder / "root"
        for path in (upper, scratch, root):
            path.mkdir(parents=True)
        lower = ":".join(map(str, below.layers))
        mount("-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={scratch}", root)
        built = Built((upper, *below.layers), root)
        arguments: dict[str, str] = {}
        inherited = self._dockerfile.effective(stage.base, "WORKDIR")
        directory = inherited.text if inherited else "/"
        for instruction in stage.instructions:
            if instruction.name == "ARG":
                key, _, default = instruction.text.partition("=")
                arguments[key] = self._arguments.get(key, default)
            elif instruction.name == "WORKDIR":
                directory = instruction.text
                (root / directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
            try:
                if instruction.name == "COPY":
                    self._copy(built, substitute(instruction.text, arguments).split(), directory)
                elif instruction.name == "RUN":
                    self._run(stage, root, directory, instruction, arguments)
            except StepFailed as error:
                raise StepFailed(f"{stage.name}, line {instruction.line}: {error}") from None
        return built

    def _copy(self, built: Built, words: list[str], directory: str) -> None:
        source_root, left_out = self._context, ["__pycache__"]
        if words[0].startswith("--from="):
            source_root, left_out = self.build(words.pop(0).removeprefix("--from=")).root, []
        *sources, target = words
        place = built.root / os.path.join(directory, target).lstrip("/")
        for source in sources:
            path = source_root / source.strip("/")
            if not path.exists():
                raise StepFailed(f"there is no {source}")
            if path.is_dir():
                shutil.copytree(
                    path, place, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*left_out)
                )
            else:
                to = place / path.name if target.endswith("/") else place
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)

    def _run(
        self, stage: Stage, root: Path, directory: str, instruction: Instruction, arguments: Mapping[str, str]
    ) -> None:
        words = (
            json.loads(instruction.text) if instruction.text.startswith("[") else ["/bin/sh", "-c", instruction.text]
        )
        environment = {"PATH": PATH, **self._dockerfile.environment(stage.name), **arguments}
        # As with `docker build --build-arg`: where pip finds the files, whose hashes the locks hold.
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
        steps = f"cd {shlex.quote(directory)} && exec {shlex.join(words)}"
        given = [f"{name}={value}" for name, value in environment.items()]
        mounts = [("--bind", self._wheels, root / "wheels")]
        (root / "wheels").mkdir(exist_ok=True)
        mount_devices(root)
        for how, what, where in mounts:
            mount(how, what, where)
        try:
            done = subprocess.run(
                ["chroot", str(root), "/usr/bin/env", "-i", *given, "/bin/sh", "-c", steps],
                capture_output=True,
                text=True,
                check=False,
                timeout=900,
            )
        finally:
            for name in ("wheels", "dev", "proc"):
                subprocess.run(["umount", "--recursive", str(root / name)], check=True)
            (root / "wheels").rmdir()
        if done.returncode:
            raise StepFailed(f"{instruction.text}\n{done.stdout}{done.stderr}")
