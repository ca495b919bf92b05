"""Amazon's signatures of requests (Signature Version 4, in the header), checked as a store does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote

from aiohttp import web

_SKEW = timedelta(minutes=15)
_SCHEME = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, *")


@dataclass(frozen=True)
class Keys:
    key_id: str
    secret: str = field(repr=False)
    region: str


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def payload_of(request: web.BaseRequest, path: str, query: str, body: bytes, keys: Keys) -> str:
    """How the body was signed for. Raises Refused unless the request is signed with the secret, and for this body."""
    given = request.headers.get("Authorization", "")
    scope = _SCHEME.match(given)
    if scope is None:
        raise Refused(403, "AccessDenied")
    fields = dict(part.strip().split("=", 1) for part in given[scope.end() :].split(","))
    key_id, day, region = scope.groups()
    if key_id != keys.key_id:
        raise Refused(403, "InvalidAccessKeyId")
    if region != keys.region:
        raise Refused(400, "AuthorizationHeaderMalformed")
    at = request.headers.get("x-amz-date", "")
    if abs(datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)) > _SKEW:
        raise Refused(403, "RequestTimeTooSkewed")
    signed = fields["SignedHeaders"].split(";")
    named = {name.lower() for name in request.headers}
    needed = {"host"} | {name for name in named if name.startswith("x-amz-")}
    if not needed <= set(signed) or signed != sorted(signed):
        raise Refused(403, "AccessDenied")
    payload = request.headers.get("x-amz-content-sha256", "")
    digest = hashlib.sha256(body)
    if payload not in ("UNSIGNED-PAYLOAD", digest.hexdigest()):
        raise Refused(400, "XAmzContentSHA256Mismatch")
    checksum = request.headers.get("x-amz-checksum-sha256")
    if checksum is not None and base64.b64decode(checksum) != digest.digest():
        raise Refused(400, "BadDigest")
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    lines = [f"{name}:{','.join(' '.join(v.split()) for v in request.headers.getall(name))}" for name in signed]
    canonical = "\n".join(
        [
            request.method,
            quote(unquote(path), safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *lines,
            "",
            ";".join(signed),
            payload,
        ]
    )
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", at, f"{day}/{region}/s3/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{keys.secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), fields["Signature"]):
        raise Refused(403, "SignatureDoesNotMatch")
    return "unsigned" if payload == "UNSIGNED-PAYLOAD" else "signed"
