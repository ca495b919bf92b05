"""Blobs: bytes under a key, in a directory or in an object store (S3, GCS, Azure), behind one small class."""

from __future__ import annotations

import asyncio
import glob
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from kit.blob_streams import Arriving
from kit.errors import Unavailable
from kit.times import from_datetime

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

_DEADLINE = 30.0
CHECKED = 5.0
"""Seconds that a store is given to answer at the start."""

_LISTED = 500
_SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_AZURE_ENDPOINTS = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
_FAULTS = (obstore.exceptions.BaseError, OSError, TimeoutError)
_STATUS = re.compile(r"status code: ([134]\d\d)")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_CERTIFICATE = re.compile(r"InvalidCertificate\(\s*(\w+)")
_NO_BUCKET = "NoSuchBucket"
_MAY_PASS = ("404", "408", "409", "412", "429")
log = structlog.get_logger("blobs")


class StoreRefuses(ValueError):
    """The object store answers, and will not have it: credentials, region or bucket are wrong."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob in a listing; `size` in bytes, `modified` in microseconds."""

    key: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class Access:
    """How an object store is reached; what is left empty is as the environment says, else as at the cloud itself.

    `endpoint` is the URL of a store that speaks S3; one with http:// is talked to without TLS. `by_host` puts the
    bucket before its host instead of into the path. `ca` holds certificates in PEM that are trusted besides.
    """

    endpoint: str = ""
    region: str = ""
    key_id: str = ""
    secret: str = field(default="", repr=False)
    by_host: bool = False
    ca: bytes = b""


class Blobs:
    """Immutable blobs. A key is a path of harmless parts, made by the service and never by a client."""

    def __init__(self, store: ObjectStore, folder: Path | None = None, *, deadline: float = _DEADLINE) -> None:
        """`deadline` is in seconds, for each call with all that is tried again in it."""
        self._store = store
        self._folder = folder
        self._deadline = deadline

    async def check(self, *, within: float = CHECKED) -> None:
        """Ask an object store for something. Raises StoreRefuses, and Unavailable where it does not answer within so
        many seconds."""
        if self._folder is not None:
            return
        try:
            async with asyncio.timeout(within):
                await anext(obstore.list(self._store, "check"), None)
        except _FAULTS as error:
            if refusal := _refusal(error):
                raise StoreRefuses(refusal) from error
            raise Unavailable("The object store is not available") from error

    async def put(self, key: str, data: bytes, *, durable: bool = True) -> None:
        """Store; storing the same again changes nothing. What can be made again need not be `durable`: after a crash
        of the machine it may be gone or cut off. Raises Unavailable."""
        async with self._calling():
            await obstore.put_async(self._store, key, data)
            if durable and self._folder is not None:
                # The store renames a finished file into place but leaves it to the system when it reaches the disk.
                await asyncio.to_thread(_sync, self._folder / key, self._folder)

    async def get(self, key: str) -> bytes | None:
        """The bytes, or None where there are none. Raises Unavailable."""
        async with self._calling():
            try:
                found = await obstore.get_async(self._store, key)
                return bytes(await found.bytes_async())
            except FileNotFoundError as error:
                if _code(error) == _NO_BUCKET:
                    raise
                return None

    async def put_stream(self, key: str, pieces: AsyncIterator[bytes], *, within: float) -> None:
        """Store pieces as they come, in parts of 5 MiB; a blob is there whole or not at all.

        `within` is in seconds, for all of it. What `pieces` raises is raised. Raises Unavailable.
        """
        arriving = Arriving(pieces)
        try:
            # One part is on its way at a time: each is held in memory.
            upload = asyncio.ensure_future(
                obstore.put_async(self._store, key, arriving.pieces(), use_multipart=True, max_concurrency=1)
            )
            try:
                async with asyncio.timeout(within):
                    await asyncio.shield(upload)
            finally:
                await arriving.end(upload)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / key, self._folder)
        except BaseException as error:
            with suppress(OSError):
                self._drop_parts(key)
            if isinstance(arriving.failed, Exception):
                raise arriving.failed from None
            if isinstance(error, _FAULTS):
                raise _unavailable(error) from error
            raise

    async def rename(self, key: str, to: str) -> None:
        """Give a blob another key, in place of what that one held. Raises Unavailable."""
        async with self._calling():
            await obstore.rename_async(self._store, key, to)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / to, self._folder)

    async def find(self, key: str) -> Stored | None:
        """What is known of a blob, or None where there is none. Raises Unavailable."""
        async with self._calling():
            try:
                found = await obstore.head_async(self._store, key)
            except FileNotFoundError:
                return None
        return Stored(key, found["size"], from_datetime(found["last_modified"]))

    async def size(self, key: str) -> int | None:
        """Bytes of a blob, or None where there is none. Raises Unavailable."""
        found = await self.find(key)
        return None if found is None else found.size

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end` of a blob that is there and so long. Raises Unavailable."""
        if start == end:
            return b""
        async with self._calling():
            data = bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
        if len(data) != end - start:
            raise Unavailable("The object store has less than it was given")
        return data

    async def stored(self, prefix: str) -> AsyncIterator[list[Stored]]:
        """What is stored under a prefix, some hundred at a time, in no order. Raises Unavailable."""
        listing = obstore.list(self._store, prefix, chunk_size=_LISTED)
        while True:
            async with self._calling():
                found = await anext(listing, None)
            if found is None:
                return
            yield [Stored(item["path"], item["size"], from_datetime(item["last_modified"])) for item in found]

    async def delete(self, key: str) -> None:
        """Remove; removing what is not there changes nothing. Raises Unavailable."""
        async with self._calling():
            self._drop_parts(key)
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._store, key)

    async def clear_parts(self, prefix: str, before: int) -> int:
        """Remove what uploads of a process that was killed left in a directory, last written before a moment in
        microseconds; how much. A cloud's own rules take it away there. Raises Unavailable."""
        if self._folder is None:
            return 0
        try:
            return await asyncio.to_thread(_clear, self._folder / prefix, before)
        except OSError as error:
            raise Unavailable("The object store is not available") from error

    def _drop_parts(self, key: str) -> None:
        """What an upload that broke off leaves in a directory."""
        if self._folder is not None:
            place = self._folder / key
            for part in place.parent.glob(f"{glob.escape(place.name)}#*"):
                part.unlink(missing_ok=True)

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except _FAULTS as error:
            raise _unavailable(error) from error


def open_blobs(location: str, access: Access | None = None, *, retries: int = 10) -> Blobs:
    """Open a directory by its path, or `s3://bucket/prefix`, `gs://...`, `az://...`; what `access` leaves open comes
    from the environment as each cloud names it. Nothing is asked of a cloud yet. `retries` is how often what may pass
    is tried again. Raises ValueError."""
    if "://" not in location or location.startswith("file://"):
        folder = Path(location.removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True)
        return Blobs(LocalStore(folder), folder)
    scheme, bucket, prefix, *_ = urlsplit(location)
    if scheme not in _SCHEMES or not bucket:
        raise ValueError(f"must be a directory, or s3://, gs:// or az:// with a name after it, not {scheme}://{bucket}")
    access = access or Access()
    of_s3 = scheme.startswith("s3")
    variables = _S3_ENDPOINTS if of_s3 else _AZURE_ENDPOINTS
    named = access.endpoint or next((os.environ[name] for name in variables if os.environ.get(name)), "")
    client: ClientConfig = {"timeout": timedelta(seconds=_DEADLINE), "allow_http": named.startswith("http://")}
    # Given up before the deadline of the call, it says why.
    again: RetryConfig = {"max_retries": retries, "retry_timeout": timedelta(seconds=_DEADLINE * 2 / 3)}
    if access.ca:
        client["root_certificate"] = access.ca
    try:
        if of_s3:
            options = _s3(access, bucket)
            below = prefix.strip("/") or None
            store = S3Store(bucket, prefix=below, config=options, client_options=client, retry_config=again)
            return Blobs(store)
        return Blobs(from_url(location, client_options=client, retry_config=again))
    except obstore.exceptions.BaseError as error:
        # What follows is for whoever debugs the library.
        raise ValueError(str(error).partition("\n")[0]) from error


def _s3(access: Access, bucket: str) -> S3Config:
    endpoint = access.endpoint.rstrip("/")
    if endpoint and access.by_host:
        scheme, _, host = endpoint.partition("://")
        endpoint = f"{scheme}://{bucket}.{host}"
    given = {
        "aws_endpoint_url_s3": endpoint,
        "region": access.region,
        "access_key_id": access.key_id,
        "secret_access_key": access.secret,
    }
    # One is removed at a time, and not every store that speaks S3 knows the request for many.
    config: dict[str, Any] = {"disable_bulk_delete": True}
    if access.by_host:
        config["virtual_hosted_style_request"] = True
    return cast("S3Config", config | {name: value for name, value in given.items() if value})


def cause_of(error: BaseException) -> str:
    """What went wrong, in one line for the log."""
    said, _, details = str(error).partition("Debug source:")
    details = details[details.find("HttpError {") :] if "HttpError {" in details else ""
    return " ".join(f"{said or repr(error)} {details}".split())[:500]


def _refusal(error: BaseException) -> str:
    """What a store that refused said; "" for what may pass."""
    text, code = str(error), _code(error)
    if untrusted := _CERTIFICATE.search(text):
        return f"its certificate is not trusted ({untrusted[1]})"
    if "redirect without LOCATION" in text:
        return "the store has the bucket in another region"
    status = _STATUS.search(text)
    if status is None or (status[1] in _MAY_PASS and code != _NO_BUCKET):
        return ""
    return f"the store refuses with {status[1]} {code}".rstrip()


def _code(error: BaseException) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _unavailable(error: BaseException) -> Unavailable:
    if refusal := _refusal(error):
        # Nobody but who runs the installation can do something about it.
        log.error("object store", cause=refusal, check="BLOBS and BLOBS_* or the cloud's own variables")
    return Unavailable("The object store is not available")


def _clear(folder: Path, before: int) -> int:
    count = 0
    for path in folder.rglob("*#*"):
        # What is finished meanwhile is no longer there under this name.
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime_ns // 1000 < before:
                path.unlink()
                count += 1
    return count


def _sync(path: Path, root: Path) -> None:
    for place in (path, *(p for p in path.parents if p == root or root in p.parents)):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
