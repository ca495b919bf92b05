"""Texts, licences, words, merging: what needs no service."""

from __future__ import annotations

import pytest

from kit.times import Instant
from services.library.connectors.licences import OPEN, allowed, licence_of
from services.library.connectors.pacing import Bucket, TooLate
from services.library.connectors.values import line_of, paragraphs_of, text_of
from services.library.connectors.wording import narrow, wide, words_of
from services.library.connectors.work import FullText, Work, merged
from services.library.convert.works import gathered_messages
from services.library.domain import Document, Status
from services.library.holdings import AskedConnector, Gathered, GatheredWork
from tests.unit.library.connecting import Waiting


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("http://creativecommons.org/licenses/by/4.0/", "cc-by"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0/igo/legalcode", "cc-by-nc-nd"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("cc by", "cc-by"),
        ("CC-BY-SA 4.0", "cc-by-sa"),
        ("cc by-nc", "cc-by-nc"),
        ("cc0", "cc0"),
        ("CC0 1.0", "cc0"),
        ("public-domain", "public-domain"),
        ("publisher-specific-oa", ""),
        ("cc", ""),
        ("cc by or so", ""),
        ("https://example.org/licenses/by/4.0/", ""),
        ("", ""),
    ],
)
def test_licences_by_their_short_names(written: str, name: str) -> None:
    assert licence_of(written) == name


def test_only_listed_licences_are_allowed() -> None:
    assert allowed("CC BY 4.0", OPEN)
    assert allowed("cc by-sa", OPEN)
    assert not allowed("cc by-nc", OPEN)
    assert not allowed("cc by-nd", OPEN)
    assert not allowed("", OPEN)
    assert not allowed("publisher-specific-oa", {""})


def test_markup_is_taken_out_of_titles() -> None:
    assert line_of("The <i>p</i>-value &amp; CO<sub>2</sub>") == "The p-value & CO2"
    assert line_of("Where a<b and c>d hold") == "Where a<b and c>d hold"
    assert line_of("At &lt;i&gt;p&lt;/i&gt; &lt; 0.05") == "At p < 0.05"
    assert line_of('An <a href="javascript:x()">odd</a> <script>alert(1)</script>title') == "An odd title"
    maths = "<mml:math><mml:msup><mml:mi>x</mml:mi><mml:mn>2</mml:mn></mml:msup></mml:math>"
    assert line_of(f"Of {maths} alone") == "Of x2 alone"
    assert line_of(7) == line_of(None) == ""


def test_abstracts_keep_their_paragraphs() -> None:
    jats = (
        "<jats:title>Abstract</jats:title><jats:sec><jats:title>Aims</jats:title><jats:p>We\n asked.</jats:p>"
        "</jats:sec><jats:p>We <jats:italic>found</jats:italic>.</jats:p>"
    )
    assert text_of(jats) == "Aims\n\nWe asked.\n\nWe found."
    assert text_of("<h4>Background</h4>Bogs. <h4>Results</h4>Moss.") == "Background\n\nBogs.\n\nResults\n\nMoss."
    assert paragraphs_of("  One\n line, a<b.\n\n\n  Two. ") == "One line, a<b.\n\nTwo."
    assert len(text_of("x" * 100_000)) == 20_000
    assert text_of("<script" * 20_000) is not None


def test_words_of_a_query() -> None:
    assert words_of("Rewetting AND peat OR (x-ray) the the A") == ("rewetting", "peat", "x ray", "the")
    assert narrow(("peat", "x ray", "a1", "b2", "c3"), "all:") == 'all:peat AND all:"x ray" AND all:a1 AND all:b2'
    assert wide(("peat", "x ray")) == 'peat OR "x ray"'
    assert words_of("not a to") == ()
    assert len(words_of(" ".join(f"word{n}" for n in range(50)))) == 10


def work(title: str, **more: object) -> Work:
    fields: dict[str, object] = {"abstract": "Short.", "authors": ("A. Berg",), "year": 2020, **more}
    return Work(title=title, **fields)  # type: ignore[arg-type]


def test_the_same_work_of_several_connectors_is_one() -> None:
    one = work("Moss on four wet bogs", doi="10.5555/A", csl={"title": "Moss", "author": [{"literal": "A. Berg"}]})
    two = work(
        "Moss on four wet bogs",
        doi="10.5555/a",
        abstract="A longer abstract.",
        csl={"volume": "7", "author": [{"family": "Berg", "given": "A."}]},
        full_texts=(FullText("https://example.org/a.pdf", "cc-by", "pdf"),),
    )
    preprint = work("Moss on four wet bogs", doi="10.48550/arXiv.1", csl={"publisher": "arXiv"}, authors=("Anna Berg",))
    other = work("Something else about the fens")
    found = merged([("openalex", [other, one]), ("crossref", [two]), ("arxiv", [preprint])])
    assert [each.connectors for each in found] == [("crossref", "arxiv", "openalex"), ("openalex",)]
    joined = found[0].work
    assert joined.abstract == "A longer abstract."
    assert joined.full_texts == two.full_texts
    # A preprint's publisher is no part of how the article is cited.
    assert joined.csl == {"title": "Moss", "volume": "7", "author": [{"family": "Berg", "given": "A."}]}
    assert merged([("openalex", [other, one]), ("crossref", [two]), ("arxiv", [preprint])]) == found


def test_of_thousands_of_authors_a_hundred_are_kept() -> None:
    names = tuple(f"A. Berg {n}" for n in range(5000))
    many = work("Moss", authors=names, csl={"author": [{"literal": name} for name in names]}).bounded()
    assert many.authors == names[:100]
    assert many.csl["author"][-1] == {"literal": names[99]}
    few = work("Moss", csl={"title": "Moss"})
    assert few.bounded() is few


def test_works_travel_in_messages_of_a_bounded_size() -> None:
    csl = {"note": "x" * 20_000}
    found = [
        GatheredWork(
            Document(f"d{n}", "ada", "Moss", "text", Status.READY, Instant(0), "", 5, csl=csl),
            ("arxiv",),
            full_text=False,
        )
        for n in range(200)
    ]
    *pages, last = gathered_messages(Gathered(found, [AskedConnector("arxiv", 200, 0, "")]))
    assert max(page.ByteSize() for page in pages) <= 1_100_000
    assert [each.card.document_id for page in pages for each in page.works] == [f"d{n}" for n in range(200)]
    assert [each.found for each in last.asked] == [200]


def test_works_outlive_storage() -> None:
    kept = work("Moss", full_texts=(FullText("https://example.org/a", "cc-by"),), csl={"title": "Moss"})
    assert Work.of(kept.as_json()) == kept


async def test_a_bucket_lets_a_burst_through_and_then_keeps_the_distance() -> None:
    waiting = Waiting()
    bucket = Bucket(2.0, now=waiting.now, sleep=waiting.sleep, burst=3)
    for _ in range(5):
        await bucket.turn(until=waiting.now() + 60)
    assert waiting.pauses == [2.0, 2.0]
    with pytest.raises(TooLate):
        await bucket.turn(until=waiting.now() + 1)
    bucket.close(30)
    with pytest.raises(TooLate):
        await bucket.turn(until=waiting.now() + 20)
    await bucket.turn(until=waiting.now() + 60)
    assert waiting.pauses[2:] == [30.0]
