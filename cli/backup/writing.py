"""Making a backup of a data directory, also while the stack runs on it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cli.backup import manifest
from cli.backup.cut import copy, cut
from cli.backup.manifest import Entry, Manifest
from cli.errors import Refused
from cli.stack.datadir import DataDir
from cli.stack.environment import SERVICES
from cli.version import version
from kit.times import Clock, rfc3339

_UNFINISHED = re.compile(r"#[0-9]+$")
"""How the object store names a file that it is still writing."""

_MADE_AGAIN = ("results", "renditions")
"""Where documents lie that were made of results and are made again when they are asked for."""


@dataclass(frozen=True, slots=True)
class Written:
    """A finished backup."""

    path: Path
    files: int
    size: int


class BackupWriter:
    """Databases first, at one moment; then keys and blobs. A blob is written before the row that names it and never
    changed, so whatever the databases name is there when the blobs' turn comes."""

    def __init__(self, data: DataDir, clock: Clock, *, with_databases: bool = True) -> None:
        self._data = data
        self._clock = clock
        self._with_databases = with_databases
        self._files: dict[str, Entry] = {}
        self._revisions: dict[str, str] = {}

    def write(self, target: Path) -> Written:
        """Write the archive, whole or not at all; compressed when its name ends with .gz or .tgz. Raises Refused."""
        self._look(target)
        partial: Path | None = None
        try:
            # It holds private keys: nobody else may read it, nor have made it before us in a folder of many.
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial")
            partial = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                self._fill(file, compressed=target.suffix in (".gz", ".tgz"), scratch=target.parent)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(target)
        except OSError as error:
            raise Refused(f"cannot write {target}: {error.strerror or error}", code=1) from error
        finally:
            if partial is not None:
                partial.unlink(missing_ok=True)
        return Written(target, len(self._files), target.stat().st_size)

    def _look(self, target: Path) -> None:
        if target.exists():
            raise Refused(f"{target} exists")
        if not self._data.keys.is_dir():
            raise Refused(f"{self._data.root} is no data directory of prsm up")
        if self._with_databases and (missing := [n for n, p in self._databases().items() if not p.is_file()]):
            raise Refused(
                f"there is no database of {missing[0]} in {self._data.databases}; if the stack runs on PostgreSQL, "
                "back that up first and then the rest with --without-databases"
            )

    def _databases(self) -> dict[str, Path]:
        return {name: self._data.databases / f"{name}.db" for name in SERVICES}

    def _fill(self, file: IO[bytes], *, compressed: bool, scratch: Path) -> None:
        mode = "w:gz" if compressed else "w"
        with tarfile.open(fileobj=file, mode=mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
            if self._with_databases:
                self._add_databases(tar, scratch)
            for path in _below(self._data.keys):
                self._add(tar, path, f"keys/{path.relative_to(self._data.keys)}")
            for path in _below(self._data.blobs):
                place = path.relative_to(self._data.blobs)
                if not _UNFINISHED.search(path.name) and place.parts[:2] != _MADE_AGAIN:
                    self._add(tar, path, f"blobs/{place}")
            told = Manifest(manifest.FORMAT, version(), rfc3339(self._clock.now()), self._revisions, self._files)
            _append(tar, manifest.NAME, io.BytesIO(told.to_json()), len(told.to_json()))

    def _add_databases(self, tar: tarfile.TarFile, scratch: Path) -> None:
        with (
            tempfile.TemporaryDirectory(dir=scratch, prefix=".prsm-backup-") as folder,
            cut(self._databases()) as shown,
        ):
            for name, connection in shown.items():
                copied = Path(folder) / f"{name}.db"
                copy(connection, copied)
                # What is copied need not be kept from the services' clean-up any longer.
                connection.close()
                self._revisions[name] = _revision(name, copied)
                self._add(tar, copied, f"db/{name}.db")
                copied.unlink()

    def _add(self, tar: tarfile.TarFile, path: Path, name: str) -> None:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return  # Removed for good since the databases were copied.
        with file:
            size = os.fstat(file.fileno()).st_size
            digest = _append(tar, name, file, size)
        self._files[name] = Entry(size, digest)


class _Hashing(io.RawIOBase):
    """Reads through, and knows the SHA-256 of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _append(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> str:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    hashing = _Hashing(file)
    tar.addfile(info, hashing)
    return hashing.digest.hexdigest()


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file()) if folder.is_dir() else iter(())


def _revision(name: str, database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            row = None
    if row is None:
        raise Refused(f"the database of {name} was never migrated: start the stack first")
    return str(row[0])


def write_backup(data: DataDir, target: Path, clock: Clock, *, with_databases: bool = True) -> Written:
    """Back a data directory up into a new file. Raises Refused."""
    return BackupWriter(data, clock, with_databases=with_databases).write(target.absolute())
