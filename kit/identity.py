"""Who a process is to the others, and how it knows them: from its settings."""

from __future__ import annotations

import ssl
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from kit.auth.grants import GrantVerifier
from kit.auth.internal import CallerVerifier, InternalSigner, InternalVerifier, TokenSource
from kit.auth.keys import KeySource, load_key, owner_of
from kit.auth.projected import ProjectedTokens, ServiceAccountVerifier
from kit.rpc.tls import BadTlsFiles, TlsFiles
from kit.settings import BadSettings, BusSettings, CallerSettings, ServiceSettings, TlsSettings, name_of
from kit.times import Clock


def tls_files(settings: TlsSettings) -> TlsFiles | None:
    """The files of mutual TLS; None for plain text. Raises BadSettings."""
    if not settings.tls_cert:
        return None
    try:
        return TlsFiles(settings.tls_cert, settings.tls_key, settings.tls_ca, name=settings.tls_name)
    except BadTlsFiles as error:
        fields = ", ".join(name_of(settings, field) for field in ("tls_cert", "tls_key", "tls_ca"))
        raise BadSettings(f"{fields}: {error}") from error


def nats_context(settings: BusSettings) -> ssl.SSLContext | None:
    """Which certificates NATS servers may have; None leaves it to the system. Raises BadSettings."""
    if not settings.nats_ca:
        return None
    try:
        return ssl.create_default_context(cafile=settings.nats_ca)
    except OSError as error:  # ssl's own errors are among them
        raise BadSettings(f"{name_of(settings, 'nats_ca')}: {settings.nats_ca}: {error}") from error


def token_source(settings: CallerSettings, service: str, clock: Clock) -> TokenSource:
    """What the process shows to those it calls. Raises BadSettings."""
    if settings.internal_tokens:
        return ProjectedTokens(Path(settings.internal_tokens), clock)
    return InternalSigner(own_key(settings.internal_key, service, name_of(settings, "internal_key")), service, clock)


def own_key(path: str, service: str, setting: str) -> OKPKey:
    """The private key in a file, which must be named after the service. Raises BadSettings."""
    try:
        key = load_key(Path(path))
        if not key.is_private:
            raise ValueError("it has no private part")
    except (OSError, ValueError, TypeError, JoseError) as error:
        raise BadSettings(f"{setting}: {path} cannot be read as a private JWK: {error}") from error
    if owner_of(key.kid) != service:
        # All that it signs would be refused, with a reason that only the other side sees.
        raise BadSettings(f"{setting}: the key's id is {key.kid}, not {service} or {service}/INSTANCE")
    return key


def caller_verifier(settings: ServiceSettings, service: str, clock: Clock) -> CallerVerifier:
    """How the process knows who calls it."""
    keys = KeySource(
        settings.internal_jwks, clock, ca=settings.internal_jwks_ca, token_file=settings.internal_jwks_token
    )
    if not settings.internal_tokens:
        return InternalVerifier(keys, service, clock)
    return ServiceAccountVerifier(
        keys,
        service,
        clock,
        issuer=settings.internal_issuer,
        subjects=settings.internal_subjects,
        algorithms=tuple(settings.internal_algorithms),
    )


def grant_verifier(settings: ServiceSettings, clock: Clock) -> GrantVerifier | None:
    """How the process knows session's grants; None where nobody may show one."""
    if settings.grant_jwks:
        return GrantVerifier(KeySource(settings.grant_jwks, clock), clock)
    if settings.internal_tokens:
        return None
    keys = KeySource(
        settings.internal_jwks, clock, ca=settings.internal_jwks_ca, token_file=settings.internal_jwks_token
    )
    return GrantVerifier(keys, clock)
