"""The connectors that the settings name, put together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kit.times import SECOND, Clock
from services.library.connectors import arxiv, crossref, europepmc, openalex
from services.library.connectors.connector import Connector
from services.library.connectors.http import Http, Limits
from services.library.connectors.pacing import Bucket, Draw, Sleep
from services.library.settings import LibrarySettings

AGENT = "prsm-library"
_MIB = 1024 * 1024
_DEFAULTS: Mapping[str, tuple[str, float, int]] = {
    "openalex": (openalex.ADDRESS, openalex.INTERVAL, 3),
    "arxiv": (arxiv.ADDRESS, arxiv.INTERVAL, 1),
    "crossref": (crossref.ADDRESS, crossref.INTERVAL, 3),
    "europepmc": (europepmc.ADDRESS, europepmc.INTERVAL, 3),
}
"""Address, seconds between two requests, and how many may be under way at a time."""


@dataclass(frozen=True, slots=True)
class Connectors:
    """Those that are enabled, by name, and what they ask with."""

    by_name: Mapping[str, Connector]
    clients: tuple[Http, ...]

    async def close(self) -> None:
        """Let go of the connections."""
        for client in self.clients:
            await client.close()


def connectors_of(
    settings: LibrarySettings, clock: Clock, *, sleep: Sleep = asyncio.sleep, draw: Draw = random.random
) -> Connectors:
    """The enabled connectors."""
    made = {name: _http(name, settings, clock, sleep=sleep, draw=draw) for name in dict.fromkeys(settings.connectors)}
    return Connectors(
        {name: _MAKERS[name](http, _address(name, settings), settings, clock) for name, http in made.items()},
        tuple(made.values()),
    )


def _address(name: str, settings: LibrarySettings) -> str:
    own = [url for key, url in settings.connector_urls.items() if key == name]
    return own[0] if own else _DEFAULTS[name][0]


def _http(name: str, settings: LibrarySettings, clock: Clock, *, sleep: Sleep, draw: Draw) -> Http:
    _, interval, at_once = _DEFAULTS[name]
    own = [seconds for key, seconds in settings.connector_intervals.items() if key == name]
    bucket = Bucket(own[0] if own else interval, now=lambda: clock.monotonic() / SECOND, sleep=sleep)
    limits = Limits(
        seconds=settings.connector_request_seconds,
        patience=settings.connector_deadline_seconds,
        bytes=settings.connector_answer_mb * _MIB,
        at_once=at_once,
    )
    contact = settings.connector_contact
    agent = f"{AGENT} (mailto:{contact})" if contact else AGENT
    return Http(bucket, limits, clock=clock, agent=agent, sleep=sleep, draw=draw)


_Make = Callable[[Http, str, LibrarySettings, Clock], Connector]
_MAKERS: Mapping[str, _Make] = {
    "openalex": lambda http, address, settings, clock: openalex.OpenAlex(
        http, address, contact=settings.connector_contact, key=settings.connector_openalex_key
    ),
    "arxiv": lambda http, address, settings, clock: arxiv.Arxiv(http, address),
    "crossref": lambda http, address, settings, clock: crossref.Crossref(
        http, address, clock=clock, contact=settings.connector_contact
    ),
    "europepmc": lambda http, address, settings, clock: europepmc.EuropePmc(
        http, address, contact=settings.connector_contact
    ),
}
