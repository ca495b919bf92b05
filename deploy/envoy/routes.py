"""The REST routes as Envoy's: one for each binding, then what answers a wrong verb, media type or path."""

from __future__ import annotations

from typing import Any, Final

from deploy.envoy.settings import EdgeSettings
from gateway.calls import word_of
from gateway.routes import Route, RouteTable

_OFF: Final = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
_TRANSCODER: Final = "envoy.filters.http.grpc_json_transcoder"
_BUFFER: Final = "envoy.filters.http.buffer"
_JSON: Final = r'(?i)application/json\s*(;\s*charset="?utf-8"?\s*)?'


class EdgeRoutes:
    """Envoy takes the first route that matches, so literal segments come before variable ones."""

    def __init__(self, table: RouteTable, settings: EdgeSettings) -> None:
        self._table = table
        self._settings = settings

    def virtual_host(self) -> dict[str, Any]:
        """Everything for every host name."""
        ordered = sorted(self._table.routes, key=lambda route: [s.is_variable for s in route.segments])
        routes = [made for route in ordered for made in self._of(route)]
        templates = dict.fromkeys(_pattern(route) for route in ordered)
        routes += [self._wrong_verb(template) for template in templates]
        routes.append(_answer({"prefix": "/"}, 404, ""))
        return {"name": "rest", "domains": ["*"], "routes": routes}

    def _of(self, route: Route) -> list[dict[str, Any]]:
        match = {"path_match_policy": _template(_pattern(route)), "headers": [_is(":method", route.verb)]}
        made: list[dict[str, Any]] = []
        if route.has_body:
            asked = {"name": ":path", "string_match": {"safe_regex": {"regex": r".*\?.+"}}}
            made.append(_answer(_with(match, asked), 400, "query: must be empty"))
        for name in route.path_fields:
            # The transcoder would let a query parameter replace the path's value.
            given = {**match, "query_parameters": [{"name": name, "present_match": True}]}
            made.append(_answer(given, 400, f'Could not find field "{name}" in the type'))
        if route.has_body:
            most = self._settings.max_upload if route.takes_stream else self._settings.max_body
            announced = {"name": "content-length", "range_match": {"start": most + 1, "end": 2**63 - 1}}
            made.append(_answer(_with(match, announced), 413, ""))
        if route.has_body and not route.takes_stream:
            kind = {"name": "content-type", "string_match": {"safe_regex": {"regex": _JSON}}}
            made.append(self._call(_with(match, kind), route))
            made.append(self._call(_with(match, _is("content-length", "0")), route))
            no_body = [_absent("content-length"), _absent("transfer-encoding"), _absent("content-type")]
            made.append(self._call(_with(match, *no_body), route))
            made.append(_answer(match, 415, ""))
        else:
            made.append(self._call(match, route))
        return made

    def _call(self, match: dict[str, Any], route: Route) -> dict[str, Any]:
        seconds = self._settings.upload_seconds if route.takes_stream else self._settings.call_seconds
        timeout = "0s" if route.gives_stream and not route.takes_stream else f"{seconds}s"
        action: dict[str, Any] = {"cluster": word_of(route.method.service), "timeout": timeout}
        if route.verb == "GET" and not route.gives_stream:
            action["retry_policy"] = {"retry_on": "connect-failure,refused-stream", "num_retries": 2}
        made: dict[str, Any] = {"match": match, "route": action}
        if route.takes_stream:
            made["typed_per_filter_config"] = {_BUFFER: _OFF}
        return made

    def _wrong_verb(self, template: str) -> dict[str, Any]:
        allowed = ", ".join(self._table.verbs(template))
        made = _answer({"path_match_policy": _template(template)}, 405, "")
        made["response_headers_to_add"] = [{"header": {"key": "allow", "value": allowed}}]
        return made


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


def _absent(name: str) -> dict[str, Any]:
    return {"name": name, "present_match": False}


def _answer(match: dict[str, Any], status: int, text: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": status}
    if text:
        answer["body"] = {"inline_string": text}
    return {"match": match, "direct_response": answer, "typed_per_filter_config": {_TRANSCODER: _OFF, _BUFFER: _OFF}}
