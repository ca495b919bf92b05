"""Word documents as LibreOffice reads them: ``python -m tests.support.office`` converts those of the golden reports to
PDF where ``soffice`` is on the path, and looks for their headings and captions in what comes out."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import docx
import pypdfium2

from services.results.rendering.word.writer import docx as word
from tests.support.golden_reports import reports
from tests.unit.rendering.reading import squeezed

PROGRAMS = ("soffice", "libreoffice")
_SECONDS = 120.0
_SOUGHT = ("Title", "Heading ", "Table Caption", "Image Caption")


def program() -> str | None:
    """The office program on the path."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def converted(office: str, body: bytes) -> list[str]:
    """The text of each page of a Word document as the office program sets it.

    :raises subprocess.SubprocessError: the program failed or took too long.
    :raises FileNotFoundError: it wrote no PDF, because it could not read the document.
    """
    with TemporaryDirectory(prefix="prsm-office-") as name:
        folder = Path(name)
        (folder / "report.docx").write_bytes(body)
        # A profile of its own, so that an office that is open on the same desk is not disturbed.
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", name, str(folder / "report.docx")]
        subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
        with pypdfium2.PdfDocument((folder / "report.pdf").read_bytes()) as file:
            return [page.get_textpage().get_text_range() for page in file]


def lost(body: bytes, pages: list[str]) -> list[str]:
    """Headings and captions of a Word document that are not on the pages."""
    text = squeezed("".join(pages))
    styled = ((item.style.name or "", item.text) for item in docx.Document(io.BytesIO(body)).paragraphs if item.style)
    return [words for name, words in styled if name.startswith(_SOUGHT) and squeezed(words) not in text]


def main() -> int:
    office = program()
    if office is None:
        print(f"nothing was converted: neither {' nor '.join(PROGRAMS)} is on the path")
        return 2
    failed = False
    for name, report in reports():
        body = word(report, timestamp=0)
        pages = converted(office, body)
        missing = lost(body, pages)
        failed = failed or bool(missing)
        print(f"{name}: {len(pages)} pages" + "".join(f"\n  not there: {words}" for words in missing))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
