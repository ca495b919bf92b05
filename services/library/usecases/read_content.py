"""ReadContent: a document's text, or a dataset's bytes, for a worker."""

from __future__ import annotations

from kit.auth.grants import Grant
from services.library.domain import Document
from services.library.granted import GrantedDocuments
from services.library.parsing.document import Kind
from services.library.ports import Contents

_WORKBOOKS = frozenset({Kind.XLSX.value, Kind.XLS.value})


class ReadContent:
    def __init__(self, granted: GrantedDocuments, contents: Contents) -> None:
        self._granted = granted
        self._contents = contents

    async def __call__(self, grant: Grant, document_id: str, *, raw: bool) -> tuple[str, bytes]:
        """The document's title, or with `raw` its file's name, and the content. Raises DocumentNotFound."""
        document = await self._granted.one(grant, document_id)
        if not raw:
            return document.title, (await self._contents.text(document)).encode()
        name = document.source.filename or document.title
        if document.kind in _WORKBOOKS:
            return name, _first_sheet(document, await self._contents.text(document)).encode()
        data = await self._contents.raw(document)
        return name, (await self._contents.text(document)).encode() if data is None else data


def _first_sheet(document: Document, text: str) -> str:
    """The rows of the first sheet that has any, as CSV; a sheet's first line is its name."""
    for span in document.pages:
        rows = text[span.start : span.end].partition("\n")[2]
        if rows.strip():
            return rows
    return ""
