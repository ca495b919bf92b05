"""A session's inputs as session sends them."""

from __future__ import annotations

from typing import Any

import orjson

from prsm.library.v1.internal_pb2 import DatasetSource, DocumentSource, InlineDataset, InlineDocument


def text(title: str, content: str) -> DocumentSource:
    return DocumentSource(inline=InlineDocument(title=title, text=content))


def document(document_id: str) -> DocumentSource:
    return DocumentSource(document_id=document_id)


def table(name: str, content: bytes, kind: str = "csv") -> DatasetSource:
    return DatasetSource(inline=InlineDataset(name=name, content=content, kind=kind))


def rows(value: Any) -> DatasetSource:
    return table("rows", orjson.dumps(value), "json")
