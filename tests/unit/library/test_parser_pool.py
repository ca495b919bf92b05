from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typst

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import Kind, ParseLimits
from services.library.parsing.pool import ParserPool

MIB = 1024 * 1024

# A parser that does what its input says; all else about the process is the real thing.
OBEDIENT = """
import os, signal, sys, time
from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.child import main
from services.library.parsing.document import Kind, ParsedDocument

def parse(data, filename, content_type, limits):
    word = data.decode()
    if word == "hang":
        while True:
            signal.pause()
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "exit":
        os._exit(0)
    if word == "allocate":
        bytearray(2 * limits.memory_bytes)
    if word == "abort":
        os.abort()
    if word == "exhaust":
        held = b"x" * (limits.memory_bytes * 6 // 10)
        os.abort()
    if word == "raise":
        raise KeyError("what nobody should read")
    if word == "write":
        with open(os.path.join(os.path.dirname(__file__), "left"), "wb") as file:
            file.write(b"behind")
    if word == "print":
        print("noise on standard output", flush=True)
        os.write(1, b"more noise")
    if word == "environment":
        word = " ".join(sorted(os.environ))
    if word == "refuse":
        raise DocumentUnreadable(UnreadableCause.NO_TEXT, "None.")
    return ParsedDocument(filename, Kind.CSV, word)

main(parse)
"""


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    script = tmp_path / "obedient.py"
    script.write_text(OBEDIENT)
    return (sys.executable, str(script))


async def cause(pool: ParserPool, word: str) -> UnreadableCause:
    with pytest.raises(DocumentUnreadable) as raised:
        await pool.parse(word.encode(), filename="x.csv")
    assert "nobody" not in str(raised.value)
    return raised.value.cause


async def test_real_parsers_read_real_files() -> None:
    async with ParserPool(size=1) as pool:
        table = await pool.parse(b"a,b\n1,2\n", filename="t.csv")
        paper = await pool.parse(typst.compile(b"= Bogs\n\nThey are wet."), filename="p.pdf")
        page = await pool.parse(b"<p>Hi", filename="", content_type="text/html")
    assert (table.text, table.kind, table.is_dataset) == ("a,b\n1,2\n", Kind.CSV, True)
    assert paper.text == "Bogs\n\nThey are wet."
    assert paper.pages[0].end == len(paper.text)
    assert (page.text, page.kind) == ("Hi", Kind.HTML)


async def test_small_plain_text_needs_no_process() -> None:
    async with ParserPool(size=1, command=("/nonexistent",)) as pool:
        document = await pool.parse("Größe".encode(), filename="n.txt")
        assert document.text == "Größe"
        with pytest.raises(OSError, match="nonexistent"):
            await pool.parse(b"a,b", filename="t.csv")
        with pytest.raises(OSError, match="nonexistent"):
            await pool.parse(b"<html>", filename="t.html")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("crash", UnreadableCause.PARSER_FAILED),
        ("exit", UnreadableCause.PARSER_FAILED),
        ("raise", UnreadableCause.PARSER_FAILED),
        ("write", UnreadableCause.PARSER_FAILED),
        ("allocate", UnreadableCause.MEMORY_LIMIT),
        ("refuse", UnreadableCause.NO_TEXT),
    ],
)
async def test_a_bad_file_harms_only_itself(
    command: tuple[str, ...], tmp_path: Path, word: str, expected: UnreadableCause
) -> None:
    async with ParserPool(size=1, command=command, limits=ParseLimits(memory_bytes=400 * MIB)) as pool:
        assert await cause(pool, word) is expected
        assert (await pool.parse(b"fine", filename="x.csv")).text == "fine"
    if word == "write":
        assert (tmp_path / "left").read_bytes() == b""


def test_a_process_that_ends_itself_for_want_of_memory_is_told_from_a_crash(command: tuple[str, ...]) -> None:
    # A process inherits the most memory that those before it held, so the limit has to be well above that of this one.
    program = f"""
import asyncio, resource
from services.library.errors import DocumentUnreadable
from services.library.parsing.document import ParseLimits
from services.library.parsing.pool import ParserPool

async def main():
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    limits = ParseLimits(memory_bytes=max(600 * {MIB}, 2 * inherited))
    async with ParserPool(size=1, command={command!r}, limits=limits) as pool:
        for word in ("exhaust", "abort"):
            try:
                await pool.parse(word.encode(), filename="x.csv")
            except DocumentUnreadable as error:
                print(error.cause.value)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["memory_limit", "parser_failed"]


async def test_what_hangs_is_killed_and_replaced(command: tuple[str, ...]) -> None:
    async with ParserPool(size=1, command=command) as pool:
        assert (await pool.parse(b"warm", filename="x.csv")).text == "warm"
        before, limits = pool.pids, pool.limits
        pool.limits = replace(limits, seconds=0.1)
        assert await cause(pool, "hang") is UnreadableCause.TIMEOUT
        pool.limits = limits
        assert (await pool.parse(b"fine", filename="x.csv")).text == "fine"
        assert len(pool.pids) == 1
        assert pool.pids.isdisjoint(before)


async def test_a_cancelled_parse_ends_its_process(command: tuple[str, ...]) -> None:
    async with ParserPool(size=1, command=command) as pool:
        task = asyncio.create_task(pool.parse(b"hang", filename="x.csv"))
        await asyncio.sleep(0)
        assert pool.busy == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await pool.parse(b"fine", filename="x.csv")).text == "fine"


async def test_more_files_than_processes_wait_their_turn(command: tuple[str, ...]) -> None:
    async with ParserPool(size=2, command=command) as pool:
        words = [f"word {number}" for number in range(20)]
        read = await asyncio.gather(*(pool.parse(word.encode(), filename="x.csv") for word in words))
        assert [document.text for document in read] == words
        assert len(pool.pids) == 2


async def test_the_parser_cannot_spoil_the_protocol_and_sees_no_secrets(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_KEY", "secret")
    async with ParserPool(size=1, command=command) as pool:
        assert (await pool.parse(b"print", filename="x.csv")).text == "print"
        environment = (await pool.parse(b"environment", filename="x.csv")).text
    assert "PYTHONPATH" in environment
    assert "SIGNING_KEY" not in environment


async def test_an_answer_that_is_none_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "liar.py"
    script.write_text(
        "import struct, sys\nsys.stdin.buffer.read(12)\n"
        "sys.stdout.buffer.write(struct.pack('>Q', 1 << 60))\nsys.stdout.flush()\nsys.stdin.buffer.read()\n"
    )
    async with ParserPool(size=1, command=(sys.executable, str(script))) as pool:
        assert await cause(pool, "x") is UnreadableCause.PARSER_FAILED


async def test_closing_ends_every_process(command: tuple[str, ...]) -> None:
    async with ParserPool(size=3, command=command) as pool:
        reading = asyncio.create_task(cause(pool, "hang"))
        await asyncio.sleep(0)
        assert pool.busy == 1
        started = pool.pids
        assert len(started) == 3
    assert await reading is UnreadableCause.PARSER_FAILED
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(DocumentUnreadable):
        await pool.parse(b"late", filename="x.csv")


async def test_a_file_over_the_limit_never_reaches_a_process() -> None:
    async with ParserPool(size=1, command=("/nonexistent",), limits=ParseLimits(file_bytes=10)) as pool:
        assert await cause(pool, "x" * 11) is UnreadableCause.TOO_LARGE


def test_the_service_itself_loads_no_parser() -> None:
    parsers = "pypdfium2", "docx", "lxml", "selectolax", "python_calamine", "pyarrow", "bibtexparser", "rispy"
    check = f"import sys, services.library.parsing.pool\nprint([m for m in {parsers} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
