"""Every RPC of the other services that changes something and takes an Idempotency-Key, to be done while one dies."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from kit.db.database import Database, open_database
from kit.db.migrate import schema_of
from prsm.results.v1.styles_pb2 import CreateCitationStyleRequest
from services.billing.tables import transactions
from services.collab.tables import comments, shares
from services.library.parsing.document import ParseLimits
from services.library.parsing.pool import ParserPool
from services.library.tables import documents
from services.results.rendering.pool import PoolSettings, RenderPool
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.rendition import Rendition
from services.results.tables import citation_styles
from tests.integration.billing.stand import Stand as Billing
from tests.integration.collab.neighbours import Known
from tests.integration.collab.stand import Stand as Collab
from tests.integration.crash.faults import DeadlyDatabase, Points
from tests.integration.library.stand import Stand as Library
from tests.integration.results.stand import HOUSE
from tests.integration.results.stand import Stand as Results
from tests.support.serving import answer

KEY = "k"
SESSION = "0192f0aa-1111-7000-8000-000000000001"
LIMITS = ParseLimits(seconds=30.0, file_bytes=1024 * 1024, unpacked_bytes=1024 * 1024)


def _keys(folder: Path) -> Path:
    """Each process has keys of its own."""
    return Path(tempfile.mkdtemp(dir=folder))


def _billing(db: Database, folder: Path) -> Billing:
    return Billing(db, _keys(folder), initial_grant="0.00")


def _collab(db: Database, folder: Path) -> Collab:
    stand = Collab(db, _keys(folder))
    stand.session_id = SESSION
    stand.neighbours.sessions[SESSION] = Known(owner="olga")
    return stand


def _library(db: Database, folder: Path) -> Library:
    # Plain texts need no process to read them.
    return Library(db, ParserPool(size=1, limits=LIMITS), folder)


class _Accepting(RenderPool):
    """Styles are tried in a process that has no part in what is stored: here none is refused."""

    async def render(
        self, request: RenderRequest | Callable[[], Awaitable[RenderRequest]], *, begun: Callable[[], None] = print
    ) -> Rendition:
        return Rendition("text/markdown", "trial.md", b"")


def _results(db: Database, folder: Path) -> Results:
    return Results(db, _Accepting(PoolSettings()), _keys(folder))


async def _style(stand: Results) -> object:
    metadata = (*stand.identities.user_metadata("ada"), ("idempotency-key", KEY))
    call = stand.styles.CreateCitationStyle(CreateCitationStyleRequest(csl=HOUSE), metadata=metadata, timeout=60)
    return await answer(call)


async def _upload(stand: Library) -> object:
    answer = await stand.upload(("salt.txt", b"Rivers carry salt."), key=KEY)
    return answer.body, answer.headers["location"]


@dataclass(frozen=True)
class Keyed:
    """`do` answers something that can be compared; each effect is a row of `effect`."""

    package: str
    make: Callable[[Database, Path], Any]
    do: Callable[[Any], Coroutine[Any, Any, object]]
    effect: Table


KEYED: Mapping[str, Keyed] = {
    "prsm.billing.v1.BillingAdminService/CreditAccount": Keyed(
        "services.billing", _billing, lambda stand: stand.credit("ada", "5.00", key=KEY), transactions
    ),
    "prsm.collab.v1.CollabService/ShareSession": Keyed(
        "services.collab", _collab, lambda stand: stand.share(["bob"], key=KEY), shares
    ),
    "prsm.collab.v1.CollabService/AddComment": Keyed(
        "services.collab", _collab, lambda stand: stand.comment(key=KEY), comments
    ),
    "prsm.library.v1.LibraryService/CreateDocument": Keyed(
        "services.library", _library, lambda stand: stand.create("Rivers carry salt.", key=KEY), documents
    ),
    "prsm.results.v1.CitationStyleService/CreateCitationStyle": Keyed(
        "services.results", _results, _style, citation_styles
    ),
    "prsm.library.v1.LibraryService/UploadDocuments": Keyed("services.library", _library, _upload, documents),
    "prsm.library.v1.LibraryService/BatchDocuments": Keyed(
        "services.library",
        _library,
        lambda stand: stand.batch({"title": "Salt", "text": "Rivers."}, key=KEY),
        documents,
    ),
}


async def act(name: str, url: str, folder: str, deadly: int) -> list[str]:
    """Do it once, in a process that dies at point number `deadly`: the points that were passed."""
    points = Points(deadly)
    await once(name, url, folder, points)
    return points.passed


async def once(name: str, url: str, folder: str, points: Points, *, seconds: float = 0) -> tuple[list[object], int]:
    """Do it, twice where nobody dies: what was answered, and how many effects there are."""
    keyed = KEYED[name]
    db = open_database(url, schema=schema_of(keyed.package))
    stand = keyed.make(DeadlyDatabase(db, "database", points), Path(folder))
    stand.clock.advance(seconds=seconds)
    await stand.start()
    try:
        answers = [str(await keyed.do(stand)) for _ in range(2)]
        count = select(func.count()).select_from(keyed.effect)
        return [*answers], int(await db.read(lambda c: c.execute(count).scalar_one()))
    finally:
        await stand.stop()
        await db.close()


async def imported() -> None:
    """Nothing: whoever asks for it has this module."""
