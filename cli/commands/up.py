"""`prsm up`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATA_DIR = Path(".run")
DEFAULT_PORT = 8080

DataDirOption = Annotated[
    Path, typer.Option("--data-dir", envvar="PRSM_DATA_DIR", help="Where everything is kept.", show_default=True)
]
PortOption = Annotated[int, typer.Option("--port", help="Port of the REST API on 127.0.0.1; 0 for any free one.")]


def up(
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    port: PortOption = DEFAULT_PORT,
    workers: Annotated[int, typer.Option("--workers", help="Worker processes; 0 for none.")] = 1,
    database_url: Annotated[
        str,
        typer.Option(
            "--database-url",
            envvar="PRSM_DATABASE_URL",
            help="postgresql://… instead of SQLite files in the data directory.",
        ),
    ] = "",
    initial_grant: Annotated[
        str, typer.Option("--initial-grant", help="Funds that a new user starts with.")
    ] = "1000.00",
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Serve Prometheus metrics of each part; endpoints.json says where.")
    ] = False,
    edge: Annotated[
        str, typer.Option("--edge", help="What answers the REST API: gateway, or envoy (extra: envoy).")
    ] = "gateway",
) -> int:
    """Run the whole product in the foreground until Ctrl-C."""
    import asyncio

    from cli.stack.options import StackOptions
    from cli.stack.running import run_stack, say
    from cli.stack.stack import Stack

    options = StackOptions(data_dir, port, workers, database_url, initial_grant, metrics, edge)

    async def serve() -> int:
        return await run_stack(Stack(options, say=say, tell=say), tell=say)

    return asyncio.run(serve())
