"""`prsm token`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.up import DEFAULT_DATA_DIR, DataDirOption


def token(
    user: Annotated[str, typer.Option("--user", help="The user's id.")],
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    email: Annotated[str, typer.Option("--email", help="A verified email address.")] = "",
    name: Annotated[str, typer.Option("--name", help="The name that others see.")] = "",
    team: Annotated[list[str] | None, typer.Option("--team", help="A team; may be repeated.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="read, admin or service; none for a full user; repeatable.")
    ] = None,
    ttl: Annotated[str, typer.Option("--ttl", help="How long it lives, such as 30m, 1h or 7d.")] = "1h",
    key: Annotated[
        Path | None, typer.Option("--key", help="The file of the key to sign with, instead of the data directory's.")
    ] = None,
) -> None:
    """Print a token of the local key, and nothing else."""
    from cli.stack.datadir import DataDir
    from cli.tokens import mint, seconds_of

    minted = mint(
        DataDir(data_dir),
        user,
        email=email,
        name=name,
        teams=team or (),
        scopes=scope or (),
        ttl=seconds_of(ttl),
        key=key,
    )
    sys.stdout.write(minted + "\n")
