"""Works of every kind that a reference list has to cope with, as CSL-JSON items; all of them are made up."""

from __future__ import annotations

from typing import Any

from services.results.rendering.document import Citation, ResultDocument

Json = dict[str, Any]


def work(id: str, **csl: Any) -> tuple[str, Json]:
    return id, csl


def name(family: str, given: str = "", **parts: str) -> Json:
    return {"family": family, **({"given": given} if given else {}), **parts}


def on(*parts: int) -> Json:
    return {"date-parts": [list(parts)]}


WORKS: tuple[tuple[str, Json], ...] = (
    work(
        "journal",
        type="article-journal",
        title="Vapour pressure and boiling",
        author=[name("Marsh", "Eleanor"), name("Okafor", "Chidi B."), name("Lindqvist", "Sven")],
        issued=on(2014, 5, 2),
        **{
            "container-title": "Journal of Thermal Teaching",
            "volume": "12",
            "issue": "3",
            "page": "41-58",
            "DOI": "10.5555/vapour.2014.7",
        },
    ),
    work(
        "artnum",
        type="article-journal",
        title="Steam in thin columns",
        author=[name("Ito", "Mei")],
        issued=on(2020),
        **{
            "container-title": "Thermal Reports",
            "volume": "15",
            "issue": "2",
            "page": "e0211234",
            "DOI": "10.5555/steam.2020",
        },
    ),
    work(
        "artnum2",
        type="article-journal",
        title="Bubbles by number",
        author=[name("Ito", "Mei")],
        issued=on(2020),
        **{"container-title": "Physical Letters", "volume": "102A", "issue": "Suppl 1", "number": "165126"},
    ),
    work(
        "conf",
        type="paper-conference",
        title="Hypsometers for everyone",
        author=[name("Ruiz", "Inés"), name("Bauer", "Karl-Heinz")],
        editor=[name("Stone", "Ada"), name("Vale", "Tom")],
        issued=on(2018, 7),
        **{
            "container-title": "Proceedings of the Third Meeting on Field Instruments",
            "page": "101-110",
            "publisher": "Peak Press",
            "publisher-place": "Bern",
            "event-title": "Third Meeting on Field Instruments",
            "event-place": "Bern",
        },
    ),
    work(
        "book",
        type="book",
        title="The boiling point: a history",
        author=[name("Tanaka", "Yui")],
        issued=on(2011),
        edition="2",
        publisher="Summit Books",
        **{"publisher-place": "Edinburgh", "ISBN": "978-3-16-148410-0"},
    ),
    work(
        "chapter",
        type="chapter",
        title="Altimetry by steam",
        author=[name("Forbes", "James D.")],
        editor=[name("Grant", "Moira"), name("Hill", "Peter")],
        issued=on(2009),
        edition="3",
        publisher="Summit Books",
        page="77-98",
        **{
            "container-title": "Handbook of mountain physics",
            "publisher-place": "Edinburgh",
            "volume": "2",
            "ISBN": "978-3-16-148410-0",
        },
    ),
    work(
        "report",
        type="report",
        title="Cooking at altitude",
        author=[{"literal": "Institute for High Kitchens"}],
        issued=on(2016, 11),
        number="TR-42",
        genre="Technical report",
        publisher="Institute for High Kitchens",
        **{"publisher-place": "Quito", "URL": "https://example.org/tr42"},
    ),
    work(
        "web",
        type="webpage",
        title="Boiling water on mountains",
        author=[name("Vega", "Luz")],
        issued=on(2021, 3, 14),
        accessed=on(2024, 6, 1),
        URL="https://example.org/boiling?page=1&lang=en",
        **{"container-title": "Mountain Notes"},
    ),
    work(
        "webnone",
        type="webpage",
        title="Pressure cookers explained",
        accessed=on(2024, 6, 1),
        URL="https://example.org/cookers",
    ),
    work(
        "thesis",
        type="thesis",
        title="On dissolved salts",
        author=[name("Eze", "Ngozi")],
        issued=on(2015),
        genre="PhD thesis",
        publisher="University of Alt",
        **{"publisher-place": "Alt"},
    ),
    work(
        "preprint",
        type="article",
        title="A curved relation",
        author=[name("Kaya", "Deniz"), name("Moe", "Liv")],
        issued=on(2022, 9, 1),
        genre="Preprint",
        publisher="arXiv",
        number="arXiv:2209.01234",
        DOI="10.5555/arxiv.2209",
        URL="https://example.org/abs/2209.01234",
    ),
    work(
        "dataset",
        type="dataset",
        title="Boiling points by altitude",
        author=[name("Sato", "Ken")],
        issued=on(2019),
        publisher="Open Peaks",
        version="1.2",
        DOI="10.5555/data.2019",
    ),
    work(
        "software",
        type="software",
        title="steamtab",
        author=[name("Sato", "Ken")],
        issued=on(2023),
        publisher="Open Peaks",
        version="0.9",
        URL="https://example.org/steamtab",
    ),
    work(
        "sameA",
        type="article-journal",
        title="First of the year",
        author=[name("Nowak", "Ewa")],
        issued=on(2020),
        **{"container-title": "Steam", "volume": "1", "page": "1-9"},
    ),
    work(
        "sameB",
        type="article-journal",
        title="Second of the year",
        author=[name("Nowak", "Ewa")],
        issued=on(2020),
        **{"container-title": "Steam", "volume": "1", "page": "10-19"},
    ),
    work(
        "many",
        type="article-journal",
        title="Everybody boils",
        author=[name(f"Author{c}", f"{c}. X.") for c in "ABCDEFGHIJKLMNOPQRSTUVW"],
        issued=on(2017),
        **{"container-title": "Steam", "volume": "4", "page": "1"},
    ),
    work(
        "nodate",
        type="book",
        title="Undated notes",
        author=[name("Humboldt", "Alexander", **{"non-dropping-particle": "von"})],
        publisher="Summit Books",
    ),
    work(
        "particle",
        type="article-journal",
        title="Particles",
        author=[
            name("Gogh", "Vincent", **{"non-dropping-particle": "van"}),
            name("Cruz", "Ana", **{"dropping-particle": "de la", "suffix": "Jr."}),
        ],
        issued=on(2001),
        **{"container-title": "Steam", "volume": "2", "page": "5-6"},
    ),
    work(
        "cjk",
        type="article-journal",
        title="高原上水的沸点",
        author=[name("王", "小明"), name("李", "伟")],
        issued=on(2013),
        language="zh",
        **{"container-title": "物理学报", "volume": "7", "page": "12-20"},
    ),
    work(
        "german",
        type="article-journal",
        title="Über den Siedepunkt des Wassers in großer Höhe",
        author=[name("Müller", "Jörg")],
        issued=on(2008),
        language="de",
        **{"container-title": "Annalen der Höhe", "volume": "9", "page": "3-4"},
    ),
    work(
        "markup",
        type="article-journal",
        title="Why {x} costs $5 & <b>more</b>_always_ #1",
        author=[name("O'Neil", "Pat")],
        issued=on(2002),
        **{"container-title": "A & B", "volume": "3", "page": "8"},
    ),
    work(
        "news",
        type="article-newspaper",
        title="Kettles run dry",
        author=[name("Lund", "Per")],
        issued=on(2020, 1, 5),
        page="A4",
        **{"container-title": "The Daily Kettle"},
    ),
    work(
        "ency",
        type="entry-encyclopedia",
        title="Boiling",
        author=[name("Reid", "Kay")],
        issued=on(2003),
        publisher="Summit Books",
        page="12-13",
        **{"container-title": "Encyclopedia of heat"},
    ),
    work("doc", type="document", title="uploaded-notes.pdf"),
    work(
        "trans",
        type="book",
        title="Steam and fire",
        author=[name("Rossi", "Carla")],
        translator=[name("Lee", "Min")],
        editor=[name("Q", "R")],
        issued=on(1999),
        publisher="Summit Books",
    ),
    work(
        "edited",
        type="book",
        title="Edited volume",
        editor=[name("Grant", "Moira"), name("Hill", "Peter")],
        issued=on(2009),
        publisher="Summit Books",
    ),
    work(
        "blog",
        type="post-weblog",
        title="Steam diary",
        author=[name("Vega", "Luz")],
        issued=on(2021, 3, 14),
        URL="https://example.org/diary",
        **{"container-title": "Mountain blog"},
    ),
)


def citations() -> tuple[Citation, ...]:
    """The works as a result document cites them."""
    return ResultDocument.parse({"title": "Works", "citations": [citation(id, csl) for id, csl in WORKS]}).citations


def citation(id: str, csl: Json) -> Json:
    """A citation as an engine stores it, which knows of the work what its item does."""
    return {
        "id": id,
        "title": csl.get("title", ""),
        "authors": [],
        "year": csl["issued"]["date-parts"][0][0] if "issued" in csl else None,
        "doi": csl.get("DOI"),
        "url": csl.get("URL"),
        "csl": csl,
    }
