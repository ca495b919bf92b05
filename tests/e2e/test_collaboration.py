"""Working together on a finished session: recipients read it, comment on its parts, and find it in their lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Sessions
from tests.e2e.lab import Done
from tests.support.rest import API, Api, People

RECIPIENTS: dict[str, dict[str, Any]] = {
    "email:grace@example.org": {"email": "grace@example.org"},
    "team:harbour": {"teams": ["harbour"]},
}


async def _open(api: Api, share: Any) -> Any:
    return (await api.send("GET", urlsplit(share["share_url"]).path)).expect(200)


@pytest.mark.parametrize("recipient", ["user", *RECIPIENTS])
async def test_a_recipient_opens_the_url_and_reads(done: Done, people: People, recipient: str) -> None:
    reader = people.new(**RECIPIENTS.get(recipient, {}))
    name = f"user:{reader.user}" if recipient == "user" else recipient
    share = await done.api.share(done.session_id, name, message="Have a look")
    assert share["recipients"] == [name]
    opened = await _open(reader, share)
    assert (opened["session_id"], opened["message"], opened["shared_by"]) == (
        done.session_id,
        "Have a look",
        done.api.user,
    )
    assert opened["session"]["status"] == "completed"
    theirs = (await reader.send("GET", f"{opened['session_url']}/results")).expect(200)
    assert theirs == await done.results()
    assert (await reader.send("GET", f"{API}{done.path}/export", query={"format": "pdf"})).content[:5] == b"%PDF-"
    seen = (await reader.get(f"{done.path}/history"))["timeline"]
    # What happens around the session meanwhile, such as this share, comes into its history a moment later.
    assert seen == (await done.api.get(f"{done.path}/history"))["timeline"][: len(seen)]
    assert "session.completed" in {row["type"] for row in seen}
    assert done.session_id in {s["session_id"] for s in (await reader.get("/sessions", scope="shared"))["sessions"]}


async def test_a_recipient_reads_the_documents_that_are_cited_and_no_others(sessions: Sessions, people: People) -> None:
    done, reader = sessions.research, people.new()
    cited = {citation["document_id"] for citation in (await done.results())["citations"]}
    documents = {card["document_id"] for card in (await done.api.get("/documents", limit="100"))["documents"]}
    for document_id in cited:
        assert (await reader.send("GET", f"{API}/documents/{document_id}/text")).status == 404
    await done.api.share(done.session_id, f"user:{reader.user}")
    for document_id in cited:
        assert (await reader.send("GET", f"{API}/documents/{document_id}/text")).status == 200
    for document_id in documents - cited:
        assert (await reader.send("GET", f"{API}/documents/{document_id}/text")).status == 404


async def test_a_deleted_document_stays_readable_where_it_is_cited(people: People) -> None:
    api = people.new()
    text = "The ocean takes up carbon dioxide. The rate is set by the exchange of gas at the surface."
    document_id = await api.add_document("Gas exchange", text)
    session_id = await api.create("How does the ocean take up carbon dioxide?", preferences={"depth": "quick"})
    await api.until_status(session_id, "completed")
    citations = (await api.get(f"/sessions/{session_id}/results"))["citations"]
    assert [citation["document_id"] for citation in citations] == [document_id]
    (await api.send("DELETE", f"{API}/documents/{document_id}")).expect(200)
    assert (await api.send("GET", f"{API}/documents/{document_id}")).status == 404
    assert (await api.send("GET", f"{API}/documents/{document_id}/text")).text == text


async def test_comments_refer_to_parts_of_the_results(done: Done, people: People) -> None:
    results = await done.results()
    editor = people.new(name="Grace")
    await done.api.share(done.session_id, f"user:{editor.user}", "edit")
    points = [f"citation:{results['citations'][0]['id']}"] if results["citations"] else []
    points += [f"section:{section['id']}" for section in results["results"]["sections"][:1]]
    points += [f"figure:{figure['id']}" for figure in results["results"]["figures"][:1]]
    points += [f"claim:{c['id']}" for section in results["results"]["sections"] for c in section["claims"][:1]][:1]
    assert len(points) >= 2
    for point in points:
        body = {"content": f"About {point}", "comment_type": "question", "reference_point": point}
        comment = await editor.post(f"{done.path}/comments", body, status=201)
        assert (comment["reference_point"], comment["author"]["name"]) == (point, "Grace")
    listed = (await done.api.get(f"{done.path}/comments", comment_type="question"))["comments"]
    assert [comment["reference_point"] for comment in listed][: len(points)] == points[::-1]


async def test_lists_find_a_session_by_all_it_is(done: Done) -> None:
    session = await done.api.session(done.session_id)
    day = session["created_at"][:10]
    query = {"status": "completed", "session_type": session["session_type"], "date_from": day, "limit": "100"}
    found = await done.api.get("/sessions", **query)
    assert done.session_id in {entry["session_id"] for entry in found["sessions"]}
    assert {entry["session_type"] for entry in found["sessions"]} == {session["session_type"]}
    for other in ({"status": "failed"}, {"session_type": "poetry"}, {"date_to": "2020-01-01"}):
        if other.get("session_type"):
            assert (await done.api.send("GET", f"{API}/sessions", query=other)).status == 400
        else:
            assert (await done.api.get("/sessions", **{**query, "date_from": "2019-01-01", **other}))["sessions"] == []
