"""HTML of small things: texts, types, fields, examples."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

JSON = Any

_CODE: Final = re.compile(r"`([^`]+)`")
_STRONG: Final = re.compile(r"\*\*([^*]+)\*\*")
_EMPHASIS: Final = re.compile(r"\*([^*]+)\*")
_LIMITS: Final = (
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minimum", "≥ {}"),
    ("maximum", "≤ {}"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("pattern", "matches <code>{}</code>"),
)
NOT_BLANK: Final = r"\S"
"""The pattern of a text that may not be blank."""
_WIDEST: Final = frozenset({-(2**31), 2**31 - 1})


def text(source: str) -> str:
    """Inline Markdown as HTML: code, strong, emphasis."""
    parts = _CODE.split(escape(source, quote=False))
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = f"<code>{part}</code>"
        else:
            parts[index] = _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", part))
    return "".join(parts)


def paragraphs(source: str) -> str:
    """Paragraphs and lists of Markdown as HTML."""
    made = []
    for block in re.split(r"\n\s*\n", source.strip()):
        if block.startswith("- "):
            items = "".join(f"<li>{text(item)}</li>" for item in re.split(r"(?:^|\n)- ", block)[1:])
            made.append(f"<ul>{items}</ul>")
        else:
            made.append(f"<p>{text(block)}</p>")
    return "".join(made)


def pretty(value: JSON) -> str:
    """A value as indented JSON; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def code(source: str, label: str) -> str:
    """A block of code that can be scrolled by keyboard and copied."""
    return (
        f'<div class="code"><button type="button" class="copy">Copy</button>'
        f'<pre tabindex="0" role="region" aria-label="{escape(label)}"><code>{escape(source, quote=False)}</code></pre>'
        "</div>"
    )


class SchemaMarkup:
    """Schemas as nested lists of fields."""

    def __init__(self, schemas: Mapping[str, JSON]) -> None:
        self._schemas = schemas

    def fields(self, schema: Mapping[str, JSON]) -> str:
        """The fields of an object (or of what a list or a stream holds), nested ones folded; empty for others."""
        found = self._object(schema)
        if found is None:
            return ""
        required = found.get("required", ())
        # Only what is sent is closed.
        word = "required" if found.get("additionalProperties") is False else "always"
        rows = [self._field(name, of, word if name in required else "") for name, of in found["properties"].items()]
        forms, how = (found["oneOf"], "Exactly one") if "oneOf" in found else (found.get("anyOf", ()), "At least one")
        note = " or ".join(" + ".join(f"<code>{name}</code>" for name in form["required"]) for form in forms)
        said = f'<p class="note">{how} of: {note}.</p>' if note else ""
        return f'{said}<ul class="fields">{"".join(rows)}</ul>'

    def type_of(self, schema: Mapping[str, JSON]) -> str:
        """The type in words, with its limits."""
        schema = self._known(schema)
        if either := schema.get("anyOf"):
            kinds = [self.type_of(one) for one in either if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
        name = self._name(schema)
        if schema.get("format") and schema["format"] not in ("int32", "double"):
            name += f" ({schema['format']})"
        limits = [_limit(words, schema[key]) for key, words in _LIMITS if key in schema and not _is_wide(schema[key])]
        if "enum" in schema:
            names = ", ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"] if one)
            limits.append(f"one of {names}")
        return ", ".join([name, *limits])

    def _name(self, schema: Mapping[str, JSON]) -> str:
        kinds = schema.get("type", "any")
        kind = " or ".join(one for one in kinds if one != "null") if isinstance(kinds, list) else str(kinds)
        if "const" in schema:
            return f"<code>{escape(str(schema['const']))}</code>"
        if kind == "array" and schema.get("items"):
            return f"array of {self.type_of(schema['items'])}"
        return kind

    def _field(self, name: str, schema: Mapping[str, JSON], word: str) -> str:
        described = schema.get("description") or self._known(schema).get("description", "")
        mark = f'<span class="required">{word}</span>' if word else ""
        head = f'<code class="name">{escape(name)}</code> <span class="type">{self.type_of(schema)}</span> {mark}'
        said = f'<div class="said">{text(described)}</div>' if described else ""
        inner = self.fields(schema)
        folded = f"<details><summary>Fields of {escape(name)}</summary>{inner}</details>" if inner else ""
        return f"<li>{head}{said}{folded}</li>"

    def _known(self, schema: Mapping[str, JSON]) -> Mapping[str, JSON]:
        ref = schema.get("$ref")
        return self._schemas[ref.rpartition("/")[2]] if ref else schema

    def _object(self, schema: Mapping[str, JSON]) -> Mapping[str, JSON] | None:
        schema = self._known(schema)
        for one in schema.get("anyOf", ()):
            if (found := self._object(one)) is not None:
                return found
        for key in ("items", "contentSchema"):
            if isinstance(schema.get(key), dict) and schema[key]:
                return self._object(schema[key])
        return schema if schema.get("properties") else None


def _limit(words: str, limit: JSON) -> str:
    if limit == NOT_BLANK:
        return "not blank"
    if limit == 1 and words.startswith("at least"):
        return "not empty"
    return words.format(f"{limit:,}" if isinstance(limit, int) else escape(str(limit)))


def _is_wide(limit: JSON) -> bool:
    return isinstance(limit, int) and limit in _WIDEST
