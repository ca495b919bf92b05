from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.errors import PayloadTooLarge, Unavailable
from services.library.domain import sha256_of_bytes
from services.library.spooling import FLUSH, IN_MEMORY, Spool, SpooledFile, SpoolRoom
from services.library.streams import File, MultipartLimits, UploadedFile, parse_multipart

FORM = "multipart/form-data; boundary=frontier"
SIZES = [10, IN_MEMORY, IN_MEMORY + 1, 3 * FLUSH + 7, 0, 100_000]


def contents(sizes: list[int]) -> list[bytes]:
    return [bytes([65 + number % 26]) * size for number, size in enumerate(sizes)]


async def chunks(files: list[bytes], size: int = 200_000) -> AsyncIterator[bytes]:
    body = b"".join(
        b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="%d.txt"\r\n\r\n' % number
        + each
        + b"\r\n"
        for number, each in enumerate(files)
    )
    body += b"--frontier--\r\n"
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]


async def received(files: list[bytes], spool: Spool, limits: MultipartLimits | None = None) -> list[File]:
    parts = [part async for part in parse_multipart(chunks(files), FORM, limits, spool)]
    return [part for part in parts if isinstance(part, UploadedFile | SpooledFile)]


async def test_large_files_wait_on_disk_and_come_back_as_they_were(tmp_path: Path) -> None:
    room = SpoolRoom(10_000_000, str(tmp_path / "spool"))
    sent = contents(SIZES)
    with room.open() as spool:
        files = await received(sent, spool)
        assert [isinstance(file, SpooledFile) for file in files] == [size > IN_MEMORY for size in SIZES]
        assert [file.read() for file in files] == sent
        assert [file.size for file in files] == SIZES
        assert [file.sha256 for file in files] == [sha256_of_bytes(each) for each in sent]
        assert [file.filename for file in files] == [f"{number}.txt" for number in range(len(SIZES))]
        assert room.taken == sum(size for size in SIZES if size > IN_MEMORY)
        # Without a name: nothing is left behind, however the process ends.
        assert list((tmp_path / "spool").iterdir()) == []
    assert room.taken == 0


async def test_many_small_files_do_not_stand_in_memory_either(tmp_path: Path) -> None:
    sent = contents([IN_MEMORY] * 40)
    with SpoolRoom(10_000_000, str(tmp_path)).open() as spool:
        files = await received(sent, spool)
        assert sum(isinstance(file, UploadedFile) for file in files) == 1024 * 1024 // IN_MEMORY
        assert [file.read() for file in files] == sent


async def test_room_is_bounded_for_all_forms_together(tmp_path: Path) -> None:
    room = SpoolRoom(1_000_000, str(tmp_path))
    with room.open() as first:
        await received(contents([600_000]), first)
        with pytest.raises(Unavailable), room.open() as second:
            await received(contents([600_000]), second)
        assert room.taken == 600_000
    with room.open() as third:
        await received(contents([600_000]), third)
    assert room.taken == 0


async def test_limits_of_a_file_hold_on_disk(tmp_path: Path) -> None:
    with pytest.raises(PayloadTooLarge), SpoolRoom(10_000_000, str(tmp_path)).open() as spool:
        await received(contents([300_001]), spool, MultipartLimits(file=300_000))


async def test_what_is_given_up_is_removed(tmp_path: Path) -> None:
    room = SpoolRoom(10_000_000, str(tmp_path))
    begun = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        async for chunk in chunks(contents([3 * FLUSH])):
            yield chunk
            if room.taken > 2 * FLUSH:
                begun.set()
                await asyncio.Event().wait()

    async def upload() -> None:
        with room.open() as spool:
            async for _ in parse_multipart(stuck(), FORM, None, spool):
                pass

    task = asyncio.create_task(upload())
    await begun.wait()
    opened = len(os.listdir("/proc/self/fd"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert room.taken == 0
    assert len(os.listdir("/proc/self/fd")) < opened


def test_a_thread_that_comes_late_finds_a_closed_spool(tmp_path: Path) -> None:
    spool = SpoolRoom(1_000_000, str(tmp_path)).open()
    spool.write(b"x")
    spool.close()
    spool.flush()
    with pytest.raises(ValueError, match="closed"):
        spool.read(0, 1)


def test_a_folder_that_is_gone_is_an_outage(tmp_path: Path) -> None:
    spool = SpoolRoom(1_000_000, str(tmp_path / "spool")).open()
    (tmp_path / "spool").rmdir()
    spool.write(b"x")
    with pytest.raises(Unavailable):
        spool.flush()
    spool.close()
