"""Bring databases to their newest shape, one after the other: `python -m cli.migrate SERVICE...`.

In a process of its own, so that the supervisor imports no database driver and nothing serves before it is done. Where
each database is stands in `PRSM_<SERVICE>_DATABASE_URL` (or in the file that `..._DATABASE_URL_FILE` names), as for the
service itself; a command line would show a password to everybody on the machine. `prsm migrate` is the same for people.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Mapping, Sequence


class CannotMigrate(Exception):
    """A database refused; the message is one line."""


def migrate(services: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Migrate each service's database; the revision that each is at afterwards. Raises CannotMigrate."""
    from kit.db.migrate import upgrade

    done: dict[str, str] = {}
    for service in services:
        url = database_url(service, environment)
        try:
            done[service] = upgrade(f"services.{service}", url)
        except Exception as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise CannotMigrate(f"{service}: {reason[0]}") from error
    return done


def database_url(service: str, environment: Mapping[str, str]) -> str:
    """Where the service's database is. Raises CannotMigrate."""
    from kit.secret_files import BadSecretFile, value_of

    variable = f"PRSM_{service.upper()}_DATABASE_URL"
    try:
        url = value_of(environment, variable)
    except BadSecretFile as error:
        raise CannotMigrate(str(error)) from None
    if not url:
        raise CannotMigrate(f"{service}: {variable} is not set")
    return url


def main() -> None:
    """Exit with 2 when a database refuses; the last line of standard error then says why."""
    try:
        migrate(sys.argv[1:], os.environ)
    except CannotMigrate as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    gc.disable()  # It loads what it needs, works and ends: garbage is looked for in vain.
    main()
