"""Mutual TLS by files: read whole, checked for fitting together, and read again when they are replaced."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

from kit.telemetry.metrics import Gauge

log = structlog.get_logger("tls")
EXPIRY = Gauge("prsm_tls_certificate_expiry_timestamp_seconds", "When this process's certificate ends, in Unix time.")
_PAUSE = 1.0
_ATTEMPTS = 5


class BadTlsFiles(ValueError):
    """The files cannot be used; the message names the file or says what does not fit."""


@dataclass(frozen=True, slots=True)
class Material:
    """What the files hold, in PEM."""

    cert: bytes
    key: bytes
    ca: bytes

    def checked(self) -> Material:
        """Itself. Raises BadTlsFiles when the key is not the certificate's, or no authority is there."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            certificate = x509.load_pem_x509_certificates(self.cert)[0]
            authorities = x509.load_pem_x509_certificates(self.ca)
            key = load_pem_private_key(self.key, password=None)
        except (ValueError, TypeError) as error:
            raise BadTlsFiles(f"certificate, key and authorities must be PEM without a password: {error}") from error
        if not authorities or certificate.public_key() != key.public_key():
            raise BadTlsFiles("the private key is not the certificate's")
        EXPIRY.set(certificate.not_valid_after_utc.timestamp())
        return self


class TlsFiles:
    """A process's certificate, key and authorities. May be asked from any thread."""

    def __init__(
        self,
        cert: str,
        key: str,
        ca: str,
        *,
        name: str = "",
        pause: float = _PAUSE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` is what servers' certificates must carry instead of the target's host; the files are looked at once
        every `pause` seconds at most. Raises BadTlsFiles."""
        self.name = name
        self._paths = (Path(cert), Path(key), Path(ca))
        self._pause = pause
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked = monotonic()
        self._stamp, self._material = self._read()

    def current(self) -> Material:
        """The newest material that can be used: while the files are away or do not fit, what was there before."""
        with self._lock:
            now = self._monotonic()
            if now - self._looked >= self._pause:
                self._looked = now
                self._look()
            return self._material

    def _look(self) -> None:
        try:
            if self._stamps() == self._stamp:
                return
            self._stamp, self._material = self._read()
        except (OSError, BadTlsFiles) as error:
            log.warning("certificate files cannot be used, the old ones stay", cause=repr(error))
            return
        log.info("certificate files re-read")

    def _read(self) -> tuple[tuple[tuple[int, ...], ...], Material]:
        """The files as they were at one moment: a rotation between two reads is noticed and read again."""
        try:
            for _ in range(_ATTEMPTS):
                before = self._stamps()
                material = Material(*(path.read_bytes() for path in self._paths))
                if self._stamps() == before:
                    return before, material.checked()
        except OSError as error:
            raise BadTlsFiles(f"{error.filename} cannot be read: {error.strerror}") from error
        raise BadTlsFiles("the certificate files do not stop changing")

    def _stamps(self) -> tuple[tuple[int, ...], ...]:
        found = (os.stat(path) for path in self._paths)
        return tuple((s.st_dev, s.st_ino, s.st_mtime_ns, s.st_size) for s in found)


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Credentials that serve the newest certificate to each new connection and refuse callers without one."""
    served = files.current()

    def configuration(material: Material) -> grpc.ServerCertificateConfiguration:
        pair = [(material.key, material.cert)]
        return grpc.ssl_server_certificate_configuration(pair, root_certificates=material.ca)

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal served
        newest = files.current()
        if newest == served:
            return None
        served = newest
        return configuration(newest)

    return grpc.dynamic_ssl_server_credentials(
        configuration(served),
        fetch,  # type: ignore[arg-type]  # None means no change; the stubs forget it
        require_client_authentication=True,
    )


def channel_credentials(material: Material) -> grpc.ChannelCredentials:
    """Credentials of a caller; they stay what they are, so a new certificate needs a new channel."""
    return grpc.ssl_channel_credentials(
        root_certificates=material.ca, private_key=material.key, certificate_chain=material.cert
    )
