"""A report as DOCX: its document tree given to pandoc with the reference document."""

from __future__ import annotations

import tempfile
from functools import cache
from typing import IO

import orjson

from services.results.rendering import pandoc, pandoc_ast, reference_docx
from services.results.rendering.report import Report


def docx(report: Report, *, timestamp: int) -> bytes:
    """Write the report as a Word document.

    :param timestamp: date of the document in seconds since 1970; the same report and timestamp give the same bytes.
    :raises PandocError: pandoc refused the document.
    """
    tree = orjson.dumps(pandoc_ast.document(report))
    reference = _reference_document().fileno()
    arguments = ["-f", "json", "-t", "docx", "-o", "-", f"--reference-doc=/dev/fd/{reference}"]
    return pandoc.run(arguments, tree, timestamp=timestamp, descriptors=[reference])


@cache
def _reference_document() -> IO[bytes]:
    """The document whose styles are used, in a file without a name: it goes with the process, however that ends."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  it stays open as long as the process lives
    file.write(reference_docx.build(pandoc.run(["--print-default-data-file", "reference.docx"], b"")))
    file.flush()
    return file
