"""Which parser a file gets: what its first bytes are comes before what it is called."""

from __future__ import annotations

import re
from pathlib import PurePath

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.archive import open_archive
from services.library.parsing.document import Kind

_EXTENSIONS = {
    "pdf": Kind.PDF,
    "docx": Kind.DOCX,
    "html": Kind.HTML,
    "htm": Kind.HTML,
    "xhtml": Kind.HTML,
    "txt": Kind.TEXT,
    "text": Kind.TEXT,
    "md": Kind.MARKDOWN,
    "markdown": Kind.MARKDOWN,
    "csv": Kind.CSV,
    "tsv": Kind.TSV,
    "tab": Kind.TSV,
    "json": Kind.JSON,
    "jsonl": Kind.JSONL,
    "ndjson": Kind.JSONL,
    "xlsx": Kind.XLSX,
    "xlsm": Kind.XLSX,
    "xls": Kind.XLS,
    "bib": Kind.BIBTEX,
    "bibtex": Kind.BIBTEX,
    "ris": Kind.RIS,
    "csljson": Kind.CSL,
    "nxml": Kind.JATS,
    "xml": Kind.JATS,
    "parquet": Kind.PARQUET,
    "pq": Kind.PARQUET,
}
_MEDIA_TYPES = {
    "application/pdf": Kind.PDF,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Kind.DOCX,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Kind.XLSX,
    "application/vnd.ms-excel": Kind.XLS,
    "text/html": Kind.HTML,
    "application/xhtml+xml": Kind.HTML,
    "text/markdown": Kind.MARKDOWN,
    "text/csv": Kind.CSV,
    "text/tab-separated-values": Kind.TSV,
    "application/json": Kind.JSON,
    "application/x-ndjson": Kind.JSONL,
    "application/jsonl": Kind.JSONL,
    "application/x-bibtex": Kind.BIBTEX,
    "text/x-bibtex": Kind.BIBTEX,
    "application/x-research-info-systems": Kind.RIS,
    "application/vnd.citationstyles.csl+json": Kind.CSL,
    "application/jats+xml": Kind.JATS,
    "application/xml": Kind.JATS,
    "text/xml": Kind.JATS,
    "application/vnd.apache.parquet": Kind.PARQUET,
    "text/plain": Kind.TEXT,
}
_BINARY = frozenset((Kind.PDF, Kind.DOCX, Kind.XLSX, Kind.XLS, Kind.PARQUET))
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_PARQUET = b"PAR1"
_PARQUET_ENCRYPTED = b"PARE"
_HEAD = 4096
_XML = re.compile(rb"<(?:[\w.-]+:)?(article|html)[\s>]")
_RIS = re.compile(rb"^\s*TY {1,2}- ?[A-Z]{2,}\s")


def named_kind(filename: str, content_type: str) -> Kind | None:
    """The kind that the name says, or else the content type; None when neither is known."""
    extension = PurePath(filename).suffix.lower().removeprefix(".")
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    media_type = content_type.partition(";")[0].strip().lower()
    # A name with an unknown extension is not overruled by "some text", which senders put on anything.
    if extension and media_type == "text/plain":
        return None
    return _MEDIA_TYPES.get(media_type)


def detect_kind(data: bytes, filename: str, content_type: str) -> Kind:
    """The kind of a file. Raises DocumentUnreadable: `empty`, `encrypted`, `corrupt`, `unsupported_type`."""
    if not data.strip(b"\0 \t\r\n"):
        raise DocumentUnreadable(UnreadableCause.EMPTY)
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    if data.startswith(_ZIP):
        return _container_kind(data)
    if data.startswith(_OLE):
        return _compound_kind(data)
    named = named_kind(filename, content_type)
    if data.startswith(_PARQUET_ENCRYPTED) and named is Kind.PARQUET:
        raise DocumentUnreadable(UnreadableCause.ENCRYPTED)
    if data.startswith(_PARQUET) and (named is Kind.PARQUET or data.endswith(_PARQUET)):
        return Kind.PARQUET
    if named in _BINARY:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, f"It is named {named} but is none.")
    head = data[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if named is Kind.JATS:
        root = _XML.search(head)
        return Kind.HTML if root is not None and root.group(1) == b"html" else Kind.JATS
    if named is not None:
        return named
    if head[:15].lower().startswith((b"<!doctype html", b"<html")):
        return Kind.HTML
    if head.startswith((b"<?xml", b"<article", b"<!DOCTYPE article")) and _XML.search(head):
        return Kind.JATS
    if _RIS.match(head):
        return Kind.RIS
    if PurePath(filename).suffix:
        raise DocumentUnreadable(UnreadableCause.UNSUPPORTED_TYPE, f"({PurePath(filename).suffix.lower()})")
    return Kind.TEXT


def _container_kind(data: bytes) -> Kind:
    with open_archive(data) as archive:
        names = set(archive.namelist())
    if any(name.startswith("word/") for name in names):
        return Kind.DOCX
    if any(name.startswith("xl/") for name in names):
        return Kind.XLSX
    raise DocumentUnreadable(UnreadableCause.UNSUPPORTED_TYPE, "(a zip archive)")


def _compound_kind(data: bytes) -> Kind:
    """Compound files name their streams in UTF-16; no more of the format is needed to tell them apart."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise DocumentUnreadable(UnreadableCause.ENCRYPTED)
    if "Workbook".encode("utf-16-le") in data or "Book".encode("utf-16-le") in data:
        return Kind.XLS
    raise DocumentUnreadable(UnreadableCause.UNSUPPORTED_TYPE, "(a legacy Office file)")
