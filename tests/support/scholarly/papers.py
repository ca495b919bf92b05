"""Works that nobody wrote, for the services that stand in for OpenAlex, arXiv, Crossref and Europe PMC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Paper:
    """A work; `licence` is a name such as `cc-by`, `body` the text beyond the abstract where it is open access."""

    title: str
    abstract: str
    authors: tuple[tuple[str, str], ...] = (("Ada", "Lindqvist"), ("Jon", "Okoro"))
    year: int = 2019
    doi: str = ""
    arxiv: str = ""
    pmcid: str = ""
    journal: str = "Journal of Invented Results"
    licence: str = ""
    body: str = ""
    retracted: bool = False

    @property
    def words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(f"{self.title} {self.abstract}".lower()))

    @property
    def number(self) -> int:
        """The same number for the same work."""
        return sum(ord(letter) * place for place, letter in enumerate(self.title, start=1))


PEAT = Paper(
    "Rewetting drained peatlands lowers their carbon dioxide emissions",
    "Drained peatlands lose carbon. We measured forty bogs over nine years. Rewetting lowered the carbon dioxide "
    "emissions of drained peatlands by 62 percent within three years. Methane emissions rose for two years, then fell.",
    doi="10.5555/peat.2019.1",
    pmcid="PMC9000001",
    licence="cc-by",
    body="Water tables were raised to ten centimetres below the surface. The peat mosses returned in the fourth year.",
)
MOSS = Paper(
    "Moss growth on rewetted peatlands",
    "Moss growth decides how much carbon rewetted peatlands store. On twelve sites moss covered half of the ground "
    "after five years.",
    authors=(("Mia", "van den Berg"),),
    year=2021,
    doi="10.5555/moss.2021.7",
    arxiv="2101.00007",
)
FEN = Paper(
    "Fens and bogs differ in their carbon balance after rewetting",
    "Fens emit more methane than bogs after rewetting of peatlands. For p < 0.05 the carbon balance of fens stayed "
    "negative.",
    year=2020,
    arxiv="2003.01234",
)
SOIL = Paper(
    "Carbon in farmed soils",
    "Farmed soils lose carbon when they are ploughed. Peatlands are not considered here.",
    year=2015,
    doi="10.5555/soil.2015.3",
)
GONE = Paper(
    "Rewetting peatlands removes all carbon dioxide",
    "Rewetting of peatlands removes all carbon dioxide emissions at once.",
    doi="10.5555/gone.1",
    retracted=True,
)
PAPERS = (PEAT, MOSS, FEN, SOIL, GONE)


def found(papers: Sequence[Paper], expression: str) -> list[Paper]:
    """The papers that a query of words with AND and OR finds, those with most of its words first."""
    plain = re.sub(r"\ball:|[()]|\s+AND HAS_ABSTRACT:Y", " ", expression)
    every = " OR " not in plain
    terms = [term.strip().strip('"').split() for term in re.split(r"\s+(?:AND|OR)\s+", plain)]
    ranked: list[tuple[int, Paper]] = []
    for paper in papers:
        held = sum(all(word in paper.words for word in term) for term in terms)
        if held == len(terms) or (held and not every):
            ranked.append((held, paper))
    return [paper for _, paper in sorted(ranked, key=lambda pair: -pair[0])]
