"""The description as a page of its own: static HTML that needs nothing from elsewhere and reads without scripts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from gateway.openapi.markup import SchemaMarkup, code, paragraphs, pretty, text
from gateway.openapi.pages import DOCS_PATH, OPENAPI_PATH

JSON = Any

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)
"""The content security policy: nothing but the page's own style and script."""
_EXAMPLE_ORIGIN: Final = "https://prsm.example.org"


def render(document: Mapping[str, JSON]) -> str:
    """The whole page."""
    return "".join(_Page(document).parts())


class _Page:
    def __init__(self, document: Mapping[str, JSON]) -> None:
        self._document = document
        self._components = document["components"]
        self._schemas = SchemaMarkup(self._components["schemas"])

    def parts(self) -> Iterator[str]:
        info = self._document["info"]
        title = escape(info["title"])
        yield (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} API {info["version"]}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="{DOCS_PATH}/docs.css"><script src="{DOCS_PATH}/docs.js" defer></script>'
            '</head><body><a class="skip" href="#content">Skip to the content</a>'
        )
        yield from self._navigation(title)
        yield f'<main id="content" tabindex="-1"><h1>{title} API <span class="version">{info["version"]}</span></h1>'
        yield f'<p class="lead">{text(info["summary"])}</p>{paragraphs(info["description"])}'
        yield from self._security()
        for tag in self._document["tags"]:
            yield f'<section class="tag"><h2 id="{_slug(tag["name"])}">{text(tag["name"])}</h2>'
            yield paragraphs(tag["description"])
            for verb, path, operation in self._operations(tag["name"]):
                yield from self._operation(verb, path, operation)
            yield "</section>"
        yield from self._errors()
        yield from self._all_schemas()
        yield f"<footer>{escape(info['license']['name'])}</footer></main></body></html>"

    def _operations(self, tag: str) -> Iterator[tuple[str, str, JSON]]:
        for path, item in self._document["paths"].items():
            for verb, operation in item.items():
                if tag in operation["tags"]:
                    yield verb, path, operation

    def _navigation(self, title: str) -> Iterator[str]:
        yield (
            f'<nav aria-label="Contents"><p class="brand"><a href="#content">{title} API</a></p>'
            '<div class="search" hidden><label for="search">Search</label><input id="search" type="search" '
            'autocomplete="off" placeholder="path, field, error …"><p id="found" role="status"></p></div>'
        )
        for tag in self._document["tags"]:
            yield f'<h2><a href="#{_slug(tag["name"])}">{text(tag["name"])}</a></h2><ul>'
            for verb, _, operation in self._operations(tag["name"]):
                yield (f'<li><a href="#{operation["operationId"]}">{_verb(verb)} {text(operation["summary"])}</a></li>')
            yield "</ul>"
        yield '<h2><a href="#errors">Errors</a></h2><h2><a href="#schemas">Schemas</a></h2>'
        yield f'<p><a href="{OPENAPI_PATH}">openapi.json</a></p></nav>'

    def _security(self) -> Iterator[str]:
        yield '<section><h2 id="credentials">Credentials</h2><ul>'
        for scheme in self._components["securitySchemes"].values():
            header = "Authorization: Bearer …" if scheme["type"] == "http" else f"{scheme['name']}: …"
            yield f"<li><code>{header}</code> {text(scheme['description'])}</li>"
        yield '</ul><p class="tools" hidden><button type="button" id="unfold">Unfold everything</button></p></section>'

    def _operation(self, verb: str, path: str, operation: JSON) -> Iterator[str]:
        name = operation["operationId"]
        yield f'<article class="operation" id="{name}" aria-labelledby="{name}-title">'
        yield f'<h3 id="{name}-title"><a href="#{name}">{text(operation["summary"])}</a></h3>'
        yield f'<p class="path">{_verb(verb)} <code>{escape(path)}</code></p>{paragraphs(operation["description"])}'
        yield code(self._curl(verb, path, operation), f"curl: {operation['summary']}")
        parameters = [self._found(parameter) for parameter in operation.get("parameters", ())]
        if parameters:
            yield '<details><summary>Parameters</summary><ul class="fields">'
            yield from (self._parameter(parameter) for parameter in parameters)
            yield "</ul></details>"
        if body := operation.get("requestBody"):
            yield "<details open><summary>Body</summary>"
            yield from self._content(body["content"])
            yield "</details>"
        yield from self._responses(operation["responses"])
        yield "</article>"

    def _found(self, item: Mapping[str, JSON]) -> Mapping[str, JSON]:
        ref = item.get("$ref")
        if not ref:
            return item
        _, _, kind, name = ref.split("/")
        found: Mapping[str, JSON] = self._components[kind][name]
        return found

    def _parameter(self, parameter: Mapping[str, JSON]) -> str:
        mark = '<span class="required">required</span>' if parameter["required"] else ""
        return (
            f'<li><code class="name">{escape(parameter["name"])}</code> <span class="type">in {parameter["in"]}, '
            f"{self._schemas.type_of(parameter['schema'])}</span> {mark}"
            f'<div class="said">{text(parameter["description"])}</div></li>'
        )

    def _content(self, content: Mapping[str, JSON]) -> Iterator[str]:
        for media_type, body in content.items():
            yield f"<h4><code>{escape(media_type)}</code></h4>{self._schemas.fields(body['schema'])}"
            for example in _examples(body):
                yield code(pretty(example), f"Example, {media_type}")

    def _responses(self, responses: Mapping[str, JSON]) -> Iterator[str]:
        for status, response in responses.items():
            if "$ref" in response:
                continue
            yield f'<details><summary><span class="status">{status}</span> {text(response["description"])}</summary>'
            names = [name for name in response.get("headers", ()) if name != "X-Request-Id"]
            if names:
                listed = ", ".join(f"<code>{name}</code>" for name in names)
                yield f'<p class="note">Headers: {listed}</p>'
            yield from self._content(response.get("content", {}))
            yield "</details>"
        failures = [(status, self._found(one)) for status, one in responses.items() if "$ref" in one]
        if not failures:
            return
        yield "<details><summary>Errors</summary><ul>"
        for status, response in failures:
            links = ", ".join(f'<a href="#error-{name}"><code>{name}</code></a>' for name in _named(response))
            yield f'<li><span class="status">{status}</span> {links}</li>'
        yield "</ul></details>"

    def _errors(self) -> Iterator[str]:
        known: dict[str, JSON] = {}
        for response in self._components["responses"].values():
            for name, example in _named(response).items():
                known.setdefault(name, example["value"])
        yield '<section><h2 id="errors">Errors</h2><p>All of them are this object:</p>'
        yield self._schemas.fields({"$ref": "#/components/schemas/Error"})
        for name, value in sorted(known.items(), key=lambda item: (item[1]["code"], item[0])):
            yield (
                f'<details id="error-{name}"><summary><span class="status">{value["code"]}</span> <code>{name}</code> '
                f"{text(value['message'])}</summary>{code(pretty(value), f'Example of {name}')}</details>"
            )
        yield "</section>"

    def _all_schemas(self) -> Iterator[str]:
        yield '<section><h2 id="schemas">Schemas</h2>'
        for name, schema in self._components["schemas"].items():
            described = schema.get("description", "")
            yield f'<details id="schema-{name}"><summary><code>{name}</code></summary>{paragraphs(described)}'
            yield self._schemas.fields(schema) or f"<p>{self._schemas.type_of(schema)}</p>"
            yield "</details>"
        yield "</section>"

    def _curl(self, verb: str, path: str, operation: JSON) -> str:
        url = path
        for parameter in map(self._found, operation.get("parameters", ())):
            if parameter["in"] == "path":
                url = url.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
            elif parameter["in"] == "query" and parameter["required"]:
                url += f"?{parameter['name']}={parameter['example']}"
        words = ["curl"] if verb == "get" else ["curl", "-X", verb.upper()]
        if "security" not in operation:
            words += ["-H", '"Authorization: Bearer $TOKEN"']
        if body := operation.get("requestBody"):
            words += _sent(body["content"])
        return f"{' '.join(words)} '{_EXAMPLE_ORIGIN}{url}'"


def _sent(content: Mapping[str, JSON]) -> list[str]:
    media_type, body = next(iter(content.items()))
    if media_type == "multipart/form-data":
        return ["-F", "file=@paper.pdf"]
    example = _examples(body)[0]
    given = example.rstrip("\n") if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
    return ["-H", f'"Content-Type: {media_type}"', "--data-binary", shlex.quote(given)]


def _examples(body: Mapping[str, JSON]) -> list[JSON]:
    if "examples" in body:
        return [example["value"] for example in body["examples"].values()]
    return [body["example"]] if "example" in body else []


def _named(response: Mapping[str, JSON]) -> Mapping[str, JSON]:
    examples: Mapping[str, JSON] = response["content"]["application/json"]["examples"]
    return examples


def _verb(verb: str) -> str:
    return f'<span class="verb {verb}">{verb.upper()}</span>'


def _slug(name: str) -> str:
    return f"tag-{name.lower().replace(' ', '-')}"
