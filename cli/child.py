"""Start a program that must not outlive its parent: `python -I -S child.py PARENT_PID PROGRAM ARGUMENT...`.

The kernel ends this process when the parent dies, and keeps to that after exec. It is set here, in a fresh process,
because code between fork and exec in a process with threads is not safe.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Never returns. Standard library only: this runs before anything is on the path."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # The parent died before the line above.
    os.execv(program[0], program)  # noqa: S606 - there is no shell, on purpose


if __name__ == "__main__":
    main()
