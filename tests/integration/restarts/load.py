"""What one person does, over and over: a session from its creation to its result, and what stands around it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from tests.multihost.requests import ENDED, Client

_TEXT = (
    "Cold water holds more carbon dioxide than warm water. The uptake of carbon dioxide by the ocean is limited by the "
    "mixing of the surface with deeper water. Deep water forms where the surface is cold and salty."
)
_SESSION = {
    "prompt": "What limits the uptake of carbon dioxide by the ocean?",
    "inputs": {"documents": [{"title": "Solubility", "text": _TEXT}]},
    "preferences": {"depth": "quick", "seed": 7},
}
_HELD = {
    "prompt": "Wait here.",
    "preferences": {"engine": "parked"},
    "inputs": {"documents": [{"title": "T", "text": _TEXT}]},
}


class Person:
    """One person. Any request that its retry does not mend raises."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._progress = asyncio.Condition()
        self.warm = asyncio.Event()
        self.done = 0
        """Rounds that are over."""

    async def run(self, over: asyncio.Event) -> None:
        """Work until it is over; then every session has ended as it should and the money adds up."""
        while not over.is_set():
            await self.round()
            async with self._progress:
                self.done += 1
                self._progress.notify_all()
            self.warm.set()

    async def beyond(self, done: int) -> None:
        """Return when one more round has begun and ended after that many."""
        async with self._progress:
            await self._progress.wait_for(lambda: self.done > done)

    async def settled(self) -> None:
        """Return when nothing is held any more."""
        async with asyncio.timeout(60):
            while Decimal((await self._client.get("balance", "/billing/balance")).body["held"]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def round(self) -> None:
        """One session from its creation to its result, another one cancelled, and what stands around them."""
        client = self._client
        created = await client.post("create", "/sessions", _SESSION, expect=(201,))
        session = f"/sessions/{created.body['session_id']}"
        held = await client.post("create held", "/sessions", _HELD, expect=(201,))
        document = await client.post("document", "/documents", {"title": "Own", "text": _TEXT}, expect=(201,))
        await client.get("text", f"/documents/{document.body['document_id']}/text")
        await client.post("comment", f"{session}/comments", {"content": "Look here."}, expect=(201,))
        cancelled = await client.post("cancel", f"/sessions/{held.body['session_id']}/cancel")
        assert cancelled.body["status"] == "cancelled"
        assert Decimal(cancelled.body["refund_amount"]) >= 0
        status = ""
        while status not in ENDED:
            status = (await client.get("get", session)).body["status"]
            await asyncio.sleep(0.05)
        assert status == "completed", status
        assert (await client.get("results", f"{session}/results")).body["citations"]
        await client.get("list", "/sessions", limit="5")
        balance = (await client.get("balance", "/billing/balance")).body
        assert Decimal(balance["held"]) >= 0
