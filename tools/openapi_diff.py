"""What a new description of the API breaks for clients of an old one.

    python -m tools.openapi_diff OLD.json NEW.json     # exits with 1 and one line for each break

A client of the old description sends what that allowed and reads what that promised. So requests may only be taken
more freely than before, and answers may only say more: no path, method, parameter, field or media type goes away, no
new one is required of a client, no type or enum narrows, no status changes. Further values of an enum, further fields
and further errors in answers are no break: clients are told to expect them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

JSON = Any

SENT: Final = "sent"
READ: Final = "read"
_VERBS: Final = ("get", "put", "post", "delete", "patch")
_LOWER: Final = ("minLength", "minimum", "minItems", "minProperties")
_UPPER: Final = ("maxLength", "maximum", "maxItems", "maxProperties")


def breaks(old: Mapping[str, JSON], new: Mapping[str, JSON]) -> list[str]:
    """One line for each thing that a client of `old` can no longer rely on."""
    return list(dict.fromkeys(_Comparison(old, new).all()))


class _Comparison:
    def __init__(self, old: Mapping[str, JSON], new: Mapping[str, JSON]) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str, str]] = set()

    def all(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            if path not in self._new["paths"]:
                yield f"{path}: removed"
                continue
            for verb in _VERBS:
                if verb not in item:
                    continue
                at = f"{verb.upper()} {path}"
                if verb not in self._new["paths"][path]:
                    yield f"{at}: removed"
                else:
                    yield from self._operation(at, item[verb], self._new["paths"][path][verb])
        yield from self._errors()

    def _errors(self) -> Iterator[str]:
        """An error keeps its status wherever it is answered."""
        old, new = _statuses(self._old), _statuses(self._new)
        for name, status in sorted(old.items()):
            if name not in new:
                yield f"error {name}: removed"
            elif new[name] != status:
                yield f"error {name}: status {status} became {new[name]}"

    def _operation(self, at: str, old: JSON, new: JSON) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{at}: operationId {old['operationId']} became {new['operationId']}"
        before = {next(iter(one)) for one in old.get("security", self._old["security"])}
        after = {next(iter(one)) for one in new.get("security", self._new["security"])}
        if (before - after) or (after and not before):
            yield f"{at}: credentials {sorted(before)} became {sorted(after)}"
        yield from self._parameters(at, old, new)
        yield from self._request(f"{at} body", old.get("requestBody"), new.get("requestBody"))
        for status, response in old["responses"].items():
            here = f"{at} {status}"
            if status not in new["responses"]:
                yield f"{here}: removed"
            elif status.startswith("2"):
                yield from self._response(here, self._in_old(response), self._in_new(new["responses"][status]))

    def _parameters(self, at: str, old: JSON, new: JSON) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in map(self._in_old, old.get("parameters", ()))}
        after = {(p["in"], p["name"]): p for p in map(self._in_new, new.get("parameters", ()))}
        for key, parameter in before.items():
            here = f"{at} {key[0]} parameter {key[1]}"
            if key not in after:
                yield f"{here}: removed"
                continue
            if after[key].get("required") and not parameter.get("required"):
                yield f"{here}: became required"
            yield from self._schema(here, parameter["schema"], after[key]["schema"], SENT)
        for key, parameter in after.items():
            if key not in before and parameter.get("required"):
                yield f"{at} {key[0]} parameter {key[1]}: new and required"

    def _request(self, at: str, old: JSON, new: JSON) -> Iterator[str]:
        if old is None:
            if new is not None and new.get("required"):
                yield f"{at}: new and required"
            return
        if new is None:
            yield f"{at}: removed"
            return
        if new.get("required") and not old.get("required"):
            yield f"{at}: became required"
        yield from self._content(at, old["content"], new["content"], SENT)

    def _response(self, at: str, old: JSON, new: JSON) -> Iterator[str]:
        for name in old.get("headers", {}):
            if name not in new.get("headers", {}):
                yield f"{at} header {name}: removed"
        yield from self._content(at, old.get("content", {}), new.get("content", {}), READ)

    def _content(self, at: str, old: JSON, new: JSON, way: str) -> Iterator[str]:
        for media_type, body in old.items():
            if media_type not in new:
                yield f"{at} {media_type}: removed"
            else:
                yield from self._schema(f"{at} {media_type}", body["schema"], new[media_type]["schema"], way)

    def _schema(self, at: str, old: JSON, new: JSON, way: str) -> Iterator[str]:
        refs = (old.get("$ref", ""), new.get("$ref", ""), way)
        if refs[0] and refs[1]:
            if refs in self._seen:
                return
            self._seen.add(refs)
            at = refs[0].rpartition("/")[2]
        old, new = self._in_old(old), self._in_new(new)
        yield from self._type(at, old, new, way)
        yield from self._properties(at, old, new, way)
        if way == SENT:
            yield from _limits(at, old, new)
        for key in ("items", "contentSchema"):
            if isinstance(old.get(key), dict):
                yield from self._schema(f"{at}[]", old[key], new.get(key, {}), way)
        for key in ("anyOf", "oneOf", "allOf"):
            yield from self._alternatives(at, key, old.get(key, []), new.get(key, []), way)

    def _type(self, at: str, old: JSON, new: JSON, way: str) -> Iterator[str]:
        before, after = _types(old), _types(new)
        if not _fits(*((before, after) if way == SENT else (after, before))):
            yield f"{at}: type {sorted(before)} became {sorted(after)}"
        if old.get("format") != new.get("format") and (new.get("format") if way == SENT else old.get("format")):
            yield f"{at}: format {old.get('format')} became {new.get('format')}"
        values, kept = _values(old), _values(new)
        if values is None:
            if kept is not None and way == SENT:
                yield f"{at}: only {kept} are left"
        elif kept is not None:
            for value in values:
                if value not in kept:
                    yield f"{at}: value {value!r} removed"

    def _properties(self, at: str, old: JSON, new: JSON, way: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        must, now = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            if name not in after:
                yield f"{at}.{name}: removed"
            else:
                yield from self._schema(f"{at}.{name}", schema, after[name], way)
        for name in sorted(now - must if way == SENT else (must - now) & after.keys()):
            yield f"{at}.{name}: {'became required' if way == SENT else 'is no longer always there'}"
        open_before, open_after = (one.get("additionalProperties", True) for one in (old, new))
        if way == SENT and open_before is not False and open_after is False:
            yield f"{at}: takes no further fields"
        if isinstance(open_before, dict) and isinstance(open_after, dict):
            yield from self._schema(f"{at}.*", open_before, open_after, way)

    def _alternatives(self, at: str, key: str, old: list[JSON], new: list[JSON], way: str) -> Iterator[str]:
        """Of requests each old alternative must still be taken, of answers each new one must have been known."""
        if key == "allOf":
            if len(old) != len(new):
                yield f"{at}: allOf has {len(new)} parts instead of {len(old)}"
            for one, other in zip(old, new, strict=False):
                yield from self._schema(at, one, other, way)
            return
        if not old:
            if new and way == SENT:
                yield f"{at}: {key} is new"
            return
        for one in old if way == SENT else new:
            others = new if way == SENT else old
            pairs = [(one, other) if way == SENT else (other, one) for other in others]
            if not any(not list(_fresh(self, pair, way)) for pair in pairs):
                yield f"{at}: {key} no longer fits {json.dumps(one)[:120]}"

    def _in_old(self, item: JSON) -> JSON:
        return _resolved(self._old, item)

    def _in_new(self, item: JSON) -> JSON:
        return _resolved(self._new, item)

    def compare(self, old: JSON, new: JSON, way: str) -> Iterator[str]:
        """The breaks between two schemas."""
        return self._schema("", old, new, way)


def _fresh(of: _Comparison, pair: tuple[JSON, JSON], way: str) -> Iterator[str]:
    return _Comparison(of._old, of._new).compare(*pair, way)


def _limits(at: str, old: JSON, new: JSON) -> Iterator[str]:
    for name in _LOWER:
        if new.get(name) is not None and new[name] > old.get(name, float("-inf")) and new[name] != 0:
            yield f"{at}: {name} {old.get(name)} became {new[name]}"
    for name in _UPPER:
        if new.get(name) is not None and new[name] < old.get(name, float("inf")):
            yield f"{at}: {name} {old.get(name)} became {new[name]}"
    for name in ("pattern", "uniqueItems"):
        if new.get(name) and new.get(name) != old.get(name):
            yield f"{at}: {name} {old.get(name)} became {new[name]}"


def _types(schema: JSON) -> set[str]:
    kinds = schema.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _fits(narrow: set[str], wide: set[str]) -> bool:
    """Whether all of the narrow types are among the wide ones; none named means any, and every integer is a number."""
    if not wide:
        return True
    return bool(narrow) and narrow <= wide | ({"integer"} if "number" in wide else set())


def _values(schema: JSON) -> list[JSON] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[JSON] | None = schema.get("enum")
    return values


def _resolved(document: Mapping[str, JSON], item: JSON) -> JSON:
    while "$ref" in item:
        found: JSON = document
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        item = found
    return item


def _statuses(document: Mapping[str, JSON]) -> dict[str, int]:
    """The status of each error, by the examples of the responses."""
    found: dict[str, int] = {}
    for response in document["components"]["responses"].values():
        for body in response.get("content", {}).values():
            for name, example in body.get("examples", {}).items():
                found[name] = example["value"]["code"]
    return found


def main() -> None:
    """Compare two files."""
    old, new = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    found = breaks(old, new)
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
