"""`prsm backup`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.up import DEFAULT_DATA_DIR, DataDirOption


def backup(
    to: Annotated[Path, typer.Option("--to", help="The file to write; .tar.gz compresses.")],
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    without_databases: Annotated[
        bool, typer.Option("--without-databases", help="Keys and blobs alone, for a stack on PostgreSQL.")
    ] = False,
) -> None:
    """Back the data directory up, also while the stack runs. The file holds private keys: keep it safe."""
    from cli.backup.writing import write_backup
    from cli.stack.datadir import DataDir
    from kit.times import SystemClock

    written = write_backup(DataDir(data_dir), to, SystemClock(), with_databases=not without_databases)
    sys.stdout.write(f"{written.path}: {written.files} files, {written.size} bytes\n")
