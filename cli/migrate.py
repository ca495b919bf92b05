"""Bring the databases to their newest shape, one after the other: `python -m cli.migrate PACKAGE=URL...`.

In a process of its own, so that the supervisor imports no database driver and nothing serves before it is done.
"""

from __future__ import annotations

import sys
import traceback


def main() -> None:
    """Exit with 2 when a database refuses; the last line of standard error then says why."""
    from kit.db.migrate import upgrade

    for argument in sys.argv[1:]:
        package, _, url = argument.partition("=")
        try:
            upgrade(package, url)
        except Exception as error:
            traceback.print_exc()
            reason = str(error).strip().splitlines() or [type(error).__name__]
            sys.exit(_say(f"{package.rpartition('.')[2]}: {reason[0]}"))


def _say(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    main()
