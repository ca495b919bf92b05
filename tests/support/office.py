"""Word documents as LibreOffice reads them: ``python -m tests.support.office [--keep FOLDER]``, where ``soffice`` is on
the path. It converts those of the golden reports, and one with everything that a report can hold, to PDF and back to
Word, and says what is lost on the way: headings and captions on the pages, words, notes, fields, tables, figures,
formulas and links in the file. ``--keep`` leaves the files and a picture of each page to look at."""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import docx
import pypdfium2
from lxml import etree

from services.results.rendering.composing.report import Report
from services.results.rendering.plain_text import direction
from services.results.rendering.word.writer import docx as word
from tests.support.golden_reports import reports
from tests.unit.rendering.reading import squeezed
from tests.unit.rendering.word_report import MOMENT, report

PROGRAMS = ("soffice", "libreoffice")
_SECONDS = 300.0
_SOUGHT = ("Title", "Heading ", "Table Caption", "Image Caption")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COUNTED = frozenset({"tbl", "tblHeader", "footnoteReference", "drawing", "oMath", "hyperlink", "sectPr"})
_DIRECTIONS = dict.fromkeys(map(ord, "\u200e\u200f"))
_SCALE = 1.5


def program() -> str | None:
    """The office program on the path."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def documents() -> Iterator[tuple[str, Report]]:
    """Each report with a name of its own."""
    yield from reports()
    yield "everything", report()
    yield "everything-arabic", report(language="ar", title="لماذا يغلي الماء عند 100 درجة (H2O)؟")
    yield "everything-japanese", report(language="ja", title="水はなぜ沸騰するのか：圧力と温度の関係")


def convert(office: str, folder: Path, ending: str) -> Path:
    """Let the office program write all Word documents of a folder anew, as PDF or as Word.

    :returns: the folder with what it wrote: a document that it could not read is not there.
    :raises subprocess.SubprocessError: the program failed or took too long.
    """
    # A profile of its own, so that an office that is open on the same desk is not disturbed.
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    target = folder / f"as-{ending}"
    files = [str(file) for file in sorted(folder.glob("*.docx"))]
    command = [office, profile, "--headless", "--convert-to", ending, "--outdir", str(target), *files]
    subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
    return target


def missing_on_pages(body: bytes, pages: list[str]) -> Iterator[str]:
    """Headings and captions of a Word document that are not on the pages, and pages with nothing."""
    text = squeezed("".join(pages).translate(_DIRECTIONS))
    styled = ((item.style.name or "", item.text) for item in docx.Document(io.BytesIO(body)).paragraphs if item.style)
    for name, words in styled:
        # Where lines run from right to left, the order of what is not a letter is another in a PDF.
        parts = [part for part in words.split() if part.isalnum()] if direction(words) == "rtl" else [words]
        if name.startswith(_SOUGHT) and not all(squeezed(part) in text for part in parts):
            yield f"not on the pages: {words}"
    yield from (f"page {number} is empty" for number, page in enumerate(pages, start=1) if not page.strip())


def changed(before: bytes, after: bytes) -> Iterator[str]:
    """What a Word document lost or won when the office program read it and wrote it anew."""
    old, new = _content(before), _content(after)
    yield from (f"{name}: {old[name]} became {new[name]}" for name in old if old[name] != new[name])


def _content(body: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        names = [name for name in ("word/document.xml", "word/footnotes.xml") if name in package.namelist()]
        roots = [etree.fromstring(package.read(name)) for name in names]
    elements = [element for root in roots for element in root.iter(etree.Element)]
    counted = Counter(name for element in elements if (name := etree.QName(element).localname) in _COUNTED)
    fields = Counter(
        words[0] for part in elements if part.tag == f"{_W}instrText" if (words := (part.text or "").split())
    )
    return {
        **{name: counted[name] for name in sorted(_COUNTED)},
        "fields": dict(sorted(fields.items())),
        "alternative text": [part.get("descr") for part in elements if etree.QName(part).localname == "docPr"],
        "words": squeezed("".join(part.text or "" for part in elements if part.tag == f"{_W}t").translate(_DIRECTIONS)),
    }


def _pages(file: Path, *, pictures: bool) -> list[str]:
    with pypdfium2.PdfDocument(file) as opened:
        if pictures:
            for number, page in enumerate(opened, start=1):
                page.render(scale=_SCALE).to_pil().save(file.with_name(f"{file.stem}-{number}.png"))
        return [page.get_textpage().get_text_range() for page in opened]


def check(office: str, folder: Path, *, pictures: bool) -> Iterator[tuple[str, int, list[str]]]:
    """Each document's name, its pages and what is wrong with it."""
    bodies = {name: word(shown, timestamp=MOMENT) for name, shown in documents()}
    for name, body in bodies.items():
        (folder / f"{name}.docx").write_bytes(body)
    paged, again = convert(office, folder, "pdf"), convert(office, folder, "docx")
    for name, body in bodies.items():
        page, copy = paged / f"{name}.pdf", again / f"{name}.docx"
        if not (page.exists() and copy.exists()):
            yield name, 0, ["it was not converted"]
            continue
        pages = _pages(page, pictures=pictures)
        yield name, len(pages), [*missing_on_pages(body, pages), *changed(body, copy.read_bytes())]


def main() -> int:
    parser = argparse.ArgumentParser(description="Word documents as LibreOffice reads them.")
    parser.add_argument("--keep", type=Path, help="folder for the files and a picture of each page")
    keep = parser.parse_args().keep
    office = program()
    if office is None:
        print(f"nothing was converted: neither {' nor '.join(PROGRAMS)} is on the path")
        return 2
    print(subprocess.run([office, "--version"], capture_output=True, timeout=_SECONDS, text=True).stdout.strip())
    failed = False
    with TemporaryDirectory(prefix="prsm-office-") as name:
        folder = keep.resolve() if keep else Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for shown, pages, faults in check(office, folder, pictures=bool(keep)):
            failed = failed or bool(faults)
            print(f"{shown}: {pages} pages" + "".join(f"\n  {fault[:300]}" for fault in faults))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
