"""The listeners: REST over HTTP and HTTPS, gRPC for internal callers, metrics."""

from __future__ import annotations

from typing import Any, Final

from deploy.envoy import tls
from deploy.envoy.clusters import ADMIN, OTLP
from deploy.envoy.filters import router
from deploy.envoy.settings import EdgeSettings
from gateway.calls import word_of

_EXTENSION: Final = "type.googleapis.com/envoy.extensions"
_KEEPALIVE: Final = "75s"
_HEADERS_KIB: Final = 32
_UNSENT: Final = 128 * 1024
_SHARED_SERVICES: Final = ("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                           "grpc.reflection.v1alpha.ServerReflection")  # fmt: skip
SERVICE_HEADER: Final = "x-prsm-service"
"""Says which service's health or reflection is asked for: every one has its own under the same name."""


def rest(
    settings: EdgeSettings,
    name: str,
    port: int,
    routes: dict[str, Any],
    filters: list[dict[str, Any]],
    replies: dict[str, Any],
    *,
    secure: bool = False,
) -> dict[str, Any]:
    """A listener of the REST API."""
    http = {
        **_manager(name, routes, filters),
        "server_name": "prsm",
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "use_remote_address": True,
        "xff_num_trusted_hops": settings.trusted_hops,
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "max_request_headers_kb": _HEADERS_KIB,
        "request_headers_timeout": "10s",
        "request_timeout": f"{settings.upload_seconds:g}s",
        "stream_idle_timeout": f"{settings.upload_seconds:g}s",
        "drain_timeout": f"{max(settings.drain_seconds / 2, 0.1):g}s",
        "delayed_close_timeout": "5s",
        "local_reply_config": replies,
    }
    http["http2_protocol_options"] |= {
        "max_concurrent_streams": 100,
        "initial_stream_window_size": 65_536,
        "initial_connection_window_size": 1_048_576,
    }
    if settings.access_log:
        http["access_log"] = [_access_log(name)]
    if settings.otlp_endpoint:
        http["tracing"] = _tracing(settings)
    return _listener(settings, name, port, http, tls.for_clients(settings) if secure else None)


def grpc(settings: EdgeSettings, port: int, services: list[str]) -> dict[str, Any]:
    """Native gRPC, passed on as it is: identity is the services' own business, as it is without Envoy."""
    routes = [_passed(f"/{name}/", word_of(name)) for name in services]
    for name in _SHARED_SERVICES:
        for word in sorted(settings.backends):
            passed = _passed(f"/{name}/", word)
            passed["match"]["headers"] = [{"name": SERVICE_HEADER, "string_match": {"exact": word}}]
            routes.append(passed)
    unknown: dict[str, Any] = {"match": {"prefix": "/"}, "name": "none", "direct_response": {"status": 404}}
    host = {"name": "grpc", "domains": ["*"], "routes": [*routes, unknown]}
    http = {
        **_manager("grpc", {"name": "grpc", "virtual_hosts": [host]}, [router()]),
        "codec_type": "HTTP2",
        "stream_idle_timeout": "0s",
    }
    if settings.access_log:
        http["access_log"] = [_access_log("grpc")]
    if settings.otlp_endpoint:
        http["tracing"] = _tracing(settings)
    secured = tls.for_internal_callers(settings) if settings.has_internal_tls else None
    return _listener(settings, "grpc", port, http, secured)


def metrics(settings: EdgeSettings, port: int) -> dict[str, Any]:
    """Envoy's own metrics, and nothing else of its admin interface."""
    scraped = {
        "match": {"path": "/metrics", "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]},
        "route": {"cluster": ADMIN, "prefix_rewrite": "/stats/prometheus", "timeout": "10s"},
    }
    other = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    host = {"name": "metrics", "domains": ["*"], "routes": [scraped, other]}
    http = _manager("metrics", {"name": "metrics", "virtual_hosts": [host]}, [router()])
    return _listener(settings, "metrics", port, http, None)


def _manager(name: str, routes: dict[str, Any], filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": f"{_EXTENSION}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": routes,
        "http_filters": filters,
        "http2_protocol_options": {"connection_keepalive": {"interval": "30s", "timeout": "10s"}},
        "common_http_protocol_options": {
            "idle_timeout": _KEEPALIVE,
            "max_headers_count": 100,
            # A header that differs from another one only by _ for - could pass for it further inside.
            "headers_with_underscores_action": "DROP_HEADER",
        },
    }


def _listener(
    settings: EdgeSettings, name: str, port: int, http: dict[str, Any], secured: dict[str, Any] | None
) -> dict[str, Any]:
    chain: dict[str, Any] = {"filters": [{"name": "http", "typed_config": http}]}
    if secured is not None:
        chain["transport_socket"] = secured
        chain["transport_socket_connect_timeout"] = "10s"
    return {
        "name": name,
        "address": {"socket_address": {"address": settings.host, "port_value": port}},
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        # Clients' sockets inherit them. One that vanished without a word, or stays and does not read, is ended by the
        # kernel (TCP_USER_TIMEOUT, in milliseconds), which meanwhile takes this much for it (TCP_NOTSENT_LOWAT).
        "socket_options": [
            _tcp(18, max(round(settings.client_seconds * 1000), 1)),
            _tcp(25, _UNSENT),
        ],
        "filter_chains": [chain],
    }


def _tcp(name: int, value: int) -> dict[str, Any]:
    return {"level": 6, "name": name, "int_value": value, "state": "STATE_LISTENING"}


def _passed(prefix: str, word: str) -> dict[str, Any]:
    return {
        "name": f"gRPC {prefix}",
        "match": {"prefix": prefix, "grpc": {}},
        "route": {
            "cluster": word,
            # The caller's own deadline counts, whatever it is.
            "timeout": "0s",
            "max_stream_duration": {"max_stream_duration": "0s", "grpc_timeout_header_max": "0s"},
            "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 2},
        },
    }


def _access_log(name: str) -> dict[str, Any]:
    """One JSON line for each request. The path and the query are not in it: both may hold a token."""
    line = {
        "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "listener": name,
        "verb": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
        "route": "%ROUTE_NAME%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS_NUMBER%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "milliseconds": "%DURATION%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "traceparent": "%REQ(TRACEPARENT)%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "user_agent": "%REQ(USER-AGENT):200%",
        "service": "%UPSTREAM_CLUSTER%",
        "replica": "%UPSTREAM_HOST%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    }
    return {
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": f"{_EXTENSION}.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"json_format": line, "omit_empty_values": True},
        },
    }


def _tracing(settings: EdgeSettings) -> dict[str, Any]:
    provider = {
        "name": "envoy.tracers.opentelemetry",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
            "grpc_service": {"envoy_grpc": {"cluster_name": OTLP}, "timeout": "2s"},
            "service_name": "envoy",
        },
    }
    ratio = {"value": settings.trace_ratio * 100}
    # The operation is the route, for the same reason as in the access log.
    return {
        "provider": provider,
        "random_sampling": ratio,
        "overall_sampling": {"value": 100},
        "spawn_upstream_span": True,
        "operation": "%ROUTE_NAME%",
    }
