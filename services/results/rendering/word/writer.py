"""A report as DOCX: its document tree written by pandoc, and finished in Word's own way."""

from __future__ import annotations

import io
import tempfile
import zipfile
from functools import cache, lru_cache
from itertools import pairwise
from typing import IO

import orjson
from lxml import etree

from services.results.rendering import figures
from services.results.rendering.composing.report import Report
from services.results.rendering.plain_text import leads
from services.results.rendering.word import fields as word_fields
from services.results.rendering.word import package as word_package
from services.results.rendering.word import pandoc, pandoc_ast, reference_docx
from services.results.rendering.word.sections import divide
from services.results.rendering.word.tables import shape
from services.results.rendering.word.text import mark_languages, mark_scripts, right_to_left
from services.results.rendering.word.xml import MATH, Element, q, set_paragraph, style_of, text_of, w

_ARGUMENTS = ("-f", "json", "-t", "docx", "-o", "-", "--syntax-highlighting=none")
_TEXT_WIDTH = reference_docx.TEXT_WIDTH / 15
"""Width of the text block in CSS pixels; a twentieth of a point is a fifteenth of one."""

_FIGURE_HEIGHT = 420.0
"""The most height a figure takes, in CSS pixels."""

_CONTENTS_FROM = 16_000
"""Characters of a report, some seven pages, from which on it has a table of contents."""

_BELONG = frozenset({"BlockText", "QuoteSource", "FindingDetail"})
"""Styles of paragraphs that belong to the one above."""

_LEADS = frozenset({"BodyText", "FirstParagraph"})
_LED_TO = frozenset({"TableCaption", "CaptionedFigure", "ListBullet"})
_LONGEST_LEAD = 400
"""Characters of a paragraph that stays with the table, list or figure that it leads to."""

_FIGURE_CHARACTERS = 1_500
"""Characters that would take the room of a figure."""


def docx(report: Report, *, timestamp: int) -> bytes:
    """Write the report as a Word document.

    :param timestamp: date of the document in seconds since 1970; the same report and timestamp give the same bytes.
    :raises PandocError: pandoc refused the document.
    """
    tree, outline = pandoc_ast.document(report)
    reference = _reference_document().fileno()
    arguments = [*_ARGUMENTS, f"--reference-doc=/dev/fd/{reference}"]
    with pandoc.running(arguments, orjson.dumps(tree), timestamp=timestamp, descriptors=[reference]) as work:
        # Drawn while pandoc writes.
        pictures = [_png(figure.svg) for figure in outline.figures if figure.svg is not None]
        written = zipfile.ZipFile(io.BytesIO(work.result()))
    document, notes = (etree.fromstring(written.read(f"word/{name}.xml")) for name in ("document", "footnotes"))
    links = _links(written)
    text = text_of(document) + text_of(notes)
    _finish(document, notes, report, outline, text)
    return word_package.pack(report, document, notes, links, pictures, text=text, timestamp=timestamp)


def _finish(document: Element, notes: Element, report: Report, outline: pandoc_ast.Outline, text: str) -> None:
    body = document.find(q("body"))
    assert body is not None, "pandoc wrote a document"
    right = right_to_left(report.language)
    marks = word_fields.Marks(body)
    word_fields.number_headings(body, outline.headings)
    exhibits = word_fields.number_captions(body, outline.captions, marks)
    word_fields.refer(body, exhibits)
    word_fields.number_notes(body, outline.notes, marks)
    tables = zip(list(body.iter(q("tbl"))), outline.tables, strict=True)
    wide = [table for table, block in tables if shape(table, block, right_to_left=right)]
    _join_letters(body)
    _place_figures(body, outline)
    _keep_together(body)
    _part_from_tables(body)
    if len(text) + _FIGURE_CHARACTERS * len(outline.figures) > _CONTENTS_FROM:
        _place_contents(body, report, outline, marks)
    for part in (body, notes):
        mark_scripts(part, right=right)
        mark_languages(part, report.worded_in)
    divide(body, wide)


def _keep_together(body: Element) -> None:
    """No quote or detail begins a page that what it belongs to is not on, and no few words before a table, a list or a
    figure end one."""
    parts = [part for part in body if part.tag in (q("p"), q("tbl"))]
    for above, below in pairwise(parts):
        if above.tag == q("tbl"):
            continue
        style = style_of(below) if below.tag == q("p") else "TableCaption"
        if style in _BELONG and above.getnext() is below:
            set_paragraph(above, w("keepNext"))
    lengths = [len(text_of(p)) if p.tag == q("p") and style_of(p) in _LEADS else None for p in parts]
    for place, part in enumerate(parts):
        if part.tag == q("tbl") or style_of(part) in _LED_TO:
            for lead in leads(lengths, place, _LONGEST_LEAD):
                set_paragraph(parts[lead], w("keepNext"))


def _part_from_tables(body: Element) -> None:
    """Leave room between a table and the text below it: a table has none of its own."""
    for table in body.iterfind(q("tbl")):
        below = table.getnext()
        if below is not None and below.tag == q("p") and style_of(below) in _LEADS:
            set_paragraph(below, w("pStyle", val="TextAfterTable"))


def _join_letters(body: Element) -> None:
    """Words in formulas as words: pandoc writes a run for each letter, and office programs then space them out as a
    product of letters."""
    for formula in body.iter(f"{{{MATH}}}oMath"):
        for run in list(formula.iter(f"{{{MATH}}}r")):
            word, letter = run.getprevious(), run.find(f"{{{MATH}}}t")
            if word is None or word.tag != run.tag or not (_upright(word) and _upright(run)):
                continue
            word.find(f"{{{MATH}}}t").text += letter.text
            run.getparent().remove(run)


def _upright(run: Element) -> bool:
    """Whether a run of a formula is part of a word."""
    style, letters = run.find(f"{{{MATH}}}rPr/{{{MATH}}}sty"), run.find(f"{{{MATH}}}t")
    return style is not None and style.get(f"{{{MATH}}}val") == "p" and letters is not None and letters.text.isalpha()


def _place_figures(body: Element, outline: pandoc_ast.Outline) -> None:
    places = [paragraph for paragraph in body.iter(q("p")) if style_of(paragraph) == "CaptionedFigure"]
    for number, (place, figure) in enumerate(zip(places, outline.figures, strict=True), start=1):
        assert figure.svg is not None, "only figures that were drawn have a place"
        for run in place.findall(q("r")):
            place.remove(run)
        width, height = figures.size(figure.svg)
        scale = min(1.0, _TEXT_WIDTH / width, _FIGURE_HEIGHT / height)
        place.append(word_package.picture(figure, (width * scale, height * scale), number))


def _place_contents(body: Element, report: Report, outline: pandoc_ast.Outline, marks: word_fields.Marks) -> None:
    """Before the first heading, or after the summary where there is one."""
    headings = [paragraph for paragraph in body.iterfind(q("p")) if style_of(paragraph) == "Heading1"]
    place = headings[min(len(headings) - 1, 1 if report.summary else 0)] if headings else None
    if place is None:
        return
    # The bookmark of a section begins before its heading.
    while (previous := place.getprevious()) is not None and previous.tag == q("bookmarkStart"):
        place = previous
    place.addprevious(word_fields.contents(body, report.labels["contents"], outline, marks))


def _links(written: zipfile.ZipFile) -> dict[str, str]:
    root = etree.fromstring(written.read("word/_rels/document.xml.rels"))
    return {item.get("Id", ""): item.get("Target", "") for item in root if item.get("TargetMode") == "External"}


@lru_cache(maxsize=32)
def _png(svg: str) -> bytes:
    return figures.png(svg)


@cache
def _reference_document() -> IO[bytes]:
    """The document whose styles are used, in a file without a name: it goes with the process, however that ends."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  it stays open as long as the process lives
    file.write(reference_docx.build())
    file.flush()
    return file
