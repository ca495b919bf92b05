"""Who may read a text: its owner, and whoever may view a session that uses the document."""

from __future__ import annotations

from tests.integration.library.inputs import document, text
from tests.integration.library.refusals import refused
from tests.integration.library.stand import OTHER_SESSION, SESSION, UNKNOWN, Stand

PEAT = "Peat is made of moss."
NOT_FOUND = ("DOCUMENT_NOT_FOUND", "The specified document does not exist", None)


async def test_viewer_of_a_citing_session_reads_the_text(stand: Stand) -> None:
    cited = await stand.create(PEAT)
    other = await stand.create("Oaks are tall.")
    stand.shares.viewers[SESSION] = {"vera"}
    assert (await refused(stand.text(cited.document_id, user="vera"))).name == "DOCUMENT_NOT_FOUND"
    await stand.completed(cited.document_id, UNKNOWN)
    assert await stand.text(cited.document_id, user="vera") == PEAT
    assert (await refused(stand.text(other.document_id, user="vera"))).name == "DOCUMENT_NOT_FOUND"
    assert (await refused(stand.text(cited.document_id, user="mallory"))).name == "DOCUMENT_NOT_FOUND"
    # The card and the search stay the owner's alone.
    assert (await refused(stand.get(cited.document_id, user="vera"))).name == "DOCUMENT_NOT_FOUND"
    assert await stand.search("peat", user="vera") == []


async def test_revoked_share_acts_on_the_next_request(stand: Stand) -> None:
    cited = await stand.create(PEAT)
    await stand.completed(cited.document_id)
    stand.shares.viewers[SESSION] = {"vera"}
    assert await stand.text(cited.document_id, user="vera") == PEAT
    stand.shares.viewers.clear()
    assert (await refused(stand.text(cited.document_id, user="vera"))).name == "DOCUMENT_NOT_FOUND"


async def test_deleted_document_stays_readable_for_what_cites_it(stand: Stand) -> None:
    cited = await stand.create(PEAT)
    loose = await stand.create("Oaks are tall.")
    await stand.completed(cited.document_id)
    for made in (cited, loose):
        await stand.delete(made.document_id)
    assert await stand.text(cited.document_id) == PEAT
    assert (await refused(stand.text(loose.document_id))).name == "DOCUMENT_NOT_FOUND"
    stand.shares.viewers[SESSION] = {"vera"}
    assert await stand.text(cited.document_id, user="vera") == PEAT


async def test_owner_of_a_session_reads_what_it_cites_of_others(stand: Stand) -> None:
    cited = await stand.create(PEAT)
    await stand.completed(cited.document_id, session=OTHER_SESSION, owner="ben")
    assert await stand.text(cited.document_id, user="ben") == PEAT
    assert stand.shares.asked == []


async def test_any_of_several_sessions_opens_the_text(stand: Stand) -> None:
    cited = await stand.create(PEAT)
    for session in (SESSION, OTHER_SESSION):
        await stand.completed(cited.document_id, session=session)
    stand.shares.viewers[SESSION] = {"vera"}
    assert await stand.text(cited.document_id, user="vera") == PEAT
    assert stand.shares.asked == [[OTHER_SESSION, SESSION]]


async def test_inputs_of_a_session_are_open_to_its_viewers(stand: Stand) -> None:
    named = await stand.create(PEAT)
    prepared = await stand.prepare(documents=[document(named.document_id), text("Fens", "Fens are wet.")])
    stand.shares.viewers[SESSION] = {"vera"}
    texts = [await stand.text(each.document_id, user="vera") for each in prepared.documents]
    assert texts == [PEAT, "Fens are wet."]
    assert await stand.text(prepared.documents[1].document_id) == "Fens are wet."


async def test_what_is_not_shared_looks_like_what_does_not_exist(stand: Stand) -> None:
    cited = await stand.create(PEAT)
    await stand.completed(cited.document_id)
    loose = await stand.create("Oaks are tall.")
    for document_id in (cited.document_id, loose.document_id, UNKNOWN):
        error = await refused(stand.text(document_id, user="mallory"))
        assert (error.name, error.message, error.details) == NOT_FOUND
    # Each cost one question, so neither time nor a missing collab tells them apart.
    assert stand.shares.asked == [[SESSION], [loose.document_id], [UNKNOWN]]
    stand.shares.away = True
    for document_id in (cited.document_id, loose.document_id, UNKNOWN):
        assert (await refused(stand.text(document_id, user="mallory"))).name == "UNAVAILABLE"
    assert await stand.text(cited.document_id) == PEAT


async def test_the_event_counts_once_and_only_forward(stand: Stand) -> None:
    first = await stand.create(PEAT)
    second = await stand.create("Oaks are tall.")
    await stand.completed(first.document_id, version=9)
    await stand.completed(first.document_id, version=9)
    await stand.completed(second.document_id, version=8)
    stand.shares.viewers[SESSION] = {"vera"}
    assert await stand.text(first.document_id, user="vera") == PEAT
    assert (await refused(stand.text(second.document_id, user="vera"))).name == "DOCUMENT_NOT_FOUND"


async def test_sessions_beyond_the_first_thousand_count_too(local: Stand) -> None:
    cited = await local.create(PEAT)
    sessions = [f"0192f0aa-1111-7000-8000-{number:012d}" for number in range(1_001)]
    for session in sessions:
        await local.completed(cited.document_id, session=session)
    local.shares.viewers[sessions[0]] = {"vera"}
    assert await local.text(cited.document_id, user="vera") == PEAT
    assert [len(asked) for asked in local.shares.asked] == [1_000, 1]
    assert (await refused(local.text(cited.document_id, user="mallory"))).name == "DOCUMENT_NOT_FOUND"
