"""`prsm migrate`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.errors import Refused

ServicesOption = Annotated[
    list[str] | None, typer.Option("--service", help="A service, such as session; may be repeated. None: all.")
]


def migrate(service: ServicesOption = None) -> None:
    """Bring services' databases to their newest shape; where they are stands in PRSM_<SERVICE>_DATABASE_URL."""
    import os

    from cli.migrate import CannotMigrate
    from cli.migrate import migrate as bring_up_to_date

    try:
        done = bring_up_to_date(chosen(service), os.environ)
    except CannotMigrate as error:
        raise Refused(str(error)) from error
    for name, revision in done.items():
        sys.stdout.write(f"{name}: at revision {revision}\n")


def chosen(services: list[str] | None) -> list[str]:
    """The services named, or all. Raises Refused for a name that is none."""
    from cli.stack.environment import SERVICES

    if unknown := sorted(set(services or ()) - set(SERVICES)):
        raise Refused(f"--service must be one of {', '.join(SERVICES)}, not {unknown[0]!r}")
    return list(dict.fromkeys(services or SERVICES))
