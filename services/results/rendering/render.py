"""From a result document to a file: the one entrance to all formats. Work for a child process, see `pool`."""

from __future__ import annotations

from collections.abc import Mapping

from services.results.rendering import raw_data as raw
from services.results.rendering.compose import compose
from services.results.rendering.document import ResultDocument
from services.results.rendering.filenames import safe_filename
from services.results.rendering.metadata import ExecutionMetadata
from services.results.rendering.reading import JSON
from services.results.rendering.rendition import MEDIA_TYPES, Format, Rendition
from services.results.rendering.report import Report
from services.results.rendering.serializer import export_json
from services.results.rendering.values import seconds

ZIP = "application/zip"


def render(
    format: Format,
    document: ResultDocument,
    metadata: ExecutionMetadata | None,
    *,
    session_id: str,
    citation_style: str,
    language: str,
    raw_data: Mapping[str, JSON] | None = None,
) -> Rendition:
    """Write the document in a format. Equal arguments give equal bytes.

    :param metadata: None leaves the facts of the run out.
    :param language: BCP 47 tag of the report's fixed words.
    :param raw_data: what was gathered; then the result is a zip archive around the document, or for JSON the
        document with a `raw_data` block.
    :raises UnknownCitationStyle: the style is not known.
    :raises TypesettingError: the typesetter refused the document.
    :raises PandocError: pandoc refused the document.
    """
    if format == "json":
        body = export_json(document, metadata, session_id, raw_data)
        return _rendition(format, document, body)
    report = compose(document, metadata, citation_style=citation_style, language=language)
    timestamp = seconds((metadata or {}).get("finished_at"))
    body = _write(format, report, timestamp, archived=raw_data is not None)
    rendition = _rendition(format, document, body)
    if raw_data is None:
        return rendition
    package = raw.archive(document, metadata, session_id, raw_data, (rendition.filename, rendition.body))
    return Rendition(ZIP, safe_filename(document.title, "zip"), package)


def _rendition(format: Format, document: ResultDocument, body: bytes) -> Rendition:
    media_type, extension = MEDIA_TYPES[format]
    return Rendition(media_type, safe_filename(document.title, extension), body)


def _write(format: Format, report: Report, timestamp: int, *, archived: bool) -> bytes:
    # Imported here, so that a format's libraries are loaded by the process that writes it and by no other.
    if format == "pdf":
        from services.results.rendering.pdf import pdf

        return pdf(report, timestamp=timestamp)
    if format == "docx":
        from services.results.rendering.docx import docx

        return docx(report, timestamp=timestamp)
    from services.results.rendering.markdown import markdown

    return markdown(report, figure_folder=raw.FIGURE_FOLDER if archived else None).encode()
