"""The HTTP filters of the REST listeners, in their order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from deploy.envoy.clusters import JWKS
from deploy.envoy.replies import BY_STATUS, own_reasons
from deploy.envoy.settings import EdgeSettings
from gateway.errors import CHALLENGE
from gateway.json_codec import Reason, Schema
from gateway.routes import RouteTable
from gateway.shapes import DECIMAL_NAMES, Field, Shape
from kit.rpc.channels import MOST_RECEIVED

TYPE: Final = "type.googleapis.com/envoy.extensions.filters.http"
_LUA: Final = Path(__file__).with_name("lua")
_LEEWAY: Final = 30


def rest_filters(
    settings: EdgeSettings, schema: Schema, table: RouteTable, open_paths: Iterable[str]
) -> list[dict[str, Any]]:
    """Of all paths under the API, the `open_paths` alone need no token."""
    services = sorted({route.method.service for route in table.routes})
    return [
        _lua("answers", _answers(settings, own_reasons(schema)), "answers"),
        _tokens(settings, open_paths),
        *([_rate_limit(settings)] if settings.rate_limit else []),
        http_filter("buffer", "buffer.v3.Buffer", {"max_request_bytes": settings.max_body}),
        _lua("requests", _requests(settings, table), "json", "query", "requests"),
        _transcoder(settings, services),
        router(),
    ]


def probe_filters(settings: EdgeSettings, schema: Schema, table: RouteTable) -> list[dict[str, Any]]:
    """Where nothing is answered but probes."""
    answers, requests = _answers(settings, own_reasons(schema)), _requests(settings, table)
    return [_lua("answers", answers, "answers"), _lua("requests", requests, "json", "query", "requests"), router()]


def http_filter(name: str, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": f"{TYPE}.{kind}", **config}}


def router() -> dict[str, Any]:
    return http_filter("router", "router.v3.Router", {})


def _lua(name: str, head: str, *files: str) -> dict[str, Any]:
    text = head + "\n".join((_LUA / f"{file}.lua").read_text() for file in files)
    # The route stays the one that the request came for, whatever headers a script leaves out.
    config = {
        "@type": f"{TYPE}.lua.v3.Lua",
        "default_source_code": {"inline_string": text},
        "clear_route_cache": False,
    }
    return {"name": f"prsm.{name}", "typed_config": config}


def _answers(settings: EdgeSettings, reasons: Mapping[str, Reason]) -> str:
    def row(reason: Reason) -> str:
        return (
            f"{{ error = {_text(reason.name)}, message = {_text(reason.message)}, retry_after = {reason.retry_after} }}"
        )

    rows = "\n".join(f"  [{status}] = {row(reasons[name])}," for status, name in BY_STATUS.items())
    rate = settings.rate_limit
    quota, window = (settings.rate_burst, max(1, round(settings.rate_burst / rate))) if rate else (0, 0)
    return (
        f"local CHALLENGE = {_text(CHALLENGE)}\nlocal INVALID_JSON = {row(reasons['INVALID_JSON'])}\n"
        f"local QUOTA, WINDOW, RATE = {quota}, {window}, {rate!r}\nlocal REASONS = {{\n{rows}\n}}\n"
    )


def _requests(settings: EdgeSettings, table: RouteTable) -> str:
    shapes: dict[str, Shape] = {}
    for route in table.routes:
        if not route.takes_stream:
            _gather(route.method.input.shape, shapes)
    rows = "\n".join(f"  [{_text(name)}] = {_shape(shape)}," for name, shape in sorted(shapes.items()))
    services = ", ".join(_text(word) for word in sorted(settings.backends))
    return (
        f"local SHAPES = {{\n{rows}\n}}\nlocal SERVICES = {{ {services} }}\n"
        f"local ALGORITHMS = {_set(settings.user_algorithms)}\nlocal TOKEN_TYPES = {_set(settings.user_token_types)}\n"
        f"local HEALTH_MILLISECONDS = {round(settings.health_seconds * 1000)}\n"
    )


def _gather(shape: Shape, found: dict[str, Shape]) -> None:
    if shape.type_name not in found:
        found[shape.type_name] = shape
        for field in shape.fields.values():
            if field.shape is not None:
                _gather(field.shape, found)


def _shape(shape: Shape) -> str:
    return "{ " + ", ".join(f"[{_text(name)}] = {_field(field)}" for name, field in shape.fields.items()) + " }"


def _field(field: Field) -> str:
    parts = [f"kind = {_text(field.kind)}"]
    if field.repeated:
        parts.append("repeated = true")
    if field.shape is not None:
        parts.append(f"shape = {_text(field.shape.type_name)}")
        if field.shape.cure:
            parts.append(f"cure = {_text(field.shape.cure)}")
    if field.kind == "int":
        parts += [f"low = {field.bounds[0]}", f"high = {field.bounds[1]}"]
    if field.kind == "enum":
        parts += [f"choices = {_set(field.choices)}", f"words = {_text(', '.join(sorted(field.choices)))}"]
    if field.name in DECIMAL_NAMES:
        parts.append("decimal = true")
    return "{ " + ", ".join(parts) + " }"


def _set(values: Iterable[str]) -> str:
    return "{ " + ", ".join(f"[{_text(value)}] = true" for value in sorted(values)) + " }"


def _text(value: str) -> str:
    """A Lua string; what comes here from contract and settings has no control characters."""
    return json.dumps(value, ensure_ascii=False)


def _tokens(settings: EdgeSettings, open_paths: Iterable[str]) -> dict[str, Any]:
    provider = {
        "issuer": settings.user_issuer,
        "audiences": [settings.user_audience],
        "forward": True,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}, {"name": "X-API-Key"}],
        "clock_skew_seconds": _LEEWAY,
        "payload_in_metadata": "claims",
        "header_in_metadata": "header",
        **_keys(settings),
    }
    opened = [{"match": {"path": path}} for path in sorted(open_paths)]
    closed = [{"match": match, "requires": {"provider_name": "users"}} for match in _api()]
    config = {"providers": {"users": provider}, "rules": [*opened, *closed]}
    return http_filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", config)


def _keys(settings: EdgeSettings) -> dict[str, Any]:
    if not settings.has_jwks_url:
        return {"local_jwks": {"filename": str(settings.user_jwks)}}
    return {
        "remote_jwks": {
            "http_uri": {"uri": str(settings.user_jwks), "cluster": JWKS, "timeout": "2s"},
            "cache_duration": f"{settings.user_jwks_cache_seconds:g}s",
            # In the background, and again soon when it failed: an issuer that is away for a while stops nobody whose
            # key is known, nor Envoy's own start.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
            "retry_policy": {"num_retries": 2, "retry_back_off": {"base_interval": "0.2s", "max_interval": "1s"}},
        }
    }


def _api() -> list[dict[str, str]]:
    return [{"path": "/api/v1"}, {"prefix": "/api/v1/"}]


def _rate_limit(settings: EdgeSettings) -> dict[str, Any]:
    """A bucket for each subject of a token, in this process: without a subject there is no limit."""
    rate = Fraction(settings.rate_limit).limit_denominator(1_000_000)
    whole = {"max_tokens": 2**31, "tokens_per_fill": 2**31, "fill_interval": "1s"}
    bucket = {
        "max_tokens": settings.rate_burst,
        "tokens_per_fill": rate.numerator,
        "fill_interval": f"{rate.denominator}s",
    }
    subject = {
        "metadata": {
            "descriptor_key": "principal",
            "metadata_key": {
                "key": "envoy.filters.http.jwt_authn",
                "path": [{"key": "claims"}, {"key": "sub"}],
            },
            "source": "DYNAMIC",
            "skip_if_absent": True,
        }
    }
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    config = {
        "stat_prefix": "principals",
        "token_bucket": whole,
        "filter_enabled": always,
        "filter_enforced": always,
        "rate_limits": [{"actions": [subject]}],
        "descriptors": [{"entries": [{"key": "principal"}], "token_bucket": bucket}],
        "max_dynamic_descriptors": 100_000,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "response_headers_to_add": [{"header": {"key": "x-prsm-limited", "value": "yes"}}],
    }
    return http_filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", config)


def _transcoder(settings: EdgeSettings, services: list[str]) -> dict[str, Any]:
    config = {
        "proto_descriptor": str(settings.descriptors),
        "services": services,
        "match_incoming_request_route": True,
        # A message may be larger than its JSON (a number of one digit takes eleven bytes in a free object), and a page
        # of long prompts than a buffer: what the services and the gateway take goes through here, too.
        "max_request_body_size": MOST_RECEIVED,
        "max_response_body_size": MOST_RECEIVED,
        "query_param_unescape_plus": True,
        "print_options": {"always_print_primitive_fields": True, "preserve_proto_field_names": True},
        "request_validation_options": {
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
    }
    return http_filter("grpc_json_transcoder", "grpc_json_transcoder.v3.GrpcJsonTranscoder", config)
