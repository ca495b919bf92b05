"""The worker API as a client sees it: identity, deadlines, and what each error asks for."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prsm.library.v1 import internal_pb2, internal_pb2_grpc
from prsm.results.v1 import artifacts_pb2, artifacts_pb2_grpc
from prsm.session.v1 import worker_pb2_grpc

_CHUNK = 256 * 1024
_TOKEN_SECONDS = 300
_PATIENCE = 60.0
"""Seconds for which a service may be away while the lease is held."""
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_OPTIONS = [
    ("grpc.keepalive_time_ms", 3_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.max_receive_message_length", 8 * 1024 * 1024),
    ("grpc.max_metadata_size", 128 * 1024),
]


class LeaseLost(Exception):
    """Somebody else has the session, or nobody: what was done since is void. Stop, and tell nobody."""


class Refused(Exception):
    """An answer that asking again cannot change; `reason` as in prsm.errors.v1, in lower case."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class Identity:
    """Who we are to the services: tokens signed by our key, or files that the platform renews."""

    def __init__(self, key: Path | None, tokens: Path | None) -> None:
        self._tokens = tokens
        if key is not None:
            jwk = json.loads(key.read_text())
            self._kid = jwk["kid"]
            seed = base64.urlsafe_b64decode(jwk["d"] + "==")
            self._private = Ed25519PrivateKey.from_private_bytes(seed)

    def token(self, audience: str) -> str:
        """A short token for one service."""
        if self._tokens is not None:
            return (self._tokens / audience).read_text().strip()
        now = int(time.time())
        header = {"alg": "EdDSA", "typ": "prsm-internal+jwt", "kid": self._kid}
        service = self._kid.split("/")[0]  # `worker` and `worker/glossary` both are a worker
        claims = {"iss": "prsm-internal", "aud": audience, "sub": service, "iat": now, "exp": now + _TOKEN_SECONDS}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{_base64(self._private.sign(signed.encode()))}"


class Platform:
    """The three services. Every call has a deadline; what may be repeated is, while a service is away."""

    def __init__(self, identity: Identity, *, session: str, results: str, library: str) -> None:
        self._identity = identity
        self._channels = {
            name: grpc.insecure_channel(target, options=_OPTIONS)
            for name, target in (("session", session), ("results", results), ("library", library))
        }
        self.sessions = worker_pb2_grpc.WorkerServiceStub(self._channels["session"])
        self._artifacts = artifacts_pb2_grpc.ArtifactServiceStub(self._channels["results"])
        self._library = internal_pb2_grpc.LibraryInternalServiceStub(self._channels["library"])

    def call(self, method: Any, request: Any, *, seconds: float = 5.0) -> Any:
        """A unary call to the session service. Raises LeaseLost, Refused, grpc.RpcError (of a service that is away)."""
        return self._named(lambda: method(request, timeout=seconds, metadata=self._metadata("session")))

    def insist(self, call: Callable[[], Any], lost: threading.Event) -> Any:
        """Repeat an idempotent call while the service is away and the lease is held, for a minute. Raises LeaseLost,
        Refused, and then grpc.RpcError."""
        pause, until = 0.1, time.monotonic() + _PATIENCE
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                if lost.wait(pause * (1 + random.random()) / 2):  # noqa: S311 - spread out, not secret
                    raise LeaseLost from error
                if time.monotonic() > until:
                    raise
                pause = min(2 * pause, 1.0)

    def put(self, grant: str, content: bytes, *, result: bool) -> str:
        """Store an artifact; its SHA-256."""
        kinds = artifacts_pb2.PutArtifactRequest
        kind = kinds.KIND_RESULT if result else kinds.KIND_CHECKPOINT

        def pieces() -> Iterator[Any]:
            yield artifacts_pb2.PutArtifactRequest(kind=kind, chunk=content[:_CHUNK])
            for start in range(_CHUNK, len(content), _CHUNK):
                yield artifacts_pb2.PutArtifactRequest(chunk=content[start : start + _CHUNK])

        metadata = self._metadata("results", grant)
        return str(self._named(lambda: self._artifacts.PutArtifact(pieces(), timeout=60, metadata=metadata)).hash)

    def get(self, grant: str, epoch: int, digest: str) -> bytes:
        """A checkpoint of this session, of any epoch."""
        request = artifacts_pb2.GetArtifactRequest(epoch=epoch, hash=digest)
        return self._joined(self._artifacts.GetArtifact, request, "results", grant)

    def documents(self, grant: str) -> list[Any]:
        """Cards of every document that the grant covers."""
        metadata = self._metadata("library", grant)
        request = internal_pb2.DescribeDocumentsRequest()

        def call() -> list[Any]:
            pages = self._library.DescribeDocuments(request, timeout=60, metadata=metadata)
            return [card for page in pages for card in page.cards if not card.dataset]

        found: list[Any] = self._named(call)
        return found

    def text(self, grant: str, document_id: str) -> str:
        """A document's stored text; joined before it is decoded, for a chunk may end inside a character."""
        form = internal_pb2.ReadContentRequest.FORM_TEXT
        request = internal_pb2.ReadContentRequest(document_id=document_id, form=form)
        return self._joined(self._library.ReadContent, request, "library", grant).decode()

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()

    def _joined(self, method: Any, request: Any, service: str, grant: str) -> bytes:
        metadata = self._metadata(service, grant)
        return bytes(self._named(lambda: b"".join(p.chunk for p in method(request, timeout=60, metadata=metadata))))

    def _metadata(self, service: str, grant: str = "") -> list[tuple[str, str]]:
        own = [("authorization", f"Bearer {self._identity.token(service)}")]
        return own + ([("x-prsm-grant", grant)] if grant else [])

    def _named(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except grpc.RpcError as error:
            reason, message = _reason(error)
            if reason == "stale_epoch":
                raise LeaseLost from error
            if error.code() in _AWAY:
                raise
            raise Refused(reason, message) from error


def _reason(error: Any) -> tuple[str, str]:
    """Of the documented error body, which comes in the trailing metadata."""
    for key, value in error.trailing_metadata() or ():
        if key == "x-prsm-error":
            body = json.loads(value)
            return str(body["error"]), str(body["message"])
    return error.code().name.lower(), str(error.details())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
