"""A result document as an engine stores it, with every kind of content; texts and offsets belong together."""

from __future__ import annotations

import hashlib
from typing import Any

_TEXTS: dict[str, tuple[str, list[str], int, str | None, str]] = {
    "d-vapour": (
        "Vapour pressure and boiling",
        ["Marsh, Eleanor", "Okafor, Chidi", "Lindqvist, Sven"],
        2014,
        "10.5555/vapour.2014.7",
        "A liquid boils when its saturated vapour pressure equals the pressure of its surroundings. "
        "Lowering the pressure on the liquid therefore lowers the temperature at which it boils. "
        "At 101.325 kPa pure water boils at 100 °C, or very nearly so. "
        "The relation between the two is not a straight line: equal steps of temperature multiply the "
        "vapour pressure by a nearly constant factor.",
    ),
    "d-mountain": (
        "Boiling water on mountains: a field guide",
        ["Tanaka, Yui"],
        2019,
        None,
        "Near sea level the boiling point falls by about one kelvin for every 300 metres climbed. "
        "Cooking takes longer at altitude because the water is cooler when it boils, not because it boils weakly. "
        "A pressure cooker undoes the effect by closing the vessel.",
    ),
    "d-forbes": (
        "Notes on the hypsometer & its errors",
        ["Ruiz, Inés", "Bauer, Karl-Heinz"],
        2003,
        "10.5555/hypsometer.2003",
        "A hypsometer finds the altitude from the temperature of steam above boiling water. "
        "Its thermometer must stand in the steam and not in the water, since dissolved salts raise the boiling "
        "point of the water but leave that of the condensing steam alone.",
    ),
}


def _passage(document_id: str, quote: str, page: int | None) -> dict[str, Any]:
    text = _TEXTS[document_id][4]
    start = text.index(quote)
    return {
        "quote": quote,
        "page": page,
        "start": start,
        "end": start + len(quote),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _citation(id: str, document_id: str, kind: str, container: str | None, *quotes: tuple[str, int]) -> dict[str, Any]:
    title, authors, year, doi, _ = _TEXTS[document_id]
    csl: dict[str, Any] = {
        "id": id,
        "type": kind,
        "title": title,
        "author": [
            {"family": family.strip(), "given": given.strip()}
            for family, _, given in (author.partition(",") for author in authors)
        ],
        "issued": {"date-parts": [[year]]},
    }
    if container:
        csl |= {"container-title": container, "volume": "12", "issue": "3", "page": "41-58"}
    return {
        "id": id,
        "document_id": document_id,
        "title": title,
        "authors": authors,
        "year": year,
        "doi": doi,
        "url": None if doi else "https://example.org/boiling?page=1&lang=en",
        "passages": [_passage(document_id, quote, page) for quote, page in quotes],
        "csl": csl,
    }


BOILS = "A liquid boils when its saturated vapour pressure equals the pressure of its surroundings."
LOWERS = "Lowering the pressure on the liquid therefore lowers the temperature at which it boils."
FACTOR = "equal steps of temperature multiply the vapour pressure by a nearly constant factor"
KELVIN = "Near sea level the boiling point falls by about one kelvin for every 300 metres climbed."
STEAM = "Its thermometer must stand in the steam and not in the water"


def sample() -> dict[str, Any]:
    """A complete document; a new one on each call, so that a test may change it."""
    altitudes = list(range(0, 9000, 500))
    pressures = [round(101.325 * (1 - 2.25577e-5 * metres) ** 5.25588, 3) for metres in altitudes]
    points = [{"altitude": metres, "pressure": kpa} for metres, kpa in zip(altitudes, pressures, strict=True)]
    return {
        "title": "Pressure and the boiling point of water",
        "partial": False,
        "summary": (
            "The sources agree that water boils at the temperature at which its vapour pressure reaches the pressure "
            "around it, so that less pressure means a lower boiling point.\n\n"
            "Near sea level this amounts to about one kelvin for every 300 metres of altitude; the relation is curved, "
            "close to exponential in temperature, and the figure changes with height."
        ),
        "confidence_score": 0.8125,
        "sections": [
            {
                "id": "s1",
                "heading": "Why boiling depends on pressure",
                "body": (
                    "The sources start from the same definition. " + BOILS + " From this all else follows.\n\n"
                    "Two of them say how strong the effect is, and one how it is measured in the field."
                ),
                "claims": [
                    {"id": "c1", "text": BOILS, "citations": ["k1"], "support": 0.94},
                    {"id": "c2", "text": LOWERS, "citations": ["k1", "k2"], "support": 0.9},
                ],
            },
            {
                "id": "s2",
                "heading": "How much, and how it is measured",
                "body": "",
                "claims": [
                    {"id": "c3", "text": KELVIN, "citations": ["k2"], "support": 0.88},
                    {
                        "id": "c4",
                        "text": "Field readings are taken in the steam, which salts in the water leave alone.",
                        "citations": ["k3"],
                        "support": 0.71,
                    },
                ],
            },
        ],
        "key_findings": [
            {
                "id": "f1",
                "text": "Less pressure, lower boiling point.",
                "quote": LOWERS,
                "citations": ["k1"],
                "confidence": 0.91,
            },
            {
                "id": "f2",
                "text": "About one kelvin is lost for every 300 m near sea level.",
                "quote": KELVIN,
                "citations": ["k2"],
                "confidence": 0.84,
            },
            {
                "id": "f3",
                "text": "The relation is close to exponential in temperature.",
                "quote": FACTOR,
                "citations": ["k1", "k3"],
                "confidence": 0.67,
            },
        ],
        "tables": [
            {
                "id": "t1",
                "title": "Standard atmosphere by altitude",
                "columns": ["Altitude (m)", "Pressure (kPa)", "Remark"],
                "rows": [
                    [metres, kpa, {0: "sea level", 8500: "near the highest summits"}.get(metres)]
                    for metres, kpa in zip(altitudes, pressures, strict=True)
                ],
            }
        ],
        "figures": [
            {
                "id": "g1",
                "title": "Pressure of the standard atmosphere",
                "alt": "A falling, slightly curved line: 101 kPa at sea level, 33 kPa at 8,500 metres.",
                "media_type": "application/vnd.vegalite.v5+json",
                "spec": {
                    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
                    "width": 420,
                    "height": 220,
                    "data": {"values": points},
                    "mark": {"type": "line", "point": True},
                    "encoding": {
                        "x": {"field": "altitude", "type": "quantitative", "title": "Altitude (m)"},
                        "y": {"field": "pressure", "type": "quantitative", "title": "Pressure (kPa)"},
                    },
                },
            }
        ],
        "screening": {
            "identified": 15,
            "screened": 15,
            "included": 3,
            "excluded": [
                {
                    "document_id": "d-07",
                    "title": "Freezing of sea water",
                    "reason": "no passage above the threshold",
                },
                {
                    "document_id": "d-11",
                    "title": "A history of kettles",
                    "reason": "no passage above the threshold",
                },
            ],
        },
        "methods": {
            "ranking": "BM25 over stemmed passages, k1 = 1.2, b = 0.75",
            "confidence": "the mean of agreement, coverage and source quality",
            "limits": [
                "Only the documents of the session were searched.",
                "No source was weighed by its age.",
            ],
        },
        "citations": [
            _citation(
                "k1",
                "d-vapour",
                "article-journal",
                "Journal of Thermal Teaching",
                (BOILS, 3),
                (LOWERS, 3),
                (FACTOR, 4),
            ),
            _citation("k2", "d-mountain", "book", None, (KELVIN, 17)),
            _citation("k3", "d-forbes", "article", None, (STEAM, 2)),
        ],
    }


def metadata() -> dict[str, Any]:
    """Execution metadata of a finished session."""
    return {
        "session_id": "01981f2e-7c3a-7b52-9d7e-0a4c6f1b2d3e",
        "session_type": "research",
        "prompt": "How does ambient pressure change the boiling point of water, and by how much at altitude?",
        "created_at": "2025-07-02T10:30:00Z",
        "started_at": "2025-07-02T10:30:02.5Z",
        "finished_at": "2025-07-02T10:31:40Z",
        "execution_time": 97.5,
        "cost": {"amount": "1.284", "currency": "FTNS"},
        "engine": "research",
        "engine_version": "1",
    }


def raw_data() -> dict[str, Any]:
    """What was gathered on the way."""
    return {
        "passages": [
            {"document_id": "d-vapour", "start": 0, "end": len(BOILS), "quote": BOILS, "score": 11.25},
            {"document_id": "d-mountain", "start": 0, "end": len(KELVIN), "quote": KELVIN, "score": 9.5},
        ],
        "screening": [
            {"document_id": "d-vapour", "decision": "included", "reason": "3 passages"},
            {"document_id": "d-07", "decision": "excluded", "reason": '=HYPERLINK("http://evil.example")'},
        ],
        "decisions": [{"seq": 7, "stage": "screen", "decision": "kept 3 of 15", "reason": "threshold 4.0"}],
        "usage": [{"item": "document_read", "quantity": 15, "unit_price": "0.02"}],
    }
