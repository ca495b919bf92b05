"""The report that `bench.documents` has written by everybody: some six pages of prose with citations, two figures and
two tables. Made from a number, so that no two are the same and nothing that was drawn or set before can be used again.
"""

from __future__ import annotations

import hashlib
import math
import random
from typing import Any

JSON = dict[str, Any]

_SOURCES = 12
_PLACES = ("estuary", "delta", "lagoon", "fjord", "barrier island", "river mouth", "bay", "tidal flat")
_PLANTS = ("salt marsh", "mangrove forest", "seagrass meadow", "brackish reed bed")
_FACTORS = ("sediment supply", "salinity", "tidal range", "grazing", "nutrient load", "depth of the water table")
_FAMILIES = ("Adeyemi", "Bergström", "Castellanos", "Dvořák", "Eriksen", "Fontaine", "Ghosh", "Halvorsen")
_GIVEN = ("Amara", "Björn", "Catalina", "Dana", "Elif", "Farid", "Grete", "Hiroshi")
_HEADINGS = (
    "What is buried, and where",
    "Rates by kind of vegetation",
    "Sediment and tides",
    "What limits burial",
    "Losses after disturbance",
)
_LINKS = (
    "This agrees with the cores taken further inland, though these are fewer.",
    "The spread between stations is larger than that between years, which speaks for local causes.",
    "Where both were measured, the two methods differ by less than a tenth.",
    "No source gives a figure for the years before the embankment was built.",
    "The authors warn that compaction was not corrected for in the upper layers.",
    "Taken over a decade the difference is smaller, because wet and dry years even out.",
)


def result_document(number: int) -> JSON:
    """A result document as an engine stores it; another one for each number."""
    chance = random.Random(number)
    texts: list[list[str]] = [[] for _ in range(_SOURCES)]
    sections: list[JSON] = []
    for place, heading in enumerate(_HEADINGS):
        claims: list[JSON] = []
        paragraphs = []
        for _ in range(2):
            sentences = []
            for _ in range(2):
                text, cited = _claim(chance), sorted(chance.sample(range(_SOURCES), 2))
                for source in cited:
                    texts[source].append(text)
                ids = [f"k{source}" for source in cited]
                claims.append({"id": f"c{place}-{len(claims)}", "text": text, "citations": ids, "support": 0.9})
                sentences += [text, chance.choice(_LINKS)]
            paragraphs.append(" ".join(sentences))
        body = "\n\n".join(paragraphs)
        sections.append({"id": f"s{place}", "heading": heading, "body": body, "claims": claims})
    findings = []
    for place in range(5):
        claim = sections[place]["claims"][1]
        text = f"{claim['text'].split(',')[0]}, as two sources say."
        finding = {"id": f"f{place}", "text": text, "citations": claim["citations"], "confidence": 0.8}
        findings.append({**finding, "quote": claim["text"]})
    return {
        "title": f"Carbon burial in coastal wetlands: what {_SOURCES} sources say ({number})",
        "partial": False,
        "summary": "\n\n".join(f"{_claim(chance)} {chance.choice(_LINKS)} {_claim(chance)}" for _ in range(2)),
        "confidence_score": 0.83,
        "sections": sections,
        "key_findings": findings,
        "tables": [_rates(chance), _stations(chance)],
        "figures": [_line(chance, number), _bars(chance, number)],
        "citations": [_citation(source, texts[source], chance) for source in range(_SOURCES)],
    }


def source_texts(number: int) -> list[JSON]:
    """The sources of the report as documents for a library."""
    document = result_document(number)
    texts: dict[str, list[str]] = {}
    for section in document["sections"]:
        for claim in section["claims"]:
            for id in claim["citations"]:
                texts.setdefault(id, []).append(claim["text"])
    return [
        {"title": citation["title"], "text": "\n\n".join(texts.get(citation["id"], [citation["title"]]))}
        for citation in document["citations"]
    ]


def metadata(number: int) -> JSON:
    """Execution metadata of the session behind it."""
    return {
        "session_id": f"01981f2e-7c3a-7b52-9d7e-{number:012d}",
        "session_type": "research",
        "prompt": "How much carbon do coastal wetlands bury each year, and what limits it?",
        "finished_at": "2025-07-02T10:31:40Z",
        "execution_time": 97.5,
        "cost": {"amount": "1.284", "currency": "FTNS"},
    }


def raw_data(document: JSON) -> JSON:
    """What was gathered on the way."""
    passages = [
        {"document_id": citation["document_id"], "score": 7.5, **passage}
        for citation in document["citations"]
        for passage in citation["passages"]
    ]
    screening = [{"document_id": f"d{n}", "decision": "excluded", "reason": "no passage"} for n in range(200)]
    decisions = [{"seq": n, "stage": "screen", "decision": f"kept {n}", "reason": "threshold"} for n in range(40)]
    return {"passages": passages, "screening": screening, "decisions": decisions, "usage": []}


def _claim(chance: random.Random) -> str:
    plant, place, factor = chance.choice(_PLANTS), chance.choice(_PLACES), chance.choice(_FACTORS)
    rate, error, share = chance.randint(40, 320), chance.randint(3, 25), chance.randint(8, 64)
    return (
        f"In the {place} the {plant} buried {rate} ± {error} g of carbon per square metre and year, of which "
        f"{share} % went with changes in {factor}."
    )


def _rates(chance: random.Random) -> JSON:
    rows = [[plant, chance.randint(80, 300), chance.randint(5, 30), chance.randint(10, 90)] for plant in _PLANTS]
    columns = ["Vegetation", "Mean (g/m² a)", "Standard error", "Cores"]
    return {"id": "t0", "title": "Burial by vegetation", "columns": columns, "rows": rows}


def _stations(chance: random.Random) -> JSON:
    rows = [
        [f"S{n:02d}", chance.choice(_PLACES), round(chance.uniform(0.5, 6), 2), chance.randint(40, 320)]
        for n in range(16)
    ]
    columns = ["Station", "Setting", "Tidal range (m)", "Burial (g/m² a)"]
    return {"id": "t1", "title": "Stations", "columns": columns, "rows": rows}


def _line(chance: random.Random, number: int) -> JSON:
    phase = chance.random()
    values = [{"year": 1980 + n, "rate": round(150 + 40 * math.sin(n / 6 + phase) + n, 2)} for n in range(45)]
    return _figure("g0", f"Burial by year ({number})", values, {"type": "line", "point": True}, "year", "rate")


def _bars(chance: random.Random, number: int) -> JSON:
    values = [{"place": place, "rate": chance.randint(60, 300)} for place in _PLACES]
    return _figure("g1", f"Burial by setting ({number})", values, {"type": "bar"}, "place", "rate")


def _figure(id: str, title: str, values: list[JSON], mark: JSON, x: str, y: str) -> JSON:
    across: JSON = {"field": x, "type": "nominal"}
    if isinstance(values[0][x], int):
        across = {"field": x, "type": "quantitative", "scale": {"zero": False}, "axis": {"format": "d"}}
    return {
        "id": id,
        "title": title,
        "alt": f"{title}: {len(values)} values between {min(v[y] for v in values)} and {max(v[y] for v in values)}.",
        "media_type": "application/vnd.vegalite.v5+json",
        "spec": {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "width": 460,
            "height": 210,
            "data": {"values": values},
            "mark": mark,
            "encoding": {
                "x": across,
                "y": {"field": y, "type": "quantitative", "title": "g/m² a"},
            },
        },
    }


def _citation(source: int, texts: list[str], chance: random.Random) -> JSON:
    family, given = _FAMILIES[source % len(_FAMILIES)], _GIVEN[(source * 3) % len(_GIVEN)]
    other = _FAMILIES[(source + 3) % len(_FAMILIES)]
    title = f"{_PLANTS[source % 4].capitalize()} soils of a {_PLACES[source % 8]}: carbon and {_FACTORS[source % 6]}"
    text = " ".join(texts)
    digest = hashlib.sha256(text.encode()).hexdigest()
    year = chance.randint(1994, 2024)
    passages = [
        {"quote": quote, "page": 2 + n, "start": text.index(quote), "end": text.index(quote) + len(quote),
         "sha256": digest}
        for n, quote in enumerate(texts[:2])
    ]  # fmt: skip
    return {
        "id": f"k{source}",
        "document_id": f"d{source}",
        "title": title,
        "authors": [f"{family}, {given}", f"{other}, Kim"],
        "year": year,
        "doi": f"10.5555/wetland.{source}",
        "url": None,
        "passages": passages,
        "csl": {
            "id": f"k{source}",
            "type": "article-journal",
            "title": title,
            "author": [{"family": family, "given": given}, {"family": other, "given": "Kim"}],
            "container-title": "Journal of Coastal Soils",
            "volume": str(10 + source),
            "issue": "2",
            "page": f"{source * 20 + 1}-{source * 20 + 14}",
            "issued": {"date-parts": [[year]]},
            "DOI": f"10.5555/wetland.{source}",
        },
    }
