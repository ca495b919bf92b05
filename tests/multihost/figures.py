"""What must hold when everybody has gone: no session lost, none there twice, histories whole, money adding up."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from tests.multihost.journeys import Conducted, Person
from tests.multihost.layout import GRANT
from tests.multihost.requests import Client

_SETTLED_SECONDS = 30.0
_PAGE = 100


async def check(person: Person) -> list[str]:
    """What does not hold for one person, in words."""
    client = person.client
    faults = [fault for session in person.sessions for fault in await _session(client, session)]
    listed = (await client.get("list", "/sessions", limit=str(_PAGE))).body
    known = {session.session_id for session in person.sessions}
    if listed["total_count"] != len(known):
        faults.append(f"{client.user} created {len(known)} sessions and has {listed['total_count']}")
    elif len(known) <= _PAGE and {each["session_id"] for each in listed["sessions"]} != known:
        faults.append(f"{client.user} has other sessions than those created")
    documents = (await client.get("documents", "/documents", limit="1")).body["total_count"]
    if documents != person.documents:
        faults.append(f"{client.user} stored {person.documents} documents and has {documents}")
    return [*faults, *await _money(client, person)]


async def _session(client: Client, session: Conducted) -> list[str]:
    path = f"/sessions/{session.session_id}"
    found = (await client.get("status", path)).body
    faults = []
    if found["status"] != session.ends:
        faults.append(f"is {found['status']}, not {session.ends}: {found.get('error_details')}")
    timeline = (await client.get("history", f"{path}/history")).body["timeline"]
    if [row["seq"] for row in timeline] != list(range(1, len(timeline) + 1)):
        faults.append(f"has gaps in its history: {[row['seq'] for row in timeline]}")
    if session.events:
        seen = [(event.id, event.type) for event in session.events if event.id is not None]
        kept = [(row["seq"], row["type"]) for row in timeline][: len(seen)]
        if seen != kept:
            faults.append(f"streamed {seen} and has {kept} in its history")
    if session.comments:
        comments = (await client.get("comments", f"{path}/comments")).body["total_count"]
        if comments != session.comments:
            faults.append(f"has {comments} comments, not {session.comments}")
    metrics = (await client.get("metrics", f"{path}/metrics")).body
    session.attempts = metrics["performance_metrics"]["attempts"]
    cost = metrics["cost_breakdown"]
    items = sum((Decimal(item["amount"]) for item in cost["items"]), Decimal(0))
    if items != Decimal(cost["charged"]):
        faults.append(f"has items of {items} and is charged {cost['charged']}")
    if Decimal(cost["held"]) != Decimal(cost["charged"]) + Decimal(cost["released"]):
        faults.append(f"has an account that does not balance: {cost}")
    return [f"session {session.session_id} {fault}" for fault in faults]


async def _money(client: Client, person: Person) -> list[str]:
    balance = await _settled(client)
    ledger = await _ledger(client)
    captured = sum((Decimal(row["amount"]) for row in ledger if row["kind"] == "capture"), Decimal(0))
    faults = []
    whole = Decimal(balance["available"]) + Decimal(balance["held"]) + captured
    if whole != Decimal(GRANT):
        faults.append(f"{client.user} was granted {GRANT}; available, held and charged come to {whole}")
    if Decimal(balance["held"]) != 0:
        faults.append(f"{client.user} has {balance['held']} held with every session ended")
    for session in person.sessions:
        rows = [row for row in ledger if row.get("session_id") == session.session_id]
        kinds = sorted(row["kind"] for row in rows)
        held = sum((Decimal(row["amount"]) for row in rows if row["kind"] == "hold"), Decimal(0))
        spent = sum((Decimal(row["amount"]) for row in rows if row["kind"] != "hold"), Decimal(0))
        if kinds.count("hold") != 1 or held != spent or len(set(kinds)) != len(kinds):
            faults.append(f"session {session.session_id} has in the ledger {[(r['kind'], r['amount']) for r in rows]}")
    return faults


async def _settled(client: Client) -> Any:
    """The balance when nothing is held, or as it is after a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _SETTLED_SECONDS
    while True:
        balance = (await client.get("balance", "/billing/balance")).body
        if Decimal(balance["held"]) == 0 or loop.time() > until:
            return balance
        await asyncio.sleep(0.5)


async def _ledger(client: Client) -> list[Any]:
    rows: list[Any] = []
    cursor = ""
    while True:
        query = {"limit": str(_PAGE), **({"cursor": cursor} if cursor else {})}
        page = (await client.send("transactions", "GET", "/billing/transactions", query=query)).body
        rows += page["transactions"]
        cursor = page.get("next_cursor", "")
        if not cursor:
            return rows
