from __future__ import annotations

import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits
from services.library.parsing.parse import parse

DOCTYPE = '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) v1.2//EN" "http://dtd.invalid/JATS.dtd">'
FRONT = """<front><journal-meta><journal-title-group><journal-title>J Peat</journal-title></journal-title-group>
<issn>1234-5678</issn><publisher><publisher-name>Bog Press</publisher-name></publisher></journal-meta><article-meta>
<article-id pub-id-type="pmid">99</article-id><article-id pub-id-type="doi">10.5555/peat.7</article-id>
<title-group><article-title>On <italic>old</italic> ash</article-title></title-group><contrib-group>
<contrib contrib-type="author"><name><surname>Fenn</surname><given-names>Ida</given-names></name></contrib>
<contrib contrib-type="author"><collab>Bog Group<contrib-group><contrib contrib-type="author"><name>
<surname>Hidden</surname></name></contrib></contrib-group></collab></contrib>
<contrib contrib-type="editor"><name><surname>Moor</surname></name></contrib></contrib-group>
<pub-date pub-type="pmc-release"><year>2017</year></pub-date><pub-date pub-type="ppub"><year>2019</year></pub-date>
<pub-date pub-type="epub"><day>2</day><month>3</month><year>2019</year></pub-date>
<volume>3</volume><issue>1</issue><fpage>11</fpage><lpage>19</lpage>
<abstract><p>Ash&nbsp;tells age.</p></abstract><abstract abstract-type="graphical"><p>Picture</p></abstract>
</article-meta></front>"""
BODY = """<body><sec><label>1</label><title>Results</title><p>Depth is <inline-formula><mml:math><mml:mfrac><mml:mrow>
<mml:mi>a</mml:mi><mml:mo>+</mml:mo><mml:mn>1</mml:mn></mml:mrow><mml:mn>2</mml:mn></mml:mfrac></mml:math>
</inline-formula> at 10<sup>3</sup> m<sup>2</sup> in 2010<sup><xref ref-type="bibr">1</xref></sup>:
<disp-formula><label>(1)</label><alternatives><tex-math>\\documentclass{x}\\begin{document}$$\\alpha_i$$\\end{document}
</tex-math></alternatives></disp-formula><list><list-item><p>moss</p></list-item><list-item><p>ash</p></list-item></list>
after the list.</p><table-wrap><label>Table 1</label><caption><title>Ages</title><p>By depth.</p></caption><table>
<thead><tr><th rowspan="2">depth</th><th colspan="2">age</th></tr><tr><th>low</th><th>high</th></tr></thead>
<tbody><tr><td>10</td><td>200</td><td>210</td></tr></tbody></table><table-wrap-foot><p>in years</p></table-wrap-foot>
</table-wrap><fig><label>Figure 1</label><caption><p>A bog.</p></caption><graphic/></fig></sec></body>"""
BACK = """<back><ack><p>We thank the bog.</p></ack><ref-list><title>References</title><ref><label>1</label>
<mixed-citation><name><surname>Moor</surname><given-names>O</given-names></name>.
<article-title>Moss</article-title>. 1999.</mixed-citation></ref><ref><element-citation>
<person-group><name><surname>Fenn</surname><given-names>I</given-names>
</name></person-group><article-title>Ash</article-title><source>J Peat</source><year>2001</year>
</element-citation></ref></ref-list></back>"""


def article(front: str = FRONT, body: str = BODY, back: str = BACK, doctype: str = DOCTYPE) -> str:
    mathml = 'xmlns:mml="http://www.w3.org/1998/Math/MathML"'
    return (
        f'<?xml version="1.0"?>{doctype}<article article-type="research-article" {mathml}>{front}{body}{back}</article>'
    )


def read(source: str | bytes, limits: ParseLimits | None = None, filename: str = "a.nxml") -> ParsedDocument:
    return parse(source.encode() if isinstance(source, str) else source, filename, "", limits or ParseLimits())


def cause(source: str | bytes, limits: ParseLimits | None = None, filename: str = "a.xml") -> UnreadableCause:
    with pytest.raises(DocumentUnreadable) as raised:
        read(source, limits, filename)
    return raised.value.cause


def test_the_text_is_in_order_and_references_come_last() -> None:
    document = read(article())
    assert document.kind is Kind.JATS
    assert document.text.split("\n\n") == [
        "On old ash",
        "Abstract",
        "Ash tells age.",
        "1 Results",
        "Depth is (a + 1)/2 at 10^3 m2 in 2010 1: α_i (1)",
        "moss\nash",
        "after the list.",
        "Table 1. Ages. By depth.",
        "depth\tage\n\tlow\thigh\n10\t200\t210",
        "in years",
        "Figure 1. A bog.",
        "Acknowledgements",
        "We thank the bog.",
        "References",
        "1 Moor O. Moss. 1999.",
        "Ash. I Fenn (2001). J Peat.",
    ]


def test_what_the_article_says_of_itself() -> None:
    document = read(article())
    assert (document.title, document.authors, document.year) == ("On old ash", ("Ida Fenn", "Bog Group"), 2019)
    assert document.doi == "10.5555/peat.7"
    assert document.csl == {
        "type": "article-journal",
        "title": "On old ash",
        "author": [{"family": "Fenn", "given": "Ida"}, {"literal": "Bog Group"}],
        "issued": {"date-parts": [[2019, 3, 2]]},
        "PMID": "99",
        "DOI": "10.5555/peat.7",
        "volume": "3",
        "issue": "1",
        "page": "11-19",
        "container-title": "J Peat",
        "ISSN": "1234-5678",
        "publisher": "Bog Press",
    }


def test_tables_stand_where_they_are_said_to_stand() -> None:
    document = read(article())
    (table,) = document.tables
    assert document.text[table.start : table.end] == "depth\tage\n\tlow\thigh\n10\t200\t210"
    assert (table.caption, table.rows, table.columns, table.page) == ("Table 1. Ages. By depth.", 3, 3, None)


@pytest.mark.parametrize(
    ("math", "expected"),
    [
        ("<msup><mi>x</mi><mn>2</mn></msup><mo>=</mo><mi>y</mi>", "x^2 = y"),
        ("<msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt>", "√(x + 1)"),
        ("<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>", "∑_(i = 1)^n"),
        ("<msub><mi>a</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub>", "a_ij"),
        ("<mfenced><mi>a</mi><mi>b</mi></mfenced><mspace/><mtext>if</mtext>", "(a, b) if"),
    ],
)
def test_formulae_read_as_a_line(math: str, expected: str) -> None:
    body = f'<body><p><math xmlns="http://www.w3.org/1998/Math/MathML">{math}</math></p></body>'
    assert read(article(body=body, front="<front/>", back="")).text == expected


def test_entities_are_never_expanded_and_nothing_is_fetched() -> None:
    external = '<!DOCTYPE article [<!ENTITY e "ha"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    body = "<body><p>one &e; two &f; three &eacute;</p></body>"
    document = read(article(body=body, front="<front/>", back="", doctype=external))
    assert document.text == "one two three é"
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    laughs = f'<!DOCTYPE article [<!ENTITY e0 "ha">{entities}]>'
    assert cause(article(body="<body><p>&e11;</p></body>", doctype=laughs)) is UnreadableCause.CORRUPT


def test_what_is_no_article_is_named() -> None:
    assert cause("<rss><channel/></rss>") is UnreadableCause.UNSUPPORTED_TYPE
    assert cause("<article><p>an HTML fragment</p></article>") is UnreadableCause.UNSUPPORTED_TYPE
    assert cause(article()[:900]) is UnreadableCause.CORRUPT
    assert cause(article(body=f"<body>{'<sec>' * 5000}{'</sec>' * 5000}</body>")) is UnreadableCause.CORRUPT
    assert cause(article(front="<front/>", body="<body/>", back="")) is UnreadableCause.NO_TEXT
    assert cause(article(), ParseLimits(characters=50)) is UnreadableCause.TOO_LARGE


def test_xml_is_told_apart_by_its_root() -> None:
    page = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>words</p></body></html>'
    assert read(page, filename="page.xml").kind is Kind.HTML
    assert read(article(), filename="").kind is Kind.JATS
    bare = article(doctype="").partition("?>")[2]
    assert read(f"<pmc-articleset>{bare}</pmc-articleset>", filename="a.xml").title == "On old ash"
