"""Renders Envoy's configuration from the contract: routes, transcoding, tokens, the documented error JSON.

    python -m deploy.envoy.render SETTINGS.json > envoy.json

What differs between methods comes from their `google.api.http` rules alone; nothing here names one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.envoy.routes import EdgeRoutes
from deploy.envoy.settings import EdgeSettings
from gateway.calls import word_of
from gateway.errors import CHALLENGE
from gateway.json_codec import Reason, Schema
from gateway.routes import RouteTable, routes_of

_TYPE: Final = "type.googleapis.com/envoy.extensions."
# The reason of a gRPC code, or of an answer of Envoy's own, by its HTTP status.
_BY_STATUS: Final = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    500: "INTERNAL",
}
_TIME: Final = "%START_TIME(%Y-%m-%dT%H:%M:%SZ)%"


def render(settings: EdgeSettings) -> dict[str, Any]:
    """The whole bootstrap configuration. Raises ValueError when a service has no backend."""
    schema = Schema.from_bytes(settings.descriptors.read_bytes())
    table = RouteTable(routes_of(schema.methods()))
    services = sorted({route.method.service for route in table.routes})
    if missing := sorted({word_of(name) for name in services} - settings.backends.keys()):
        raise ValueError(f"no backend is set for {', '.join(missing)}")
    reasons = schema.reasons()
    routes = EdgeRoutes(table, settings)
    manager = {
        "@type": f"{_TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "server_name": "prsm",
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "normalize_path": False,
        "stream_idle_timeout": "0s",
        "route_config": {"name": "rest", "virtual_hosts": [routes.virtual_host()]},
        "http_filters": [
            _lua(reasons),
            _tokens(settings),
            _filter("buffer", "buffer.v3.Buffer", {"max_request_bytes": settings.max_body}),
            _transcoder(settings, services),
            _filter("router", "router.v3.Router", {"suppress_envoy_headers": True}),
        ],
        "local_reply_config": _local_replies(reasons),
    }
    listener = {
        "name": "rest",
        "address": _address(settings.host, settings.port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {
        "admin": {"address": _address("127.0.0.1", settings.admin_port)},
        "static_resources": {
            "listeners": [listener],
            "clusters": [_cluster(word, target) for word, target in sorted(settings.backends.items())],
        },
    }


def _filter(name: str, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{_TYPE}filters.http.{kind}", **config},
    }


def _lua(reasons: Mapping[str, Reason]) -> dict[str, Any]:
    def row(reason: Reason) -> str:
        return (
            f"{{ error = {json.dumps(reason.name)}, message = {json.dumps(reason.message)}, "
            f"retry_after = {reason.retry_after} }}"
        )

    rows = "\n".join(f"  [{status}] = {row(reasons[name])}," for status, name in _BY_STATUS.items())
    head = f"local CHALLENGE = {json.dumps(CHALLENGE)}\nlocal INVALID_JSON = {row(reasons['INVALID_JSON'])}\n"
    text = f"{head}local REASONS = {{\n{rows}\n}}\n" + Path(__file__).with_name("edge.lua").read_text()
    return _filter("lua", "lua.v3.Lua", {"default_source_code": {"inline_string": text}})


def _tokens(settings: EdgeSettings) -> dict[str, Any]:
    provider = {
        "issuer": settings.user_issuer,
        "audiences": [settings.user_audience],
        "local_jwks": {"filename": str(settings.user_jwks)},
        "forward": True,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}, {"name": "X-API-Key"}],
    }
    open_paths = [{"match": {"path": f"/api/v1/{name}"}} for name in ("openapi.json", "docs")]
    closed = [{"match": match, "requires": {"provider_name": "users"}} for match in _api()]
    config = {"providers": {"users": provider}, "rules": [*open_paths, *closed]}
    return _filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", config)


def _api() -> list[dict[str, str]]:
    return [{"path": "/api/v1"}, {"prefix": "/api/v1/"}]


def _transcoder(settings: EdgeSettings, services: list[str]) -> dict[str, Any]:
    config = {
        "proto_descriptor": str(settings.descriptors),
        "services": services,
        "match_incoming_request_route": True,
        "print_options": {"always_print_primitive_fields": True, "preserve_proto_field_names": True},
        "request_validation_options": {
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
    }
    return _filter("grpc_json_transcoder", "grpc_json_transcoder.v3.GrpcJsonTranscoder", config)


def _local_replies(reasons: Mapping[str, Reason]) -> dict[str, Any]:
    """The documented error JSON for what Envoy answers itself.

    Of a 400 the text says what is wrong: it is only marked here, and put into words by the Lua filter. A 403 is Envoy's
    answer to a token for another audience, which is a bad credential like any other.
    """
    mappers = []
    for status, name in _BY_STATUS.items():
        reason = reasons["UNAUTHORIZED" if status == 403 else name]
        mapper = _worded(reason) if status != 400 else _marked()
        mappers.append({"filter": _status("EQ", status), **mapper})
    mappers.append({"filter": _status("GE", 501), **_worded(reasons["INTERNAL"])})
    mappers.append({"filter": _status("GE", 402), **_marked()})
    return {"mappers": mappers}


def _worded(reason: Reason) -> dict[str, Any]:
    headers = {"x-request-id": "%REQ(X-REQUEST-ID)%"}
    if reason.retry_after:
        headers["retry-after"] = str(reason.retry_after)
    if reason.status == 401:
        headers["www-authenticate"] = CHALLENGE
    body = {
        "error": reason.name,
        "message": reason.message,
        "code": reason.status,
        "timestamp": _TIME,
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    return {
        "status_code": reason.status,
        "headers_to_add": _headers(headers),
        "body_format_override": {"json_format": body},
    }


def _marked() -> dict[str, Any]:
    marks = {
        "x-prsm-local": "%RESPONSE_CODE_DETAILS%",
        "x-prsm-local-time": _TIME,
        "x-prsm-local-id": "%REQ(X-REQUEST-ID)%",
    }
    return {"status_code": 400, "headers_to_add": _headers(marks)}


def _status(operator: str, status: int) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": "edge.local_reply"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}


def _headers(values: Mapping[str, str]) -> list[dict[str, Any]]:
    action = "OVERWRITE_IF_EXISTS_OR_ADD"
    return [{"header": {"key": k, "value": v}, "append_action": action} for k, v in values.items()]


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _cluster(word: str, target: str) -> dict[str, Any]:
    host, _, port = target.rpartition(":")
    http2 = {
        "explicit_http_config": {
            "http2_protocol_options": {"connection_keepalive": {"interval": "30s", "timeout": "10s"}}
        }
    }
    return {
        "name": word,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        # Every event stream is a request under way for as long as its client stays.
        "circuit_breakers": {"thresholds": [{"max_requests": 20_000, "max_pending_requests": 4_000}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPE}upstreams.http.v3.HttpProtocolOptions",
                **http2,
            }
        },
        "load_assignment": {
            "cluster_name": word,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, int(port))}}]}],
        },
    }


if __name__ == "__main__":
    given = EdgeSettings.model_validate_json(Path(sys.argv[1]).read_text())
    json.dump(render(given), sys.stdout, indent=2)
