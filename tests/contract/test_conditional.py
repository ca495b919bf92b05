"""Documents have a tag: who has one already is told so in no more than that, and only as long as they may have it."""

from __future__ import annotations

import pytest

from tests.contract.assertions import assert_error
from tests.contract.calls import given
from tests.contract.world import World
from tests.support.rest import API

DOCUMENTS = [
    ("export", {"format": "pdf"}),
    ("export", {"format": "json"}),
    ("results", {}),
    ("results", {"format": "pdf"}),
]


@pytest.mark.parametrize(("what", "query"), DOCUMENTS)
async def test_a_document_that_the_client_has_is_not_sent_again(world: World, what: str, query: dict[str, str]) -> None:
    made = await given(world, "completed_session")
    path = f"{API}/sessions/{made.path['session_id']}/{what}"
    first = await made.api.send("GET", path, query=query)
    assert first.status == 200, first.text
    assert first.headers["Content-Length"] == str(len(first.content))
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (first.headers["Vary"], first.headers["Accept-Ranges"]) == ("Authorization, X-API-Key", "none")
    tag = first.headers["ETag"]
    again = await made.api.send("GET", path, query=query, headers={"If-None-Match": f'W/"x", {tag}'})
    assert (again.status, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert not {"Content-Type", "Content-Length", "Content-Disposition"} & set(again.headers)
    changed = await made.api.send("GET", path, query=query, headers={"If-None-Match": '"x"'})
    assert (changed.status, changed.headers["ETag"], changed.content) == (200, tag, first.content)


async def test_revoked_access_acts_on_what_is_kept(world: World) -> None:
    made = await given(world, "completed_session")
    session_id = made.path["session_id"]
    reader = world.people.new()
    path = f"{API}/sessions/{session_id}/export"
    share = await made.api.share(session_id, reader.user)
    answer = await reader.send("GET", path, query={"format": "markdown"})
    assert answer.status == 200, answer.text
    known = {"If-None-Match": answer.headers["ETag"]}
    assert (await reader.send("GET", path, query={"format": "markdown"}, headers=known)).status == 304
    await made.api.send("DELETE", f"{API}/sessions/{session_id}/shares/{share['share_id']}")
    for headers in ({}, known, {"If-None-Match": "*"}):
        refused = await reader.send("GET", path, query={"format": "markdown"}, headers=headers)
        assert_error(refused, 403, "session_not_accessible")
    stranger = await world.people.new().send("GET", path, query={"format": "markdown"}, headers=known)
    assert_error(stranger, 404, "session_not_found")
