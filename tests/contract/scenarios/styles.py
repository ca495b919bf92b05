"""Citation styles."""

from __future__ import annotations

from tests.contract.scenarios.registry import Given, scenario
from tests.contract.world import World

CSL = (
    '<style xmlns="http://purl.org/net/xbiblio/csl" class="in-text" version="1.0"><info><title>House</title>'
    "<id>urn:house</id><updated>2026-01-01T00:00:00Z</updated></info>"
    '<citation><layout prefix="(" suffix=")" delimiter="; "><names variable="author"><name form="short"/></names>'
    '</layout></citation><bibliography><layout suffix="."><names variable="author"/>'
    '<text variable="title" prefix=", "/></layout></bibliography></style>'
)
_DEPENDENT = (
    '<style xmlns="http://purl.org/net/xbiblio/csl" version="1.0"><info><title>Journal</title><id>urn:journal</id>'
    '<link href="http://www.zotero.org/styles/apa" rel="independent-parent"/></info></style>'
)


@scenario
async def a_csl_file(world: World) -> Given:
    return Given(world.people.new(), body={"csl": CSL}, values={"csl": CSL, "dependent_csl": _DEPENDENT})


@scenario
async def own_citation_style(world: World) -> Given:
    api = world.people.new()
    style = await api.post("/citation-styles", {"csl": CSL}, status=201)
    return Given(api, {"style_id": style["style_id"]})
