"""Renders Envoy's configuration from the contract: routes, transcoding, tokens, limits, the documented error JSON.

    python -m deploy.envoy.render [SETTINGS.json] > envoy.json

Settings come from the environment (`PRSM_ENVOY_BACKENDS`, `PRSM_ENVOY_USER_ISSUER`, …); a JSON file goes before it.
Files that tell Envoy of certificates are written into `secrets_dir`. What differs between methods comes from their
`google.api.http` rules alone; nothing here names one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from protobuf.wkt import FileDescriptorSet
from pydantic import ValidationError

from deploy.envoy import listeners, tls
from deploy.envoy.clusters import clusters
from deploy.envoy.filters import probe_filters, rest_filters
from deploy.envoy.replies import local_replies, own_reasons
from deploy.envoy.routes import EdgeRoutes, Pages, redirect
from deploy.envoy.settings import EdgeSettings
from gateway.calls import word_of
from gateway.json_codec import Schema
from gateway.openapi import served
from gateway.routes import RouteTable, routes_of

_MONITOR = "type.googleapis.com/envoy.extensions.resource_monitors"


def render(settings: EdgeSettings, *, pages: Pages | None = None) -> dict[str, Any]:
    """The whole bootstrap configuration. Raises ValueError when a service has no backend.

    `pages` describe the API to anybody; the contract's own when they are not given.
    """
    descriptors = settings.descriptors.read_bytes()
    schema = Schema.from_bytes(descriptors)
    table = RouteTable(routes_of(schema.methods()))
    services = sorted({route.method.service for route in table.routes})
    if missing := sorted({word_of(name) for name in services} - settings.backends.keys()):
        raise ValueError(f"no backend is set for {', '.join(missing)}")
    return {
        "node": {"id": "envoy", "cluster": "prsm"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": settings.admin_port}}},
        "static_resources": {
            "listeners": _listeners(
                settings, descriptors, schema, table, served(descriptors) if pages is None else pages
            ),
            "clusters": clusters(settings),
        },
        "overload_manager": _overload(settings),
    }


def _listeners(
    settings: EdgeSettings, descriptors: bytes, schema: Schema, table: RouteTable, pages: Pages
) -> list[dict[str, Any]]:
    filters = rest_filters(settings, schema, table, pages)
    replies = local_replies(own_reasons(schema))
    routes = EdgeRoutes(table, settings, pages).configuration()
    if settings.plain_http == "redirect" and settings.https_port is not None:
        probes = probe_filters(settings, schema, table)
        made = [listeners.rest(settings, "http", settings.port, redirect(settings.https_port), probes, replies)]
    else:
        made = [listeners.rest(settings, "http", settings.port, routes, filters, replies)]
    if settings.https_port is not None:
        made.append(listeners.rest(settings, "https", settings.https_port, routes, filters, replies, secure=True))
    if settings.grpc_port is not None:
        made.append(listeners.grpc(settings, settings.grpc_port, _all_services(descriptors, settings)))
    if settings.metrics_port is not None:
        made.append(listeners.metrics(settings, settings.metrics_port))
    return made


def _all_services(descriptors: bytes, settings: EdgeSettings) -> list[str]:
    """Full names of the services of all backends, internal ones too."""
    files = FileDescriptorSet.from_binary(descriptors).file
    return [
        f"{file.package}.{service.name}"
        for file in files
        for service in file.service
        if word_of(f"{file.package}.{service.name}") in settings.backends
    ]


def _overload(settings: EdgeSettings) -> dict[str, Any]:
    connections = {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": f"{_MONITOR}.downstream_connections.v3.DownstreamConnectionsConfig",
            "max_active_downstream_connections": settings.max_connections,
        },
    }
    if not settings.max_heap:
        return {"resource_monitors": [connections]}
    heap = "envoy.resource_monitors.fixed_heap"
    limit = {"@type": f"{_MONITOR}.fixed_heap.v3.FixedHeapConfig", "max_heap_size_bytes": settings.max_heap}
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [connections, {"name": heap, "typed_config": limit}],
        "actions": [
            {"name": f"envoy.overload_actions.{name}", "triggers": [{"name": heap, "threshold": {"value": share}}]}
            for name, share in (("shrink_heap", 0.9), ("stop_accepting_requests", 0.95))
        ],
    }


def write_secrets(settings: EdgeSettings) -> None:
    """Write what tells Envoy of certificates; nothing when there are none."""
    for path, text in tls.secret_files(settings).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def settings_from(given: Mapping[str, Any]) -> EdgeSettings:
    """`given` before the environment. Raises ValueError with one line that names every fault."""
    try:
        return EdgeSettings.model_validate(given)
    except ValidationError as error:
        faults = (
            f"PRSM_ENVOY_{'.'.join(map(str, f['loc']))}".upper() + f": {f['msg']}" if f["loc"] else f["msg"]
            for f in error.errors()
        )
        raise ValueError("; ".join(faults)) from None


def main(arguments: list[str]) -> int:
    """Print the configuration; 2 and one clear line when the settings do not fit."""
    try:
        settings = settings_from(json.loads(Path(arguments[0]).read_text()) if arguments else {})
        configuration = render(settings)
        write_secrets(settings)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"envoy: {error}\n")
        return 2
    json.dump(configuration, sys.stdout, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
