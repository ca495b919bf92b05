"""The clusters: where Envoy's own calls go, and what happens when they do not arrive."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from deploy.envoy import tls
from deploy.envoy.settings import EdgeSettings, host_and_port

JWKS: Final = "user-jwks"
OTLP: Final = "otlp"
ADMIN: Final = "admin"
_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# A host that is cut off takes bytes and says nothing: after two seconds its connections are broken (in milliseconds;
# TCP_USER_TIMEOUT of IPPROTO_TCP on Linux), and what waits there goes to another replica.
_USER_TIMEOUT: Final = {"level": 6, "name": 18, "int_value": 2000, "state": "STATE_PREBIND"}
_HTTP2: Final = {
    "connection_keepalive": {"interval": "3s", "timeout": "2s"},
    # What is held for one client that does not read; by default 16 MiB. The connection that all share has room for
    # thousands of such clients, so that none of them stops the others.
    "initial_stream_window_size": 256 * 1024,
    "initial_connection_window_size": 2**31 - 1,
}


def clusters(settings: EdgeSettings) -> list[dict[str, Any]]:
    """All of them, by name."""
    made = [_service(settings, word, target) for word, target in sorted(settings.backends.items())]
    if settings.has_jwks_url:
        made.append(_jwks(settings))
    if settings.otlp_endpoint:
        made.append(_resolved(OTLP, settings.otlp_endpoint) | _protocol({"http2_protocol_options": {}}))
    if settings.metrics_port is not None:
        made.append(_resolved(ADMIN, f"127.0.0.1:{settings.admin_port}"))
    return made


def _service(settings: EdgeSettings, word: str, target: str) -> dict[str, Any]:
    made = {
        **_resolved(word, target),
        **_protocol({"http2_protocol_options": _HTTP2}),
        "lb_policy": "LEAST_REQUEST",
        "upstream_bind_config": {"socket_options": [_USER_TIMEOUT]},
        # Every event stream is a request under way for as long as its client stays.
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 1_000,
                    "max_requests": 20_000,
                    "max_pending_requests": 4_000,
                    # Half of two replicas may vanish with everything that is under way there.
                    "retry_budget": {"budget_percent": {"value": 50}, "min_retry_concurrency": 50},
                }
            ]
        },
        # A service also says UNAVAILABLE of another one behind it, which says nothing of this replica: what counts is
        # whether the replica can be reached.
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 5,
            "enforcing_consecutive_5xx": 0,
            "enforcing_consecutive_gateway_failure": 0,
            "enforcing_success_rate": 0,
            "enforcing_local_origin_success_rate": 0,
            "interval": "2s",
            "base_ejection_time": "5s",
            "max_ejection_time": "60s",
            "max_ejection_percent": 50,
        },
    }
    if settings.health_check_seconds:
        interval = f"{settings.health_check_seconds:g}s"
        made["health_checks"] = [
            {
                "timeout": f"{settings.health_seconds:g}s",
                "interval": interval,
                "no_traffic_interval": interval,
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "grpc_health_check": {},
            }
        ]
    if settings.has_internal_tls:
        made["transport_socket"] = tls.to_service(settings, word, target)
    return made


def _jwks(settings: EdgeSettings) -> dict[str, Any]:
    url = urlsplit(str(settings.user_jwks))
    host = url.hostname or ""
    secure = url.scheme == "https"
    made = _resolved(JWKS, f"{host}:{url.port or (443 if secure else 80)}")
    if secure:
        made["transport_socket"] = tls.to_issuer(host, settings.user_jwks_ca)
    return made


def _resolved(name: str, target: str) -> dict[str, Any]:
    """Every address that the name has at the moment, asked for again as often as its time to live says."""
    host, port = host_and_port(target)
    address = {"socket_address": {"address": host, "port_value": port}}
    return {
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "dns_refresh_rate": "5s",
        "dns_failure_refresh_rate": {"base_interval": "0.5s", "max_interval": "5s"},
        "respect_dns_ttl": True,
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def _protocol(http: dict[str, Any]) -> dict[str, Any]:
    options = {"@type": f"type.googleapis.com/{_HTTP_OPTIONS}", "explicit_http_config": http}
    return {"typed_extension_protocol_options": {_HTTP_OPTIONS: options}}
