"""The sections of a research result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.engines.research import prose
from worker.engines.research.citations import Bibliography
from worker.engines.research.material import Material
from worker.engines.research.model import Claim, Json
from worker.engines.text.identifiers import content_id


def sections_of(
    material: Material,
    by_id: Mapping[str, Claim],
    unverified: Sequence[Claim],
    answered: bool,
    bibliography: Bibliography,
    screening: Json,
    gaps: str,
) -> list[Json]:
    """The sections in their order: what answers, what disagrees, what is not relied on or missing, how it was made."""
    outline = material.outline
    sections: list[Json] = []
    if answered:
        in_themes = {claim_id for theme in outline.themes for claim_id in theme.claims}
        main = [by_id[claim_id] for claim_id in outline.key if claim_id in by_id and claim_id not in in_themes]
        if main:
            sections.append(_section("Main findings", main, bibliography))
        for theme in outline.themes:
            claims = [by_id[claim_id] for claim_id in theme.claims if claim_id in by_id]
            sections.append(_section(theme.heading, claims, bibliography))
    elif outline.nearest:
        nearest = [by_id[claim_id] for claim_id in outline.nearest if claim_id in by_id]
        sections.append(_section("Nearest passages", nearest, bibliography, lead="These do not answer the prompt."))
    disagreement = _disagreement(by_id, bibliography)
    if disagreement:
        sections.append(_plain("Where the sources disagree", disagreement))
    if unverified:
        body = "These statements could not be found again in their source and are not relied on."
        section = _plain("Could not be verified", body)
        section["claims"] = [
            {"id": claim.id, "text": claim.statement.text, "citations": [], "support": "unverified"}
            for claim in unverified
        ]
        sections.append(section)
    if answered and gaps:
        sections.append(_plain("What these sources do not say", gaps))
    body = _how(material, screening)
    sections.append(_plain("How this was made", body))
    return sections


def _how(material: Material, screening: Json) -> str:
    checks = (material.checked, len(material.failed))
    if material.plan.overview:
        return prose.overview_method(material.held, material.read, screening["included"], *checks)
    return prose.method(
        material.plan,
        material.searches,
        screening["identified"],
        screening["duplicates_removed"],
        material.read,
        screening["included"],
        *checks,
    )


def _section(heading: str, claims: Sequence[Claim], bibliography: Bibliography, lead: str = "") -> Json:
    body = [f"{claim.statement.text} {bibliography.marker(claim.statements)}" for claim in claims]
    if not claims:
        body = ["No statement was found that speaks to this."]
    section = _plain(heading, "\n\n".join([lead, *body] if lead else body))
    section["claims"] = [
        {
            "id": claim.id,
            "text": claim.statement.text,
            "citations": bibliography.cite(claim.statements),
            "support": support(claim),
            **({"contradicted_by": list(claim.conflicts)} if claim.conflicts else {}),
        }
        for claim in claims
    ]
    return section


def _plain(heading: str, body: str) -> Json:
    return {"id": content_id("section", heading, body), "heading": heading, "body": body, "claims": []}


def _disagreement(by_id: Mapping[str, Claim], bibliography: Bibliography) -> str:
    lines = []
    order = list(by_id)
    for claim in by_id.values():
        for other in claim.conflicts:
            if order.index(claim.id) < order.index(other):
                against = by_id[other]
                lines.append(
                    f"One source: {claim.statement.text} {bibliography.marker(claim.statements)} "
                    f"Another: {against.statement.text} {bibliography.marker(against.statements)}"
                )
    return "\n\n".join(lines)


def support(claim: Claim) -> str:
    return "contradicted" if claim.conflicts else "supported"
