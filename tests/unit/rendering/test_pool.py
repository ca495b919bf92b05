from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.results.rendering.document import ResultDocument
from services.results.rendering.pool import (
    PoolSettings,
    RenderingCrashed,
    RenderingFailed,
    RenderingTimedOut,
    RenderPool,
)
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.render import render
from services.results.rendering.rendition import Format
from tests.unit.rendering.sample import metadata, raw_data, sample


def _request(format: Format = "markdown", source: dict[str, Any] | None = None, **options: Any) -> RenderRequest:
    return RenderRequest(
        format=format,
        document=orjson.dumps(source or sample()),
        session_id="sid",
        metadata=metadata(),
        **options,
    )


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool(PoolSettings(processes=1))
    await pool.start()
    yield pool
    await pool.close()


@pytest.mark.parametrize("format", ["pdf", "docx", "markdown", "json"])
@pytest.mark.parametrize("raw", [None, raw_data()])
async def test_a_child_gives_what_rendering_gives(pool: RenderPool, format: Format, raw: dict[str, Any] | None) -> None:
    packed = None if raw is None else orjson.dumps(raw)
    rendition = await pool.render(_request(format, raw_data=packed, citation_style="ieee", language="de"))
    document = ResultDocument.parse(sample())
    assert rendition == render(
        format, document, metadata(), session_id="sid", citation_style="ieee", language="de", raw_data=raw
    )


async def test_a_request_that_comes_while_the_pool_warms_waits_for_it() -> None:
    pool = RenderPool(PoolSettings(processes=1))
    warming = asyncio.create_task(pool.start())
    await asyncio.sleep(0)
    renditions = await asyncio.gather(*(pool.render(_request()) for _ in range(3)))
    await warming
    assert len({rendition.body for rendition in renditions}) == 1
    await pool.close()


async def test_more_requests_than_processes_wait_their_turn(pool: RenderPool) -> None:
    titles = [f"Report {index}" for index in range(6)]
    requests = [_request(source=sample() | {"title": title}) for title in titles]
    renditions = await asyncio.gather(*(pool.render(request) for request in requests))
    for title, rendition in zip(titles, renditions, strict=True):
        assert rendition.filename == f"{title}.md"
        assert f"# {title}\n".encode() in rendition.body


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (_request(source={"no": "title"}), "invalid_document: title"),
        (_request(citation_style="no-such"), "unknown_citation_style: no-such"),
    ],
)
async def test_a_refused_document_does_not_end_the_process(
    pool: RenderPool, request_: RenderRequest, reason: str
) -> None:
    with pytest.raises(RenderingFailed, match=reason):
        await pool.render(request_)
    assert (await pool.render(_request())).body


async def test_a_caller_that_goes_away_leaves_the_pool_usable(pool: RenderPool) -> None:
    going = asyncio.create_task(pool.render(_request("pdf")))
    staying = asyncio.create_task(pool.render(_request()))
    await asyncio.sleep(0)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert (await staying).filename.endswith(".md")


# Stand-ins for the child: they speak its protocol, and misbehave on purpose.
_READY = "import sys, os, struct; out = sys.stdout.buffer; out.write(struct.pack('>IQ', 2, 0) + b'{}'); out.flush(); "
_HANGS = _READY + "sys.stdin.buffer.read()"
_DIES = _READY + "sys.stdin.buffer.read(12); os._exit(9)"
_NEVER_READY = "import sys; sys.stdin.buffer.read()"
_FAILS_ONCE = (
    _READY + "import pathlib; mark = pathlib.Path(sys.argv[1]); first = not mark.exists(); mark.touch(); "
    "head = struct.unpack('>IQ', sys.stdin.buffer.read(12)); "
    "os._exit(9) if first else None; sys.stdin.buffer.read(head[0]); "
    'answer = b\'{"media_type":"text/plain","filename":"a.txt"}\'; '
    "out.write(struct.pack('>IQ', len(answer), 4) + answer + b'body'); out.flush()"
)


def _pool(code: str, *arguments: str, **settings: Any) -> RenderPool:
    return RenderPool(PoolSettings(**settings), command=(sys.executable, "-c", code, *arguments))


async def test_a_process_that_hangs_is_killed() -> None:
    pool = _pool(_HANGS, timeout_seconds=0.05)
    with pytest.raises(RenderingTimedOut):
        await pool.render(_request())
    await pool.close()


async def test_a_process_that_never_gets_ready_is_killed() -> None:
    pool = _pool(_NEVER_READY, start_timeout_seconds=0.05)
    with pytest.raises(RenderingCrashed, match="did not start"):
        await pool.start()
    await pool.close()


async def test_a_process_that_cannot_be_started_is_reported() -> None:
    pool = RenderPool(PoolSettings(), command=("/nowhere/python",))
    for begun in (pool.start(), pool.render(_request())):
        with pytest.raises(RenderingCrashed, match="could not be started"):
            await begun
    await pool.close()


async def test_a_process_that_does_not_say_that_it_is_ready_is_ended() -> None:
    pool = _pool("import sys; sys.stdout.buffer.write(b'x' * 4096); sys.stdout.buffer.flush(); sys.stdin.read()")
    for _ in range(2):
        with pytest.raises(RenderingCrashed, match="did not start"):
            await pool.render(_request())
    await pool.close()


async def test_a_process_that_dies_is_reported() -> None:
    pool = _pool(_DIES)
    with pytest.raises(RenderingCrashed, match="died"):
        await pool.render(_request())
    await pool.close()


async def test_the_next_request_gets_a_new_process(tmp_path: Path) -> None:
    pool = _pool(_FAILS_ONCE, str(tmp_path / "mark"))
    with pytest.raises(RenderingCrashed):
        await pool.render(_request())
    assert (await pool.render(_request())).body == b"body"
    await pool.close()


async def test_what_is_left_of_a_bad_answer_is_not_taken_for_the_next(tmp_path: Path) -> None:
    answers = (
        _READY + "import pathlib; mark = pathlib.Path(sys.argv[1]); first = not mark.exists(); mark.touch()\n"
        'answer = b\'no JSON\' if first else b\'{"media_type":"text/plain","filename":"a.txt"}\'\n'
        "while head := sys.stdin.buffer.read(12):\n"
        "    sys.stdin.buffer.read(struct.unpack('>IQ', head)[0])\n"
        "    out.write(struct.pack('>IQ', len(answer), 4) + answer + b'body'); out.flush()"
    )
    pool = _pool(answers, str(tmp_path / "mark"))
    with pytest.raises(RenderingCrashed):
        await pool.render(_request())
    assert (await pool.render(_request())).body == b"body"
    await pool.close()


async def test_a_swollen_process_is_replaced() -> None:
    answers = (
        _READY + "import itertools, json\n"
        "for count in itertools.count(1):\n"
        "    head = struct.unpack('>IQ', sys.stdin.buffer.read(12)); sys.stdin.buffer.read(head[0])\n"
        "    answer = {'media_type': '', 'filename': f'{os.getpid()} {count}', 'spent': count == 2}\n"
        "    frame = json.dumps(answer).encode(); out.write(struct.pack('>IQ', len(frame), 0) + frame); out.flush()"
    )
    pool = _pool(answers)
    served = [(await pool.render(_request())).filename.split() for _ in range(3)]
    await pool.close()
    assert [count for _, count in served] == ["1", "2", "1"]
    assert served[0][0] == served[1][0] != served[2][0]


async def test_closing_ends_what_is_under_way() -> None:
    pool = _pool(_HANGS)
    await pool.start()
    under_way = asyncio.create_task(pool.render(_request()))
    await asyncio.sleep(0)
    await pool.close()
    with pytest.raises(RenderingCrashed):
        await under_way
    with pytest.raises(RenderingCrashed, match="closed"):
        await pool.render(_request())


async def test_children_do_not_see_the_secrets_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRSM_SECRET", "hush")
    answer = (
        _READY + "import json; answer = json.dumps({'media_type': '', 'filename': ' '.join(os.environ)}).encode(); "
        "sys.stdin.buffer.read(12); out.write(struct.pack('>IQ', len(answer), 0) + answer); out.flush()"
    )
    pool = _pool(answer)
    names = (await pool.render(_request())).filename.split()
    await pool.close()
    assert "PRSM_SECRET" not in names
    assert set(names) <= {"PATH", "TMPDIR", "LANG", "PYTHONPATH", "LC_CTYPE", "PRSM_RENDERING_FONTS"}


async def test_files_in_the_current_directory_do_not_stand_in_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orjson.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    pool = RenderPool(PoolSettings(processes=1))
    try:
        assert (await pool.render(_request())).body
    finally:
        await pool.close()


def test_memory_of_a_child_is_bounded() -> None:
    code = (
        "from services.results.rendering.child import limit; limit(256 << 20)\n"
        "try: bytearray(512 << 20)\n"
        "except MemoryError: print('bounded')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "bounded\n"


def test_a_child_ends_with_its_input() -> None:
    command = [sys.executable, "-m", "services.results.rendering.child"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd()}
    done = subprocess.run(command, input=b"", capture_output=True, env=environment, timeout=60, check=True)
    assert done.stdout.endswith(b'{"ready":true}')
