"""Estimates: a workload and the price list become a range of cost.

An engine reports what it used in units of some items, and every session pays its base price once:

    base            session   once for every session, by its type
    document_read   document  a document whose text was read
    passage_read    passage   a passage that a search found and that was read
    row_read        row       a row of a dataset, once for each session, however many tasks look at it
    finding_merged  finding   a finding of an input session that went into a synthesis
    tokens_in       1000 tokens   what a language model was given to read, counted token by token
    tokens_out      1000 tokens   what it wrote

Tokens are priced by the thousand: a millionth of the currency, the smallest amount, would be much for one of them. They
have a price only in a session that may use a language model.

The upper end is a true bound of what the built-in engines can report, for it is what is held:

- documents: those there are, at most `max_documents`, or by depth 30, 80, 200 where that was not asked for;
- passages: searches (by depth 4, 8, 16) times what each may bring: 60, 150, 400 by depth, or 3 for each of
  `max_documents` where that is more, and never more than the 1000 that the library answers to one search;
- rows: a row of text has at least two bytes; a packed table may hold more, so 10,000 for each dataset at least;
- findings: 200 for an input session;
- tokens: two calls (the second when the first was cut off), by depth 12, 20, 32 thousand tokens in and 1, 2, 4 thousand
  out; a prompt is taken to have a token for every byte. No call is made that the stage's reservation does not cover;
- a fifth on top of all work, because a part of what is held is set aside for writing up while work goes on.

The lower end is the base price and one unit of each kind of work, without which there would be nothing to deliver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kit.errors import ValidationError
from kit.money import SCALE, times
from services.billing.domain import Estimate, EstimateItem, Price, Workload

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "base": "session",
        "document_read": "document",
        "passage_read": "passage",
        "row_read": "row",
        "finding_merged": "finding",
        "tokens_in": "1000 tokens",
        "tokens_out": "1000 tokens",
    }
)
TOKENS = frozenset({"tokens_in", "tokens_out"})
_TOKEN = SCALE // 1000
"""One token, in 10^-6 units."""
SESSION_TYPES = ("research", "analysis", "synthesis")
_SEARCH_LIMIT = 1000
_CALLS = 2
"""Calls of a language model that may have to be paid for one text."""
_HEADROOM = 5
"""One part in so many on top of the most that work can cost."""


@dataclass(frozen=True, slots=True)
class Depth:
    """What a depth allows at most, and what it comes to as a rule."""

    documents: int
    usual_documents: int
    searches: int
    passages_per_search: int
    usual_passages_per_document: int
    tokens_in: int
    """Tokens of one call of a language model; the same below."""
    tokens_out: int


DEPTHS: Mapping[str, Depth] = MappingProxyType(
    {
        "quick": Depth(30, 10, 4, 60, 3, 12_000, 1000),
        "standard": Depth(80, 25, 8, 150, 6, 20_000, 2000),
        "deep": Depth(200, 60, 16, 400, 10, 32_000, 4000),
    }
)


@dataclass(frozen=True, slots=True)
class Quantities:
    """Of one item: whole units, or tokens."""

    least: int
    usual: int
    most: int


NONE = Quantities(0, 0, 0)


@dataclass(frozen=True, slots=True)
class PriceList:
    """Unit prices by item in 10^-6 of the currency; `base` by session type."""

    currency: str
    base: Mapping[str, int]
    items: Mapping[str, int]
    _listed: Mapping[str, tuple[Price, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        listed = {
            session_type: tuple(Price(item, unit, {"base": base, **self.items}[item]) for item, unit in UNITS.items())
            for session_type, base in self.base.items()
        }
        object.__setattr__(self, "_listed", listed)

    def prices(self, session_type: str, *, model: bool = False) -> tuple[Price, ...]:
        """The prices of a session of this type; `model`: with those of a language model."""
        listed = self._listed[session_type]
        return listed if model else tuple(price for price in listed if price.item not in TOKENS)

    def estimate(self, workload: Workload) -> Estimate:
        """Raises ValidationError for a session type that has no price."""
        if workload.session_type not in self.base:
            raise ValidationError.of("session_type", "has no price")
        prices = self.prices(workload.session_type, model=workload.model)
        quantities = _quantities(workload)
        items = tuple(
            EstimateItem(p.item, p.unit, micros, p.unit_price, times(p.unit_price, micros))
            for p in prices
            if (micros := _in_micros(p.item, quantities[p.item].usual))
        )
        most = sum(times(p.unit_price, _in_micros(p.item, quantities[p.item].most)) for p in prices)
        return Estimate(
            amount=sum(item.amount for item in items),
            least=sum(times(p.unit_price, _in_micros(p.item, quantities[p.item].least)) for p in prices),
            most=most + -(-(most - self.base[workload.session_type]) // _HEADROOM),
            currency=self.currency,
            items=items,
            prices=prices,
        )


def _in_micros(item: str, quantity: int) -> int:
    return quantity * (_TOKEN if item in TOKENS else SCALE)


def _quantities(workload: Workload) -> dict[str, Quantities]:
    found = dict.fromkeys(UNITS, NONE)
    found["base"] = Quantities(1, 1, 1)
    for work in _WORK[workload.session_type]:
        found.update(work(workload))
    return found


def _reading(workload: Workload) -> dict[str, Quantities]:
    if workload.documents <= 0:
        return {}
    depth = DEPTHS.get(workload.depth, DEPTHS["standard"])
    documents = min(workload.documents, workload.max_documents or depth.documents)
    usual = min(documents, workload.max_documents or depth.usual_documents)
    passages = depth.searches * min(_SEARCH_LIMIT, max(depth.passages_per_search, 3 * workload.max_documents))
    return {
        "document_read": Quantities(1, usual, documents),
        "passage_read": Quantities(1, min(passages, usual * depth.usual_passages_per_document), passages),
    }


def _tabulating(workload: Workload) -> dict[str, Quantities]:
    if workload.datasets <= 0:
        return {}
    most = max(workload.dataset_bytes // 2, 10_000 * workload.datasets)
    return {"row_read": Quantities(1, max(1, workload.dataset_bytes // 64), most)}


def _merging(workload: Workload) -> dict[str, Quantities]:
    if workload.sessions <= 0:
        return {}
    return {"finding_merged": Quantities(1, 20 * workload.sessions, 200 * workload.sessions)}


def _writing(workload: Workload) -> dict[str, Quantities]:
    if not workload.model:
        return {}
    depth = DEPTHS.get(workload.depth, DEPTHS["standard"])
    return {
        # Four bytes to a token as a rule; the bound is one.
        "tokens_in": Quantities(0, depth.tokens_in // 4, _CALLS * depth.tokens_in),
        "tokens_out": Quantities(0, depth.tokens_out // 2, _CALLS * depth.tokens_out),
    }


_WORK: Mapping[str, tuple[Callable[[Workload], dict[str, Quantities]], ...]] = MappingProxyType(
    {
        "research": (_reading, _tabulating, _writing),
        "analysis": (_tabulating,),
        "synthesis": (_merging,),
    }
)
