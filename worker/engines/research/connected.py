"""Asking connectors, as a part of stage *gather*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.engines.base import FoundWork, StageContext
from worker.engines.research.model import Facet, Json, Plan, Term
from worker.engines.research.settings import Settings
from worker.engines.text.wording import capitalised, count, listed

NO_CONNECTOR = "none"
NAMES: Mapping[str, str] = {
    "arxiv": "arXiv",
    "crossref": "Crossref",
    "europepmc": "Europe PMC",
    "openalex": "OpenAlex",
}
"""As the services write themselves."""
MOST_WORDS = 10
"""Of a question: services look for works that hold all of the first few, then for any."""
_LISTED = 50


@dataclass(frozen=True, slots=True)
class Reach:
    """How many questions connectors are asked, and for how many works each."""

    questions: int
    works: int


REACH: Mapping[str, Reach] = {"quick": Reach(1, 10), "standard": Reach(2, 25), "deep": Reach(4, 50)}
"""By depth. Session's estimate counts on at most four questions of a hundred works for a connector."""


@dataclass(slots=True)
class Tally:
    """Of one connector, over all questions."""

    questions: int = 0
    found: int = 0
    held: int = 0
    problem: str = ""

    def as_json(self) -> Json:
        return {"questions": self.questions, "found": self.found, "held": self.held, "problem": self.problem}


@dataclass(slots=True)
class Connected:
    """What connectors found, by document id in the order of their answers, and what came of each."""

    works: dict[str, FoundWork] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    cut_short: bool = False

    @property
    def answered(self) -> bool:
        """Whether at least one connector answered all that it was asked."""
        return any(not tally.problem for tally in self.tallies.values())

    @property
    def source_of(self) -> dict[str, str]:
        """The connector that each document comes from."""
        return {document_id: work.connectors[0] for document_id, work in self.works.items()}

    def problems(self) -> str:
        """What went wrong, in one line; "" for nothing."""
        return "; ".join(f"{name} {tally.problem}" for name, tally in self.tallies.items() if tally.problem)

    def as_json(self) -> Json:
        return {name: tally.as_json() for name, tally in self.tallies.items()}


def connectors_of(ctx: StageContext) -> tuple[str, ...]:
    """The connectors that the session asks."""
    named = ctx.job.preferences.get("connectors") or ()
    return tuple(dict.fromkeys(str(name) for name in named if name != NO_CONNECTOR))


def questions(plan: Plan, most: int) -> list[tuple[Facet, str]]:
    """The first facets, each with its words: its own, and with those of an aspect, or of a question of one word, the
    prompt's; the weightiest first."""
    ordered = sorted(plan.terms, key=lambda term: -term.weight)  # stable: the prompt's order among equals
    found: dict[str, Facet] = {}
    for facet in plan.facets:
        own = [term for term in ordered if term.stem in facet.stems]
        rest = [term for term in ordered if term.stem not in facet.stems]
        alone = facet.kind == "question" and len(own) > 1
        query = _words(own if alone else [*own, *rest])
        if query:
            found.setdefault(query, facet)
    return [(facet, query) for query, facet in found.items()][:most]


def _words(terms: list[Term]) -> str:
    return " ".join(dict.fromkeys(term.word for term in terms[:MOST_WORDS]))


async def ask(ctx: StageContext, plan: Plan, settings: Settings) -> Connected:
    """Ask the session's connectors; one that fails is left out, and the session's history tells why."""
    found = Connected()
    names = connectors_of(ctx)
    if not names:
        return found
    reach = REACH[settings.depth.name]
    for facet, query in questions(plan, reach.questions):
        if ctx.write_up:
            found.cut_short = True
            ctx.decide("connectors left out", "There is no time or money left to ask them more.")
            break
        gathered = await ctx.sources.gather_works(query, connectors=names, limit_each=reach.works, full_text=True)
        for work in gathered.works:
            found.works.setdefault(work.record.document_id, work)
        told: list[str] = []
        excluded: list[Json] = []
        for each in gathered.asked:
            tally = found.tallies.setdefault(each.connector, Tally())
            tally.questions += 1
            tally.found += each.found
            tally.held += each.held
            tally.problem = tally.problem or each.problem
            held = f", {each.held} of them held already" if each.held else ""
            what = f"{count(each.found, 'work')} with an abstract{held}"
            name = NAMES.get(each.connector, each.connector)
            if not each.problem:
                told.append(f"{name}: {what}")
            elif each.found:
                told.append(f"{name} {each.problem}: {what} until then")
            else:
                told.append(f"{name} {each.problem} and is left out")
            if each.problem:
                excluded.append({"connector": each.connector, "reason": each.problem})
        ctx.decide(
            "connectors asked",
            f"“{facet.label}”, as “{query}”. {'; '.join(told)}. {_to_look_at(gathered.works)}",
            excluded=excluded[:_LISTED],
        )
    return found


def _to_look_at(works: Sequence[FoundWork]) -> str:
    full = sum(work.full_text for work in works)
    if not works:
        return "There is no work to look at."
    return f"{capitalised(count(len(works), 'work'))} to look at, {full or 'none'} of them in full."


def caveat(tallies: Mapping[str, Json]) -> str:
    """What a summary must own up to about connectors, from their tallies; "" where all of them answered."""
    failed = {name: tally for name, tally in tallies.items() if tally["problem"]}
    silent = [NAMES.get(name, name) for name, tally in failed.items() if not tally["found"]]
    broken = [NAMES.get(name, name) for name, tally in failed.items() if tally["found"]]
    lines = [f"{listed(silent)} could not be asked."] if silent else []
    lines += [f"{listed(broken)} did not answer all that was asked."] if broken else []
    return " ".join(lines)
