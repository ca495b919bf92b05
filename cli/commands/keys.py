"""`prsm keys`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import Refused


def keys(
    to: Annotated[Path, typer.Option("--to", help="The folder for keys and secrets, one inside for each process.")],
    database_url: Annotated[
        str, typer.Option("--database-url", help="postgresql://user@host/name; its password is generated.")
    ] = "",
    rotate: Annotated[
        list[str] | None, typer.Option("--rotate", help="Give a process, or users, a new key; may be repeated.")
    ] = None,
    retire: Annotated[bool, typer.Option("--retire", help="Remove the public keys that were rotated out.")] = False,
) -> None:
    """Create the keys and secrets of an installation of containers; what is there stays."""
    if rotate and retire:
        raise Refused(
            "--retire comes after --rotate, once every process knows the new key: wait ten minutes between them"
        )
    from cli.keys import ensure_key_folder
    from cli.keys import retire as remove_old
    from cli.keys import rotate as renew

    for name in ensure_key_folder(to, database_url=database_url):
        sys.stdout.write(f"made {name}\n")
    for owner in rotate or ():
        sys.stdout.write(f"{owner}: signs as {renew(to, owner)}\n")
    if retire:
        sys.stdout.write(f"{remove_old(to)} old public keys removed\n")
