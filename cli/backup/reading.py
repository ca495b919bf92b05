"""Making a data directory from a backup."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import os
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cli.backup import manifest
from cli.backup.manifest import Entry, Manifest
from cli.errors import Refused
from cli.stack.datadir import DataDir

_PARTS = ("db", "keys", "blobs")
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the backup's own account, and how many events will be published again."""

    manifest: Manifest
    events: int


def restore_backup(archive: Path, data: DataDir) -> Restored:
    """Make the data directory, whole or not at all: unpacked beside its place, checked against the manifest, then moved
    there. Raises Refused when it is there already with something in it, and for a backup that is damaged or newer than
    this release."""
    root = data.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise Refused(f"{root} is not empty: restore into a new directory")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".prsm-restore-") as scratch:
            staged = Path(scratch) / "data"
            staged.mkdir(mode=0o700)
            told = _unpack(archive, staged)
            _check_databases(told)
            _check_revisions(told.revisions)
            # A service's own code opens its database, as nobody else does while it serves.
            events = sum(asyncio.run(set_back(name, _url(staged, name))) for name in told.revisions)
            _sync(staged)
            if root.exists():
                root.rmdir()
            staged.rename(root)
    except OSError as error:
        raise Refused(f"cannot restore into {root}: {error.strerror or error}", code=1) from error
    return Restored(told, events)


async def set_back(service: str, url: str) -> int:
    """Tell a database of `service` that it was set back to an earlier moment; how many events it publishes again."""
    from kit.db.database import open_database
    from kit.db.restored import mark_restored

    tables = importlib.import_module(f"services.{service}.tables").KIT
    db = open_database(url, schema=service)
    try:
        return await db.write(lambda connection: mark_restored(connection, tables))
    finally:
        await db.close()


def _url(root: Path, service: str) -> str:
    return f"sqlite:///{root / 'db' / service}.db"


def _unpack(archive: Path, target: Path) -> Manifest:
    found: dict[str, Entry] = {}
    told: Manifest | None = None
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file is None:
                    raise Refused(f"the backup holds {member.name!r}, which is no file")
                if member.name == manifest.NAME:
                    told = Manifest.parse(file.read())
                else:
                    found[member.name] = _write(file, target / _place(member.name))
    except FileNotFoundError as error:
        raise Refused(f"there is no {archive}") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Refused(f"{archive} is no backup, or is damaged: {error}") from error
    if told is None:
        raise Refused(f"{archive} is cut short: its manifest is missing")
    _compare(told.files, found)
    return told


def _place(name: str) -> PurePosixPath:
    """Where a file belongs. Raises Refused for what no backup has."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2 or path.parts[0] not in _PARTS:
        raise Refused(f"the backup holds {name!r}, which belongs to no data directory")
    return path


def _write(source: IO[bytes], path: Path) -> Entry:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Entry(size, digest.hexdigest())


def _compare(told: Mapping[str, Entry], found: Mapping[str, Entry]) -> None:
    if missing := sorted(told.keys() - found.keys()):
        raise Refused(f"the backup is damaged: {missing[0]} is missing")
    if added := sorted(found.keys() - told.keys()):
        raise Refused(f"the backup is damaged: {added[0]} is not in its manifest")
    if changed := sorted(name for name in told if told[name] != found[name]):
        raise Refused(f"the backup is damaged: {changed[0]} is not what its manifest says")


def _check_databases(told: Manifest) -> None:
    """A database without a revision would be started on as it is; a revision without its database would make one."""
    held = {name for name in told.files if PurePosixPath(name).parts[0] == "db"}
    if wrong := sorted(held ^ {f"db/{service}.db" for service in told.revisions}):
        raise Refused(f"the backup is damaged: {wrong[0]} and its revision do not both stand in it")


def _check_revisions(found: Mapping[str, str]) -> None:
    for name, revision in found.items():
        try:
            known = str(importlib.import_module(f"services.{name}.tables").KIT.revision)
        except ModuleNotFoundError as error:
            raise Refused(f"the backup holds a database of {name}, which this release does not have") from error
        # Older ones are migrated when the stack starts.
        if not revision.isdecimal() or int(revision) > int(known):
            raise Refused(
                f"the backup's {name} database is at revision {revision} and this release knows {known}: "
                "restore with the release that made it"
            )


def _sync(folder: Path) -> None:
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
