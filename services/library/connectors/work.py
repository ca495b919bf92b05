"""Works as the services describe them, in one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from services.library.places import CSL
from services.library.works import work_keys

_RANK_CONSTANT = 60
"""k of reciprocal-rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
NAMES_MAX = 100
_RETRACTED = ("retracted:", "[retracted]", "retraction:", "retracted article", "withdrawn:")


@dataclass(frozen=True, slots=True)
class FullText:
    """Where the full text is, and its licence as the service writes it. `form` is `pdf`, `xml` or "" where that is not
    known. `own` says that the service itself serves it, below its own address."""

    url: str
    licence: str
    form: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A work. `authors` are names as they are shown, `doi` without a resolver's address, `csl` an item of CSL-JSON,
    `full_texts` where it can be had in full, best first."""

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    doi: str = ""
    url: str = ""
    csl: CSL = field(default_factory=dict)
    full_texts: tuple[FullText, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Works that share one of these are the same; one that has none is known by its address alone."""
        keys = work_keys(doi=self.doi, title=self.title, authors=self.authors, year=self.year)
        return keys or (f"url:{self.url}|{self.title}",)

    @property
    def retracted(self) -> bool:
        """Whether its title says that it was taken back."""
        return self.title.lower().startswith(_RETRACTED)

    def bounded(self) -> Self:
        """The work with at most a hundred authors: some have thousands."""
        if len(self.authors) <= NAMES_MAX and len(self.csl.get("author", ())) <= NAMES_MAX:
            return self
        csl = {**self.csl, "author": list(self.csl.get("author", ()))[:NAMES_MAX]}
        return replace(self, authors=self.authors[:NAMES_MAX], csl=csl)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From its JSON form."""
        texts = tuple(FullText(**each) for each in data["full_texts"])
        return cls(**{**data, "authors": tuple(data["authors"]), "full_texts": texts})


@dataclass(frozen=True, slots=True)
class Found:
    """A work and the connectors that found it, the one that ranks it highest first."""

    work: Work
    connectors: tuple[str, ...]


def merged(lists: Sequence[tuple[str, Sequence[Work]]]) -> list[Found]:
    """The works of several connectors, each once, best first by fused rank; the same lists give the same order."""
    groups: list[list[tuple[int, int, Work]]] = []
    by_key: dict[str, list[tuple[int, int, Work]]] = {}
    for number, (_, works) in enumerate(lists):
        for rank, work in enumerate(works, start=1):
            group = next((by_key[key] for key in work.keys if key in by_key), None)
            if group is None:
                group = []
                groups.append(group)
            group.append((rank, number, work))
            for key in work.keys:
                by_key.setdefault(key, group)
    found = [(_fused(group), _joined(group, lists)) for group in groups]
    found.sort(key=lambda pair: (-pair[0], pair[1].work.keys))
    return [each for _, each in found]


def _fused(group: Sequence[tuple[int, int, Work]]) -> float:
    best: dict[int, int] = {}
    for rank, number, _ in group:
        best[number] = min(rank, best.get(number, rank))
    return sum(1 / (_RANK_CONSTANT + rank) for _, rank in sorted(best.items()))


def _joined(group: list[tuple[int, int, Work]], lists: Sequence[tuple[str, Sequence[Work]]]) -> Found:
    ordered = sorted(group, key=lambda entry: entry[:2])
    works = [work for _, _, work in ordered]
    first = works[0]
    work = replace(
        first,
        abstract=max((each.abstract for each in works), key=len),
        authors=next((each.authors for each in works if each.authors), ()),
        year=next((each.year for each in works if each.year is not None), None),
        doi=next((each.doi for each in works if each.doi), ""),
        url=next((each.url for each in works if each.url), ""),
        csl=_item(works),
        full_texts=tuple(dict.fromkeys(text for each in works for text in each.full_texts)),
    )
    return Found(work, tuple(dict.fromkeys(lists[number][0] for _, number, _ in ordered)))


def _item(works: Sequence[Work]) -> dict[str, Any]:
    """The first's item, with what others say of the same DOI: a preprint and its version in a journal are not mixed."""
    same = [each for each in works if each is works[0] or (each.doi and each.doi.lower() == works[0].doi.lower())]
    item = {key: value for each in reversed(same) for key, value in each.csl.items()}
    parted = (each.csl["author"] for each in same if any("family" in name for name in each.csl.get("author", ())))
    authors = next(parted, item.get("author"))
    return item if authors is None else {**item, "author": authors}
