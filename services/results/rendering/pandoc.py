"""Running pandoc, which may read nothing but what it is handed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache

import pypandoc

HEAP = "1g"
"""The most memory pandoc's own heap may take."""

TIMEOUT_SECONDS = 60.0


class PandocError(RuntimeError):
    """Pandoc refused a document or took too long."""


def run(arguments: Sequence[str], source: bytes, *, timestamp: int = 0, descriptors: Sequence[int] = ()) -> bytes:
    """Run pandoc on `source`, without access to other files or the network but for what `arguments` name.

    :param timestamp: what pandoc takes for the present, in seconds since 1970.
    :param descriptors: open files that pandoc may read, as `/dev/fd/N`.
    :raises PandocError: it failed or took longer than `TIMEOUT_SECONDS`.
    """
    command = [_program(), "+RTS", f"-M{HEAP}", "-RTS", "--sandbox", *arguments]
    environment = {"SOURCE_DATE_EPOCH": str(timestamp), "LANG": "C.UTF-8", "HOME": tempfile.gettempdir()}
    try:
        done = subprocess.run(
            command,
            input=source,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            env=environment,
            pass_fds=tuple(descriptors),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PandocError("pandoc took too long") from error
    if done.returncode != 0:
        raise PandocError(done.stderr.decode(errors="replace").strip()[:500])
    return done.stdout


@cache
def _program() -> str:
    return str(pypandoc.get_pandoc_path())
