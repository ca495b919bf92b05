"""Certificates for tests: an authority, what it vouches for, and files as a process is given them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


class Authority:
    """A certificate authority that lives as long as the test."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = _builder(self._name, self._name, self._key.public_key())
        self._certificate = builder.add_extension(x509.BasicConstraints(True, None), critical=True).sign(
            self._key, hashes.SHA256()
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, *names: str) -> tuple[bytes, bytes]:
        """A certificate for host names or addresses, and its key, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(names[0]), self._name, key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return certificate.public_bytes(serialization.Encoding.PEM), private


class TlsFolder:
    """The three files of a process, replaced at once as Kubernetes replaces a secret: by turning one link."""

    def __init__(self, folder: Path, authority: Authority, *names: str) -> None:
        self._folder = folder
        self._turns = 0
        self.cert, self.key, self.ca = (folder / "now" / name for name in ("tls.crt", "tls.key", "ca.crt"))
        folder.mkdir(parents=True, exist_ok=True)
        self.issue(authority, *names)

    def issue(self, authority: Authority, *names: str, trusted: Sequence[Authority] = ()) -> None:
        """Put a new certificate there; `trusted` are the authorities that count, the issuing one if not given."""
        self.put(*authority.issue(*names), b"".join(each.pem for each in trusted or (authority,)))

    def put(self, cert: bytes, key: bytes, ca: bytes) -> None:
        self._turns += 1
        fresh = self._folder / str(self._turns)
        fresh.mkdir()
        for name, content in (("tls.crt", cert), ("tls.key", key), ("ca.crt", ca)):
            (fresh / name).write_bytes(content)
        link = self._folder / "next"
        link.symlink_to(fresh.name)
        os.replace(link, self._folder / "now")

    def settings(self) -> dict[str, str]:
        """As settings by field name."""
        return {"tls_cert": str(self.cert), "tls_key": str(self.key), "tls_ca": str(self.ca)}


def serial_of(pem: bytes) -> int:
    """The serial number of a certificate."""
    return x509.load_pem_x509_certificate(pem).serial_number


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), now - _DAY, now + _DAY)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found
