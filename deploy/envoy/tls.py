"""TLS: what clients are shown, and the mutual TLS between Envoy and the services.

Certificates come through files of Envoy's secret discovery, because only those are read again when they are rotated.
A rotation is a move: a new file over the old one, or the directory's symbolic link, as Kubernetes does it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from deploy.envoy.settings import EdgeSettings, host_and_port

_TLS: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_VERSIONS: Final = {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"}
_PUBLIC: Final = "public"
_IDENTITY: Final = "identity"
_CA: Final = "ca"


def secret_files(settings: EdgeSettings) -> dict[Path, str]:
    """Path and text of the files that must be there before Envoy starts."""
    found: dict[str, dict[str, Any]] = {}
    if settings.public_cert:
        found[_PUBLIC] = _certificate(settings.public_cert, settings.public_key)
    if settings.has_internal_tls:
        found[_IDENTITY] = _certificate(settings.tls_cert, settings.tls_key)
        found[_CA] = {
            "validation_context": {
                "trusted_ca": {"filename": settings.tls_ca},
                "watched_directory": {"path": str(Path(settings.tls_ca).parent)},
            }
        }
    return {
        _path(settings, name): json.dumps(
            {"resources": [{"@type": f"{_TLS}.Secret", "name": name, **secret}]}, indent=2
        )
        for name, secret in found.items()
    }


def for_clients(settings: EdgeSettings) -> dict[str, Any]:
    """The transport socket of the HTTPS listener."""
    common = {
        "tls_params": _VERSIONS,
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [_secret(settings, _PUBLIC)],
    }
    return _socket("DownstreamTlsContext", {"common_tls_context": common})


def for_internal_callers(settings: EdgeSettings) -> dict[str, Any]:
    """The transport socket of the gRPC listener: callers must have a certificate of the internal CA."""
    common = {
        "tls_params": _VERSIONS,
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [_secret(settings, _IDENTITY)],
        "validation_context_sds_secret_config": _secret(settings, _CA),
    }
    return _socket("DownstreamTlsContext", {"require_client_certificate": True, "common_tls_context": common})


def to_service(settings: EdgeSettings, word: str, target: str) -> dict[str, Any]:
    """The transport socket of a service's cluster: its certificate must have the service's name, and we show ours."""
    name = settings.backend_name.format(host=host_and_port(target)[0], service=word)
    common = {
        "tls_params": _VERSIONS,
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [_secret(settings, _IDENTITY)],
        "combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": _names(name)},
            "validation_context_sds_secret_config": _secret(settings, _CA),
        },
    }
    return _socket("UpstreamTlsContext", {"sni": name, "common_tls_context": common})


def to_issuer(host: str, ca: str) -> dict[str, Any]:
    """The transport socket of the cluster that the user issuer's keys are fetched from."""
    common = {
        "tls_params": _VERSIONS,
        "validation_context": {"trusted_ca": {"filename": ca}, "match_typed_subject_alt_names": _names(host)},
    }
    return _socket("UpstreamTlsContext", {"sni": host, "common_tls_context": common})


def _names(name: str) -> list[dict[str, Any]]:
    return [{"san_type": kind, "matcher": {"exact": name}} for kind in ("DNS", "IP_ADDRESS")]


def _certificate(chain: str, key: str) -> dict[str, Any]:
    return {
        "tls_certificate": {
            "certificate_chain": {"filename": chain},
            "private_key": {"filename": key},
            "watched_directory": {"path": str(Path(chain).parent)},
        }
    }


def _path(settings: EdgeSettings, name: str) -> Path:
    return settings.secrets_dir / f"{name}.json"


def _secret(settings: EdgeSettings, name: str) -> dict[str, Any]:
    source = {"path": str(_path(settings, name))}
    return {"name": name, "sds_config": {"path_config_source": source, "resource_api_version": "V3"}}


def _socket(kind: str, context: dict[str, Any]) -> dict[str, Any]:
    return {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": f"{_TLS}.{kind}", **context}}
