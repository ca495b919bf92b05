"""Large results: time, processor time and memory of the results service for a document of a million passages.

    python -m bench.results_size [--passages 1000000] [--each 100] [--report] [--whole]

The document is made here and uploaded as a worker does, piece by piece; then it is read over gRPC as the gateway does:
the first page, the page after it, a page from the middle, one member, all of it. The service runs in a process of its
own, with its session and collab services in memory; its peak resident memory is the kernel's (VmHWM), begun anew before
each step. The process that indexes the document is counted apart. `--report` also renders Markdown and the archive with
raw data, which starts a rendering process. `--whole` reads all of it as small results are read, parsed in the service.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import orjson
import structlog

from bench.processes import machine, peak, usage
from kit.auth.internal import InternalSigner
from kit.auth.keys import load_key
from kit.db.database import open_database
from kit.db.migrate import schema_of, upgrade
from kit.rpc.client import Peer
from kit.times import ManualClock
from prsm.results.v1 import artifacts_pb2, artifacts_pb2_grpc, results_pb2, results_pb2_grpc
from services.results.domain import ArtifactKey
from services.results.rendering.pool import PoolSettings, RenderPool
from tests.integration.results.stand import SESSION, Stand

_PACKAGE = "services.results"
_PIECE = 256 * 1024
_SHA = hashlib.sha256(b"stored text").hexdigest()
_QUOTE = "Measured burial was {n} grams a year in marsh {source}, more than expected."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=100, help="passages of one source")
    parser.add_argument("--report", action="store_true", help="render Markdown and the archive as well")
    parser.add_argument("--whole", action="store_true", help="read it as small results are read, for comparison")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(_serve(Path(arguments.serve), whole=arguments.whole))
    else:
        asyncio.run(_measure(arguments.passages, arguments.each, report=arguments.report, whole=arguments.whole))


def document(passages: int, each: int) -> AsyncIterator[bytes]:
    """A canonical result document, piece by piece."""

    async def parts() -> AsyncIterator[bytes]:
        sources = passages // each
        yield b'{"citations":['
        for source in range(sources):
            yield (b"," if source else b"") + orjson.dumps(_citation(source, each), option=orjson.OPT_SORT_KEYS)
        rest = {
            "confidence_score": 0.75,
            "figures": [],
            "key_findings": [
                {"citations": [f"r{n}"], "confidence": 0.8, "id": f"f{n}", "text": f"Marsh {n} buries carbon."}
                for n in range(10)
            ],
            "partial": False,
            "sections": [],
            "summary": "Salt marshes bury carbon.",
            "tables": [],
            "title": "Carbon in salt marshes",
        }
        yield b"]," + orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)[1:]

    return _portions(parts())


def _citation(source: int, each: int) -> dict[str, Any]:
    return {
        "authors": ["Rivers, A."],
        "csl": {"id": f"r{source}", "title": f"Marsh soils {source}", "type": "article-journal"},
        "document_id": f"0192f0aa-2222-7000-8000-{source:012d}",
        "doi": None,
        "id": f"r{source}",
        "passages": [
            {
                "end": n * 200 + 75,
                "page": n // 8 + 1,
                "quote": _QUOTE.format(n=n, source=source),
                "sha256": _SHA,
                "start": n * 200,
            }
            for n in range(each)
        ],
        "title": f"Marsh soils {source}",
        "url": None,
        "year": 2011,
    }


async def _portions(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    async for part in parts:
        held += part
        while len(held) >= _PIECE:
            yield bytes(held[:_PIECE])
            del held[:_PIECE]
    yield bytes(held)


async def _serve(folder: Path, *, whole: bool) -> None:
    """The service; says on its output where it is and what a user's call carries, ends with its input."""
    # Standard output is for what the other side reads.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    url = f"sqlite:///{folder}/results.db"
    await asyncio.to_thread(upgrade, _PACKAGE, url)
    db = open_database(url, schema=schema_of(_PACKAGE))
    pool = RenderPool(PoolSettings())
    stand = Stand(db, pool, folder, artifact_mb=256, split_kb=1 << 30 if whole else 4096)
    await stand.start()
    facts = {
        "port": stand.port,
        "user": stand.identities.user_metadata("ada"),
        "grant": list(stand.grant().items()),
    }
    print(json.dumps(facts), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().strip():
        stand.sessions.results[SESSION] = ArtifactKey(SESSION, 1, line)
    await stand.stop()
    await pool.close()
    await db.close()


class _Bench:
    def __init__(self, pid: int, channel: grpc.aio.Channel, user: list[Any]) -> None:
        self._pid = pid
        self.results = results_pb2_grpc.ResultsServiceStub(channel)
        self._user = tuple((key, value) for key, value in user)
        print(f"{'':<34}{'MB':>8}{'first s':>9}{'s':>8}{'cpu s':>8}{'peak MB':>9}")

    async def step(self, name: str, work: Callable[[], Awaitable[tuple[int, float]]]) -> None:
        """Measure one; `work` gives bytes and the moment of the first of them."""
        (Path("/proc") / str(self._pid) / "clear_refs").write_text("5")
        before, began = usage(self._pid), time.perf_counter()
        size, first = await work()
        took = time.perf_counter() - began
        cpu = usage(self._pid).cpu - before.cpu
        print(f"{name:<34}{size / 1e6:>8.2f}{first - began:>9.3f}{took:>8.2f}{cpu:>8.2f}{peak(self._pid) / 1e6:>9.0f}")

    async def read(self, keep: list[bytes] | None = None, **request: Any) -> tuple[int, float]:
        message = results_pb2.ReadResultsRequest(session_id=SESSION, **request)
        return await self._bytes(self.results.ReadResults(message, metadata=self._user, timeout=600), keep)

    async def export(self, **request: Any) -> tuple[int, float]:
        message = results_pb2.ExportResultsRequest(session_id=SESSION, **request)
        return await self._bytes(self.results.ExportResults(message, metadata=self._user, timeout=600), None)

    async def _bytes(self, call: Any, keep: list[bytes] | None) -> tuple[int, float]:
        size, first = 0, 0.0
        async for body in call:
            first = first or time.perf_counter()
            size += len(body.data)
            if keep is not None:
                keep.append(body.data)
        return size, first


async def _measure(passages: int, each: int, *, report: bool, whole: bool) -> None:
    print(machine())
    print(f"{passages:,} passages of {passages // each:,} sources")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.results_size", "--serve", name, *(["--whole"] if whole else [])),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            facts = json.loads(await process.stdout.readline())
            async with grpc.aio.insecure_channel(f"127.0.0.1:{facts['port']}") as channel:
                bench = _Bench(process.pid, channel, facts["user"])
                upload = _Upload(channel, folder, facts["grant"])
                print(f"{'at rest':<34}{'':>33}{usage(process.pid).resident / 1e6:>9.0f}")
                await bench.step("upload", lambda: upload.send(document(passages, each)))
                process.stdin.write(f"{upload.hash}\n".encode())
                await process.stdin.drain()
                if whole:
                    await bench.step("all of it", bench.read)
                else:
                    await _steps(bench, report=report)
        finally:
            process.stdin.close()
            await process.wait()


async def _steps(bench: _Bench, *, report: bool) -> None:
    kept: list[bytes] = []
    await bench.step("first page, waits for the index", lambda: bench.read(kept, limit=20))
    page = orjson.loads(b"".join(kept))["page"]["blocks"][0]
    await bench.step("first page again", lambda: bench.read(limit=20))
    cursor = page["next_cursor"]
    await bench.step("next page", lambda: bench.read(fields="citations", limit=20, cursor=cursor))
    middle = f"citations.{page['total'] // 2}.passages"
    await bench.step("passages of one source", lambda: bench.read(fields=middle, limit=1000))
    await bench.step("results and summary alone", lambda: bench.read(fields="results,summary"))
    await bench.step("all of it", bench.read)
    await bench.step("JSON export with raw data", lambda: bench.export(format="json", include_raw_data=True))
    if report:
        await bench.step("Markdown", lambda: bench.read(format="markdown"))
        await bench.step("archive", lambda: bench.export(format="markdown", include_raw_data=True))


class _Upload:
    def __init__(self, channel: grpc.aio.Channel, folder: Path, grant: list[Any]) -> None:
        signer = InternalSigner(load_key(folder / "worker.json"), "worker", ManualClock())
        self._stub = artifacts_pb2_grpc.ArtifactServiceStub(channel)
        self._peer = Peer("results", signer)
        self._grant = [(key, value) for key, value in grant]
        self.hash = ""

    async def send(self, pieces: AsyncIterator[bytes]) -> tuple[int, float]:
        async def requests() -> AsyncIterator[artifacts_pb2.PutArtifactRequest]:
            kind = artifacts_pb2.PutArtifactRequest.KIND_RESULT
            async for piece in pieces:
                yield artifacts_pb2.PutArtifactRequest(kind=kind, chunk=piece)

        stored = await self._peer.call(self._stub.PutArtifact, requests(), timeout=600, extra=self._grant)
        self.hash = stored.hash
        return int(stored.size), time.perf_counter()


if __name__ == "__main__":
    main()
