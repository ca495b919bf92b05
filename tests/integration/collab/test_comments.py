"""Comments, as users meet them."""

from __future__ import annotations

import pytest

from kit.errors import PrsmError
from prsm.collab.v1 import collab_pb2
from tests.integration.collab.neighbours import Known
from tests.integration.collab.stand import Stand

Type = collab_pb2.Comment


async def refused(call: object) -> PrsmError:
    with pytest.raises(PrsmError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def fault_fields(call: object) -> list[str]:
    error = await refused(call)
    assert error.name == "VALIDATION_ERROR"
    assert error.details is not None
    return [fault["field"] for fault in error.details["fields"]]


async def test_comment_answers_what_was_said_and_by_whom(stand: Stand) -> None:
    made = await stand.comment(" As is ", comment_type="question", reference_point="claim:c1")
    assert (made.session_id, made.content, made.comment_type) == (stand.session_id, " As is ", Type.question)
    assert made.reference_point == "claim:c1"
    assert (made.author.user_id, made.author.name, made.author.email) == ("olga", "Olga", "olga@x.org")
    assert made.created_at.ToMicroseconds() == made.updated_at.ToMicroseconds() == stand.clock.now()
    assert not made.HasField("parent_id")
    assert not made.resolved


async def test_defaults(stand: Stand) -> None:
    made = await stand.comment()
    assert made.comment_type == Type.note
    assert not made.HasField("reference_point")


async def test_unverified_address_is_not_shown(stand: Stand) -> None:
    await stand.share(["mallory"], "edit")
    author = (await stand.comment(by="mallory")).author
    assert (author.user_id, author.name, author.email) == ("mallory", "", "")


@pytest.mark.parametrize("point", ["section:s1", "claim:c1", "citation:k1", "figure:f1", "stage:gather"])
async def test_points_that_exist(stand: Stand, point: str) -> None:
    assert (await stand.comment(reference_point=point)).reference_point == point


@pytest.mark.parametrize(
    "point",
    [
        "section:s2",
        "claim:s1",
        "stage:nap",
        "stage:s1",
        "section:gather",
        "chapter:1",
        "section:",
        "section",
        ":s1",
        " ",
    ],
)
async def test_points_that_do_not(stand: Stand, point: str) -> None:
    assert await fault_fields(stand.comment(reference_point=point)) == ["reference_point"]


async def test_before_results_only_stages_exist(stand: Stand) -> None:
    stand.neighbours.sessions[stand.session_id].references = None
    assert await fault_fields(stand.comment(reference_point="section:s1")) == ["reference_point"]
    assert (await stand.comment(reference_point="stage:write")).reference_point == "stage:write"


async def test_all_faults_of_form_at_once(stand: Stand) -> None:
    call = stand.comment(" \n ", comment_type="rant", reference_point="chapter:1", parent_id="x" * 65)
    assert sorted(await fault_fields(call)) == ["comment_type", "content", "parent_id", "reference_point"]
    assert await fault_fields(stand.comment("x" * 10_001)) == ["content"]
    assert await fault_fields(stand.comment("")) == ["content"]
    assert len((await stand.comment("ä" * 10_000)).content) == 10_000


async def test_all_faults_of_substance_at_once(stand: Stand) -> None:
    call = stand.comment(reference_point="section:s2", parent_id=stand.ids.new())
    assert await fault_fields(call) == ["reference_point", "parent_id"]


async def test_replies(stand: Stand) -> None:
    first = await stand.comment("First")
    reply = await stand.comment("Reply", parent_id=first.comment_id)
    deeper = await stand.comment("Deeper", parent_id=reply.comment_id)
    assert (reply.parent_id, deeper.parent_id) == (first.comment_id, reply.comment_id)
    other = stand.ids.new()
    stand.neighbours.sessions[other] = Known(owner="olga")
    assert await fault_fields(stand.comment(session_id=other, parent_id=first.comment_id)) == ["parent_id"]
    assert await fault_fields(stand.comment(parent_id="nonsense")) == ["parent_id"]


async def test_replies_stay_when_their_parent_goes(stand: Stand) -> None:
    first = await stand.comment("First")
    reply = await stand.comment("Reply", parent_id=first.comment_id)
    await stand.delete(first.comment_id)
    (left,) = (await stand.comments()).comments
    assert (left.comment_id, left.parent_id) == (reply.comment_id, first.comment_id)
    assert await fault_fields(stand.comment(parent_id=first.comment_id)) == ["parent_id"]


@pytest.mark.parametrize(("permissions", "may"), [("view", False), ("edit", True), ("collaborate", True)])
async def test_who_may_comment(stand: Stand, permissions: str, may: bool) -> None:
    await stand.share(["bob"], permissions)
    assert (await stand.comments("bob")).total_count == 0
    if may:
        assert (await stand.comment(by="bob")).author.user_id == "bob"
    else:
        assert (await refused(stand.comment(by="bob"))).name == "SESSION_NOT_ACCESSIBLE"
    assert (await refused(stand.comment(by="mallory"))).name == "SESSION_NOT_FOUND"
    assert (await refused(stand.comments("mallory"))).name == "SESSION_NOT_FOUND"


async def test_list_is_newest_first_and_filters_by_type(stand: Stand) -> None:
    made = []
    for content, kind in (("a", "note"), ("b", "question"), ("c", "insight"), ("d", "question")):
        stand.clock.advance(seconds=1)
        made.append(await stand.comment(content, comment_type=kind))
    listed = await stand.comments()
    assert [c.content for c in listed.comments] == ["d", "c", "b", "a"]
    assert (listed.total_count, listed.page, listed.limit) == (4, 1, 20)
    questions = await stand.comments(comment_type="question")
    assert [c.content for c in questions.comments] == ["d", "b"]
    assert questions.total_count == 2
    assert await fault_fields(stand.comments(comment_type="rant")) == ["comment_type"]


async def test_list_pages(stand: Stand) -> None:
    for content in "abcde":
        stand.clock.advance(seconds=1)
        await stand.comment(content)
    pages = [[c.content for c in (await stand.comments(page=n, limit=2)).comments] for n in (1, 2, 3, 4)]
    assert pages == [["e", "d"], ["c", "b"], ["a"], []]
    first = await stand.comments(limit=2)
    await stand.comment("new")
    second = await stand.comments(limit=2, cursor=first.next_cursor)
    third = await stand.comments(limit=2, cursor=second.next_cursor)
    assert [c.content for c in (*second.comments, *third.comments)] == ["c", "b", "a"]
    assert not third.HasField("next_cursor")
    assert await fault_fields(stand.comments(page=0, limit=101)) == ["page", "limit"]


async def test_author_changes_the_words(stand: Stand) -> None:
    made = await stand.comment("Frist")
    stand.clock.advance(seconds=5)
    changed = await stand.update(made.comment_id, content="First", comment_type="insight")
    assert (changed.content, changed.comment_type) == ("First", Type.insight)
    assert changed.created_at == made.created_at
    assert changed.updated_at.ToMicroseconds() == stand.clock.now()
    assert (await stand.comments()).comments[0] == changed


async def test_nobody_else_changes_the_words(stand: Stand) -> None:
    await stand.share(["bob"], "edit")
    made = await stand.comment("Mine", by="bob")
    for change in ({"content": "Yours"}, {"comment_type": "insight"}, {"content": "Yours", "resolved": True}):
        assert (await refused(stand.update(made.comment_id, **change))).name == "FORBIDDEN"
    assert (await stand.comments()).comments[0] == made


async def test_any_commenter_resolves(stand: Stand) -> None:
    await stand.share(["bob"], "edit")
    await stand.share(["carol"], "view")
    made = await stand.comment("Open")
    assert (await stand.update(made.comment_id, "bob", resolved=True)).resolved
    assert not (await stand.update(made.comment_id, resolved=False)).resolved
    assert (await refused(stand.update(made.comment_id, "carol", resolved=True))).name == "SESSION_NOT_ACCESSIBLE"


async def test_empty_and_blank_changes(stand: Stand) -> None:
    made = await stand.comment("Stays")
    assert await fault_fields(stand.update(made.comment_id)) == [""]
    assert await fault_fields(stand.update(made.comment_id, content="  ")) == ["content"]
    assert await fault_fields(stand.update(made.comment_id, content="")) == ["content"]
    assert (await stand.comments()).comments[0] == made


async def test_comments_that_are_not_there(stand: Stand) -> None:
    gone = await stand.comment("Gone")
    await stand.delete(gone.comment_id)
    for comment_id in (stand.ids.new(), "nonsense", gone.comment_id):
        assert (await refused(stand.update(comment_id, resolved=True))).name == "COMMENT_NOT_FOUND"
        assert (await refused(stand.update(comment_id, content="x"))).name == "COMMENT_NOT_FOUND"
        assert (await refused(stand.delete(comment_id))).name == "COMMENT_NOT_FOUND"


async def test_who_may_delete(stand: Stand) -> None:
    await stand.share(["bob", "carol"], "edit")
    first, second = await stand.comment("1", by="bob"), await stand.comment("2", by="bob")
    assert (await refused(stand.delete(first.comment_id, "carol"))).name == "FORBIDDEN"
    deleted = await stand.delete(first.comment_id, "bob")
    assert (deleted.comment_id, deleted.deleted) == (first.comment_id, True)
    assert (await stand.delete(second.comment_id, "olga")).deleted
    assert (await stand.comments()).total_count == 0


async def test_events_tell_of_comments(stand: Stand) -> None:
    made = await stand.comment(comment_type="insight")
    await stand.update(made.comment_id, resolved=True)
    await stand.delete(made.comment_id)
    events = await stand.events()
    assert [(e.type, e.version) for e in events] == [
        ("comment.added", 1),
        ("comment.updated", 2),
        ("comment.deleted", 3),
    ]
    assert {e.subject_id for e in events} == {made.comment_id}
    assert {e.comment_type for e in events} == {"insight"}
