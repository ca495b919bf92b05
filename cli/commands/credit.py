"""`prsm credit`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.commands.up import DEFAULT_DATA_DIR, DataDirOption


def credit(
    user: Annotated[str, typer.Option("--user", help="The user's id.")],
    amount: Annotated[str, typer.Option("--amount", help='An exact decimal such as "50.00".')],
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    description: Annotated[str, typer.Option("--description", help="Shown in the user's transactions.")] = "",
) -> None:
    """Add funds to a user's account and print what is then available."""
    import asyncio

    from cli.crediting import add_funds
    from cli.stack.datadir import DataDir

    sys.stdout.write(asyncio.run(add_funds(DataDir(data_dir), user, amount, description)) + "\n")
