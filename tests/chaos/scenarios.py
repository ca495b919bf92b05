"""What people do with a session, each way from its creation to its end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import scripts
from tests.chaos.client import ENDED, Client, ids_of
from tests.support.sse import StreamEvent

_POLL = 0.4
_GLANCE = 0.05
_MOST_AT_ONCE = 3


@dataclass(slots=True)
class Known:
    """A session that somebody was told of."""

    session_id: str
    owner: Client
    status: str = "queued"
    ended: bool = False


@dataclass
class Stage:
    """What the scenarios share: randomness, sessions that are known, and friends to share with."""

    rng: random.Random
    friend: Callable[[Client], Client]
    sessions: dict[str, Known] = field(default_factory=dict)


async def create(stage: Stage, client: Client, body: Mapping[str, Any]) -> Known | None:
    """A new session, or None when it was refused. Now and then it is asked for twice, at once or once more later."""
    key = client.key()
    twice = stage.rng.random()
    answers = [client.post("create", "/sessions", body, key=key) for _ in range(2 if twice < 0.1 else 1)]
    answer = (await asyncio.gather(*answers))[0]
    if 0.1 <= twice < 0.2:
        await asyncio.sleep(stage.rng.uniform(0, 1))
        answer = await client.post("create", "/sessions", body, key=key)
    if not answer.done:
        return None
    known = Known(answer.body["session_id"], client)
    return stage.sessions.setdefault(known.session_id, known)


async def act(stage: Stage, client: Client, known: Known, action: str, *, again: float = 0.15) -> bool:
    """Pause, resume or cancel; with the chance `again` the same request is sent twice at once. Whether it was done."""
    body = {"reason": "a rehearsal"} if action == "cancel" else None
    path, key = f"/sessions/{known.session_id}/{action}", client.key()
    count = 2 if stage.rng.random() < again else 1
    answers = await asyncio.gather(
        *(client.post(action, path, body, session=known.session_id, key=key) for _ in range(count))
    )
    return answers[0].done


async def look(client: Client, known: Known) -> str:
    """The session's status."""
    answer = await client.get("get", f"/sessions/{known.session_id}", session=known.session_id)
    if answer.done:
        known.status = answer.body["status"]
        known.ended = known.status in ENDED
    return known.status


async def follow(stage: Stage, client: Client, known: Known) -> None:
    """To its end: by its events, hanging up now and then, or by asking again and again."""
    if stage.rng.random() < 0.7:
        await client.watch(known.session_id, heed=_remember(known), breaks=0.08)
    while not known.ended:
        await look(client, known)
        await asyncio.sleep(_POLL * stage.rng.uniform(0.5, 2))


def _remember(known: Known) -> Callable[[StreamEvent], None]:
    def heed(event: StreamEvent) -> None:
        known.status = event.data["status"]
        known.ended = known.status in ENDED

    return heed


async def read(stage: Stage, client: Client, known: Known) -> None:
    """What is to be read of an ended session: its results, its bill, its history and again its events from anywhere."""
    path, session = f"/sessions/{known.session_id}", known.session_id
    if known.status == "completed":
        await client.get("results", f"{path}/results", session=session, digest=_result)
    await client.get("metrics", f"{path}/metrics", session=session, digest=lambda body: body["cost_breakdown"])
    history = await client.get(
        "history", f"{path}/history", session=session, digest=lambda body: ids_of(body["timeline"], "seq", "type")
    )
    if stage.rng.random() < 0.3 and history.done:
        await client.watch(known.session_id, after=stage.rng.randrange(1, len(history.body["timeline"])))


def _result(body: Any) -> Any:
    return {"partial": body["results"]["partial"], "summary": body["summary"]}


async def discuss(stage: Stage, client: Client, known: Known) -> None:
    """Comment and share; who it is shared with looks and comments at once."""
    about = known.session_id
    path, friend = f"/sessions/{known.session_id}", stage.friend(client)
    content = f"Remark {stage.rng.getrandbits(40):010x}"
    await client.post("comment", f"{path}/comments", {"content": content, "comment_type": "insight"}, session=about)
    if stage.rng.random() < 0.6:
        share = {"recipients": [f"user:{friend.person}"], "permissions": "edit"}
        if (await client.post("share", f"{path}/share", share, session=about)).done:
            await friend.get("shared_get", path, session=about)
            content = f"Remark {stage.rng.getrandbits(40):010x}"
            await friend.post("comment", f"{path}/comments", {"content": content}, session=about)


async def keep_books(client: Client) -> None:
    """Look at one's sessions and money."""
    await client.get("list", "/sessions", limit="5")
    await client.get("balance", "/billing/balance")
    await client.get(
        "transactions",
        "/billing/transactions",
        limit="20",
        digest=lambda body: ids_of(body["transactions"], "transaction_id", "kind", "amount", "session_id"),
    )


async def run_through(stage: Stage, client: Client, body: Mapping[str, Any]) -> None:
    """Create it and see what comes."""
    known = await create(stage, client, body)
    if known is None:
        return
    talk = [discuss(stage, client, known)] if stage.rng.random() < 0.25 else []
    await asyncio.gather(follow(stage, client, known), *talk)
    await read(stage, client, known)
    if stage.rng.random() < 0.3:
        await keep_books(client)


async def pausing(stage: Stage, client: Client, body: Mapping[str, Any]) -> None:
    """Pause and resume once or more; at times cancel it while it is paused."""
    known = await create(stage, client, body)
    if known is None:
        return
    following = asyncio.create_task(follow(stage, client, known))
    try:
        for _ in range(stage.rng.randint(1, 3)):
            await until_running(known, following)
            await asyncio.sleep(stage.rng.uniform(0, 1.5))
            if known.ended:
                break
            if await act(stage, client, known, "pause"):
                await asyncio.sleep(stage.rng.uniform(0.1, 3))
                await act(stage, client, known, "cancel" if stage.rng.random() < 0.15 else "resume")
        await following
    finally:
        following.cancel()
    await read(stage, client, known)


async def until_running(known: Known, following: asyncio.Task[None]) -> None:
    """As soon as who follows it has seen that it runs, or follows it no more."""
    while True:
        if known.status == "running" or following.done():
            return
        await asyncio.sleep(_GLANCE)


async def cancelling(stage: Stage, client: Client, body: Mapping[str, Any]) -> None:
    """Cancel it at any moment, at times with several requests of their own keys, then cancel what is cancelled."""
    known = await create(stage, client, body)
    if known is None:
        return
    script = body["preferences"]["analysis"]["stages"]
    whole = sum(each["seconds"] for each in script)
    following = asyncio.create_task(follow(stage, client, known))
    try:
        # From before it was claimed to after it is done; most of all around its end.
        await asyncio.sleep(stage.rng.choice((0.0, stage.rng.uniform(0, whole), whole + stage.rng.uniform(-0.3, 1.0))))
        count = stage.rng.randint(2, _MOST_AT_ONCE) if stage.rng.random() < 0.3 else 1
        await asyncio.gather(*(act(stage, client, known, "cancel") for _ in range(count)))
        await following
    finally:
        following.cancel()
    await read(stage, client, known)


async def begging(stage: Stage, client: Client, prompt: Callable[[], str]) -> None:
    """Ask for more than one has: the second of two dear sessions is refused."""
    held = [known for _ in range(2) if (known := await create(stage, client, scripts.dear(prompt())))]
    await keep_books(client)
    await _drop(stage, client, held)


async def hoarding(stage: Stage, client: Client, prompt: Callable[[], str]) -> None:
    """Ask for one session more than one may have, some at once."""
    asked = [create(stage, client, scripts.parked(prompt())) for _ in range(scripts.QUOTA + 1)]
    held = [known for known in await asyncio.gather(*asked) if known]
    for known in held[:1]:
        await act(stage, client, known, "pause")
    await keep_books(client)
    await _drop(stage, client, held)


async def _drop(stage: Stage, client: Client, held: list[Known]) -> None:
    for known in held:
        await act(stage, client, known, "cancel")
        await look(client, known)
    await keep_books(client)


async def refused(client: Client, prompt: str) -> None:
    """Ask for what cannot be had."""
    await client.post("create", "/sessions", scripts.invalid(prompt))


async def end(stage: Stage, known: Known) -> None:
    """Whatever it takes to bring a session to its end."""
    client = known.owner
    while await look(client, known) not in ENDED:
        if known.status == "paused":
            await act(stage, client, known, "resume")
        await asyncio.sleep(_POLL)
