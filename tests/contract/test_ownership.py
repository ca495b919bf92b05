"""Another user's documents over REST: every path that takes an id answers as for one that does not exist."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.contract.assertions import assert_error
from tests.contract.described import document
from tests.contract.scenarios.styles import CSL
from tests.contract.world import World
from tests.support.rest import API, Answer, Api

UNKNOWN = "0192f0aa-1111-7000-8000-00000000000f"
PEAT = "Peat is made of moss. Bogs keep carbon for thousands of years."


def _paths() -> list[tuple[str, str]]:
    """Method and path of every operation whose path takes a document's id."""
    paths: dict[str, dict[str, Any]] = document()["paths"]
    return [(method.upper(), path) for path, of_path in paths.items() if "{document_id}" in path for method in of_path]


def _shown(answer: Answer) -> Any:
    """The body without what differs from request to request."""
    body = answer.body
    return {name: body[name] for name in body if name not in ("timestamp", "request_id")}


async def _theirs(api: Api) -> list[str]:
    form = aiohttp.FormData()
    form.add_field("file", b"depth,carbon\n1,20.5\n", filename="cores.csv")
    table = (await api.send("POST", f"{API}/documents/upload", raw=form)).expect(201)
    made = await api.post(
        "/documents",
        {"title": "Bogs", "text": PEAT, "external_id": "a1", "metadata": {"doi": "10.1000/bog"}},
        status=201,
    )
    return [made["document_id"], table["document_id"], await api.add_document("Bogs", PEAT)]


async def test_every_path(world: World) -> None:
    ada, ben = world.people.new(), world.people.new()
    paths = _paths()
    assert len(paths) == 3
    for document_id in await _theirs(ada):
        for method, path in paths:
            theirs, unknown = [
                await ben.send(method, path.replace("{document_id}", each)) for each in (document_id, UNKNOWN)
            ]
            assert_error(theirs, 404, "document_not_found")
            assert _shown(theirs) == _shown(unknown)
        assert (await ada.get(f"/documents/{document_id}"))["document_id"] == document_id


async def test_bodies_that_name_documents(world: World) -> None:
    ada, ben = world.people.new(), world.people.new()
    ids = await _theirs(ada)
    assert (await ben.get("/documents"))["documents"] == []
    search = {"query": "peat moss carbon", "document_ids": ids}
    assert await ben.post("/documents/search", search) == {"hits": []}
    for number, document_id in enumerate(ids):
        for kind, session_type in (("documents", "research"), ("datasets", "analysis")):
            for path in ("/sessions", "/sessions/estimate"):
                refusals = [
                    await ben.send(
                        "POST",
                        API + path,
                        body={
                            "prompt": "What keeps carbon?",
                            "session_type": session_type,
                            "inputs": {kind: [{"document_id": each}]},
                        },
                    )
                    for each in (document_id, UNKNOWN)
                ]
                assert_error(refusals[0], 400, "validation_error")
                assert _shown(refusals[0]) == _shown(refusals[1]), number
                assert refusals[0].fields == [f"inputs.{kind}[0].document_id"]


async def test_an_equal_document_tells_nothing(world: World) -> None:
    ada, ben = world.people.new(), world.people.new()
    ids = await _theirs(ada)
    equal = await _theirs(ben)
    assert set(ids).isdisjoint(equal)
    for document_id in equal:
        card = await ben.get(f"/documents/{document_id}")
        assert card.get("same_work_as") in (None, *equal)
        assert "duplicate_of" not in card


@pytest.mark.parametrize(
    ("url", "issue"),
    [
        ("http://127.0.0.1/a.pdf", "leads to an address that is not public: upload the file instead"),
        ("http://169.254.169.254/latest/meta-data/", "leads to an address that is not public: upload the file instead"),
        ("http://[::ffff:127.0.0.1]/", "leads to an address that is not public: upload the file instead"),
        ("http://localhost/", "leads to an address that is not public: upload the file instead"),
        ("file:///etc/passwd", "must begin with http:// or https://"),
        ("https://user:secret@example.org/", "must not hold a user name or a password"),
    ],
)
async def test_addresses_inside_are_refused(world: World, url: str, issue: str) -> None:
    api = world.people.new()
    for path in ("/sessions", "/sessions/estimate"):
        body = {"prompt": "What keeps carbon?", "inputs": {"documents": [{"url": url}]}}
        answer = await api.send("POST", API + path, body=body)
        assert_error(answer, 400, "validation_error")
        assert answer.body["details"]["fields"] == [{"field": "inputs.documents[0].url", "issue": issue}]


async def test_citation_styles(world: World) -> None:
    ada, ben = world.people.new(), world.people.new()
    style = await ada.post("/citation-styles", {"csl": CSL}, status=201)
    theirs, unknown = style["style_id"], UNKNOWN
    assert theirs not in [each["style_id"] for each in (await ben.get("/citation-styles"))["styles"]]
    for method in ("GET", "DELETE"):
        answers = [await ben.send(method, f"{API}/citation-styles/{each}") for each in (theirs, unknown)]
        assert_error(answers[0], 404, "citation_style_not_found")
        assert _shown(answers[0]) == _shown(answers[1])
    refusals = [
        await ben.send("POST", f"{API}/sessions", body={"prompt": "Why?", "preferences": {"citation_style": each}})
        for each in (theirs, unknown)
    ]
    assert refusals[0].fields == ["preferences.citation_style"]
    # Each repeats what was given, and says nothing else.
    told = [str(_shown(refusal)).replace(each, "…") for refusal, each in zip(refusals, (theirs, unknown), strict=True)]
    assert told[0] == told[1]
    assert (await ada.get(f"/citation-styles/{theirs}"))["csl"] == CSL
