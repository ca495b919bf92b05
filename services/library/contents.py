"""Texts and files: small texts in rows, everything else as blobs, and the texts used last in memory.

A blob's key is its document's id. A document never changes and is written once, so a blob is never shared and can be
removed with its document at any time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping

from kit.blobs import Blobs
from kit.db.database import Database
from services.library.domain import Document
from services.library.ports import Documents
from services.library.repository.documents import in_row


class ContentLost(Exception):
    """The store does not have what the database says it holds."""


class StoredContents:
    """Behind `ports.Contents`."""

    def __init__(self, db: Database, documents: Documents, blobs: Blobs, *, row_bytes: int, cache_bytes: int) -> None:
        """Texts up to `row_bytes` are rows; `cache_bytes` bounds the texts in memory, at four bytes a character."""
        self._db = db
        self._documents = documents
        self._blobs = blobs
        self._row_bytes = row_bytes
        self._cache = _TextCache(cache_bytes // 4)

    async def keep(self, document: Document, text: str, raw: bytes | None) -> None:
        if raw is not None:
            await self._blobs.put(_key("raw", document.document_id), raw)
        if not in_row(text, self._row_bytes):
            await self._blobs.put(_key("text", document.document_id), text.encode())

    async def forget(self, document: Document) -> None:
        if document.source.sha256:
            await self._blobs.delete(_key("raw", document.document_id))
        # Bytes are at most four times the characters, so most documents surely have no such blob.
        if document.characters * 4 > self._row_bytes:
            await self._blobs.delete(_key("text", document.document_id))

    async def texts(self, document_ids: Collection[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        missing: list[str] = []
        for document_id in document_ids:
            cached = self._cache.get(document_id)
            if cached is None:
                missing.append(document_id)
            else:
                found[document_id] = cached
        if missing:
            fresh = await self._db.read(lambda conn: self._documents.texts(conn, missing))
            for document_id in missing:
                if document_id not in fresh:
                    data = await self._blobs.get(_key("text", document_id))
                    if data is not None:
                        fresh[document_id] = data.decode()
            for document_id, text in fresh.items():
                self._cache.put(document_id, text)
            found.update(fresh)
        return found

    async def text(self, document: Document) -> str:
        if not document.characters:
            return ""
        texts = await self.texts([document.document_id])
        if document.document_id not in texts:
            raise ContentLost(document.document_id)
        return texts[document.document_id]

    async def raw(self, document: Document) -> bytes | None:
        if not document.source.sha256:
            return None
        data = await self._blobs.get(_key("raw", document.document_id))
        if data is None:
            raise ContentLost(document.document_id)
        return data


class _TextCache:
    """The texts used last, as far as `most` characters go. Documents never change, so nothing goes stale."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._texts: OrderedDict[str, str] = OrderedDict()

    def get(self, document_id: str) -> str | None:
        text = self._texts.get(document_id)
        if text is not None:
            self._texts.move_to_end(document_id)
        return text

    def put(self, document_id: str, text: str) -> None:
        if document_id in self._texts or len(text) > self._most // 4:
            return
        self._texts[document_id] = text
        self._held += len(text)
        while self._held > self._most:
            _, dropped = self._texts.popitem(last=False)
            self._held -= len(dropped)


def _key(kind: str, document_id: str) -> str:
    # The last characters of an id are its random ones: they spread the blobs over folders.
    return f"{kind}/{document_id[-2:]}/{document_id}"
