"""`prsm restored`."""

from __future__ import annotations

import sys

from cli.commands.migrate import ServicesOption, chosen
from cli.errors import Refused


def restored(service: ServicesOption = None) -> None:
    """Tell databases that were restored by other means, such as pg_restore, before anything works on them."""
    import asyncio
    import os

    from cli.backup.reading import set_back
    from cli.migrate import CannotMigrate, database_url

    for name in chosen(service):
        try:
            url = database_url(name, os.environ)
        except CannotMigrate as error:
            raise Refused(str(error)) from error
        sys.stdout.write(f"{name}: {asyncio.run(set_back(name, url))} events will be published again\n")
