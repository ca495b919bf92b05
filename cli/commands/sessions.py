"""`prsm sessions`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.commands.up import DEFAULT_DATA_DIR, DataDirOption

app = typer.Typer(
    name="sessions", help="See what failed or is stuck, and requeue it.", add_completion=False, rich_markup_mode=None
)


@app.command()
def failed(
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    code: Annotated[str, typer.Option("--code", help="Only those with this error code.")] = "",
    ours: Annotated[
        bool | None, typer.Option("--ours/--not-ours", help="Only those that were, or were not, the platform's fault.")
    ] = None,
    within: Annotated[str, typer.Option("--within", help='Only those that ended since, such as "24h".')] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="How many at most.")] = 20,
) -> None:
    """List sessions of all users that failed or timed out, the last first."""
    import asyncio

    from cli.sessions import failed as list_failed
    from cli.stack.datadir import DataDir
    from cli.tokens import seconds_of
    from kit.times import SystemClock

    seconds = seconds_of(within, "--within") if within else None
    _show(asyncio.run(list_failed(DataDir(data_dir), SystemClock(), code=code, ours=ours, within=seconds, limit=limit)))


@app.command()
def attention(data_dir: DataDirOption = DEFAULT_DATA_DIR) -> None:
    """Say what waits for longer than it should, and what failed lately."""
    import asyncio

    from cli.sessions import attention as look
    from cli.stack.datadir import DataDir

    _show(asyncio.run(look(DataDir(data_dir))))


@app.command()
def requeue(
    session_id: Annotated[str, typer.Argument(help="A session that failed or timed out.")],
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Start a new session in the place of a failed one, once, and print its id."""
    import asyncio

    from cli.sessions import requeue as start_again
    from cli.stack.datadir import DataDir

    _show([asyncio.run(start_again(DataDir(data_dir), session_id))])


def _show(lines: list[str]) -> None:
    for line in lines:
        sys.stdout.write(" ".join(line.split()) + "\n")
