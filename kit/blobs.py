"""Blobs: bytes under a key, in a directory or in an object store (S3, GCS, Azure), behind one small class."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from kit.errors import Unavailable

_DEADLINE = 30.0


class Blobs:
    """Immutable blobs. A key is a path of harmless parts, made by the service and never by a client."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, key: str, data: bytes) -> None:
        """Store durably; storing the same again changes nothing. Raises Unavailable."""
        try:
            async with asyncio.timeout(_DEADLINE):
                await obstore.put_async(self._store, key, data)
                if self._folder is not None:
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

    async def delete(self, key: str) -> None:
        """Remove; removing what is not there changes nothing. Raises Unavailable."""
        try:
            async with asyncio.timeout(_DEADLINE):
                await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (obstore.exceptions.BaseError, OSError, TimeoutError) as error:
            raise Unavailable("The object store is not available") from error


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
