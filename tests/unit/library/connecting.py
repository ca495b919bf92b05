"""Connectors for tests: against a local server, with a clock that moves when they wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kit.times import SECOND, ManualClock
from services.library.connectors.arxiv import Arxiv
from services.library.connectors.crossref import Crossref
from services.library.connectors.europepmc import EuropePmc
from services.library.connectors.http import Http, Limits
from services.library.connectors.openalex import OpenAlex
from services.library.connectors.pacing import Bucket
from services.library.connectors.paged import Paged
from tests.support.scholarly.server import Scholarly

CONTACT = "library@example.org"


@dataclass
class Waiting:
    """Time that goes by only while somebody waits."""

    clock: ManualClock = field(default_factory=ManualClock)
    pauses: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.clock.monotonic() / SECOND

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(round(seconds, 3))
        self.clock.advance(seconds=seconds)


@dataclass
class Bench:
    """The four connectors, and what they ask with."""

    connectors: Mapping[str, Paged]
    clients: list[Http]
    waiting: Waiting

    async def close(self) -> None:
        for client in self.clients:
            await client.close()


def bench(server: Scholarly, *, limits: Limits | None = None, key: str = "", page_size: int = 100) -> Bench:
    waiting = Waiting()
    clients: list[Http] = []

    def http() -> Http:
        bucket = Bucket(3.0, now=waiting.now, sleep=waiting.sleep)
        client = Http(
            bucket,
            limits or Limits(),
            clock=waiting.clock,
            agent=f"prsm-library (mailto:{CONTACT})",
            sleep=waiting.sleep,
            draw=lambda: 1.0,
        )
        clients.append(client)
        return client

    urls = server.urls()
    made: list[Paged] = [
        OpenAlex(http(), urls["openalex"], contact=CONTACT, key=key, page_size=page_size),
        Arxiv(http(), urls["arxiv"], page_size=page_size),
        Crossref(http(), urls["crossref"], clock=waiting.clock, contact=CONTACT, page_size=page_size),
        EuropePmc(http(), urls["europepmc"], contact=CONTACT, page_size=page_size),
    ]
    return Bench({each.name: each for each in made}, clients, waiting)
