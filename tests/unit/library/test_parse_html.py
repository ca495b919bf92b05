from __future__ import annotations

import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParsedDocument, ParseLimits
from services.library.parsing.parse import parse


def read(markup: str | bytes, content_type: str = "") -> ParsedDocument:
    data = markup.encode() if isinstance(markup, str) else markup
    return parse(data, "page.html", content_type, ParseLimits())


def test_blocks_lists_tables_and_inline_text() -> None:
    markup = """<html><head><title>Moss &amp; Fern</title><style>p {}</style></head><body>
      <h1>Moss</h1><p>Moss <b>drinks</b>
      rain.</p><ul><li>soft<li>green</ul>
      <table><tr><th>kind<th>size</tr><tr><td>peat</td><td>9 cm</td></tr></table>
      <pre>one
  two</pre>x<br>y<script>alert(1)</script></body></html>"""
    document = read(markup)
    assert document.title == "Moss & Fern"
    assert document.text == ("Moss\n\nMoss drinks rain.\n\nsoft\ngreen\n\nkind\tsize\npeat\t9 cm\n\none\ntwo\n\nx\ny")


def test_furniture_is_left_out() -> None:
    words = "Ferns unroll their leaves in spring and spread their spores in late summer. " * 5
    links = "".join(f"<li><a href='/{n}'>Language {n}</a>" for n in range(12))
    markup = f"""<body><nav>Home</nav><div class="sidebar big">Ads</div><div hidden>secret</div>
      <main><ul>{links}</ul><h1>Ferns</h1><p>{words}</p><div class="mw-editsection">edit</div></main>
      <footer class="site-footer">Imprint</footer></body>"""
    assert read(markup).text == f"Ferns\n\n{words.strip()}"


def test_a_box_of_prose_beside_the_text_is_text() -> None:
    words = "Ferns unroll their leaves in spring and spread their spores in late summer. " * 12
    box = "The community: people who keep ferns meet each spring and swap spores with each other. " * 3
    links = "".join(f"<p><a href='/{n}'>A page about the fern number {n}</a></p>" for n in range(7))
    document = read(f"<p>{words}</p><div class='sidebar'><p>{box}</p></div><div class='sidebar'>{links}</div>")
    assert document.text == f"{words.strip()}\n\n{box.strip()}"


def test_a_page_of_links_keeps_them() -> None:
    links = "".join(f"<li><a href='/{n}'>Entry number {n}</a>" for n in range(12))
    assert read(f"<body><ul>{links}</ul></body>").text.startswith("Entry number 0\nEntry number 1\n")


def test_a_class_on_the_body_hides_nothing() -> None:
    assert read("<body class='sidebar'><p class='toc'>All of it</p></body>").text == "All of it"


def test_citation_metadata() -> None:
    markup = """<meta name="citation_title" content="Spore Clocks"><meta name="citation_author" content="Lee, Kim">
      <meta name="citation_author" content="Ann Oak"><meta name="citation_publication_date" content="2011/07/02">
      <meta name="citation_doi" content="doi:10.1000/spore.7"><title>Site - Spore Clocks</title><p>Text.</p>"""
    document = read(markup)
    assert (document.title, document.year, document.doi) == ("Spore Clocks", 2011, "10.1000/spore.7")
    assert document.authors == ("Kim Lee", "Ann Oak")


@pytest.mark.parametrize(
    ("tags", "authors", "year"),
    [
        ('<meta name="author" content="Ann Oak"><meta name="date" content="2019-04-01">', ("Ann Oak",), 2019),
        (
            '<meta property="article:author" content="https://example.org/ann"><meta name="author" content="Ann Oak">'
            '<meta property="article:published_time" content="2020-05-06T10:00:00Z"><meta name="date" content="2021">',
            ("Ann Oak",),
            2020,
        ),
        (
            '<meta name="author" content="Web Team"><meta name="citation_author" content="Lee, Kim">'
            '<meta name="dcterms.issued" content="2018">',
            ("Kim Lee",),
            2018,
        ),
        ('<meta property="article:author" content="https://example.org/ann">', (), None),
    ],
)
def test_author_and_date_of_a_page_without_citation_metadata(
    tags: str, authors: tuple[str, ...], year: int | None
) -> None:
    document = read(f"{tags}<title>Spore Clocks</title><p>Spores keep time.</p>")
    assert (document.authors, document.year) == (authors, year)


def test_the_page_declares_its_encoding() -> None:
    markup = '<meta charset="windows-1251"><p>Мох растёт медленно</p>'.encode("cp1251")
    assert read(markup).text == "Мох растёт медленно"


def test_depth_costs_nothing() -> None:
    assert read("<div>" * 20_000 + "deep").text == "deep"


@pytest.mark.parametrize("markup", ["<html></html>", "<body><script>x()</script></body>", "<p hidden>x</p>"])
def test_a_page_without_text(markup: str) -> None:
    with pytest.raises(DocumentUnreadable) as raised:
        read(markup)
    assert raised.value.cause is UnreadableCause.NO_TEXT


def test_tables_of_data_are_rows_and_those_that_lay_out_are_not() -> None:
    rows = "<tr><th>depth<th colspan=2>age<tr><td rowspan=2><p>10</p>m<td>200<td>210<tr><td>1<td>2"
    layout = f"<table><tr><td>menu<td><p>Words.</p><table><caption>Ages</caption>{rows}</table></table>"
    document = read(f"<p>Before.{layout}<p>After.")
    (table,) = document.tables
    assert document.text[table.start : table.end] == "depth\tage\n10 m\t200\t210\n\t1\t2"
    assert (table.caption, table.rows, table.columns) == ("Ages", 3, 3)
    assert [part for part in document.text.split("\n\n") if part in ("Before.", "Words.", "Ages", "After.")] == [
        "Before.",
        "Words.",
        "Ages",
        "After.",
    ]


def test_citation_tags_make_the_item() -> None:
    tags = {
        "citation_title": "The slow archive",
        "citation_author": "Fenn, Ida",
        "citation_journal_title": "J Peat",
        "citation_volume": "3",
        "citation_firstpage": "11",
        "citation_lastpage": "19",
        "citation_date": "1998/03/02",
        "citation_doi": "10.5555/x",
    }
    head = "".join(f'<meta name="{name}" content="{value}">' for name, value in tags.items())
    assert read(f"<head>{head}</head><p>Words.").csl == {
        "type": "article-journal",
        "title": "The slow archive",
        "author": [{"given": "Ida", "family": "Fenn"}],
        "issued": {"date-parts": [[1998]]},
        "DOI": "10.5555/x",
        "container-title": "J Peat",
        "volume": "3",
        "page": "11-19",
    }
