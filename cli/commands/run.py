"""`prsm run`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.demo import DataOption, DocsOption, OutOption, PromptOption
from cli.commands.up import DEFAULT_DATA_DIR, DEFAULT_PORT, DataDirOption, PortOption


def run(
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    port: PortOption = DEFAULT_PORT,
    workers: Annotated[int, typer.Option("--workers", help="Worker processes.", min=1)] = 1,
    docs: DocsOption = None,
    data: DataOption = None,
    out: OutOption = None,
    prompt: PromptOption = "",
) -> int:
    """Start the product, do a real research session on it, and stay up until Ctrl-C."""
    import asyncio

    from cli.demo.job import DemoJob
    from cli.demo.next_steps import show_next_steps
    from cli.demo.tour import tour
    from cli.stack.options import StackOptions
    from cli.stack.running import run_stack, say
    from cli.stack.stack import Stack

    job = DemoJob.of(docs=docs, data=data, prompt=prompt)
    options = StackOptions(data_dir, port, workers)

    async def guide(stack: Stack) -> None:
        done = await tour(stack.data, stack.url, job, out=out)
        if done.problem:
            say(done.problem)
        show_next_steps(stack.data, stack.url, job, done)

    async def serve() -> int:
        return await run_stack(Stack(options, say=say, tell=say), then=guide)

    return asyncio.run(serve())
