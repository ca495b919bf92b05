"""From a row of the table and a scenario to a real call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract.callers import CALLERS
from tests.contract.scenarios import collaboration, library, lists, sessions, styles
from tests.contract.scenarios.registry import SCENARIOS, Given, Value
from tests.contract.table import Endpoint, ErrorCase
from tests.contract.world import World
from tests.support.rest import Answer

JSON = Any
SCENARIO_MODULES = (collaboration, library, lists, sessions, styles)
"""Imported for the scenarios they make known."""
MISSING = object()
"""In place of a field's value: leave it out."""
_WORD = re.compile(r"\$([a-z_]+)")


async def given(world: World, name: str) -> Given:
    """What a scenario makes, with the words that every one fills in."""
    made = await SCENARIOS[name](world)
    now = datetime.now(UTC).replace(microsecond=0)
    common: dict[str, Value] = {
        "unknown": world.new_id(),
        "unknown_too": world.new_id(),
        "owner": made.api.user,
        "yesterday": _moment(now - timedelta(days=1)),
        "tomorrow": _moment(now + timedelta(days=1)),
        "in_two_years": _moment(now + timedelta(days=731)),
    }
    return replace(made, values={**common, **made.values})


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


async def call(
    world: World,
    endpoint: Endpoint,
    made: Given,
    *,
    body: Mapping[str, JSON] | None = None,
    query: Mapping[str, JSON] | None = None,
    path: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    case: ErrorCase | None = None,
) -> Answer:
    """Send the good call of a scenario with these changes. Parameters of None and fields of MISSING are left out."""
    api = made.api
    if case is not None:
        body, query, path, headers = case.body, case.query, case.path, case.headers
        if case.caller:
            api = await CALLERS[case.caller](world, made)
    steps = await _filled({**made.path, **(path or {})}, made.values)
    required = {parameter.name: parameter.good[0] for parameter in endpoint.query if parameter.required}
    parameters = {**required, **made.query, **(query or {})}
    sent: JSON = None
    if endpoint.takes_json:
        merged = {**(made.body if made.body is not None else endpoint.body or {}), **(body or {})}
        kept = {name: value for name, value in merged.items() if value is not MISSING}
        # Pause, resume and cancel need no body; they get one where the case has fields.
        sent = await _filled(kept, made.values) if kept or made.body is not None or endpoint.body is not None else None
    return await api.send(
        endpoint.method,
        endpoint.path.format(**steps),
        body=sent,
        raw=made.raw,
        query=await _filled({k: v for k, v in parameters.items() if v is not None}, made.values),
        headers={**made.headers, **(headers or {})},
    )


async def good_call(world: World, endpoint: Endpoint, scenario: str = "") -> Answer:
    """The endpoint's good call, in its own scenario or in another."""
    return await call(world, endpoint, await given(world, scenario or endpoint.given))


def decoded(endpoint: Endpoint, answer: Answer) -> JSON:
    """The answer as JSON; the frames of an event stream as `events`, the lines of NDJSON as `lines`."""
    match endpoint.media_type:
        case "text/event-stream":
            frames = [dict(_field(line) for line in frame.split("\n")) for frame in answer.text.strip().split("\n\n")]
            return {"events": [json.loads(frame["data"]) for frame in frames if "id" in frame]}
        case "application/x-ndjson":
            return {"lines": [json.loads(line) for line in answer.text.splitlines()]}
        case _:
            return answer.body


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")


async def _filled(value: JSON, values: Mapping[str, Value]) -> JSON:
    """A value of the table with its words filled in."""
    match value:
        case {"$repeat": [text, count]}:
            return text * count
        case {"$list": [pattern, count]}:
            return [pattern.format(n=n) for n in range(count)]
        case {"$deep": levels}:
            nested: JSON = {}
            for _ in range(levels):
                nested = {"in": nested}
            return nested
        case dict():
            return {key: await _filled(item, values) for key, item in value.items()}
        case list():
            return [await _filled(item, values) for item in value]
        case str():
            for word in dict.fromkeys(_WORD.findall(value)):
                filler = values[word]
                value = value.replace(f"${word}", filler if isinstance(filler, str) else await filler())
            return value
        case _:
            return value
