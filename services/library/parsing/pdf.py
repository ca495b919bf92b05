"""PDF by PDFium: text in reading order with pages, and what the file says of itself."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2  # type: ignore[import-untyped,unused-ignore]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped,unused-ignore]

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.csl import described
from services.library.parsing.document import TABLES_MAX, Kind, ParsedDocument, ParseLimits, assemble, too_much_text
from services.library.parsing.facts import (
    find_arxiv,
    find_doi,
    find_year,
    split_authors,
    title_from_filename,
    usable_title,
)
from services.library.parsing.flow import Block, put_together
from services.library.parsing.pdf_columns import by_columns
from services.library.parsing.pdf_lines import Line, read_lines, without_furniture
from services.library.parsing.pdf_paragraphs import Vocabulary, paragraphs
from services.library.parsing.pdf_tables import CAPTION, segments

_TITLE_LINES = 40


def parse_pdf(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A PDF with a text layer. Pages without content are fine; drawn pages without text are a scan."""
    document = _open(data)
    count = len(document)
    if count > limits.pages:
        raise DocumentUnreadable(UnreadableCause.TOO_MANY_PAGES, f"It has {count:,}, allowed are {limits.pages:,}.")
    pages, drawn, damaged = _read(document, count, limits)
    silent = [number for number, lines in enumerate(pages, start=1) if not lines and number in drawn]
    if not any(pages):
        if damaged:
            raise DocumentUnreadable(UnreadableCause.CORRUPT, "None of its pages can be read.")
        if drawn:
            raise DocumentUnreadable(UnreadableCause.NO_TEXT)
    problems = [_listed("cannot be read", damaged), _listed("has no text layer", silent)]
    kept = without_furniture(pages)
    vocabulary = Vocabulary(kept)
    composed = [put_together(_blocks(lines, vocabulary), limits) for lines in kept]
    text, spans = assemble([page for page, _ in composed], limits, prose=True)
    if not text:
        problems.append("The document has no content: every page is blank.")
    information = document.get_metadata_dict(skip_empty=True)
    first_page = text[: spans[0].end] if spans else ""
    title = usable_title(information.get("Title", "")) or _largest_line(kept[0] if kept else [])
    title = title or title_from_filename(filename)
    authors = split_authors(information.get("Author", ""))
    year, doi, arxiv = find_year(first_page), find_doi(first_page), find_arxiv(first_page)
    return ParsedDocument(
        title=title,
        kind=Kind.PDF,
        text=text,
        pages=spans,
        authors=authors,
        year=year,
        doi=doi,
        problems=tuple(filter(None, problems)),
        csl=described("article" if arxiv else "document", title, authors, year, doi, **arxiv),
        tables=tuple(
            replace(table, start=span.start + table.start, end=span.start + table.end, page=span.page)
            for span, (_, tables) in zip(spans, composed, strict=True)
            for table in tables
        )[:TABLES_MAX],
    )


def _blocks(lines: list[Line], vocabulary: Vocabulary) -> list[Block]:
    """A page's paragraphs and tables; a table's caption is the paragraph before or after it that says so."""
    blocks: list[Block] = []
    for segment in segments(lines):
        blocks += [segment] if isinstance(segment, Block) else map(Block, paragraphs(segment, vocabulary))
    for index, block in enumerate(blocks):
        if block.table is not None:
            beside = (*blocks[max(0, index - 1) : index], *blocks[index + 1 : index + 2])
            caption = next((each.text for each in beside if CAPTION.match(each.text)), "")
            blocks[index] = Block(block.text, replace(block.table, caption=caption))
    return blocks


def _open(data: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        code = pdfium.FPDF_GetLastError()
        if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise DocumentUnreadable(UnreadableCause.ENCRYPTED) from error
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It is no readable PDF.") from error


def _read(
    document: pypdfium2.PdfDocument, count: int, limits: ParseLimits
) -> tuple[list[list[Line]], set[int], list[int]]:
    """Lines by page, the numbers of the pages that draw anything, the numbers of those not readable."""
    pages: list[list[Line]] = []
    drawn: set[int] = set()
    damaged: list[int] = []
    characters = 0
    for number in range(1, count + 1):
        try:
            page = document[number - 1]
            lines = _lines(page)
        except pypdfium2.PdfiumError:
            pages.append([])
            damaged.append(number)
            continue
        if lines or pdfium.FPDFPage_CountObjects(page.raw) > 0:
            drawn.add(number)
        pages.append(lines)
        characters += sum(len(line.text) for line in lines)
        page.close()
        if characters > limits.characters:
            raise too_much_text(limits)
    return pages, drawn, damaged


def _lines(page: pypdfium2.PdfPage) -> list[Line]:
    """The page's lines. PDFium orders them as the page is shown, so one shown sideways is turned first."""
    for _ in range(2):
        text_page = page.get_textpage()
        lines, turns = read_lines(text_page.raw)
        text_page.close()
        if not lines or pdfium.FPDFPage_GetRotation(page.raw) == turns:
            break
        pdfium.FPDFPage_SetRotation(page.raw, turns)
    return by_columns(lines)


def _largest_line(lines: list[Line]) -> str:
    """The words set largest near the top of the first page; a title as a rule."""
    top = [line for line in lines[:_TITLE_LINES] if len(line.text) > 3 and not line.sideways]
    if len(top) < 3:
        return ""
    size = max(line.size for line in top)
    if sum(line.size > 0.97 * size for line in top) > 4:
        return ""
    words = " ".join(line.text for line in top if line.size > 0.97 * size)
    letters = sum(character.isalpha() or character.isspace() for character in words)
    return usable_title(words) if " " in words and letters > 0.8 * len(words) else ""


def _listed(issue: str, pages: list[int]) -> str:
    if not pages:
        return ""
    shown = ", ".join(str(page) for page in pages[:10]) + (", …" if len(pages) > 10 else "")
    return f"Page {shown} {issue}."
