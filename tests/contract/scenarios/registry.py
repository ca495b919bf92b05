"""What a scenario is: a function from the world to what a good call needs, known by its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.world import World
from tests.support.rest import Api

JSON = Any
Value = str | Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Given:
    """A good call's caller and parts. `values` fill the words of the table that begin with $; one that takes work is a
    function. A `body` of None leaves the endpoint's own."""

    api: Api
    path: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, JSON] | None = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)


Scenario = Callable[[World], Awaitable[Given]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Make a function known by its name."""
    SCENARIOS[function.__name__] = function
    return function
