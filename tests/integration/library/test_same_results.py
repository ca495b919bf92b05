"""Whichever database holds a library: the same documents, the same questions, the same hits to the last bit."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from kit.db.database import Database
from kit.ids import RandomIds
from services.library.parsing.pool import ParserPool
from tests.integration.library.stand import Stand
from tests.support.databases import PostgresCluster
from tests.support.migrated import Migrations

SUBJECTS = (
    "peat bog moss carbon mire sphagnum fen drainage water",
    "star galaxy nebula telescope orbit comet dust light spectrum",
    "bread flour yeast dough oven crust salt kneading baker",
)
QUERIES = ("carbon of drained mires", "Ångström spectra", "sourdough", "naïve bakers' telescopes", "moss yeast comet")


def lines() -> list[dict[str, Any]]:
    """Enough of them that a latent model is learnt, in an order of no subject."""
    chance = random.Random(7)
    return [
        {
            "external_id": f"Äx-{number}",
            "title": " ".join(chance.sample(SUBJECTS[number % 3].split(), 2)) if number % 4 else "",
            "text": ". ".join(" ".join(chance.choices(SUBJECTS[number % 3].split(), k=7)) for _ in range(4))
            + (" Ångström 😀 naïve." if number % 9 == 0 else "."),
        }
        for number in range(70)
    ]


async def answers(db: Database, pool: ParserPool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a library that grew, changed and shrank answers; its ids come from a seed."""
    chance = random.Random(11)
    monkeypatch.setattr(
        "tests.integration.library.stand.RandomIds", lambda clock: RandomIds(clock, lambda size: chance.randbytes(size))
    )
    stand = Stand(db, pool, folder, upload_mb=2)
    await stand.start()
    try:
        made = [each["document_id"] for begin in (0, 30) for each in await stand.batch(*lines()[begin : begin + 40])]
        await stand.create("Carbon of mires, told anew.", external_id="Äx-3")
        await stand.delete(made[5])
        found: list[Any] = []
        for query in QUERIES:
            hits = [await stand.search(query, passages=passages, limit=50) for passages in (False, True)]
            hits.append(await stand.passages(query, stand.grant(), passages=True))
            hits.append(await stand.passages(query, stand.grant(documents=made[:60]), passages=True))
            found += [[hit.SerializeToString(deterministic=True) for hit in each] for each in hits]
        return found
    finally:
        await stand.stop()


async def test_both_databases_find_the_same(
    package: str,
    migrations: Migrations,
    postgres_cluster: PostgresCluster,
    pool: ParserPool,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = await asyncio.to_thread(migrations.file, package, tmp_path / "one.db")
    urls = {
        "sqlite": f"sqlite:///{file}",
        "postgresql": await asyncio.to_thread(migrations.postgres, package, postgres_cluster),
    }
    found: dict[str, list[Any]] = {}
    for name, url in urls.items():
        db = await migrations.emptied(package, url)
        try:
            found[name] = await answers(db, pool, tmp_path_factory.mktemp(name), monkeypatch)
        finally:
            await db.close()
    assert found["sqlite"] == found["postgresql"]
    assert sum(map(bool, found["sqlite"])) > len(found["sqlite"]) // 2
