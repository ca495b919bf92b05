"""What the kernel says of running processes: memory, processor time, open files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process at a moment: resident bytes, seconds of processor time since its start, open file descriptors."""

    resident: int
    cpu: float
    files: int


def usage(pid: int) -> Usage:
    """Raises FileNotFoundError for a process that is gone."""
    folder = Path("/proc") / str(pid)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    lines = (folder / "status").read_text().splitlines()
    resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return Usage(resident * _KIB, (int(fields[11]) + int(fields[12])) / _TICKS, len(os.listdir(folder / "fd")))


def peak(pid: int) -> int:
    """The largest resident set so far, bytes; 0 for a process that is gone or going."""
    try:
        lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0) * _KIB


def descendants(pid: int) -> dict[int, str]:
    """The processes below `pid` with their command lines."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except FileNotFoundError:
                continue  # It ended while we looked.
            parents.setdefault(parent, []).append(int(entry.name))
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), ()):
            found[child] = _command(child)
            waiting.append(child)
    return found


def _command(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except FileNotFoundError:
        return ""


def part(pid: int, module: str) -> int:
    """The process below `pid` that runs a Python module. Raises LookupError."""
    for child, command in descendants(pid).items():
        if command.endswith(f"-m {module}"):
            return child
    raise LookupError(f"no process runs {module}")


def machine() -> str:
    """The machine in one line, for what a benchmark prints."""
    import platform

    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} cores of {cpu}, {system}, Python {platform.python_version()}"
