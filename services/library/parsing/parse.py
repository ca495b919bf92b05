"""One file in, one document or one named error out. Runs in a child process for all but plain text."""

from __future__ import annotations

from collections.abc import Callable

from services.library.parsing.bibtex import parse_bibtex
from services.library.parsing.csl_json import parse_csl
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits, too_large_file
from services.library.parsing.html import parse_html
from services.library.parsing.jats import parse_jats
from services.library.parsing.kinds import detect_kind
from services.library.parsing.parquet import parse_parquet
from services.library.parsing.pdf import parse_pdf
from services.library.parsing.plain import parse_markdown, parse_text
from services.library.parsing.records import parse_json, parse_jsonl
from services.library.parsing.ris import parse_ris
from services.library.parsing.tables import parse_csv, parse_tsv, parse_xls, parse_xlsx
from services.library.parsing.word import parse_docx

Parser = Callable[[bytes, str, str, ParseLimits], ParsedDocument]

_PARSERS: dict[Kind, Parser] = {
    Kind.PDF: parse_pdf,
    Kind.DOCX: parse_docx,
    Kind.HTML: parse_html,
    Kind.TEXT: parse_text,
    Kind.MARKDOWN: parse_markdown,
    Kind.CSV: parse_csv,
    Kind.TSV: parse_tsv,
    Kind.JSON: parse_json,
    Kind.JSONL: parse_jsonl,
    Kind.XLSX: parse_xlsx,
    Kind.XLS: parse_xls,
    Kind.BIBTEX: parse_bibtex,
    Kind.RIS: parse_ris,
    Kind.CSL: parse_csl,
    Kind.JATS: parse_jats,
    Kind.PARQUET: parse_parquet,
}


def parse(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """Read a file in this process. Raises DocumentUnreadable, and whatever a hostile file provokes:
    callers other than the child process want :class:`services.library.parsing.pool.ParserPool`."""
    if len(data) > limits.file_bytes:
        raise too_large_file(limits)
    kind = detect_kind(data, filename, content_type)
    return _PARSERS[kind](data, filename, content_type, limits)
