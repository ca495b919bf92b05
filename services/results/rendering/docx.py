"""A report as DOCX: the document tree given to pandoc, which may read nothing but what it is handed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import orjson
import pypandoc

from services.results.rendering import pandoc_ast, reference_docx
from services.results.rendering.report import Report

HEAP = "1g"
"""The most memory pandoc's own heap may take."""

TIMEOUT_SECONDS = 60.0


class PandocError(RuntimeError):
    """Pandoc refused a document or took too long."""


def docx(report: Report, *, timestamp: int) -> bytes:
    """Write the report as a Word document.

    :param timestamp: date of the document in seconds since 1970; the same report and timestamp give the same bytes.
    :raises PandocError: pandoc refused the document.
    """
    tree = orjson.dumps(pandoc_ast.document(report))
    return run(
        ["-f", "json", "-t", "docx", "-o", "-", f"--reference-doc={_reference_document()}"],
        tree,
        timestamp=timestamp,
    )


def run(arguments: Sequence[str], source: bytes, *, timestamp: int = 0) -> bytes:
    """Run pandoc on `source` without access to files or network."""
    command = [_pandoc(), "+RTS", f"-M{HEAP}", "-RTS", "--sandbox", *arguments]
    environment = {"SOURCE_DATE_EPOCH": str(timestamp), "LANG": "C.UTF-8", "HOME": tempfile.gettempdir()}
    try:
        done = subprocess.run(
            command, input=source, capture_output=True, timeout=TIMEOUT_SECONDS, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PandocError("pandoc took too long") from error
    if done.returncode != 0:
        raise PandocError(done.stderr.decode(errors="replace").strip()[:500])
    return done.stdout


@cache
def _pandoc() -> str:
    return str(pypandoc.get_pandoc_path())


@cache
def _reference_document() -> str:
    """The document whose styles are used, made once per process in a folder that goes with it."""
    folder = _folder()
    path = Path(folder.name) / "reference.docx"
    path.write_bytes(reference_docx.build(run(["--print-default-data-file", "reference.docx"], b"")))
    return os.fspath(path)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="prsm-rendering-")
