"""A local server that speaks as OpenAlex, arXiv, Crossref and Europe PMC do, and misbehaves where a test wants it."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.support.scholarly import formats
from tests.support.scholarly.papers import PAPERS, Paper, found

NAMES = ("openalex", "arxiv", "crossref", "europepmc")
ATOM = "application/atom+xml"


@dataclass(frozen=True)
class Fault:
    """An answer in place of the right one. `cut` promises more than it sends; `hang` never answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False


@dataclass
class Scholarly:
    """The server. `faults` of a service are used up one by one; `asked` are its requests."""

    papers: Sequence[Paper] = PAPERS
    most_on_page: int = 100
    url: str = ""
    asked: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def urls(self) -> dict[str, str]:
        """The services' addresses, by their names."""
        return {name: f"{self.url}/{name}" for name in NAMES}

    def fail(self, name: str, *faults: Fault) -> None:
        self.faults[name].extend(faults)

    @property
    def requests(self) -> int:
        return sum(map(len, self.asked.values()))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked[name].append({**request.query, "path": request.path, "agent": request.headers["User-Agent"]})
        if self.faults[name]:
            return await self._fault(request, self.faults[name].popleft())
        return getattr(self, f"_{name}")(request.query)  # type: ignore[no-any-return]

    async def full_text(self, request: web.Request) -> web.StreamResponse:
        self.asked["fulltext"].append({"path": request.path})
        if self.faults["fulltext"]:
            return await self._fault(request, self.faults["fulltext"].popleft())
        paper = next(paper for paper in self.papers if paper.pmcid == request.match_info["pmcid"])
        return web.Response(text=formats.jats(paper), content_type="application/xml")

    async def file(self, request: web.Request) -> web.StreamResponse:
        self.asked["files"].append({"path": request.path})
        paper = next(paper for paper in self.papers if f"{paper.number}.pdf" == request.match_info["name"])
        return web.Response(body=formats.pdf(paper), content_type="application/pdf")

    async def _fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.hang:
            await self._over.wait()
        if not fault.cut:
            headers = {**fault.headers, "Content-Type": fault.content_type}
            return web.Response(status=fault.status, body=fault.body, headers=headers)
        response = web.StreamResponse(headers={"Content-Type": fault.content_type})
        response.content_length = len(fault.body) + 1000
        await response.prepare(request)
        await response.write(fault.body)
        assert request.transport is not None
        request.transport.close()
        return response

    def _openalex(self, query: dict[str, str]) -> web.Response:
        size = self._size(query["per-page"])
        begin = int(query["cursor"].removeprefix("*") or 0) if "cursor" in query else (int(query["page"]) - 1) * size
        works = found([paper for paper in self.papers if not paper.retracted], query["search"])
        page = works[begin : begin + size]
        following = str(begin + size) if "cursor" in query and page else None
        return _json(formats.openalex(page, len(works), following, f"{self.url}/files"))

    def _crossref(self, query: dict[str, str]) -> web.Response:
        size, begin = self._size(query["rows"]), int(query["offset"])
        words = " OR ".join(query["query.bibliographic"].split())
        works = [paper for paper in found(self.papers, words) if paper.doi and not paper.retracted]
        return _json(formats.crossref(works[begin : begin + size], len(works), f"{self.url}/files"))

    def _europepmc(self, query: dict[str, str]) -> web.Response:
        size, begin = self._size(query["pageSize"]), int(query["cursorMark"].removeprefix("*") or 0)
        works = [paper for paper in found(self.papers, query["query"]) if paper.doi]
        page = works[begin : begin + size]
        following = str(begin + size) if begin + size < len(works) else query["cursorMark"]
        return _json(formats.europepmc(page, len(works), following))

    def _arxiv(self, query: dict[str, str]) -> web.Response:
        size, begin = self._size(query["max_results"]), int(query["start"])
        works = [paper for paper in found(self.papers, query["search_query"]) if paper.arxiv]
        return web.Response(text=formats.arxiv(works[begin : begin + size], len(works), begin), content_type=ATOM)

    def _size(self, asked: str) -> int:
        return min(int(asked), self.most_on_page)


def _json(value: object) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")


@asynccontextmanager
async def running_scholarly(papers: Sequence[Paper] = PAPERS) -> AsyncIterator[Scholarly]:
    """The server on a free port of this machine."""
    server = Scholarly(papers)
    app = web.Application()
    app.router.add_get("/europepmc/{pmcid:PMC\\d+}/fullTextXML", server.full_text)
    app.router.add_get("/files/{name}", server.file)
    app.router.add_get("/{name}/{path:works|query|search}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server._over.set()
        await runner.cleanup()
