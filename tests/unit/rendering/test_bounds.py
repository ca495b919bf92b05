"""What bounds a rendering: how many wait, how large a document may become, how many pages it may have."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Any

import orjson
import pypdf
import pytest

from services.results.errors import ExportTooLarge
from services.results.rendering.document import ResultDocument
from services.results.rendering.pdf.page_count import NoPageTree, page_count
from services.results.rendering.pool import DocumentTooLarge, PoolSettings, RenderingBusy, RenderingFailed, RenderPool
from services.results.rendering.protocol import RenderRequest
from services.results.rendering.render import TooManyPages, render
from tests.unit.rendering.sample import metadata, sample

REQUEST = RenderRequest("pdf", orjson.dumps(sample()), "s1")

# Stand-ins for the child: they speak its protocol, and answer what they are told.
_READY = "import sys, struct; out = sys.stdout.buffer; out.write(struct.pack('>IQ', 2, 0) + b'{}'); out.flush(); "
_TAKE = "head = struct.unpack('>IQ', sys.stdin.buffer.read(12)); sys.stdin.buffer.read(head[0]); "
_SAY = (
    _READY
    + _TAKE
    + "answer = sys.argv[1].encode(); out.write(struct.pack('>IQ', len(answer), 0) + answer); out.flush()"
)
_FLOOD = (
    _READY + _TAKE + "out.write(struct.pack('>IQ', 2, 10**9) + b'{}' + b'x' * 10**6); out.flush(); sys.stdin.read()"
)
_HANGS = _READY + "sys.stdin.buffer.read()"


def pool(code: str, *arguments: str, **settings: Any) -> RenderPool:
    return RenderPool(PoolSettings(**settings), command=(sys.executable, "-c", code, *arguments))


async def test_one_more_than_may_wait_is_told_when_to_come_back() -> None:
    full = pool(_HANGS, waiting=1)
    begun = asyncio.Event()
    first = asyncio.create_task(full.render(REQUEST, begun=begun.set))
    await begun.wait()
    second = asyncio.create_task(full.render(REQUEST))
    await asyncio.sleep(0)
    assert full.waiting == 1
    with pytest.raises(RenderingBusy) as caught:
        await full.render(REQUEST)
    assert 1 <= caught.value.retry_after <= 60
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert full.waiting == 0
    await full.close()
    await asyncio.gather(first, return_exceptions=True)


async def test_who_waits_holds_no_document_yet() -> None:
    held = pool(_HANGS)
    begun, gathered = asyncio.Event(), asyncio.Event()

    async def gather() -> RenderRequest:
        gathered.set()
        return REQUEST

    first = asyncio.create_task(held.render(REQUEST, begun=begun.set))
    await begun.wait()
    second = asyncio.create_task(held.render(gather))
    await asyncio.sleep(0)
    assert held.waiting == 1
    assert not gathered.is_set()
    second.cancel()
    await held.close()
    await asyncio.gather(first, second, return_exceptions=True)


async def test_what_fails_to_be_gathered_gives_the_process_back() -> None:
    made = pool(_SAY, '{"error": "failed", "message": "no"}')

    async def gather() -> RenderRequest:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await made.render(gather)
    with pytest.raises(RenderingFailed, match="no"):
        await made.render(REQUEST)
    await made.close()


@pytest.mark.parametrize(
    ("code", "said", "bound", "limit"),
    [
        (_FLOOD, "", "bytes", 1000),
        (_SAY, '{"error": "too_large", "message": ""}', "memory", 2 << 30),
        (_SAY, '{"error": "too_many_pages", "message": ""}', "pages", 7),
    ],
)
async def test_bounds_are_named(code: str, said: str, bound: str, limit: int) -> None:
    made = pool(code, said, output_bytes=1000, pages=7)
    with pytest.raises(DocumentTooLarge) as caught:
        await made.render(REQUEST)
    assert (caught.value.bound, caught.value.limit) == (bound, limit)
    await made.close()


def test_pages_are_counted_and_bounded() -> None:
    document = ResultDocument.parse(sample())
    made = render("pdf", document, metadata(), session_id="s1", citation_style="apa", language="en")
    count = page_count(made.body)
    assert count == len(pypdf.PdfReader(io.BytesIO(made.body)).pages) > 0
    with pytest.raises(TooManyPages, match=f"{count} pages"):
        render(
            "pdf",
            document,
            metadata(),
            session_id="s1",
            citation_style="apa",
            language="en",
            most_pages=count - 1,
        )


@pytest.mark.parametrize("text", [b"", b"%PDF-1.7", b"startxref\n9\n%%EOF", b"startxref\n99999\n%%EOF\n"])
def test_what_is_no_pdf_of_ours_has_no_pages(text: bytes) -> None:
    with pytest.raises(NoPageTree):
        page_count(text)


@pytest.mark.parametrize(
    ("format", "bound", "limit", "raw", "message"),
    [
        ("pdf", "pages", 2000, False, "As pdf the document has more than 2,000 pages: choose markdown or json"),
        (
            "docx",
            "seconds",
            30.0,
            True,
            "As docx the document takes longer to make than 30 seconds: choose markdown or json, or leave "
            "include_raw_data out",
        ),
        (
            "json",
            "bytes",
            64 << 20,
            False,
            "As json the document has more than 67,108,864 bytes: read it by parts, with fields and limit, at /results",
        ),
    ],
)
def test_the_error_says_what_to_do(format: str, bound: str, limit: float, raw: bool, message: str) -> None:
    error = ExportTooLarge(format, bound, limit, raw_data=raw)
    assert error.message == message
