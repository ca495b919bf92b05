"""`prsm demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.up import DEFAULT_DATA_DIR, DataDirOption
from cli.errors import Refused

DocsOption = Annotated[
    Path | None, typer.Option("--docs", help="A folder of your own documents instead of the sample library.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="A CSV file: an analysis session, or research with data beside --docs.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Where PDF and DOCX are written; without it: reports/ in the data directory."),
]
PromptOption = Annotated[str, typer.Option("--prompt", help="The question; without it one that fits the input.")]


def demo(
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    docs: DocsOption = None,
    data: DataOption = None,
    out: OutOption = None,
    prompt: PromptOption = "",
) -> None:
    """Do a real research session on a running stack: upload, research, findings, PDF and DOCX."""
    import asyncio

    from cli.demo.job import DemoJob
    from cli.demo.tour import tour
    from cli.stack.datadir import DataDir

    directory = DataDir(data_dir)
    url = directory.read_endpoints()["gateway"]
    done = asyncio.run(tour(directory, url, DemoJob.of(docs=docs, data=data, prompt=prompt), out=out))
    if done.problem:
        raise Refused(done.problem, code=1)
