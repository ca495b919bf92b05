"""Blobs: bytes under a key, in a directory or in an object store (S3, GCS, Azure), behind one small class."""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from kit.errors import Unavailable
from kit.times import from_datetime

_DEADLINE = 30.0
_LISTED = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob in a listing; `size` in bytes, `modified` in microseconds."""

    key: str
    size: int
    modified: int


class Blobs:
    """Immutable blobs. A key is a path of harmless parts, made by the service and never by a client."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, key: str, data: bytes, *, durable: bool = True) -> None:
        """Store; storing the same again changes nothing. What can be made again need not be `durable`: after a crash
        of the machine it may be gone or cut off. Raises Unavailable."""
        try:
            async with asyncio.timeout(_DEADLINE):
                await obstore.put_async(self._store, key, data)
                if durable and self._folder is not None:
                    # The store renames a finished file into place but leaves it to the system when it reaches the disk.
                    await asyncio.to_thread(_sync, self._folder / key, self._folder)
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error

    async def get(self, key: str) -> bytes | None:
        """The bytes, or None where there are none. Raises Unavailable."""
        try:
            async with asyncio.timeout(_DEADLINE):
                found = await obstore.get_async(self._store, key)
                return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error

    async def put_stream(self, key: str, pieces: AsyncIterator[bytes], *, within: float) -> None:
        """Store pieces as they come, in parts of 5 MiB; a blob is there whole or not at all.

        `within` is in seconds, for all of it. What `pieces` raises is raised. Raises Unavailable.
        """
        stopped: list[BaseException] = []

        async def watched() -> AsyncIterator[bytes]:
            try:
                async for piece in pieces:
                    yield piece
            except BaseException as error:
                stopped.append(error)
                raise

        try:
            async with asyncio.timeout(within):
                # One part is on its way at a time: each is held in memory.
                await obstore.put_async(self._store, key, watched(), use_multipart=True, max_concurrency=1)
                if self._folder is not None:
                    await asyncio.to_thread(_sync, self._folder / key, self._folder)
        except BaseException as error:
            self._drop_parts(key)
            if stopped and isinstance(stopped[0], Exception):
                raise stopped[0] from None
            if isinstance(error, (obstore.exceptions.BaseError, OSError, TimeoutError)):
                raise Unavailable("The object store is not available") from error
            raise

    async def rename(self, key: str, to: str) -> None:
        """Give a blob another key, in place of what that one held. Raises Unavailable."""
        try:
            async with asyncio.timeout(_DEADLINE):
                await obstore.rename_async(self._store, key, to)
                if self._folder is not None:
                    await asyncio.to_thread(_sync, self._folder / to, self._folder)
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error

    async def size(self, key: str) -> int | None:
        """Bytes of a blob, or None where there is none. Raises Unavailable."""
        try:
            async with asyncio.timeout(_DEADLINE):
                return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            return None
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end` of a blob that is there and so long. Raises Unavailable."""
        if start == end:
            return b""
        try:
            async with asyncio.timeout(_DEADLINE):
                data = bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error
        if len(data) != end - start:
            raise Unavailable("The object store has less than it was given")
        return data

    async def stored(self, prefix: str) -> AsyncIterator[list[Stored]]:
        """What is stored under a prefix, some hundred at a time, in no order. Raises Unavailable."""
        try:
            listing = obstore.list(self._store, prefix, chunk_size=_LISTED)
            while True:
                async with asyncio.timeout(_DEADLINE):
                    found = await anext(listing, None)
                if found is None:
                    return
                yield [Stored(item["path"], item["size"], from_datetime(item["last_modified"])) for item in found]
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error

    async def delete(self, key: str) -> None:
        """Remove; removing what is not there changes nothing. Raises Unavailable."""
        self._drop_parts(key)
        try:
            async with asyncio.timeout(_DEADLINE):
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error

    def _drop_parts(self, key: str) -> None:
        """What an upload that broke off leaves in a directory; a cloud's own rules take it away there."""
        if self._folder is not None:
            place = self._folder / key
            for part in place.parent.glob(f"{glob.escape(place.name)}#*"):
                part.unlink(missing_ok=True)


def open_blobs(location: str) -> Blobs:
    """Open a directory by its path, or `s3://bucket/prefix`, `gs://...`, `az://...`; credentials come from the
    environment as each cloud names them. Raises ValueError."""
    if "://" in location and not location.startswith("file://"):
        return Blobs(from_url(location, client_options={"timeout": timedelta(seconds=_DEADLINE)}))
    folder = Path(location.removeprefix("file://"))
    folder.mkdir(parents=True, exist_ok=True)
    return Blobs(LocalStore(folder), folder)


def _sync(path: Path, root: Path) -> None:
    for place in (path, *(p for p in path.parents if p == root or root in p.parents)):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
