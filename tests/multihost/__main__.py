"""`python -m tests.multihost`: makes the hosts, runs the test on the client's, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.multihost import network
from tests.multihost.layout import CLIENT, HOSTS
from tests.multihost.process import ROOT

_LOCK = Path("/run/prsm-multihost.lock")
_FOLDER = "prsm-multihost-"
_ENOUGH = 15.0
"""Seconds that the test has to end in order when it is told to."""
_STOPPED = 130


def main() -> int:
    """The exit status: 0 when every request was answered and all figures add up, 2 when this machine cannot run it."""
    if lacks := network.missing():
        sys.stderr.write("multihost cannot run here; it needs:\n" + "".join(f"  - {each}\n" for each in lacks))
        return 2
    with _alone() as alone:
        if not alone:
            sys.stderr.write("multihost is under way already on this machine\n")
            return 2
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        _tidy()
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
        try:
            folder.chmod(0o711)  # PostgreSQL runs as another user in a folder below.
            network.build(HOSTS)
            return _on_the_client(folder)
        except KeyboardInterrupt:
            return _STOPPED
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            _tidy()


def _on_the_client(folder: Path) -> int:
    """Run the test in the client's namespace. What it starts dies with it, and it dies with us."""
    child = [sys.executable, "-I", "-S", str(ROOT / "cli" / "child.py"), str(os.getpid())]
    test = [sys.executable, "-m", "tests.multihost.run", str(folder), *sys.argv[1:]]
    process = subprocess.Popen([*child, *network.inside(CLIENT, test)], cwd=ROOT, env=_environment())
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while True:
        try:
            status = process.wait(_ENOUGH if stopped else 1.0)
        except subprocess.TimeoutExpired:
            if stopped:
                process.kill()
            continue
        return _STOPPED if stopped else status


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'gen'}"}


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether this is the only run on the machine, for as long as the block lasts."""
    with _LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _tidy() -> None:
    """Remove what this run or an earlier one that was killed has left."""
    network.remove()
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
