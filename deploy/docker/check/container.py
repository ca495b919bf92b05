"""Runs a process of a built image the way compose and Kubernetes do: an unprivileged user without capabilities, a
read-only root file system, /tmp and /data to write to, and no environment but the image's and its settings."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.docker.check.builder import Built, mount, mount_devices
from deploy.docker.dockerfile import Dockerfile

USER = "10001"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it said."""

    status: int
    output: str
    errors: str


class Container:
    """One image, mounted to be run. Use `opened`."""

    def __init__(self, root: Path, dockerfile: Dockerfile, image: str) -> None:
        self._root = root
        self._image = image
        self._dockerfile = dockerfile
        entry = dockerfile.effective(image, "ENTRYPOINT")
        assert entry is not None
        self.entry = entry.words()
        probe = dockerfile.effective(image, "HEALTHCHECK")
        _, found, command = (probe.text if probe else "").partition("CMD ")
        self.probe: list[str] = json.loads(command) if found else []

    def command(self, words: Sequence[str], settings: Mapping[str, str]) -> list[str]:
        """A command line that runs `words` inside."""
        environment = {**self._dockerfile.environment(self._image), **settings}
        given = [f"{name}={value}" for name, value in environment.items()]
        workdir = self._dockerfile.effective(self._image, "WORKDIR")
        inside = ["/usr/bin/env", "-i", f"--chdir={workdir.text if workdir else '/'}", *given, *words]
        chroot = ["chroot", f"--userspec={USER}:{USER}", "--groups=", str(self._root)]
        return ["setpriv", "--no-new-privs", "--bounding-set=-all,+setuid,+setgid,+sys_chroot", *chroot, *inside]

    def run(self, words: Sequence[str], settings: Mapping[str, str] | None = None, *, seconds: float = 120) -> Outcome:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(words, settings or {}), capture_output=True, text=True, check=False, timeout=seconds
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def started(
        self, settings: Mapping[str, str], log: Path, more: Sequence[str] = ()
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The image's own process, with further arguments, from start to the end of the block."""
        with log.open("wb") as said:
            process = subprocess.Popen(self.command([*self.entry, *more], settings), stdout=said, stderr=said)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def healthy(self, process: subprocess.Popen[bytes], settings: Mapping[str, str], *, seconds: float = 60) -> bool:
        """Whether the image's health command succeeds in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            if self.run(self.probe, settings).status == 0:
                return True
            time.sleep(0.2)
        return False


def stop(process: subprocess.Popen[bytes], *, seconds: float = 30) -> int:
    """End it as a container engine does: SIGTERM, and its exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=seconds)


@contextmanager
def opened(built: Built, dockerfile: Dockerfile, image: str, shared: Mapping[str, Path]) -> Iterator[Container]:
    """Mount an image read-only; `shared` are folders of this machine by their place inside: /data may be written to,
    the others not."""
    with tempfile.TemporaryDirectory(prefix=f"prsm-{image}-") as folder:
        points, root = Path(folder) / "points", Path(folder) / "root"
        for inside in ("/proc", "/dev", "/tmp", *shared):  # noqa: S108 - inside the image
            (points / inside.lstrip("/")).mkdir(parents=True)
        root.mkdir()
        # The engine makes the places of mounts, too; without an upper layer the whole is read-only.
        mount("-t", "overlay", "overlay", "-o", f"ro,lowerdir={':'.join(map(str, [points, *built.layers]))}", root)
        try:
            mount_devices(root)
            mount("-t", "tmpfs", "-o", "mode=1777,nosuid,nodev", "tmpfs", root / "tmp")
            for inside, outside in shared.items():
                place = root / inside.lstrip("/")
                mount("--bind", outside, place)
                if inside != "/data":
                    mount("-o", "remount,bind,ro", place)
            yield Container(root, dockerfile, image)
        finally:
            subprocess.run(["umount", "--recursive", "--lazy", str(root)], check=True)


def data_folder(folder: Path) -> Path:
    """A folder that the processes' user may write to."""
    folder.mkdir(parents=True)
    os.chown(folder, int(USER), int(USER))
    return folder


def size_of(*folders: Path) -> int:
    """Bytes on disk of what is below the folders."""
    files = (path for folder in folders if folder.exists() for path in folder.rglob("*"))
    return sum(path.lstat().st_size for path in files if not path.is_dir() or path.is_symlink())


def have(*programs: str) -> list[str]:
    """Which of the programs are missing."""
    return [name for name in programs if shutil.which(name) is None]
