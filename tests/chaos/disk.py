"""A small disk for all data, that can be filled up: a tmpfs of limited size, or a limit on the size of files."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

_PIECE, _PAGE = 2**24, 2**12
_QUOTA = 4096
_PREFIX = "prsm-chaos-"


def made() -> Path:
    """A new folder that names its owner, for `tidy`."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def tidy() -> None:
    """Remove what runs that were killed have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{owner}").exists():
            _unmount(folder / "disk")
            shutil.rmtree(folder, ignore_errors=True)


def _limit(pid: int, size: int) -> None:
    """Let a process write no file beyond `size` bytes."""
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    except ProcessLookupError:
        pass  # It ended meanwhile.
    except PermissionError:
        # A process of another user, and even root may not: that user may.
        owner = str(Path(f"/proc/{pid}").stat().st_uid)
        user = ["setpriv", "--reuid", owner, "--regid", owner, "--clear-groups"]
        soft = "unlimited" if size == resource.RLIM_INFINITY else str(size)
        subprocess.run([*user, "prlimit", "--pid", str(pid), f"--fsize={soft}:unlimited"], check=False)


def _unmount(folder: Path) -> None:
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


class SmallDisk:
    """`folder` is the disk. Without the right to mount one it is a plain folder, and filling it up limits the size of
    files that the processes named may write (RLIMIT_FSIZE)."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.folder = folder
        self._mib = mib
        self._mounted = False
        self._limited: list[int] = []

    @property
    def kind(self) -> str:
        """What stands for a full disk here."""
        return f"tmpfs of {self._mib} MiB" if self._mounted else "RLIMIT_FSIZE"

    def mount(self) -> None:
        self.folder.mkdir()
        self.folder.chmod(0o711)
        if self._mib and os.geteuid() == 0:
            options = f"size={self._mib}m,mode=711"
            command = ["mount", "-t", "tmpfs", "-o", options, "prsm-chaos", str(self.folder)]
            self._mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self, processes: Iterable[int]) -> None:
        """From now on nothing more can be stored."""
        if not self._mounted:
            self._limited = list(processes)
            for pid in self._limited:
                _limit(pid, _QUOTA)
            return
        size, piece = 0, _PIECE
        with (self.folder / "ballast").open("wb") as ballast:
            # Others take of it meanwhile, and a piece that does not fit is given back as a whole.
            while piece >= _PAGE:
                try:
                    os.posix_fallocate(ballast.fileno(), size, piece)
                except OSError:
                    piece //= 2
                else:
                    size += piece

    def free(self) -> None:
        """There is room again."""
        for pid in self._limited:
            _limit(pid, resource.RLIM_INFINITY)
        self._limited = []
        (self.folder / "ballast").unlink(missing_ok=True)

    def unmount(self) -> None:
        _unmount(self.folder)
        self._mounted = False
