"""What a backup holds, what a restore refuses, and that all databases are copied as of one moment."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from cli.backup.cut import copy, cut
from cli.backup.reading import restore_backup
from cli.backup.writing import write_backup
from cli.errors import Refused
from cli.main import run_command
from cli.stack.datadir import DataDir
from cli.stack.environment import SERVICES
from cli.stack.keys import ensure_keys
from kit.db.migrate import upgrade
from kit.times import ManualClock

CLOCK = ManualClock(1_767_225_600_000_000)
Said = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A migrated, empty database of each service."""
    folder = tmp_path_factory.mktemp("databases")
    for name in SERVICES:
        upgrade(f"services.{name}", f"sqlite:///{folder / name}.db")
    return {name: (folder / f"{name}.db").read_bytes() for name in SERVICES}


@pytest.fixture
def data(tmp_path: Path, databases: dict[str, bytes]) -> DataDir:
    """A data directory as a stack leaves it, with one blob and one that is still being written."""
    made = DataDir(tmp_path / "data")
    made.create()
    ensure_keys(made)
    for name, content in databases.items():
        (made.databases / f"{name}.db").write_bytes(content)
    blob = made.blobs / "library" / "raw" / "aa"
    blob.mkdir(parents=True)
    (blob / "one").write_bytes(b"bytes of a document")
    (blob / "two#1").write_bytes(b"half of")
    (made.logs / "session.log").write_text("nobody needs this again")
    (made.nats / "store").mkdir()
    (made.nats / "store" / "1.blk").write_bytes(b"the stream is made again from the outboxes")
    return made


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def rewrite(archive: Path, target: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(target, "w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target


def retell(files: dict[str, bytes], *, add: dict[str, str] | None = None, drop: str = "") -> None:
    """Change which databases' revisions the manifest tells of."""
    told = json.loads(files["manifest.json"])
    told["revisions"] = {name: found for name, found in {**told["revisions"], **(add or {})}.items() if name != drop}
    files["manifest.json"] = json.dumps(told).encode()


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
def test_everything_that_is_kept_comes_back(data: DataDir, tmp_path: Path, name: str) -> None:
    written = write_backup(data, tmp_path / name, CLOCK)
    assert (written.path.stat().st_mode & 0o777, written.size) == (0o600, written.path.stat().st_size)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    again = DataDir(tmp_path / "again")
    restored = restore_backup(written.path, again)
    assert restored.manifest.created_at == "2026-01-01T00:00:00Z"
    assert set(restored.manifest.revisions) == set(SERVICES)
    assert (again.blobs / "library" / "raw" / "aa" / "one").read_bytes() == b"bytes of a document"
    assert [path.name for path in (again.blobs / "library" / "raw" / "aa").iterdir()] == ["one"]
    for path in data.keys.iterdir():
        assert (again.keys / path.name).read_bytes() == path.read_bytes()
        assert (again.keys / path.name).stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in again.root.iterdir()) == ["blobs", "db", "keys"]
    for service in SERVICES:
        with closing(sqlite3.connect(again.databases / f"{service}.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_documents_that_can_be_made_again_are_left_out(data: DataDir, tmp_path: Path) -> None:
    for place in ("results/renditions/aa/one", "results/artifacts/s/1/two", "library/renditions/three"):
        path = data.blobs / place
        path.parent.mkdir(parents=True)
        path.write_bytes(b"bytes")
    write_backup(data, tmp_path / "b.tar", CLOCK)
    found = {name for name in contents(tmp_path / "b.tar") if name.startswith("blobs/")}
    assert {"blobs/results/artifacts/s/1/two", "blobs/library/renditions/three"} <= found
    assert not any("one" in name and "renditions" in name for name in found)


def test_nobody_gets_at_the_keys_by_making_the_unfinished_file_first(data: DataDir, tmp_path: Path) -> None:
    stale = tmp_path / ".backup.tar.partial"
    stale.write_text("made by somebody else")
    stale.chmod(0o666)
    with stale.open() as open_since_before:
        written = write_backup(data, tmp_path / "backup.tar", CLOCK)
        assert written.path.stat().st_mode & 0o777 == 0o600
        assert open_since_before.read() == "made by somebody else"


def test_events_are_published_again_after_a_restore(data: DataDir, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data.databases / "billing.db")) as database:
        row = ("prsm.events.billing.hold", "e1", "billing.hold", "ada", b"payload", 1, 2)
        database.execute(
            "INSERT INTO outbox (subject, event_id, event_type, event_key, payload, created_at, published_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        database.execute("INSERT INTO stream_marks VALUES ('PRSM_EVENTS', 'then', 7)")
        database.commit()
    again = DataDir(tmp_path / "again")
    assert restore_backup(write_backup(data, tmp_path / "b.tar", CLOCK).path, again).events == 1
    with closing(sqlite3.connect(again.databases / "billing.db")) as database:
        assert database.execute("SELECT event_id, published_at FROM outbox").fetchall() == [("e1", None)]
        assert database.execute("SELECT count(*) FROM stream_marks").fetchone() == (0,)


def test_all_databases_are_shown_as_of_one_moment(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.db" for name in ("first", "second")}
    writers = {name: sqlite3.connect(path, isolation_level=None) for name, path in paths.items()}
    for writer in writers.values():
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (n INTEGER)")
        writer.execute("INSERT INTO t VALUES (1)")
    with cut(paths) as shown:
        for writer in writers.values():
            # The locks are gone by now: the services are not held up while the copies are made.
            writer.execute("INSERT INTO t VALUES (2)")
        for name, connection in shown.items():
            copy(connection, tmp_path / f"{name}.copy")
    for name, writer in writers.items():
        with closing(sqlite3.connect(tmp_path / f"{name}.copy")) as database:
            assert database.execute("SELECT n FROM t").fetchall() == [(1,)]
        assert not (tmp_path / f"{name}.copy-wal").exists()
        writer.close()


def test_nothing_is_committed_anywhere_while_the_moment_is_fixed(tmp_path: Path) -> None:
    """A writer that got in between the two read transactions would be in one copy and not in the other."""
    paths = {name: tmp_path / f"{name}.db" for name in ("first", "second")}
    for path in paths.values():
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE t (n INTEGER)")
    refused: list[str] = []

    class Watching(dict[str, Path]):
        """Tries to write to the first database whenever the second one is asked for."""

        def items(self):  # type: ignore[no-untyped-def]
            for name, path in super().items():
                if name == "second":
                    with closing(sqlite3.connect(paths["first"], timeout=0)) as writer:
                        try:
                            writer.execute("INSERT INTO t VALUES (1)")
                        except sqlite3.OperationalError as error:
                            refused.append(str(error))
                yield name, path

    with cut(Watching(paths)) as shown:
        assert set(shown) == {"first", "second"}
    assert refused == ["database is locked"]


def test_a_damaged_database_is_not_backed_up(data: DataDir, tmp_path: Path) -> None:
    path = data.databases / "session.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(bytes(content))
    with pytest.raises(Refused, match=r"the database session\.db is damaged"):
        write_backup(data, tmp_path / "b.tar", CLOCK)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_database_that_was_never_migrated_is_not_backed_up(data: DataDir, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data.databases / "collab.db")) as database:
        database.execute("DROP TABLE alembic_version")
    with pytest.raises(Refused, match="the database of collab was never migrated"):
        write_backup(data, tmp_path / "b.tar", CLOCK)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda files: files.pop("manifest.json"), "is cut short: its manifest is missing"),
        (lambda files: files.pop("db/billing.db"), "db/billing.db is missing"),
        (lambda files: files.update({"db/billing.db": b"other"}), "db/billing.db is not what its manifest says"),
        (lambda files: files.update({"blobs/x/y": b"more"}), "blobs/x/y is not in its manifest"),
        (lambda files: files.update({"../evil": b""}), "which belongs to no data directory"),
        (lambda files: files.update({"/etc/evil": b""}), "which belongs to no data directory"),
        (lambda files: files.update({"logs/evil": b""}), "which belongs to no data directory"),
        (lambda files: retell(files, add={"ghost": "0001"}), "db/ghost.db and its revision do not both stand in it"),
        (lambda files: retell(files, drop="billing"), "db/billing.db and its revision do not both stand in it"),
        (lambda files: files.update({"manifest.json": b"[]"}), "manifest cannot be read"),
        (lambda files: files.update({"manifest.json": b'{"format": 2}'}), "has format 2; this release reads format 1"),
    ],
)
def test_a_spoilt_backup_is_refused_and_leaves_nothing(data: DataDir, tmp_path: Path, spoil, words: str) -> None:  # type: ignore[no-untyped-def]
    files = contents(write_backup(data, tmp_path / "good.tar", CLOCK).path)
    spoil(files)
    target = DataDir(tmp_path / "again")
    with pytest.raises(Refused) as refusal:
        restore_backup(rewrite(tmp_path / "good.tar", tmp_path / "bad.tar", files), target)
    assert words in str(refusal.value)
    assert not target.root.exists()
    assert not list(tmp_path.glob(".prsm-restore-*"))


def test_a_backup_cut_short_is_refused(data: DataDir, tmp_path: Path) -> None:
    whole = write_backup(data, tmp_path / "b.tar.gz", CLOCK).path.read_bytes()
    (tmp_path / "short.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused, match="is no backup, or is damaged"):
        restore_backup(tmp_path / "short.tar.gz", DataDir(tmp_path / "again"))


def test_a_backup_of_a_newer_release_is_refused(data: DataDir, tmp_path: Path) -> None:
    files = contents(write_backup(data, tmp_path / "b.tar", CLOCK).path)
    told = json.loads(files["manifest.json"])
    told["revisions"]["session"] = "9999"
    files["manifest.json"] = json.dumps(told).encode()
    with pytest.raises(Refused, match=r"session database is at revision 9999 .* restore with the release that made it"):
        restore_backup(rewrite(tmp_path / "b.tar", tmp_path / "n.tar", files), DataDir(tmp_path / "again"))


def test_refusals_are_one_line(data: DataDir, tmp_path: Path, capsys: Said) -> None:
    target = tmp_path / "b.tar"
    assert run_command(["backup", "--data-dir", str(data.root), "--to", str(target)]) == 0
    assert capsys.readouterr().out.startswith(f"{target}: ")
    assert run_command(["backup", "--data-dir", str(data.root), "--to", str(target)]) == 2
    assert capsys.readouterr().err == f"prsm backup: {target} exists\n"
    assert run_command(["restore", str(target), "--data-dir", str(data.root)]) == 2
    assert capsys.readouterr().err == f"prsm restore: {data.root} is not empty: restore into a new directory\n"
    assert run_command(["restore", str(tmp_path / "none.tar"), "--data-dir", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err == f"prsm restore: there is no {tmp_path / 'none.tar'}\n"
    assert run_command(["backup", "--data-dir", str(tmp_path / "new"), "--to", str(tmp_path / "c.tar")]) == 2
    assert capsys.readouterr().err == f"prsm backup: {tmp_path / 'new'} is no data directory of prsm up\n"


def test_a_stack_on_postgresql_has_its_keys_and_blobs_backed_up_alone(
    data: DataDir, tmp_path: Path, capsys: Said
) -> None:
    for name in SERVICES:
        (data.databases / f"{name}.db").unlink()
    given = ["backup", "--data-dir", str(data.root), "--to", str(tmp_path / "b.tar")]
    assert run_command(given) == 2
    assert "back that up first and then the rest with --without-databases" in capsys.readouterr().err
    assert run_command([*given, "--without-databases"]) == 0
    assert {name.split("/")[0] for name in contents(tmp_path / "b.tar")} == {"keys", "blobs", "manifest.json"}
