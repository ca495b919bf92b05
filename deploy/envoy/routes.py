"""The REST routes as Envoy's: one for each binding, then what answers a wrong verb, media type or path.

Paths are matched as they came, as the gateway matches them: nothing on the way changes them (so that no two filters can
read them differently), and what no route matches is nobody's.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from deploy.envoy.settings import EdgeSettings
from gateway.calls import word_of
from gateway.openapi import HEADERS, etag_of
from gateway.query import unknown_parameter
from gateway.routes import Route, RouteTable

Pages = Mapping[str, tuple[str, bytes]]
"""Content type and body by path."""

HEALTH: Final = "/health"
READY: Final = "/ready"
REQUESTS: Final = "prsm.requests"
_OFF: Final = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
_TRANSCODER: Final = "envoy.filters.http.grpc_json_transcoder"
_BUFFER: Final = "envoy.filters.http.buffer"
_JSON: Final = r'(?i)application/json\s*(;\s*charset="?utf-8"?\s*)?'
# A failure in which the service did not begin to work on the request; a change may be sent again after that alone.
_NOT_BEGUN: Final = "connect-failure,refused-stream"
_ASKED_AGAIN: Final = f"{_NOT_BEGUN},unavailable"
_READ_AGAIN: Final = f"{_ASKED_AGAIN},reset"


class EdgeRoutes:
    """Envoy takes the first route that matches, so literal segments come before variable ones."""

    def __init__(self, table: RouteTable, settings: EdgeSettings, pages: Pages) -> None:
        """`pages` are answered as they are, to anybody."""
        self._table = table
        self._settings = settings
        self._pages = pages

    def configuration(self) -> dict[str, Any]:
        """Everything, for every host name."""
        ordered = sorted(self._table.routes, key=lambda route: [s.is_variable for s in route.segments])
        # No other route can match it, and what no route matches would be waited for to its end.
        routes = [_answer({"connect_matcher": {}}, 404), *_probes()]
        routes += [made for path, page in self._pages.items() for made in _document(path, *page)]
        routes += [made for route in ordered for made in self._of(route)]
        templates = dict.fromkeys(_pattern(route) for route in ordered)
        routes += [
            _wrong_verb({"path_match_policy": _template(template)}, self._table.verbs(template))
            for template in templates
        ]
        routes.append(_answer({"prefix": "/"}, 404))
        return {
            "name": "rest",
            "virtual_hosts": [{"name": "rest", "domains": ["*"], "routes": routes}],
            "max_direct_response_body_size_bytes": max(4096, *(len(body) for _, body in self._pages.values()), 0),
        }

    def _of(self, route: Route) -> list[dict[str, Any]]:
        match = {"path_match_policy": _template(_pattern(route)), "headers": [_is(":method", route.verb)]}
        if not route.has_body:
            return [self._call(match, route)]
        most = self._settings.max_upload if route.takes_stream else self._settings.max_body
        announced = {"name": "content-length", "range_match": {"start": most + 1, "end": 2**63 - 1}}
        made = [_answer(_with(match, announced), 413)]
        if route.takes_stream:
            return [*made, self._call(match, route)]
        packed = {"name": "content-encoding", "string_match": {"safe_regex": {"regex": "(?i).+"}}}
        identity = {**packed, "string_match": {"exact": "identity", "ignore_case": True}}
        made.append(_answer(_with(match, packed, {**identity, "invert_match": True}), 415))
        kind = {"name": "content-type", "string_match": {"safe_regex": {"regex": _JSON}}}
        no_body = [_absent("content-length"), _absent("transfer-encoding"), _absent("content-type")]
        made += [
            self._call(_with(match, kind), route),
            self._call(_with(match, _is("content-length", "0")), route),
            self._call(_with(match, *no_body), route),
            _answer(match, 415),
        ]
        return made

    def _call(self, match: dict[str, Any], route: Route) -> dict[str, Any]:
        settings = self._settings
        retry: dict[str, Any] = {
            "retry_on": _retried_on(route),
            "num_retries": 2,
            "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3"
                        ".PreviousHostsPredicate"
                    },
                }
            ],
            "host_selection_retry_max_attempts": 3,
        }
        action: dict[str, Any] = {"cluster": word_of(route.method.service), "retry_policy": retry}
        if route.takes_stream:
            action["timeout"] = f"{settings.upload_seconds:g}s"
        elif route.gives_stream:
            # As long as it lives there is no limit between two pieces; only the first one is waited for so long.
            retry["per_try_timeout"] = f"{settings.document_seconds:g}s"
            action |= {
                "timeout": "0s",
                "idle_timeout": "0s",
                "max_stream_duration": {"max_stream_duration": f"{settings.stream_seconds:g}s"},
            }
        else:
            action["timeout"] = f"{settings.call_seconds:g}s"
        parameters = None if route.has_body else route.method.input.shape
        checks: dict[str, Any] = {
            "query": "",
            "taken": dict.fromkeys(route.path_fields, True),
            "unknown": unknown_parameter(parameters, route.path_fields),
        }
        if not route.has_body:
            checks["query"] = route.method.input.type_name
        elif not route.takes_stream:
            checks["body"] = route.method.input.type_name
        made: dict[str, Any] = {
            # What the access log shows: a path of its own may hold a share's token.
            "name": f"{route.verb} {route.template}",
            "match": match,
            "route": action,
            "metadata": {"filter_metadata": {REQUESTS: checks}},
        }
        if route.takes_stream:
            made["typed_per_filter_config"] = {_BUFFER: _OFF}
        return made


def _retried_on(route: Route) -> str:
    if route.verb != "GET":
        return _NOT_BEGUN
    # To Envoy a first piece that is late is a reset, too: a document that takes too long to make would be made thrice.
    return _ASKED_AGAIN if route.gives_stream else _READ_AGAIN


def redirect(https_port: int) -> dict[str, Any]:
    """What plain HTTP answers beside HTTPS: probes, and where to go."""
    routes = _probes()
    action = {"https_redirect": True, "port_redirect": https_port, "response_code": "PERMANENT_REDIRECT"}
    routes.append({"name": "redirect", "match": {"prefix": "/"}, "redirect": action})
    return {"name": "redirect", "virtual_hosts": [{"name": "redirect", "domains": ["*"], "routes": routes}]}


def _probes() -> list[dict[str, Any]]:
    """Of these `/ready` is answered by the Lua filter, which asks every service."""
    health = _page(HEALTH, "application/json", b'{"status":"ok"}')
    ready = {**_answer({"path": READY, "headers": [_is(":method", "GET")]}, 503), "name": f"GET {READY}"}
    ready["metadata"] = {"filter_metadata": {REQUESTS: {"ready": True}}}
    return [health, _wrong_verb({"path": HEALTH}, ["GET"]), ready, _wrong_verb({"path": READY}, ["GET"])]


def _document(path: str, content_type: str, body: bytes) -> list[dict[str, Any]]:
    headers = {**HEADERS, "ETag": etag_of(body)}
    answered = _page(path, content_type, body, headers)
    known = {**answered["match"], "headers": [*answered["match"]["headers"], _has("if-none-match", headers["ETag"])]}
    unchanged = {**_answer(known, 304), "name": f"GET {path}"}
    unchanged["response_headers_to_add"] = [_header(name, value) for name, value in headers.items()]
    return [unchanged, answered, _wrong_verb({"path": path}, ["GET"])]


def _page(path: str, content_type: str, body: bytes, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    answered = {**_answer({"path": path, "headers": [_is(":method", "GET")]}, 200), "name": f"GET {path}"}
    answered["direct_response"]["body"] = {"inline_bytes": base64.b64encode(body).decode()}
    shown = {"Content-Type": content_type, **(headers or {})}
    answered["response_headers_to_add"] = [_header(name, value) for name, value in shown.items()]
    return answered


def _wrong_verb(match: dict[str, Any], allowed: list[str]) -> dict[str, Any]:
    made = _answer(match, 405)
    made["response_headers_to_add"] = [_header("allow", ", ".join(allowed))]
    return made


def _header(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _pattern(route: Route) -> str:
    return "/" + "/".join(f"{{{s.text}}}" if s.is_variable else s.text for s in route.segments)


def _template(pattern: str) -> dict[str, Any]:
    return {
        "name": "envoy.path.match.uri_template.uri_template_matcher",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
            "path_template": pattern,
        },
    }


def _with(match: dict[str, Any], *headers: dict[str, Any]) -> dict[str, Any]:
    return {**match, "headers": [*match["headers"], *headers]}


def _is(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "string_match": {"exact": value}}


def _has(name: str, part: str) -> dict[str, Any]:
    return {"name": name, "string_match": {"contains": part}}


def _absent(name: str) -> dict[str, Any]:
    return {"name": name, "present_match": False}


def _answer(match: dict[str, Any], status: int) -> dict[str, Any]:
    return {
        "name": "none",
        "match": match,
        "direct_response": {"status": status},
        "typed_per_filter_config": {_TRANSCODER: _OFF, _BUFFER: _OFF},
    }
