"""The route table: `google.api.http` templates of every public RPC, matched by verb and path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from gateway.json_codec import HTTP_BODY, HttpBinding, Method

_VARIABLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?:=\*)?\}")
_LITERAL: Final = re.compile(r"[A-Za-z0-9._~-]+")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a template: literal text, or the name of the request field that takes its value."""

    text: str
    is_variable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One HTTP binding of one RPC, with its template taken apart."""

    method: Method
    verb: str
    template: str
    segments: tuple[Segment, ...]
    has_body: bool

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The request fields that the path fills."""
        return tuple(segment.text for segment in self.segments if segment.is_variable)

    @property
    def takes_stream(self) -> bool:
        """Whether the request body is passed on raw, in pieces."""
        return self.method.streams_in

    @property
    def gives_stream(self) -> bool:
        """Whether the response body comes raw, in pieces."""
        return self.method.streams_out


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the decoded values of its path fields."""

    route: Route
    values: dict[str, str]


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    route: Route | None = None


class RouteTable:
    """Matches a verb and a raw path. A literal segment is preferred to a variable one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: Final = tuple(routes)
        self._roots: dict[str, _Node] = {}
        for route in self.routes:
            self._add(route)

    def match(self, verb: str, raw_path: str) -> Match | None:
        """The route for a path as it came (percent-encoded), or None."""
        root = self._roots.get(verb)
        if root is None:
            return None
        values: list[str] = []
        parts = raw_path.split("/")
        route = _walk(root, parts, 1, values)
        if route is None:
            return None
        try:
            decoded = [unquote(v, errors="strict") if "%" in v else v for v in values]
        except UnicodeDecodeError:
            return None
        return Match(route, dict(zip(route.path_fields, decoded, strict=True)))

    def verbs(self, raw_path: str) -> list[str]:
        """The verbs that the path takes, sorted; empty when there is nothing at the path."""
        parts = raw_path.split("/")
        return sorted(verb for verb, root in self._roots.items() if _walk(root, parts, 1, []))

    def _add(self, route: Route) -> None:
        node = self._roots.setdefault(route.verb, _Node())
        for segment in route.segments:
            if not segment.is_variable:
                node = node.literals.setdefault(segment.text, _Node())
            else:
                node.variable = node.variable or _Node()
                node = node.variable
        if node.route is not None:
            raise ValueError(f"{route.verb} {route.template} is also a route of {node.route.method.path}")
        node.route = route


def _walk(node: _Node, parts: list[str], at: int, values: list[str]) -> Route | None:
    if at == len(parts):
        return node.route
    part = parts[at]
    literal = node.literals.get(part)
    if literal is not None and (route := _walk(literal, parts, at + 1, values)) is not None:
        return route
    if node.variable is None or not part:
        return None
    values.append(part)
    if (route := _walk(node.variable, parts, at + 1, values)) is not None:
        return route
    values.pop()
    return None


def routes_of(methods: Iterable[Method]) -> list[Route]:
    """The routes of the methods. Raises ValueError for a binding that the gateway cannot serve."""
    return [_route(method, binding) for method in methods for binding in method.bindings]


def _route(method: Method, binding: HttpBinding) -> Route:
    where = f"{method.path} ({binding.verb} {binding.template})"
    if binding.body not in ("", "*"):
        raise ValueError(f'{where}: the body must be "*" or absent')
    if method.streams_in and (method.input.type_name != HTTP_BODY or binding.body != "*"):
        raise ValueError(f'{where}: a streamed request must be {HTTP_BODY} with body "*"')
    if method.streams_out and method.output.type_name != HTTP_BODY:
        raise ValueError(f"{where}: a streamed response must be {HTTP_BODY}")
    segments = _segments(binding.template, where)
    route = Route(method, binding.verb, binding.template, segments, has_body=binding.body == "*")
    for name in route.path_fields:
        known = method.input.shape.fields.get(name)
        if known is None or known.kind != "string" or known.repeated:
            raise ValueError(f"{where}: {name} must be a string field of {method.input.type_name}")
    return route


def _segments(template: str, where: str) -> tuple[Segment, ...]:
    if not template.startswith("/"):
        raise ValueError(f"{where}: the template must start with a slash")
    made: list[Segment] = []
    for part in template[1:].split("/"):
        if variable := _VARIABLE.fullmatch(part):
            made.append(Segment(variable[1], is_variable=True))
        elif _LITERAL.fullmatch(part):
            made.append(Segment(part, is_variable=False))
        else:
            raise ValueError(f"{where}: segment {part!r} is not supported")
    return tuple(made)
