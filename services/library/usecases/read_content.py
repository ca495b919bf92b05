"""ReadContent: a document's text, or a dataset's bytes, for a worker."""

from __future__ import annotations

from kit.auth.grants import Grant
from services.library.granted import GrantedDocuments
from services.library.ports import Contents


class ReadContent:
    def __init__(self, granted: GrantedDocuments, contents: Contents) -> None:
        self._granted = granted
        self._contents = contents

    async def __call__(self, grant: Grant, document_id: str, *, raw: bool) -> tuple[str, bytes]:
        """The document's title, or with `raw` its file's name, and the content: with `raw` the bytes as they came, the
        text where there was no file. Raises DocumentNotFound."""
        document = await self._granted.one(grant, document_id)
        if not raw:
            return document.title, (await self._contents.text(document)).encode()
        name = document.source.filename or document.title
        data = await self._contents.raw(document)
        return name, (await self._contents.text(document)).encode() if data is None else data
