"""A small S3 server for tests: objects in memory, signatures checked as Amazon does, and faults on demand.

After the API reference of Amazon S3 (2006-03-01) and "Signature Version 4": what a client of object storage needs, by
path (`/bucket/key`) and by host (`bucket.host/key`). One part of an upload may be of any size.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from ssl import SSLContext
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from aiohttp import web

from tests.support.s3_signatures import Keys, Refused, payload_of

_XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"
What = Literal["slow down", "denied", "cut", "lost", "truncated", "silent", "error in 200"]
"""503; 403; no answer to what is not done; no answer to what is done; half of the body; none while the connection
lasts; an error that comes as 200, as CopyObject and CompleteMultipartUpload may."""


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of a method whose path and query contain `part`."""

    what: What
    method: str = ""
    part: str = ""
    times: int = 1


@dataclass
class Held:
    """An object; its `etag` is quoted."""

    body: bytes
    etag: str
    modified: datetime


@dataclass
class Upload:
    key: str
    parts: dict[int, bytes] = field(default_factory=dict)


class S3Server:
    """One bucket on 127.0.0.1. `requests` are methods with paths and queries, as they came; `payloads` how bodies were
    signed for; `page` is the most keys of one listing."""

    def __init__(self, bucket: str = "prsm", *, page: int = 1000, tls: SSLContext | None = None) -> None:
        self._tls = tls
        self.bucket, self.page, self.port = bucket, page, 0
        self.key_id, self.secret, self.region = "TESTKEY", "a secret/with+signs=", "eu-test-1"
        self.objects: dict[str, Held] = {}
        self.uploads: dict[str, Upload] = {}
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.payloads: set[str] = set()

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._serve, handler_cancellation=True), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def endpoint(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def hold(self, key: str, body: bytes, modified: datetime | None = None) -> None:
        """Put an object there, as if somebody had stored it."""
        at = modified or datetime.now(UTC).replace(microsecond=0)
        self.objects[key] = Held(body, f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"', at)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        # Through a proxy the whole URL is asked for.
        url = urlsplit(request.raw_path)
        target = f"{url.path}?{url.query}" if url.query else url.path
        self.requests.append(f"{request.method} {target}")
        fault = self._fault(request.method, target)
        try:
            if fault in ("cut", "silent"):
                return await self._drop(request, wait=fault == "silent")
            if fault == "slow down":
                raise Refused(503, "SlowDown")
            if fault == "denied":
                raise Refused(403, "AccessDenied")
            keys = Keys(self.key_id, self.secret, self.region)
            self.payloads.add(payload_of(request, url.path, url.query, body, keys))
            query = dict(parse_qsl(url.query, keep_blank_values=True))
            answer = self._answer(request, self._key(request.host, url.path), query, body)
        except Refused as error:
            answer = _error(error)
        if fault == "lost":
            return await self._drop(request)
        if fault == "error in 200":
            answer = _error(Refused(200, "InternalError"))
        if fault == "truncated" and isinstance(answer.body, bytes):
            whole = web.StreamResponse(status=answer.status, headers=answer.headers)
            whole.content_length = len(answer.body)
            await whole.prepare(request)
            await whole.write(answer.body[: len(answer.body) // 2])
            return await self._drop(request, whole)
        return answer

    def _fault(self, method: str, target: str) -> What | None:
        for fault in self.faults:
            if fault.times and fault.method in ("", method) and fault.part in target:
                fault.times -= 1
                return fault.what
        return None

    @staticmethod
    async def _drop(
        request: web.BaseRequest, begun: web.StreamResponse | None = None, *, wait: bool = False
    ) -> web.StreamResponse:
        if wait:
            await asyncio.Event().wait()  # ends with the connection
        if request.transport is not None:
            request.transport.abort()
        return begun or web.Response()

    def _key(self, host: str, path: str) -> str:
        path = unquote(path).removeprefix("/")
        bucket, key = (self.bucket, path) if host.startswith(f"{self.bucket}.") else (path.partition("/")[::2])
        if bucket != self.bucket:
            raise Refused(404, "NoSuchBucket")
        return key

    def _answer(self, request: web.BaseRequest, key: str, query: dict[str, str], body: bytes) -> web.Response:
        match request.method, key, sorted(query.keys() & {"uploads", "uploadId", "delete", "list-type"}):
            case "GET", "", ["list-type"]:
                return self._list(query)
            case "POST", "", ["delete"]:
                return self._delete_many(body)
            case "POST", _, ["uploads"]:
                upload_id = f"upload-{len(self.requests)}"
                self.uploads[upload_id] = Upload(key)
                return _xml("InitiateMultipartUploadResult", _tag("UploadId", upload_id))
            case method, _, ["uploadId"]:
                return self._part(method, key, query, body)
            case "PUT", _, []:
                return self._put(request, key, body)
            case (("GET" | "HEAD"), _, []):
                return self._get(request, key)
            case "DELETE", _, []:
                self.objects.pop(key, None)
                return web.Response(status=204)
        raise Refused(501, "NotImplemented")

    def _put(self, request: web.BaseRequest, key: str, body: bytes) -> web.Response:
        here = self.objects.get(key)
        wanted = request.headers.get("If-Match")
        if (request.headers.get("If-None-Match") == "*" and here) or (wanted and (not here or here.etag != wanted)):
            raise Refused(412, "PreconditionFailed")
        source = request.headers.get("x-amz-copy-source")
        if source is not None:
            body = self._held(self._key("", unquote(source))).body
        self.hold(key, body)
        etag = self.objects[key].etag
        if source is not None:
            return _xml("CopyObjectResult", _tag("ETag", etag))
        return web.Response(headers={"ETag": etag})

    def _get(self, request: web.BaseRequest, key: str) -> web.Response:
        held = self._held(key)
        headers = {"ETag": held.etag, "Last-Modified": format_datetime(held.modified, usegmt=True)}
        if (wanted := request.headers.get("If-Match")) and wanted != held.etag:
            raise Refused(412, "PreconditionFailed")
        if request.headers.get("If-None-Match") == held.etag:
            return web.Response(status=304, headers=headers)
        asked, size = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", "")), len(held.body)
        if request.method == "HEAD":
            headers["Content-Length"] = str(size)
        if asked is None:
            return web.Response(body=held.body, headers=headers)
        start, end = int(asked[1]), min(int(asked[2] or size), size - 1)
        if start >= size:
            raise Refused(416, "InvalidRange")
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
        return web.Response(status=206, body=held.body[start : end + 1], headers=headers)

    def _part(self, method: str, key: str, query: dict[str, str], body: bytes) -> web.Response:
        upload = self.uploads.get(query["uploadId"])
        if upload is None or upload.key != key:
            raise Refused(404, "NoSuchUpload")
        if method == "PUT":
            upload.parts[int(query["partNumber"])] = body
            return web.Response(headers={"ETag": _etag(body)})
        del self.uploads[query["uploadId"]]
        if method == "DELETE":
            return web.Response(status=204)
        named = [(int(_text(part, "PartNumber")), _text(part, "ETag")) for part in _children(body, "Part")]
        if named != [(number, _etag(upload.parts[number])) for number in sorted(upload.parts)]:
            raise Refused(400, "InvalidPart")
        self.hold(key, b"".join(upload.parts[number] for number, _ in named))
        return _xml("CompleteMultipartUploadResult", _tag("ETag", self.objects[key].etag))

    def _list(self, query: dict[str, str]) -> web.Response:
        after = query.get("continuation-token", query.get("start-after", ""))
        keys = sorted(key for key in self.objects if key.startswith(query.get("prefix", "")) and key > after)
        most = min(self.page, int(query.get("max-keys", self.page)))
        found = [
            f"<Contents>{_tag('Key', key)}{_tag('LastModified', f'{held.modified:%Y-%m-%dT%H:%M:%S.000Z}')}"
            f"{_tag('ETag', held.etag)}{_tag('Size', str(len(held.body)))}</Contents>"
            for key, held in ((key, self.objects[key]) for key in keys[:most])
        ]
        more = len(keys) > most
        token = _tag("NextContinuationToken", keys[most - 1]) if more else ""
        return _xml("ListBucketResult", _tag("IsTruncated", str(more).lower()), token, *found)

    def _delete_many(self, body: bytes) -> web.Response:
        keys = [_text(each, "Key") for each in _children(body, "Object")]
        for key in keys:
            self.objects.pop(key, None)
        return _xml("DeleteResult", *(f"<Deleted>{_tag('Key', key)}</Deleted>" for key in keys))

    def _held(self, key: str) -> Held:
        if key not in self.objects:
            raise Refused(404, "NoSuchKey")
        return self.objects[key]


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _children(body: bytes, name: str) -> Iterable[ET.Element]:
    return [each for each in ET.fromstring(body) if each.tag.rpartition("}")[2] == name]


def _text(element: ET.Element, name: str) -> str:
    return next(each.text or "" for each in element if each.tag.rpartition("}")[2] == name)


def _tag(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _xml(name: str, *parts: str, status: int = 200) -> web.Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_XMLNS}">{"".join(parts)}</{name}>'
    return web.Response(status=status, body=body.encode(), content_type="application/xml")


def _error(error: Refused) -> web.Response:
    text = f"<Error>{_tag('Code', error.code)}{_tag('Message', 'Refused by the test')}</Error>"
    return web.Response(status=error.status, body=text.encode(), content_type="application/xml")
