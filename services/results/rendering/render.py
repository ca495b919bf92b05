"""From a result document to a file: the one entrance to all formats. Work for a child process, see `pool`."""

from __future__ import annotations

from collections.abc import Mapping

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.metadata import ExecutionMetadata
from services.results.rendering.composing.report import Report
from services.results.rendering.composing.values import seconds
from services.results.rendering.document import ResultDocument
from services.results.rendering.filenames import safe_filename
from services.results.rendering.packing import raw_data as raw
from services.results.rendering.pdf.page_count import page_count
from services.results.rendering.reading import JSON
from services.results.rendering.rendition import MEDIA_TYPES, Format, Rendition
from services.results.rendering.serializer import export_json

ZIP = "application/zip"
MOST_PAGES = 2000


class TooManyPages(Exception):
    """A document has more pages than it may have."""


def render(
    format: Format,
    document: ResultDocument,
    metadata: ExecutionMetadata | None,
    *,
    session_id: str,
    citation_style: str,
    language: str,
    raw_data: Mapping[str, JSON] | None = None,
    most_pages: int = MOST_PAGES,
    csl: str | None = None,
) -> Rendition:
    """Write the document in a format. Equal arguments give equal bytes.

    :param metadata: None leaves the facts of the run out.
    :param language: BCP 47 tag of the report's fixed words.
    :param raw_data: what was gathered; then the result is a zip archive around the document, or for JSON the
        document with a `raw_data` block.
    :param csl: the source of the citation style; without it `citation_style` is one that comes with the product.
    :param most_pages: how many pages a PDF may have.
    :raises TooManyPages: it has more.
    :raises UnknownCitationStyle: the style is not known.
    :raises InvalidStyle: `csl` is no style.
    :raises TypesettingError: the typesetter refused the document.
    :raises PandocError: pandoc refused the document.
    """
    if format == "json":
        body = export_json(document, metadata, session_id, raw_data)
        return _rendition(format, document, body)
    report = compose(document, metadata, citation_style=citation_style, language=language, csl=csl)
    timestamp = seconds((metadata or {}).get("finished_at"))
    # Not in an archive, which holds the JSON beside the document.
    attached = export_json(document, metadata, session_id) if format == "pdf" and raw_data is None else None
    body = _write(format, report, timestamp, archived=raw_data is not None, style=citation_style, attached=attached)
    if format == "pdf" and (pages := page_count(body)) > most_pages:
        raise TooManyPages(f"{pages} pages")
    rendition = _rendition(format, document, body)
    if raw_data is None:
        return rendition
    package = raw.archive(document, metadata, session_id, raw_data, (rendition.filename, rendition.body))
    return Rendition(ZIP, safe_filename(document.title, "zip"), package)


def _rendition(format: Format, document: ResultDocument, body: bytes) -> Rendition:
    media_type, extension = MEDIA_TYPES[format]
    return Rendition(media_type, safe_filename(document.title, extension), body)


def _write(
    format: Format, report: Report, timestamp: int, *, archived: bool, style: str, attached: bytes | None
) -> bytes:
    # Imported here, so that a format's libraries are loaded by the process that writes it and by no other.
    if format == "pdf":
        from services.results.rendering.pdf.writer import pdf

        return pdf(report, timestamp=timestamp, attachment=attached)
    if format == "docx":
        from services.results.rendering.word.writer import docx

        return docx(report, timestamp=timestamp)
    from services.results.rendering.markdown.writer import markdown

    return markdown(report, archived=archived, citation_style=style).encode()
