"""`prsm restore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.up import DEFAULT_DATA_DIR, DataDirOption


def restore(
    archive: Annotated[Path, typer.Argument(help="A file that prsm backup wrote.", show_default=False)],
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Make a new data directory from a backup; prsm up then starts on it."""
    from cli.backup.reading import restore_backup
    from cli.stack.datadir import DataDir

    data = DataDir(data_dir)
    done = restore_backup(archive, data)
    sys.stdout.write(
        f"{data.root}: {len(done.manifest.files)} files as of {done.manifest.created_at}, made by release "
        f"{done.manifest.release}; {done.events} events will be published again\n"
    )
