"""Documents, and bodies that carry them."""

from __future__ import annotations

from tests.contract.scenarios.registry import Given, scenario
from tests.contract.scenarios.sessions import multipart
from tests.contract.world import World
from tests.support.rest import API

_NDJSON = {"Content-Type": "application/x-ndjson"}
_NOTE = b"# A note\n\nThe ocean takes up carbon dioxide from the air.\n"
_ARTICLE = b"""<html><head>
<meta name="citation_title" content="The sea and the air">
<meta name="citation_author" content="Ada Byron"><meta name="citation_publication_date" content="1999/03/04">
<meta name="citation_doi" content="10.1000/sea.1999">
</head><body><h1>The sea and the air</h1><p>The ocean takes up carbon dioxide from the air.</p></body></html>"""
_BROKEN_PDF = b"%PDF-1.7\nthis is no document\n"


def _form(world: World, files: list[tuple[str, bytes]]) -> Given:
    body, content_type = multipart(files)
    return Given(world.people.new(), raw=body, headers={"Content-Type": content_type})


@scenario
async def own_document(world: World) -> Given:
    api = world.people.new()
    return Given(api, {"document_id": await api.add_document("A note", _NOTE.decode())})


@scenario
async def document_with_external_id(world: World) -> Given:
    """For the creation of one, and for its reading."""
    api = world.people.new()
    body = {"title": "A note", "text": _NOTE.decode(), "external_id": "shelf-7"}
    document = await api.post("/documents", body, status=201)
    return Given(api, {"document_id": document["document_id"]}, body=body)


@scenario
async def uploaded_article(world: World) -> Given:
    """A file that says of itself who wrote it, when, and under which DOI."""
    made = _form(world, [("article.html", _ARTICLE)])
    answer = await made.api.send("POST", f"{API}/documents/upload", raw=made.raw, headers=made.headers)
    return Given(made.api, {"document_id": answer.expect(201)["document_id"]})


@scenario
async def one_file(world: World) -> Given:
    return _form(world, [("note.md", _NOTE)])


@scenario
async def several_files(world: World) -> Given:
    """The last of them cannot be read."""
    return _form(world, [("note.md", _NOTE), ("table.csv", b"x,y\n1,2\n3,4\n"), ("broken.pdf", _BROKEN_PDF)])


@scenario
async def unreadable_file(world: World) -> Given:
    return _form(world, [("broken.pdf", _BROKEN_PDF)])


@scenario
async def no_file(world: World) -> Given:
    return _form(world, [])


@scenario
async def three_lines(world: World) -> Given:
    lines = b"".join(
        b'{"title": "Note %d", "text": "Carbon in the sea.", "external_id": "n%d"}\n' % (n, n) for n in range(3)
    )
    return Given(world.people.new(), raw=lines, headers=_NDJSON)


@scenario
async def searchable_library(world: World) -> Given:
    async def make() -> Given:
        api = world.people.new()
        return Given(api, values={"document_id": await api.add_document("A note", _NOTE.decode())})

    return await world.keep("searchable", make)
