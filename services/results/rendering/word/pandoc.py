"""Running pandoc, which may read nothing but what it is handed."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache

import pypandoc

HEAP = "1g"
"""The most memory pandoc's own heap may take."""

TIMEOUT_SECONDS = 60.0


class PandocError(RuntimeError):
    """Pandoc refused a document or took too long."""


class Running:
    """Pandoc at work."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def result(self) -> bytes:
        """What it wrote.

        :raises PandocError: it failed or took longer than `TIMEOUT_SECONDS`.
        """
        try:
            output, errors = self._process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise PandocError("pandoc took too long") from error
        if self._process.returncode != 0:
            raise PandocError(errors.decode(errors="replace").strip()[:500])
        return output


@contextlib.contextmanager
def running(
    arguments: Sequence[str], source: bytes, *, timestamp: int = 0, descriptors: Sequence[int] = ()
) -> Iterator[Running]:
    """Pandoc working on `source` while the caller does something else, without access to other files or the network but
    for what `arguments` name. It does not outlive the block.

    :param timestamp: what pandoc takes for the present, in seconds since 1970.
    :param descriptors: open files that pandoc may read, as `/dev/fd/N`.
    """
    command = [_program(), "+RTS", f"-M{HEAP}", "-RTS", "--sandbox", *arguments]
    environment = {"SOURCE_DATE_EPOCH": str(timestamp), "LANG": "C.UTF-8", "HOME": tempfile.gettempdir()}
    # A file and not a pipe: nobody has to stand by to fill it.
    with tempfile.TemporaryFile() as file:
        file.write(source)
        file.seek(0)
        process = subprocess.Popen(
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            pass_fds=tuple(descriptors),
        )
    with process:
        try:
            yield Running(process)
        finally:
            if process.poll() is None:
                process.kill()


def run(arguments: Sequence[str], source: bytes, *, timestamp: int = 0, descriptors: Sequence[int] = ()) -> bytes:
    """What pandoc makes of `source`, see `running`.

    :raises PandocError: it failed or took longer than `TIMEOUT_SECONDS`.
    """
    with running(arguments, source, timestamp=timestamp, descriptors=descriptors) as work:
        return work.result()


@cache
def _program() -> str:
    return str(pypandoc.get_pandoc_path())
