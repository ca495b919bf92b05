"""The service on a store that speaks S3, as its settings name it; and which of its bytes rows tell of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kit.blob_settings import opened_blobs
from kit.db.database import Database
from kit.db.leases import Leases
from kit.ids import RandomIds
from kit.orphans import OrphanSweeper
from kit.settings import BadSettings, from_environment
from kit.times import DAY, HOUR, SECOND, SystemClock
from services.library.app import serve as serve_library
from services.library.settings import LibrarySettings
from services.results import metrics, tables
from services.results.app import serve
from services.results.rendering.pool import RenderPool
from services.results.repository import SqlArtifacts
from services.results.settings import ResultsSettings
from tests.integration.results.stand import SESSION, Stand
from tests.integration.results.test_delivery import asked
from tests.support.s3 import S3Server
from tests.support.serving import Identities

LARGE = bytes(range(256)) * 4 * 5_000


@pytest.fixture
async def server() -> AsyncIterator[S3Server]:
    async with S3Server("results") as server:
        yield server


@pytest.fixture
def settings(server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ResultsSettings:
    """As an installation with a store of its own has them: the secret is in a file."""
    (tmp_path / "secret").write_text(f"{server.secret}\n")
    given = {name: "unused" for name, field in ResultsSettings.model_fields.items() if field.is_required()} | {
        "internal_key": "unused",
        "blobs": "s3://results/prsm/one",
        "blobs_endpoint": server.endpoint,
        "blobs_region": server.region,
        "blobs_key_id": server.key_id,
        "blobs_secret_file": str(tmp_path / "secret"),
    }
    with monkeypatch.context() as environment:
        for name, value in given.items():
            environment.setenv(f"PRSM_RESULTS_{name}".upper(), value)
        return from_environment(ResultsSettings)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Of two replicas, for their keys; they store nothing there."""
    made = [tmp_path / "one", tmp_path / "two"]
    for folder in made:
        folder.mkdir()
    return made


@asynccontextmanager
async def replica(settings: ResultsSettings, db: Database, pool: RenderPool, folder: Path) -> AsyncIterator[Stand]:
    stand = Stand(db, pool, folder, artifact_mb=8, blobs=await opened_blobs(settings))
    await stand.start()
    yield stand
    await stand.stop()


@pytest.mark.parametrize(("kind", "serve"), [(ResultsSettings, serve), (LibrarySettings, serve_library)])
async def test_what_the_store_refuses_ends_the_process(
    server: S3Server,
    tmp_path: Path,
    kind: type[ResultsSettings | LibrarySettings],
    serve: Callable[[Any], Awaitable[None]],
) -> None:
    identities = Identities(tmp_path, SystemClock(), ["results", "library"])
    name = kind.model_config["env_prefix"].split("_")[1].lower()
    given = {name: "127.0.0.1:1" for name, field in kind.model_fields.items() if field.is_required()} | {
        **identities.settings(name),
        "database_url": f"sqlite:///{tmp_path}/db",
        "grant_jwks": str(tmp_path / "services.jwks"),
        "blobs": "s3://results/prsm",
        "blobs_endpoint": server.endpoint,
        "blobs_region": server.region,
        "blobs_key_id": server.key_id,
        "blobs_secret": "wrong",
    }
    with pytest.raises(BadSettings, match=f"^PRSM_{name.upper()}_BLOBS: .* 403 SignatureDoesNotMatch"):
        await serve(kind.model_validate(given))


async def test_the_main_path(
    settings: ResultsSettings, server: S3Server, file_db: Database, pool: RenderPool, folders: list[Path]
) -> None:
    kept = metrics.REQUESTS.labels("markdown", "store")
    async with replica(settings, file_db, pool, folders[0]) as one:
        checkpoint = await one.put(LARGE, grant=one.grant(), kind=1, pieces=20)
        assert await one.get(1, checkpoint, grant=one.grant()) == LARGE
        await one.complete()
        headers, made = await asked(one, "ExportResults", format="markdown")
        assert b"Salt marshes bury carbon" in made
        before = kept.value
    async with replica(settings, file_db, pool, folders[1]) as two:
        two.sessions.results = one.sessions.results
        assert await asked(two, "ExportResults", format="markdown") == (headers, made)
        assert kept.value == before + 1
        again, nothing = await asked(two, "ExportResults", tag=headers["etag"], format="markdown")
        assert (again["x-prsm-http-status"], nothing) == ("304", b"")
    names = {key.split("/")[2] for key in server.objects}
    assert names == {"artifacts", "renditions"}
    assert f"prsm/one/artifacts/{SESSION}/1/{checkpoint}" in server.objects
    assert not server.uploads


async def test_what_was_never_finished_goes_and_what_a_row_tells_of_stays(stand: Stand, file_db: Database) -> None:
    await stand.complete()
    await stand.put(b"a checkpoint", grant=stand.grant(), kind=1)
    used = stand.sessions.results[SESSION].blob
    folder = f"artifacts/{SESSION}/1"
    beside = [f"{used}{end}" for end in (".index", ".canonical", ".points")]
    another = ["artifacts/notes.txt", "renditions/ab/abc"]
    lost = [f"{folder}/incoming-1", f"{folder}/{'0' * 64}", f"{folder}/{'0' * 64}.index"]
    # The same bytes of an earlier claim, which was lost before its row was there.
    lost.append(used.replace("/1/", "/7/"))
    before = {item.key async for items in stand.blobs.stored("") for item in items}
    for key in (*beside, *another, *lost):
        await stand.blobs.put(key, b"1")
    sweeper = OrphanSweeper(
        db=file_db,
        leases=Leases(tables.KIT),
        blobs=stand.blobs,
        clock=stand.clock,
        ids=RandomIds(stand.clock),
        kept=SqlArtifacts().kept,
        prefixes=["artifacts"],
        days=30,
    )
    # Files have the machine's time.
    stand.clock.advance(seconds=10 * 365 * DAY / SECOND)
    removed = 0
    for _ in range(3):
        removed += await sweeper.round()
        stand.clock.advance(seconds=HOUR / SECOND)
    assert removed == len(lost)
    assert {item.key async for items in stand.blobs.stored("") for item in items} == {*before, *beside, *another}
