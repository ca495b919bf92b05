"""Citation styles of users and installations: whose they are, what is refused, and what reports become of them."""

from __future__ import annotations

from typing import Any

import pytest

from kit.auth.principal import Principal
from kit.db.database import Database
from kit.errors import RemoteError
from kit.ids import RandomIds
from prsm.results.v1 import styles_pb2
from services.results.citing.domain import Chosen
from services.results.citing.repository import SqlStyles
from services.results.citing.trial import StyleTrial
from services.results.ports import Pointer
from services.results.rendering.pool import RenderPool
from services.results.usecases.citation_styles import CitationStyles
from tests.integration.results.stand import DOCUMENT, HOUSE, SESSION, Stand
from tests.support.serving import answer

OWN = HOUSE.replace("House style", "Own style").replace("in house", "of our own")
UNKNOWN = "0192f0aa-1111-7000-8000-00000000000f"


async def _call(stand: Stand, method: str, message: Any, user: str = "ada") -> Any:
    metadata = stand.identities.user_metadata(user)
    return await answer(getattr(stand.styles, method)(message, metadata=metadata, timeout=60))


async def _create(stand: Stand, csl: str = OWN, user: str = "ada", **members: Any) -> str:
    message = styles_pb2.CreateCitationStyleRequest(csl=csl, **members)
    return str((await _call(stand, "CreateCitationStyle", message, user)).style_id)


async def _delete(stand: Stand, style_id: str, user: str = "ada") -> None:
    await _call(stand, "DeleteCitationStyle", styles_pb2.DeleteCitationStyleRequest(style_id=style_id), user)


async def _use(stand: Stand, style: str, owner: str = "ada") -> str:
    message = styles_pb2.UseCitationStyleRequest(owner=owner, style=style)
    found = await stand.session.call(stand.checks.UseCitationStyle, message, timeout=60)
    assert found.usable == (found.issue == "")
    return str(found.issue)


async def _listed(stand: Stand, user: str = "ada") -> dict[str, tuple[str, str]]:
    found = await _call(stand, "ListCitationStyles", styles_pb2.ListCitationStylesRequest(), user)
    return {style.style_id: (style.title, style.source) for style in found.styles}


async def _fault(stand: Stand, csl: str) -> str:
    with pytest.raises(RemoteError) as error:
        await _create(stand, csl)
    assert error.value.name == "VALIDATION_ERROR"
    [fault] = (error.value.details or {})["fields"]
    assert fault["field"] == "csl"
    return str(fault["issue"])


async def _markdown(stand: Stand, user: str = "ada", **request: Any) -> str:
    return (await stand.read(user, format="markdown", **request))[1].decode()


async def test_a_style_is_its_owners_alone(stand: Stand) -> None:
    style_id = await _create(stand)
    found = await _call(stand, "GetCitationStyle", styles_pb2.GetCitationStyleRequest(style_id=style_id))
    assert (found.title, found.kind, found.source, found.csl) == ("Own style", "author-date", "own", OWN)
    assert (await _listed(stand))[style_id] == ("Own style", "own")
    assert style_id not in await _listed(stand, "ben")
    message = styles_pb2.GetCitationStyleRequest(style_id=style_id)
    with pytest.raises(RemoteError) as error:
        await _call(stand, "GetCitationStyle", message, "ben")
    assert error.value.name == "CITATION_STYLE_NOT_FOUND"
    with pytest.raises(RemoteError) as error:
        await _delete(stand, style_id, "ben")
    assert error.value.name == "CITATION_STYLE_NOT_FOUND"
    assert await _use(stand, style_id, "ben")
    assert await _use(stand, style_id) == ""


async def test_the_list_has_the_styles_of_the_product_and_of_the_installation(stand: Stand) -> None:
    listed = await _listed(stand)
    assert {"apa", "chicago", "harvard", "ieee", "nature", "vancouver"} < set(listed)
    assert listed["apa"][1] == "built-in"
    assert listed["house"] == ("House style", "installed")
    assert not {"empty", "Not A Name"} & set(listed)


async def test_what_cannot_be_used_is_refused_with_its_reason(stand: Stand) -> None:
    dependent = (
        '<style xmlns="http://purl.org/net/xbiblio/csl" version="1.0"><info><title>J</title><id>urn:j</id>'
        '<link href="http://www.zotero.org/styles/ieee" rel="independent-parent"/></info></style>'
    )
    assert "comes with PRSM, as ieee" in await _fault(stand, dependent)
    assert "send its parent, http://example.org/x" in await _fault(
        stand, dependent.replace("http://www.zotero.org/styles/ieee", "http://example.org/x")
    )
    assert "processor refuses it" in await _fault(stand, HOUSE.replace('variable="title"', 'variable="nothing"'))
    assert "not well-formed" in await _fault(stand, "APA")
    assert [source for _, source in (await _listed(stand)).values()].count("own") == 0


async def test_an_owner_may_have_so_many(stand: Stand) -> None:
    first, _ = await _create(stand), await _create(stand, name="Another")
    assert "2 styles already" in await _fault(stand, OWN)
    await _delete(stand, first)
    assert await _create(stand)
    assert await _create(stand, user="ben")


async def test_only_own_styles_can_be_deleted(stand: Stand) -> None:
    for name in ("apa", "house"):
        with pytest.raises(RemoteError) as error:
            await _delete(stand, name)
        assert error.value.name == "FORBIDDEN"
    style_id = await _create(stand)
    await _delete(stand, style_id)
    for gone in (style_id, UNKNOWN, "no-such"):
        with pytest.raises(RemoteError) as error:
            await _delete(stand, gone)
        assert error.value.name == "CITATION_STYLE_NOT_FOUND"


async def test_a_session_keeps_its_style_for_all_who_view_it(stand: Stand) -> None:
    style_id = await _create(stand)
    assert await _use(stand, style_id) == ""
    await stand.complete()
    stand.sessions.styles[SESSION] = style_id
    before = await _markdown(stand)
    assert "Marsh soils of our own" in before
    await _delete(stand, style_id)
    assert style_id not in await _listed(stand)
    assert await _use(stand, style_id)
    assert await _markdown(stand) == before
    assert await _markdown(stand, "vera") == before
    # As it is the session's own, its name may be said as well.
    assert await _markdown(stand, "vera", citation_style=style_id) == before


async def test_a_finished_session_in_another_style_and_language(stand: Stand) -> None:
    await stand.complete()
    own = await _create(stand, user="vera")
    assert "Marsh soils of our own" in await _markdown(stand, "vera", citation_style=own)
    assert "Marsh soils in house" in await _markdown(stand, "vera", citation_style="house")
    assert "\\[1\\]" in await _markdown(stand, citation_style="ieee")
    for style in (own, UNKNOWN, "refuse", "../house", DOCUMENT["title"]):
        with pytest.raises(RemoteError) as error:
            await _markdown(stand, citation_style=style)
        assert [fault["field"] for fault in (error.value.details or {})["fields"]] == ["citation_style"]
    english, german = await _markdown(stand), await _markdown(stand, language="de")
    assert english != german
    with pytest.raises(RemoteError) as error:
        await _markdown(stand, language="de_DE")
    assert [fault["field"] for fault in (error.value.details or {})["fields"]] == ["language"]


async def test_an_installed_style_is_tried_before_a_session_depends_on_it(stand: Stand) -> None:
    assert await _use(stand, "house") == ""
    assert "cannot be used" in await _use(stand, "refused")
    assert "no citation style" in await _use(stand, "no-such")


async def test_a_style_that_there_is_not_is_named_with_some_that_there_are(stand: Stand) -> None:
    said = await _use(stand, "apa7")
    assert said.startswith(
        '"apa7" is no citation style that you may use: GET /citation-styles lists them, apa, chicago'
    )
    for name in ("APA", "House"):
        assert await _use(stand, name) == f"is no citation style: write it in lower case, {name.lower()}"
    assert await _use(stand, "\u202ea\n b") == said.replace("apa7", "\u202ea b\u202c")
    await stand.complete()
    with pytest.raises(RemoteError, match="citation_style: is no citation style: write it in lower case, ieee"):
        await _markdown(stand, citation_style="IEEE")


@pytest.mark.parametrize("language", ["xx", "XX-DE", "zy"])
async def test_a_tag_that_is_no_language_is_refused(stand: Stand, language: str) -> None:
    await stand.complete()
    with pytest.raises(RemoteError, match=f'language: "{language}" is no language of ISO 639'):
        await _markdown(stand, language=language)
    for good in ("it", "PT-br", "gsw"):
        assert "Marsh soils" in await _markdown(stand, language=good)


async def test_an_installed_style_that_was_taken_away(stand: Stand, file_db: Database, pool: RenderPool) -> None:
    assert await _use(stand, "house") == ""
    without = CitationStyles(
        file_db, SqlStyles(), {}, StyleTrial(pool, seconds=30), stand.clock, RandomIds(stand.clock), most=1
    )
    pointer = Pointer(SESSION, "Why?", None, "house", "en", "running", 0)
    assert await without.choose(Principal("vera"), pointer, "") == Chosen("house", HOUSE)
    assert '"house" is no citation style' in await without.use("ada", "house", dry_run=False)
    # A session of before styles were checked may name anything.
    former = Pointer(SESSION, "Why?", None, "nonsense", "en", "running", 0)
    assert await without.choose(Principal("ada"), former, "") == Chosen("apa")
