"""Bring the databases to their newest shape, one after the other: `python -m cli.migrate SERVICE...`.

In a process of its own, so that the supervisor imports no database driver and nothing serves before it is done. Where
each database is stands in `PRSM_<SERVICE>_DATABASE_URL`, as for the service itself; a command line would show a
password to everybody on the machine.
"""

from __future__ import annotations

import os
import sys
import traceback


def main() -> None:
    """Exit with 2 when a database refuses; the last line of standard error then says why."""
    from kit.db.migrate import upgrade

    for service in sys.argv[1:]:
        try:
            upgrade(f"services.{service}", os.environ[f"PRSM_{service.upper()}_DATABASE_URL"])
        except Exception as error:
            traceback.print_exc()
            reason = str(error).strip().splitlines() or [type(error).__name__]
            sys.exit(_say(f"{service}: {reason[0]}"))


def _say(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    main()
