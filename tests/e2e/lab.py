"""Real sessions on the product's own samples, each watched from its creation to its end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.rest import API, Api
from tests.support.sse import StreamEvent
from tests.support.stack import ROOT

JSON = Any
SAMPLES = ROOT / "samples"
ARTICLES = sorted((SAMPLES / "library").glob("*.md"))
TABLE = SAMPLES / "data" / "mauna_loa_co2_annual.csv"
SEED = 20
OCEAN = "How does the ocean take up carbon dioxide, and what limits it?"
LAND = "How much carbon do plants and soils hold, and what may release it?"
TREND = "How fast does the concentration of carbon dioxide rise?"
OVERVIEW = "What becomes of the carbon dioxide that people emit?"


@dataclass(frozen=True)
class Done:
    """A completed session: the answer to its creation, the balances before and after, and all that its stream said."""

    api: Api = field(repr=False)
    created: JSON = field(repr=False)
    before: JSON = field(repr=False)
    after: JSON = field(repr=False)
    events: tuple[StreamEvent, ...] = field(repr=False)

    @property
    def session_id(self) -> str:
        return str(self.created["session_id"])

    @property
    def path(self) -> str:
        return f"/sessions/{self.session_id}"

    async def results(self) -> JSON:
        return await self.api.get(f"{self.path}/results")

    async def export(self, **query: str) -> bytes:
        answer = await self.api.send("GET", f"{API}{self.path}/export", query=query)
        assert answer.status == 200, answer.text
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        return answer.content


async def upload(api: Api, files: Sequence[Path]) -> list[JSON]:
    """Several files in one form; their cards."""
    boundary = "a-boundary-that-is-in-no-file"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
        + path.read_bytes()
        + b"\r\n"
        for path in files
    ]
    raw = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = await api.send("POST", f"{API}/documents/upload", raw=raw, headers=headers)
    documents: list[JSON] = answer.expect(201)["documents"]
    return documents


async def conduct(api: Api, prompt: str, **body: JSON) -> Done:
    """Create a session and watch it to its end, which must be completion."""
    before = await api.get("/billing/balance")
    created = await api.post("/sessions", {"prompt": prompt, **body}, status=201)
    events = [event async for event in api.events(created["session_id"])]
    assert events[-1].type == "session.completed", (events[-1], await api.session(created["session_id"]))
    return Done(api, created, before, await api.settled_balance(created["session_id"]), tuple(events))


async def research(api: Api, prompt: str = OCEAN) -> Done:
    return await conduct(api, prompt, preferences={"depth": "quick", "seed": SEED, "citation_style": "apa"})


async def analysis(api: Api, dataset_id: str) -> Done:
    inputs = {"datasets": [{"document_id": dataset_id}]}
    return await conduct(api, TREND, session_type="analysis", inputs=inputs, preferences={"seed": SEED})


async def synthesis(api: Api, *inputs: Done) -> Done:
    sessions = [done.session_id for done in inputs]
    return await conduct(
        api, OVERVIEW, session_type="synthesis", inputs={"sessions": sessions}, preferences={"seed": SEED}
    )


def money(text: str) -> Decimal:
    return Decimal(text)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def letters(text: str) -> str:
    """Letters and digits alone: what stays of a text through line breaks, hyphens and markup."""
    return "".join(character for character in text.casefold() if character.isalnum())
